"""Who may do what, and every reason why an order may not be sent now."""
