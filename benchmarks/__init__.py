"""The bot's cost in time, measured beside a bot that does nothing but answer and post. Nothing of the program is here."""
