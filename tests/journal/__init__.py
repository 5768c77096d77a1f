"""The journal on SQLite, and on PostgreSQL where one answers."""
