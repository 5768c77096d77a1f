"""Two latencies of a desk, beside those of a bare bot: slash event to card, Confirm event to order on the wire.

Both bots run at once and take turns, so that the machine's mood hits both. All times are of the monotonic clock, which the
processes of one machine share: an event's is when it was queued on the bot's connection, a request's is when it came in. (When
the event had been written would be later than when the bot had it, by as long as the bot then keeps the writer from its core.)

Over a distance (``measure_far``) an event's time at the bot is when a relay hands its bytes over, and an order is at CrossTrade's
door when its first bytes leave the bot, behind the handshakes of a new connection if it needs one.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.exchange import ACCOUNT
from benchmarks.far import far
from benchmarks.stage import Name, Stage, StageError, staged
from benchmarks.workloads import STEADY, Pace, trade
from bot.sandbox.discord import Call, InteractionView, LocalDiscord

COMMAND = {"account": ACCOUNT, "instrument": "ES 09-26", "side": "buy", "qty": 1}
SECONDS = 10.0
SYNCS = 50
PAGE = bytes(4096)


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a measurement.

    Attributes:
        runs: of each bot, that count.
        warm_up: of each bot, that don't.
        pause: seconds of quiet before each event.
        transport: how orders travel, of both bots.
    """

    runs: int = 300
    warm_up: int = 20
    pause: float = 0.01
    transport: str = "rest"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures, in milliseconds: per bot, one value for each run that counts.

    Attributes:
        sync: what one page takes to reach the disk that the journal is on, median.
    """

    slash: dict[Name, list[float]]
    confirm: dict[Name, list[float]]
    sync: float


@dataclass(frozen=True, slots=True)
class _Run:
    name: Name
    asked: int
    shown: int
    pressed: int


async def measure(plan: Plan, folder: Path) -> Figures:
    """Run both bots in turns.

    Raises:
        StageError: a part didn't start, or the orders aren't one for each Confirm.
        TimeoutError: a bot didn't answer.
    """
    async with staged(folder, plan.transport) as stage:
        runs = [await _run(stage, name, plan.pause) for turn in range(plan.warm_up + plan.runs) for name in _turn(turn)]
        arrived = await stage.orders()
    if len(arrived) != len(runs):
        raise StageError(f"{len(runs)} Confirms led to {len(arrived)} orders")
    counted = list(zip(runs, arrived, strict=True))[2 * plan.warm_up :]
    return Figures(
        {name: [_ms(run.shown - run.asked) for run, _ in counted if run.name is name] for name in Name},
        {name: [_ms(order - run.pressed) for run, order in counted if run.name is name] for name in Name},
        await asyncio.to_thread(_sync, folder / "sync"),
    )


async def measure_far(pace: Pace, transport: str, folder: Path) -> Figures:
    """Let one trader trade by both bots in turns, with Discord and CrossTrade far away.

    Raises:
        StageError: a part didn't start, a command got no card, or the orders aren't one for each Confirm.
    """
    async with far(folder, STEADY, transport=transport) as sides:
        played = await trade(sides, pace)
    wrong = [line for one in played.values() for line in one.wrong]
    unsent = sum(order.left is None for one in played.values() for order in one.orders)
    if wrong or unsent:
        raise StageError("\n".join([*wrong, f"{unsent} Confirms led to no order"]))
    return Figures(
        {name: [order.to_card for order in one.orders if order.to_card is not None] for name, one in played.items()},
        {name: one.doors for name, one in played.items()},
        await asyncio.to_thread(_sync, folder / "sync"),
    )


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The p50, p90 and p99."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[89], cuts[98]


def _turn(number: int) -> list[Name]:
    """The order of turns changes, as the second may find the machine awake."""
    return list(Name) if number % 2 else list(reversed(Name))


async def _run(stage: Stage, name: Name, pause: float) -> _Run:
    discord = stage.discords[name]
    await asyncio.sleep(pause)
    before = len(discord.rest.calls)
    asked = await discord.slash("trader", "desk", "reverse", COMMAND)
    shown = await discord.until(lambda: _card(discord.rest.calls[before:]), SECONDS)
    await discord.until(lambda: _is_told(discord, asked), SECONDS)
    await asyncio.sleep(pause)
    card = discord.people.latest_with("desk", "Confirm")
    pressed = await discord.click("trader", card, "Confirm")
    await discord.until(lambda: "rejected" in discord.message(card).text, SECONDS)
    return _Run(name, stage.queued[asked.id], shown.received, stage.queued[pressed.id])


def _card(calls: Sequence[Call]) -> Call | None:
    return next((call for call in calls if '"Confirm"' in json.dumps(call.body)), None)


def _is_told(discord: LocalDiscord, asked: InteractionView) -> bool:
    """Tell whether the command's own answer says something, beyond that it will."""
    messages = discord.interaction(asked.id).messages
    return bool(messages) and all(message.text for message in messages)


def _ms(nanoseconds: int) -> float:
    return nanoseconds / 1_000_000


def _sync(file: Path) -> float:
    taken = []
    with file.open("wb", buffering=0) as stream:
        for _ in range(SYNCS):
            began = time.monotonic_ns()
            stream.write(PAGE)
            os.fsync(stream.fileno())
            taken.append(time.monotonic_ns() - began)
    return _ms(int(statistics.median(taken)))
