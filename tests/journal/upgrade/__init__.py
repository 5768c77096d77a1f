"""Journals of versions that were, opened by the one that is."""
