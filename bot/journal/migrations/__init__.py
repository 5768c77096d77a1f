"""The history of the tables, run by ``bot.journal.migrate``."""
