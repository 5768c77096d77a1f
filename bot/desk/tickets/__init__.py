"""From a request to a claimed ticket: drafts, decisions, offers, presses."""
