"""Workloads of traders while an order's price is measured: one order every few seconds, or very many at once.

The orders are ``/place`` at market, bought and sold in turns so that each account is flat again after two. People press as people
do: a while after the card is there. What was pressed, what came in at CrossTrade and what the cards say is compared at the end.
"""

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.far import CHANNEL, Shown, Side, member
from benchmarks.stage import Name, StageError

INSTRUMENT = "ES 09-26"
STEADY = ("D-01", "D-02", "D-03")
CARD_SECONDS, TOLD_SECONDS = 30.0, 60.0
OFFERED_SECONDS, BURST_TOLD_SECONDS = 180.0, 120.0
# A member has at most twenty open cards.
CARDS_OF_ONE = 10
# Until an empty budget of twenty is full again, at three a second.
FULL_AGAIN = 7.0
SETTLED_SECONDS = 120.0
FILLS = "ListExecutions"
EVER = datetime.max.replace(tzinfo=UTC)
_LOOK_SECONDS = 0.02
_REASON = re.compile(r"([A-Z]+_[A-Z_]+)")


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one trader.

    Attributes:
        orders: how many count.
        warm_up: how many don't, before these.
        every: seconds from one command to the next.
        thumb: seconds from a card to the press.
    """

    orders: int = 30
    warm_up: int = 3
    every: float = 4.0
    thumb: float = 1.0


@dataclass(slots=True)
class Order:
    """One order; moments in nanoseconds of the monotonic clock.

    Attributes:
        asked: its command set out from Discord.
        card: its card, once it had one.
        pressed: when Confirm was pressed.
        event: the bot had the press.
        left: the order left the bot.
    """

    account: str
    asked: int
    card: Shown | None = None
    pressed: datetime | None = None
    event: int | None = None
    left: int | None = None

    @property
    def to_card(self) -> float | None:
        """Milliseconds from the command to its card, both as Discord has them."""
        return None if self.card is None else (self.card.at - self.asked) / 1_000_000

    @property
    def to_door(self) -> float | None:
        """Milliseconds from the press at the bot to the order at its door."""
        return None if self.event is None or self.left is None else (self.left - self.event) / 1_000_000


@dataclass(slots=True)
class Steady:
    """One trader's orders, and what was asked of CrossTrade meanwhile, by call; ``over`` of it was beyond the budget."""

    orders: list[Order]
    asked: Counter[str]
    over: int
    wrong: list[str] = field(default_factory=list)

    @property
    def doors(self) -> list[float]:
        """Milliseconds from each press to its order's leaving."""
        return [order.to_door for order in self.orders if order.to_door is not None]


@dataclass(slots=True)
class Burst:
    """Very many at once.

    Attributes:
        offering: seconds from the first command to the last card.
        refused: how many commands got no card and were asked again.
        leaving: seconds from the first press at Discord to the last order at the bot's door.
        offered_by: what was asked of CrossTrade for the cards, by call.
        read: what was asked between the first press and the last order, that among it, by call.
        not_sent: presses without an order, by what their cards say.
        over: requests that were beyond the budget.
    """

    orders: list[Order]
    offering: float
    refused: int
    leaving: float
    offered_by: Counter[str]
    read: Counter[str]
    not_sent: Counter[str]
    over: int
    wrong: list[str] = field(default_factory=list)


async def until(condition: Callable[[], bool], seconds: float, every: float = _LOOK_SECONDS) -> bool:
    """Wait for a condition; tell whether it came true in time."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= ends:
            return False
        await asyncio.sleep(every)
    return True


async def trade(sides: Mapping[Name, Side], pace: Pace) -> dict[Name, Steady]:
    """One trader at each bot, in turns.

    Raises:
        StageError: a command got no card.
    """
    began = asyncio.get_running_loop().time()
    apart = pace.every / len(sides)
    played = await asyncio.gather(*(_trader(side, pace, began + place * apart) for place, side in enumerate(sides.values())))
    return dict(zip(sides, played, strict=True))


async def _trader(side: Side, pace: Pace, begins: float) -> Steady:
    """Trade to warm up, and when all of that is told, trade what counts, by the same beat."""
    loop, cloud = asyncio.get_running_loop(), side.simulator.cloud
    orders = await _beats(side, pace, range(pace.warm_up), begins)
    late = max(0.0, loop.time() - begins - pace.warm_up * pace.every)
    begins += math.ceil(late / pace.every) * pace.every
    await asyncio.sleep(begins + pace.warm_up * pace.every - loop.time())
    before, over = cloud.asked.copy(), cloud.over
    counted = await _beats(side, pace, range(pace.warm_up, pace.warm_up + pace.orders), begins)
    return Steady(counted, cloud.asked - before, cloud.over - over, list(wrong(side, [*orders, *counted], STEADY)))


async def _beats(side: Side, pace: Pace, turns: range, begins: float) -> list[Order]:
    """Place an order at each of these beats; it ends one beat after the last one, or when all are told."""
    loop, trading = asyncio.get_running_loop(), list[asyncio.Task[Order]]()
    for turn in turns:
        await asyncio.sleep(begins + turn * pace.every - loop.time())
        account, word = STEADY[turn % len(STEADY)], ("buy", "sell")[turn // len(STEADY) % 2]
        trading.append(asyncio.create_task(_one(side, account, word, pace.thumb)))
    await asyncio.sleep(begins + turns.stop * pace.every - loop.time())
    return list(await asyncio.gather(*trading))


async def _one(side: Side, account: str, word: str, thumb: float) -> Order:
    order = await _asked(side, "trader", account, word)
    if order.card is None:
        raise StageError(f"no card of {side.name} in {account}: {side.discord.interactions()[-1].text[:300] or 'no answer'}")
    await asyncio.sleep(order.card.at / 1e9 + thumb - time.monotonic())
    await _press(side, "trader", order)
    await until(lambda: order.card is not None and side.is_told(order.card), TOLD_SECONDS, 0.05)
    _close(side, order)
    return order


async def _asked(side: Side, who: str, account: str, word: str) -> Order:
    options = {"account": account, "instrument": INSTRUMENT, "side": word, "qty": 1}
    since = time.monotonic_ns()
    asked = await side.discord.slash(who, CHANNEL, "place", options)
    order = Order(account, side.queued[asked.id])
    await until(lambda: side.card(account, since) is not None or side.is_denied(asked), CARD_SECONDS)
    order.card = side.card(account, since)
    return order


async def _press(side: Side, who: str, order: Order) -> None:
    if order.card is None:
        return
    order.pressed = datetime.now(UTC)
    pressed = await side.discord.click(who, order.card.message, "Confirm")
    order.event = side.at_bot(pressed.id)


def _close(side: Side, order: Order) -> None:
    order.left = None if order.event is None else side.at_door(order.account, order.event)


async def burst(side: Side, accounts: Sequence[str], rest: float = FULL_AGAIN) -> Burst:
    """Ask for one order in each account at once, then confirm all of them at once, each after some seconds of quiet."""
    cloud = side.simulator.cloud
    if side.name is Name.CROSSTALK:
        # A bot that has just started reads the fills of each account once.
        await until(lambda: cloud.asked[FILLS] >= len(accounts), SETTLED_SECONDS, 0.2)
        await asyncio.sleep(rest)
    refused, before, over = list[str](), cloud.asked.copy(), cloud.over
    first = time.monotonic_ns()
    orders = await asyncio.gather(*(_offered(side, *one, refused) for one in _shares(accounts)))
    offered_by = cloud.asked - before
    last = max((order.card.at for order in orders if order.card is not None), default=first)
    await asyncio.sleep(rest)
    begins, before, at_last = time.monotonic_ns(), cloud.asked.copy(), [cloud.asked.copy()]
    counting = asyncio.create_task(_count(side, at_last))
    await asyncio.gather(*(_press(side, who, order) for (who, _), order in zip(_shares(accounts), orders, strict=True)))
    cards = [order.card for order in orders if order.card is not None]
    await until(lambda: all(map(side.is_told, cards)), BURST_TOLD_SECONDS, 0.2)
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    for order in orders:
        _close(side, order)
    leaving = max((order.left for order in orders if order.left is not None), default=begins)
    return Burst(
        orders=orders,
        offering=(last - first) / 1e9,
        refused=len(refused),
        leaving=(leaving - begins) / 1e9,
        offered_by=offered_by,
        read=at_last[0] - before,
        not_sent=Counter(_why_not(side, order) for order in orders if not side.orders(order.account)),
        over=cloud.over - over,
        wrong=list(wrong(side, orders, accounts)),
    )


def _shares(accounts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The traders of each account."""
    return ((member(number // CARDS_OF_ONE), account) for number, account in enumerate(accounts))


def members_for(accounts: Sequence[str]) -> int:
    """Members that it takes."""
    return -(-len(accounts) // CARDS_OF_ONE)


async def _offered(side: Side, who: str, account: str, refused: list[str]) -> Order:
    """Ask for a card, again and again while the command gets none."""
    ends = time.monotonic() + OFFERED_SECONDS
    while True:
        order = await _asked(side, who, account, "buy")
        if order.card is not None or time.monotonic() >= ends:
            return order
        refused.append(account)


async def _count(side: Side, at_last: list[Counter[str]]) -> None:
    """Keep what was asked of CrossTrade up to the last order that has come in."""
    cloud, came = side.simulator.cloud, 0
    while True:
        if len(cloud.received) != came:
            came, at_last[0] = len(cloud.received), cloud.asked.copy()
        await asyncio.sleep(_LOOK_SECONDS)


def _why_not(side: Side, order: Order) -> str:
    if order.card is None:
        return "no card"
    reason = _REASON.search(side.text(order.card))
    return side.title(order.card) + ("" if reason is None else f" · {reason[1]}")


def wrong(side: Side, orders: Sequence[Order], accounts: Sequence[str]) -> Iterator[str]:
    """Orders that are doubled, missing, or unpressed: what came in at CrossTrade beside the presses, account by account."""
    for account in accounts:
        pressed = sorted(
            ((one.pressed, one) for one in orders if one.account == account and one.pressed is not None), key=lambda one: one[0]
        )
        came = [(one.time, one.had_effect) for one in side.orders(account)]
        moments = [moment for moment, _ in pressed]
        if before := sum(not moments or moment < moments[0] for moment, _ in came):
            yield f"{side.name}, {account}: {before} orders that nobody had pressed"
        for (begins, order), ends in zip(pressed, [*moments[1:], EVER], strict=False):
            own = [had_effect for moment, had_effect in came if begins <= moment < ends]
            if sum(own) > 1:
                yield f"{side.name}, {account}: {sum(own)} orders of one press"
            if not own and order.card is not None and side.says_sent(order.card):
                yield f"{side.name}, {account}: no order, but its card says “{side.title(order.card)}”"
