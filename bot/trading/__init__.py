"""The rules: pure functions and frozen data. No I/O, no clock, no randomness, no Discord."""
