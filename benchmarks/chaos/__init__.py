"""The chaos bench: the bot as a process between faulty neighbours, killed again and again, and three books compared afterwards.

What is to be played is decided by a seed (``plan``, ``troubles``) before anything runs; ``session`` plays it; ``books`` has what
people pressed, what the simulator executed and what the channel says; ``compare`` judges these, and knows nothing of the bot.
"""
