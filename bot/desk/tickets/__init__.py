"""The way from a request to a claimed ticket: drafts, decisions, offers, presses."""
