"""Figures as text for people."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks.far import CROSSTRADE_SECONDS, DISCORD_SECONDS
from benchmarks.latency import Figures, Plan, percentiles
from benchmarks.stage import Name
from benchmarks.workloads import STEADY, Pace
from bot.sandbox.ninjatrader.cloud import CAPACITY, RATE

GOAL = 1.5
PACKAGES = ("discord.py", "aiohttp", "sqlalchemy", "pydantic")
INCLUDED = """\
slash    from the command's event queued on the bot's connection to the request with the card come in at the local Discord.
         The bare bot answers with the card. Crosstalk defers, reads account, positions and orders, takes the price that the
         stream has pushed, applies the policy, commits the ticket to disk, then posts the card.
Confirm  from the press's event queued on the bot's connection to the order come in at CrossTrade. The bare bot acknowledges,
         then sends. Crosstalk acknowledges, meanwhile looks at all four again, applies the policy again, and commits "sending"
         to disk (SQLite, WAL, synchronous=FULL) before it sends.
The market moves once a second, so that only the first quote is read, and one a minute. Reads are answered from memory in the
simulator's words. Each order is refused, so that every run finds the same position; that comes after what is measured."""

INCLUDED_FAR = """\
slash    from the command's event on its way from Discord to the request with the card come in there: one round trip to Discord at
         least, and what the bot reads at CrossTrade meanwhile.
Confirm  from the press's event handed to the bot to the order's first bytes leaving it for CrossTrade. The bare bot acknowledges
         and waits for Discord's answer, a round trip, and then sends.
A relay on each way holds all bytes for half a round trip; a new connection costs two round trips more, for TCP and TLS, before
its first bytes leave. The orders are at market and fill in a simulated NinjaTrader whose prices move."""


def table(plan: Plan, figures: Figures) -> str:
    """The whole report."""
    return "\n".join(_lines(plan, figures))


def far_table(pace: Pace, transport: str, figures: Figures) -> str:
    """The whole report of what was measured over a distance."""
    return "\n".join(_far_lines(pace, transport, figures))


def _far_lines(pace: Pace, transport: str, figures: Figures) -> Iterator[str]:
    away = f"Discord {DISCORD_SECONDS * 1000:.0f} ms and CrossTrade {CROSSTRADE_SECONDS * 1000:.0f} ms away, there and back"
    yield f"Latency in ms over a distance: {away}; {RATE} requests a second, {CAPACITY} at once; orders over {transport}"
    yield f"{pace.orders} orders by each bot in turns after {pace.warm_up} to warm up, each bot's every {pace.every:g} s on"
    yield f"{len(STEADY)} accounts, pressed {pace.thumb:g} s after the card"
    yield ""
    yield f"{'':36}{'p50':>9}{'p90':>9}{'p99':>9}"
    yield from _measure("slash event → card", figures.slash, added=True)
    yield from _measure("Confirm event at the bot → order at CrossTrade's door", figures.confirm, added=True)
    yield INCLUDED_FAR
    yield ""
    yield f"A page of 4 KiB written and synced to the journal's disk: {figures.sync:.2f} ms (median)"
    yield _surroundings()


def _lines(plan: Plan, figures: Figures) -> Iterator[str]:
    yield f"Latency in ms, {plan.runs} runs of each bot in turns after {plan.warm_up} to warm up, orders over {plan.transport}"
    yield ""
    yield f"{'':36}{'p50':>9}{'p90':>9}{'p99':>9}"
    yield from _measure("slash event → card", figures.slash)
    yield from _measure("Confirm event → order on the wire", figures.confirm)
    ratio = _ratios(figures.confirm)[0]
    yield f"Goal for Confirm at p50: at most {GOAL} times the bare bot; it is {ratio:.2f}."
    yield ""
    yield INCLUDED
    yield ""
    yield f"A page of 4 KiB written and synced to the journal's disk: {figures.sync:.2f} ms (median)"
    yield f"Pause before each event: {plan.pause * 1000:.0f} ms"
    yield _surroundings()


def _surroundings() -> str:
    parts = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)]
    cores = "one of them for the bots" if platform.system() == "Linux" else "shared by all"
    return f"{', '.join(parts)}; {platform.system()}, {os.cpu_count()} cores, {cores}"


def _measure(title: str, values: dict[Name, list[float]], *, added: bool = False) -> Iterator[str]:
    yield title
    for name in Name:
        yield f"  {name:34}" + "".join(f"{value:9.2f}" for value in percentiles(values[name]))
    if added:
        yield f"  {'added':34}" + "".join(f"{ours - bare:9.2f}" for ours, bare in _pairs(values))
    yield f"  {'ratio':34}" + "".join(f"{value:9.2f}" for value in _ratios(values))
    yield ""


def _ratios(values: dict[Name, list[float]]) -> list[float]:
    return [ours / bare for ours, bare in _pairs(values)]


def _pairs(values: dict[Name, list[float]]) -> Iterator[tuple[float, float]]:
    return zip(percentiles(values[Name.CROSSTALK]), percentiles(values[Name.BARE]), strict=True)
