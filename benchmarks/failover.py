"""Failover: leader and standby on one PostgreSQL database, the leader killed or paused in mid-order, again and again.

Each run asks for three tickets in accounts of their own, has two of them confirmed at once, and strikes the leader at a random
moment of that: kill -9; SIGSTOP, with SIGCONT once the standby leads; or SIGSTOP for about as long as a lease, so that both may
believe that they lead. What is counted at the end is what CrossTrade got and what the cards say.
"""

import asyncio
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from benchmarks.machines import LEADS, STANDS_BY, Machine, Pair, paired
from bot.sandbox.ninjatrader import Kind

SERVER = "postgresql+asyncpg://postgres@127.0.0.1:5432/test"
# One database, Discord and CrossTrade for so many runs.
SERIES = 20
PRESSED = 2
NOTHING = ("expired", "not sent", "never arrived", "denied", "void")
ENDS = (*NOTHING, "accepted", "rejected", "outcome unknown", "filled", "order cancelled")
TOLD_SECONDS = 90.0
COMMAND = {"instrument": "ES 09-26", "side": "buy", "qty": 1}


class Strike(StrEnum):
    """The leader's fate."""

    KILL = "kill -9"
    STOP = "SIGSTOP until the standby leads"
    BRIEF = "SIGSTOP for about a lease"


@dataclass(slots=True)
class Figures:
    """The counts.

    Attributes:
        seconds: from the strike until the other machine took commands.
        ends: of pressed tickets, by what their card says.
    """

    strikes: Counter[Strike] = field(default_factory=Counter)
    presses: int = 0
    orders: int = 0
    doubled: int = 0
    unpressed: int = 0
    untold: int = 0
    wrong: int = 0
    changes: int = 0
    seconds: dict[Strike, list[float]] = field(default_factory=lambda: {strike: [] for strike in Strike})
    ends: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Run:
    cards: dict[str, int]
    pressed: list[str]


async def measure(runs: int, seed: int, folder: Path, server: str = SERVER) -> Figures:
    """Strike the leader so many times.

    Raises:
        StageError: a part didn't start, or nobody leads.
    """
    chance, figures = random.Random(seed), Figures()  # noqa: S311  a seed makes a run that can be had again
    for start in range(0, runs, SERIES):
        place = folder / f"series-{start}"
        place.mkdir()
        await _series(min(SERIES, runs - start), chance, place, server, figures)
        print(f"{figures.strikes.total()} runs: {summary(figures)}", flush=True)
    return figures


async def _series(runs: int, chance: random.Random, folder: Path, server: str, figures: Figures) -> None:
    names = [f"Sim{number:03d}" for number in range(1, runs * (PRESSED + 1) + 1)]
    async with paired(folder, server, names) as pair:
        done: list[_Run] = []
        for number in range(runs):
            # What a struck leader has left unknown keeps the desk from new orders until that is settled.
            await _until_known(pair, done)
            mine = names[number * (PRESSED + 1) : (number + 1) * (PRESSED + 1)]
            done.append(await _run(pair, mine, chance, figures))
        await _count(pair, done, figures)


async def _run(pair: Pair, accounts: list[str], chance: random.Random, figures: Figures) -> _Run:
    leader = await pair.leader()
    other = pair.other(leader)
    if chance.random() < 0.5:
        pair.simulator.faults.add(Kind.DELAY, "ReversePosition", seconds=0.3, effect=chance.random() < 0.5)
    run = _Run({account: await _ask(pair, account) for account in accounts}, accounts[:PRESSED])
    strike = chance.choice(list(Strike))
    reached = _orders(pair) + chance.choice((0, 0, 1))
    clicks = [asyncio.create_task(pair.discord.click("trader", run.cards[account], "Confirm")) for account in run.pressed]
    await pair.discord.until(lambda: _orders(pair) >= reached, 10)
    await asyncio.sleep(chance.uniform(0, 0.2))
    await _strike(pair, strike, leader, other, chance, figures)
    await asyncio.gather(*clicks, return_exceptions=True)
    pair.simulator.faults.clear()
    pair.discord.heal()
    figures.strikes[strike] += 1
    figures.presses += PRESSED
    return run


async def _until_known(pair: Pair, done: list[_Run]) -> None:
    cards = [run.cards[account] for run in done for account in run.pressed]
    with suppress(TimeoutError):
        await pair.discord.until(lambda: all(_is_settled(pair, card) for card in cards), TOLD_SECONDS)


async def _ask(pair: Pair, account: str) -> int:
    shown = {message.id for message in pair.discord.messages("desk")}
    await pair.discord.slash("trader", "desk", "reverse", {**COMMAND, "account": account})
    return await pair.discord.until(
        lambda: next((m.id for m in pair.discord.messages("desk") if m.id not in shown and m.buttons), None), 20
    )


async def _strike(pair: Pair, strike: Strike, leader: Machine, other: Machine, chance: random.Random, figures: Figures) -> None:
    began, led, stood = time.monotonic(), other.count(LEADS), leader.count(STANDS_BY)
    if strike is Strike.KILL:
        await leader.kill()
    else:
        leader.send(signal.SIGSTOP)
    if strike is Strike.BRIEF:
        await asyncio.sleep(chance.uniform(3.0, 7.0))
        leader.send(signal.SIGCONT)
        # Either it goes on or it has been deposed; both show within some seconds.
        await asyncio.sleep(3.0)
        if await pair.leader() is leader:
            return
    await other.until(lambda: other.count(LEADS) > led)
    figures.seconds[strike].append(time.monotonic() - began)
    figures.changes += 1
    if strike is Strike.KILL:
        await leader.start()
        return
    if strike is Strike.STOP:
        await asyncio.sleep(chance.uniform(0, 0.5))
        leader.send(signal.SIGCONT)
    await leader.until(lambda: leader.count(STANDS_BY) > stood)


def _requests(pair: Pair) -> list[dict[str, object]]:
    return [request for request in pair.simulator.book()["requests"] if request["call"] == "ReversePosition"]


def _orders(pair: Pair) -> int:
    return len(_requests(pair))


def _end(pair: Pair, card: int) -> str:
    title = pair.discord.message(card).text.partition("\n")[0].casefold()
    return next((end for end in ENDS if end in title), "")


async def _count(pair: Pair, runs: list[_Run], figures: Figures) -> None:
    cards = {account: card for run in runs for account, card in run.cards.items()}
    pressed = {account for run in runs for account in run.pressed}

    # What isn't told by then is counted below.
    with suppress(TimeoutError):
        await pair.discord.until(lambda: all(_is_settled(pair, card) for card in cards.values()), TOLD_SECONDS)
    sent = Counter(str(request["path"]).split("/")[4] for request in _requests(pair))
    figures.orders += sum(sent.values())
    for account, card in cards.items():
        end = _end(pair, card)
        figures.doubled += sent[account] > 1
        figures.unpressed += account not in pressed and sent[account] > 0
        figures.untold += end == ""
        figures.wrong += end in NOTHING and sent[account] > 0
        if account in pressed:
            figures.ends[end or "nothing"] += 1
        if end == "" or sent[account] > 1 or (end in NOTHING and sent[account] > 0):
            print(f"{account}: {sent[account]} orders, card: {pair.discord.message(card).text!r}", flush=True)


def _is_settled(pair: Pair, card: int) -> bool:
    return _end(pair, card) not in {"", "outcome unknown"}


def summary(figures: Figures) -> str:
    """The counts that must be nothing, on one line."""
    return (
        f"{figures.doubled} doubled orders, {figures.unpressed} orders without a press, "
        f"{figures.untold} tickets whose end wasn't told, {figures.wrong} told as nothing sent with an order there"
    )


def report(figures: Figures) -> str:
    """The whole report."""
    return "\n".join(_lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    yield f"{figures.strikes.total()} runs, {figures.presses} presses, {figures.orders} orders at CrossTrade"
    yield f"{figures.changes} changes of the leader"
    for strike in Strike:
        yield f"  {strike}: {figures.strikes[strike]}"
    yield f"How pressed tickets ended: {', '.join(f'{end} {count}' for end, count in figures.ends.most_common())}"
    yield summary(figures)
    for strike in Strike:
        if len(figures.seconds[strike]) > 1:
            cuts = statistics.quantiles(figures.seconds[strike], n=100, method="inclusive")
            yield f"Seconds until the other machine took commands, {strike}: p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}"


def is_good(figures: Figures) -> bool:
    """Tell whether nothing happened that must not."""
    return not (figures.doubled or figures.unpressed or figures.untold or figures.wrong)
