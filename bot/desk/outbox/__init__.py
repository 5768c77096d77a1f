"""Storing and telling: the log, the notices, and their delivery to Discord."""
