"""The whole bot in one event loop of virtual time, with Discord, NinjaTrader and people around it; hours take seconds.

A seed decides everything (``plan``): who does what when, what goes wrong, and how long bytes take. ``stage`` builds the world,
``lives`` has the bot and its machine, ``ways`` knows how far an order has come, ``faults`` what may go wrong with it, ``session``
plays. The books and the judgement are those of the chaos bench.
"""
