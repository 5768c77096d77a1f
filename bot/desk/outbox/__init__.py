"""What is stored and told: the log, the notices, and their delivery to Discord."""
