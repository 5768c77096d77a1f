"""``python -m benchmarks.chaos.jumping``: the program as it is, with a wall clock that can be moved from outside.

The program takes its clock as an argument everywhere and makes it in one place; that place alone is filled anew here. The file
named by ``CHAOS_CLOCK`` holds how many seconds it is ahead.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from bot.__main__ import main
from bot.clock import SteadyClock, elapsed, utc_now
from bot.program import run

FILE = "CHAOS_CLOCK"


def shifted(text: str) -> timedelta:
    """The reading of a clock file."""
    return timedelta(seconds=float(text or 0))


def jumping_now() -> datetime:
    """The wall clock as the file has it."""
    return utc_now() + shifted(Path(os.environ[FILE]).read_text(encoding="utf-8"))


if __name__ == "__main__":
    vars(run)["system_clock"] = lambda: SteadyClock(elapsed, jumping_now)
    sys.exit(main())
