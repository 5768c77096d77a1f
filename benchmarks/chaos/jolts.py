"""Troubles of the whole bot: connections that go, clocks that jump, a disk that is full. Each ends by itself."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

from benchmarks.chaos.plan import Jolt
from benchmarks.chaos.stage import Stage
from bot.sandbox.ninjatrader.faults import Kind

AWAY_SECONDS = 3.0
WHILE_SECONDS = 1.2
AHEAD_SECONDS, BACK_SECONDS = 40.0, 8.0
GOING_AWAY, SESSION_TIMED_OUT = 1001, 4009
SMALLEST_FILE = 4096


async def jolt(stage: Stage, which: Jolt) -> str | None:
    """Let it happen; gives why it couldn't, if so."""
    return await _HOW[which](stage)


async def _gateway_closed(stage: Stage) -> None:
    stage.discord.gateway.close(GOING_AWAY)


async def _gateway_dropped(stage: Stage) -> None:
    stage.discord.gateway.drop()


async def _gateway_forgot(stage: Stage) -> None:
    stage.discord.gateway.close(SESSION_TIMED_OUT)
    stage.discord.gateway.forget()


async def _gateway_away(stage: Stage) -> None:
    stage.discord.refuse(rest=False)
    stage.discord.gateway.drop()
    await asyncio.sleep(AWAY_SECONDS)
    stage.discord.refuse(rest=False, gateway=False)


async def _stream_dropped(stage: Stage) -> None:
    stage.simulator.faults.add(Kind.DROP, "marketData", count=1)


async def _offline(stage: Stage) -> None:
    stage.simulator.faults.add(Kind.OFFLINE)
    await asyncio.sleep(WHILE_SECONDS)
    stage.simulator.faults.remove(Kind.OFFLINE)


async def _no_discord(stage: Stage) -> None:
    stage.discord.refuse()
    stage.discord.gateway.drop()
    await asyncio.sleep(WHILE_SECONDS)
    stage.discord.refuse(rest=False, gateway=False)


def _move_clock(stage: Stage, seconds: float) -> None:
    ahead = float(stage.bot.clock.read_text(encoding="utf-8"))
    fresh = stage.bot.clock.with_suffix(".new")
    fresh.write_text(str(ahead + seconds), encoding="utf-8")
    fresh.replace(stage.bot.clock)


async def _clock_ahead(stage: Stage) -> None:
    _move_clock(stage, AHEAD_SECONDS)


async def _clock_back(stage: Stage) -> None:
    _move_clock(stage, -BACK_SECONDS)


async def _disk_full(stage: Stage) -> str | None:
    """Let none of the bot's files grow: what is written in place still works, as on a full disk."""
    process = stage.bot.process
    if sys.platform != "linux":
        return "disk full: left out, as only Linux can fill the disk of one process alone"
    import resource  # noqa: PLC0415 - not on every system

    if process is None or process.returncode is not None:
        return None
    try:
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (SMALLEST_FILE, hard))
        await asyncio.sleep(WHILE_SECONDS)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    except ProcessLookupError:
        # Killed meanwhile; the next one has a disk with room.
        return None
    return None


async def _database_cut(stage: Stage) -> None:
    await stage.journal.cut()


_HOW: Mapping[Jolt, Callable[[Stage], Awaitable[str | None]]] = {
    Jolt.GATEWAY_CLOSED: _gateway_closed,
    Jolt.GATEWAY_DROPPED: _gateway_dropped,
    Jolt.GATEWAY_FORGOT: _gateway_forgot,
    Jolt.GATEWAY_AWAY: _gateway_away,
    Jolt.STREAM_DROPPED: _stream_dropped,
    Jolt.OFFLINE: _offline,
    Jolt.NO_DISCORD: _no_discord,
    Jolt.CLOCK_AHEAD: _clock_ahead,
    Jolt.CLOCK_BACK: _clock_back,
    Jolt.DISK_FULL: _disk_full,
    Jolt.DATABASE_CUT: _database_cut,
}
