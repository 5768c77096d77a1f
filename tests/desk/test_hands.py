"""What is being read and decided, bounded by a time and by the desk's stop."""

import asyncio

import pytest

from bot.desk.locks import Hands


async def test_what_is_decided_in_the_moment_of_the_stop_counts_as_stopped() -> None:
    hands = Hands()
    with pytest.raises(TimeoutError):
        async with hands.unless_stopping(None):
            hands.stop()


async def test_nothing_is_begun_behind_the_stop() -> None:
    hands = Hands()
    hands.stop()
    with pytest.raises(TimeoutError):
        async with hands.unless_stopping(None):
            pytest.fail("it was begun")


async def test_a_stop_leaves_alone_what_is_ending_because_it_took_too_long() -> None:
    hands = Hands()

    async def takes_too_long() -> None:
        async with hands.unless_stopping(0.01):
            try:
                await asyncio.sleep(1)
            finally:
                hands.stop()

    with pytest.raises(TimeoutError):
        await takes_too_long()
