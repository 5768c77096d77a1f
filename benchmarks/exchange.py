"""The simulator in a process of its own, with a clock by which another process can tell when an order came in.

It refuses every order, so that each run finds the same position; the refusal comes after the moment that is measured.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta

from bot.sandbox.ninjatrader import Kind, Simulator, running

REFUSAL = {"error": "Refused, as all orders are in this benchmark"}


async def main() -> None:
    """Serve; the first line says where, and which moment of the monotonic clock the times in the book count from."""
    began, since = datetime.now(UTC), time.monotonic_ns()

    def clock() -> datetime:
        return began + timedelta(microseconds=(time.monotonic_ns() - since) / 1000)

    simulator = Simulator(clock=clock, rate_limited=False)
    simulator.world.market.frozen = True
    simulator.faults.add(Kind.ANSWER, "ReversePosition", status=400, body=REFUSAL)
    async with running(simulator) as url:
        sys.stdout.write(json.dumps({"url": url, "began": began.isoformat(), "since": since}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
