"""Tracking of what was sent: following, evidence, recovery at a start, buttons taken off."""
