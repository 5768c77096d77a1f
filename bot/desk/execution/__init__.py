"""Sending what was claimed: once, step by step where it takes several calls."""
