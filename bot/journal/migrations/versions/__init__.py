"""One module a change, numbered; what has been released is never edited."""
