"""What libraries keep for a whole process: nothing of it goes from one simulation to the next."""

import asyncio
from datetime import UTC, datetime

from discord.webhook.async_ import AsyncDeferredLock, async_context

from bot.sandbox.virtual import Party, VirtualLoop, foreign_seams, run

PRESS = (1, "token")


def test_a_lock_that_a_killed_party_held_holds_up_nobody_in_the_next_simulation() -> None:
    async def answered() -> None:
        # As the library does for each answer to a press.
        locks = async_context.get()._locks
        lock = locks.setdefault(PRESS, asyncio.Lock())
        async with AsyncDeferredLock(lock):
            await asyncio.sleep(1)

    async def main(*, dies: bool) -> bool:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with foreign_seams(loop, lambda: datetime.fromtimestamp(loop.time(), UTC), 1):
            party = Party("bot")
            task = party.start(answered())
            await asyncio.sleep(0.5)
            if dies:
                party.kill()
            await asyncio.sleep(5)
            return task.done()

    assert run(main(dies=True)) is False
    assert run(main(dies=False)) is True
