"""What is being read and decided, bounded by a time and by the desk's stop."""

import asyncio

import pytest

from bot.desk.locks import TicketLocks


async def test_what_is_decided_in_the_moment_of_the_stop_counts_as_stopped() -> None:
    locks = TicketLocks()
    with pytest.raises(TimeoutError):
        async with locks.unless_stopping(None):
            locks.stop()


async def test_nothing_is_begun_behind_the_stop() -> None:
    locks = TicketLocks()
    locks.stop()
    with pytest.raises(TimeoutError):
        async with locks.unless_stopping(None):
            pytest.fail("it was begun")


async def test_a_stop_leaves_alone_what_is_ending_because_it_took_too_long() -> None:
    locks = TicketLocks()

    async def takes_too_long() -> None:
        async with locks.unless_stopping(0.01):
            try:
                await asyncio.sleep(1)
            finally:
                locks.stop()

    with pytest.raises(TimeoutError):
        await takes_too_long()
