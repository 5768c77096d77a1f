"""Figures as text for people."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks.latency import Figures, Plan, percentiles
from benchmarks.stage import Name

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


def table(plan: Plan, figures: Figures) -> str:
    """The whole report."""
    return "\n".join(_lines(plan, figures))


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
    parts = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)]
    cores = "one of them for the bots" if platform.system() == "Linux" else "shared by all"
    yield f"{', '.join(parts)}; {platform.system()}, {os.cpu_count()} cores, {cores}"


def _measure(title: str, values: dict[Name, list[float]]) -> Iterator[str]:
    yield title
    for name in Name:
        yield f"  {name:34}" + "".join(f"{value:9.2f}" for value in percentiles(values[name]))
    yield f"  {'ratio':34}" + "".join(f"{value:9.2f}" for value in _ratios(values))
    yield ""


def _ratios(values: dict[Name, list[float]]) -> list[float]:
    pairs = zip(percentiles(values[Name.CROSSTALK]), percentiles(values[Name.BARE]), strict=True)
    return [ours / bare for ours, bare in pairs]
