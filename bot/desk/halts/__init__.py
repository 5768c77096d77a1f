"""Halts: those that people set, and those that are found."""
