"""One slash command, one short method; rules live in bot.trading, drawing in bot.chat."""
