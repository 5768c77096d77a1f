"""Mutants of the rules, small faults put in one at a time, and the tests that find them."""
