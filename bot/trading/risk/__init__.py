"""Permissions, and every reason why an order may not be sent now."""
