"""The journal: what was asked, decided, sent and answered, on disk before it counts.

``bot.journal.opening.opened`` is the door. The only room of the house that speaks SQL.
"""
