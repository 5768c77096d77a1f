"""The Discord side, through real discord.py against SimCord, with a hand-written desk behind it."""
