"""Facts read of NinjaTrader, in our words: accounts, positions, orders, prices, sessions, bars."""
