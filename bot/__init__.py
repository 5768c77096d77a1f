"""The bot, room by room; docs/architecture.md draws the house."""
