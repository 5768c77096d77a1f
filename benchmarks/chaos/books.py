"""The three books side by side, run by run: what people pressed, what the simulator executed, what the channel says."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import accumulate
from operator import sub
from typing import Any
from urllib.parse import unquote

from benchmarks.chaos.channel import Card
from benchmarks.chaos.plan import HasRuns, Place, Run

_ACCOUNT = re.compile(r"/accounts/([^/]+)/")
_ORDER = re.compile(r"/orders/([^/]+)/(?:cancel|change|replace)$")
# What NinjaTrader calls an order that somebody places there while a session is played.
BY_HAND = "By hand"
_ID = re.compile(r"order `([^`]+)`")


class End(StrEnum):
    """The end of a ticket as its card tells it, as its first line has it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "outcome unknown"
    NEVER_ARRIVED = "never arrived"
    NOT_SENT = "not sent"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"


@dataclass(slots=True)
class Story:
    """Actions of people in one run, and all that they saw.

    Attributes:
        card: its card, if there was one.
        answer: what was answered instead.
        pressed_at, pressed_ns: when they pressed, by the wall clock and by the monotonic one.
        approved_at: when somebody pressed Approve who may, ``None`` where nobody did.
        ends_at: when its card came to its end, so that no later press may lead to anything; ``None`` where that isn't known.
        handed: whether the press reached the bot.
        others: messages beside the card that show the same ticket; of a private card the first is its result.
        disturbed: whether the bot was killed in its wave.
    """

    card: Card | None = None
    answer: str = ""
    pressed_at: datetime | None = None
    pressed_ns: int = 0
    approved_at: datetime | None = None
    ends_at: datetime | None = None
    handed: bool = False
    others: tuple[Card, ...] = ()
    disturbed: bool = False

    @property
    def texts(self) -> Sequence[tuple[int, str]]:
        """All that was said of it, and from when on: by the card; where only its member sees that, by the result once posted."""
        if self.card is None:
            return ()
        result = self.others[0] if self.card.is_private and self.others else None
        if result is None:
            return self.card.texts
        since = result.texts[0][0]
        return [*(one for one in self.card.texts if one[0] < since), *result.texts]

    @property
    def text(self) -> str:
        """The newest words about it; nothing without a card."""
        return self.texts[-1][1] if self.texts else ""

    @property
    def duplicates(self) -> tuple[Card, ...]:
        """Messages that show the same ticket and shouldn't be there."""
        return self.others[1:] if self.card is not None and self.card.is_private else self.others

    @property
    def agreed_at(self) -> datetime | None:
        """When the last press came that it needs; ``None`` where one is missing, or came after the card's end."""
        needed = [self.pressed_at]
        if self.card is not None and "Approve" in self.card.buttons:
            needed.append(self.approved_at)
        pressed = [moment for moment in needed if moment is not None]
        if len(pressed) < len(needed):
            return None
        return max(pressed) if self.ends_at is None or max(pressed) < self.ends_at else None


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that could change something, as it came in at the simulator."""

    call: str
    account: str
    instrument: str | None
    at: datetime
    had_effect: bool
    status: int | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """An order in the simulator's book.

    Attributes:
        ids: every id that it goes or went by, the caller's own among them.
        name: what NinjaTrader calls it; its own closing orders are named for that.
    """

    account: str
    instrument: str
    side: str
    quantity: int
    type: str
    state: str
    name: str
    created: int
    filled: int
    limit: float
    ids: frozenset[str]

    def __str__(self) -> str:
        """For people."""
        where, what = f"{self.account} {self.instrument}", f"{self.side} {self.quantity} {self.type}"
        return f"{where} {what} {self.state} {self.name} {sorted(self.ids)}"


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill in the simulator's book; what was bought, or below zero sold, perhaps of an order that somebody placed by hand."""

    at: datetime
    signed: int
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """One of a run's places in the simulator's book.

    Attributes:
        orders: the one that worked there before comes first, if one did.
        by_hand: those that somebody placed in NinjaTrader itself meanwhile.
        fills: oldest first.
        position: signed contracts there now.
    """

    place: Place
    orders: tuple[Placed, ...] = ()
    by_hand: tuple[Placed, ...] = ()
    fills: tuple[Fill, ...] = ()
    position: int = 0

    @property
    def positions(self) -> tuple[int, ...]:
        """Signed contracts there, from before the first fill until now; each makes another, but for what was done by hand."""
        own = [fill.signed for fill in self.fills if not fill.by_hand]
        by_hand = sum(fill.signed for fill in self.fills if fill.by_hand)
        # From its end, as not every position began with a fill.
        return tuple(accumulate(reversed(own), sub, initial=self.position - by_hand))[::-1]

    def held_at(self, moment: datetime) -> int:
        """Signed contracts that were open there."""
        return self.position - sum(fill.signed for fill in self.fills if fill.at > moment)


@dataclass(frozen=True, slots=True)
class Case:
    """One run in all three books.

    Attributes:
        pressed_at: when everybody had pressed who must, ``None`` where somebody didn't who may.
        first, last: what the card said first of an end, and what it says now.
        told_after, settled_after: seconds from the press until the card told an end, and one that isn't in doubt.
        sent: requests about it, in their order.
        spots: its places, in the run's order.
    """

    run: Run
    story: Story
    pressed_at: datetime | None
    end: End
    title: str
    ticket: str | None
    told_after: float | None
    settled_after: float | None
    sent: tuple[Sent, ...] = ()
    spots: tuple[Spot, ...] = ()

    @property
    def orders(self) -> tuple[Placed, ...]:
        """Those of its own account and instrument; the one that worked there before comes first, if one did."""
        return self.spots[0].orders if self.spots else ()

    @property
    def position(self) -> int:
        """Signed contracts there now."""
        return self.spots[0].position if self.spots else 0


def end_of(text: str) -> End:
    """Read a card's first line."""
    title = title_of(text)
    stopped = re.match(r"close sent · new order (.+?)(?: ·|$)", title)
    words = stopped[1] if stopped else title
    return next((end for end in End if end is not End.OPEN and words.startswith(end.value)), End.OPEN)


def title_of(text: str) -> str:
    """The first line, without its mark."""
    return text.partition("\n")[0].removeprefix("### ").strip()


def is_over(text: str) -> bool:
    """Tell whether a card tells an end that isn't in doubt."""
    return end_of(text) not in {End.OPEN, End.UNKNOWN}


def told_id(title: str) -> str | None:
    """The order id that a card's first line names."""
    found = _ID.search(title)
    return None if found is None else found[1]


def cases(session: HasRuns, book: Mapping[str, Any], stories: Mapping[int, Story]) -> tuple[Case, ...]:
    """Every run that was asked for, with what is about it in each book."""
    shelf = _Shelf.of(book)
    return tuple(_case(run, stories[run.number], shelf) for run in session.runs if run.number in stories)


def as_told(made: Iterable[Case]) -> tuple[Case, ...]:
    """The same, with what was said by now; cards go on, and the books that they are compared with don't."""
    return tuple(replace(case, story=deepcopy(case.story)) for case in made)


def strays(session: HasRuns, book: Mapping[str, Any]) -> tuple[Sent, ...]:
    """Requests that are about no run at all."""
    places = [place for run in session.runs for place in run.places]
    known = {(place.account, place.instrument) for place in places} | {(place.account, None) for place in places}
    return tuple(sent for sent in _sent(book) if (sent.account, sent.instrument) not in known)


def _case(run: Run, story: Story, shelf: "_Shelf") -> Case:
    texts, now = story.texts, story.text
    return Case(
        run,
        story,
        story.agreed_at if run.counts else None,
        end_of(now) if texts else End.OPEN,
        title_of(now),
        None if story.card is None else story.card.ticket,
        _after(story, next((at for at, text in texts if end_of(text) is not End.OPEN), None)),
        _after(story, next((at for at, text in texts if is_over(text)), None)),
        tuple(shelf.about(run)),
        tuple(map(shelf.spot, run.places)),
    )


def _after(story: Story, at: int | None) -> float | None:
    return None if at is None or not story.pressed_ns else (at - story.pressed_ns) / 1e9


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The simulator's book by account and instrument; fills are signed."""

    sent: Mapping[str, Sequence[Sent]]
    orders: Mapping[tuple[str, str], Sequence[Placed]]
    fills: Mapping[tuple[str, str], Sequence[Fill]] = field(default_factory=dict)
    positions: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, book: Mapping[str, Any]) -> "_Shelf":
        sent: defaultdict[str, list[Sent]] = defaultdict(list)
        for one in _sent(book):
            sent[one.account].append(one)
        orders: defaultdict[tuple[str, str], list[Placed]] = defaultdict(list)
        for row in book["orders"]:
            orders[row["account"], row["instrument"]].append(_placed(row))
        fills: defaultdict[tuple[str, str], list[Fill]] = defaultdict(list)
        for row in book["executions"]:
            fills[row["account"], row["instrument"]].append(_fill(row))
        held = {(row["account"], row["instrument"]): int(row["signedQuantity"]) for row in book["positions"]}
        return cls(sent, orders, fills, held)

    def about(self, run: Run) -> Iterator[Sent]:
        places = {(place.account, place.instrument) for place in run.places}
        some = [sent for account in {account for account, _ in places} for sent in self.sent[account]]
        its = (sent for sent in some if sent.instrument is None or (sent.account, sent.instrument) in places)
        return iter(sorted(its, key=lambda sent: sent.at))

    def spot(self, place: Place) -> Spot:
        where = place.account, place.instrument
        own, by_hand = (tuple(order for order in self.orders[where] if (order.name == BY_HAND) is so) for so in (False, True))
        return Spot(place, own, by_hand, tuple(self.fills.get(where, ())), self.positions.get(where, 0))


def _sent(book: Mapping[str, Any]) -> Iterator[Sent]:
    instruments = {order_id: row["instrument"] for row in book["orders"] for order_id in _ids(row)}
    for request in book["requests"]:
        body = request["body"] if isinstance(request["body"], dict) else {}
        path = request["path"].partition("?")[0]
        account, order = _ACCOUNT.search(path), _ORDER.search(path)
        target = unquote(order[1]) if order else str(body.get("orderId"))
        yield Sent(
            request["call"],
            unquote(account[1]) if account else str(body.get("account", "")),
            body.get("instrument") or instruments.get(target),
            datetime.fromisoformat(request["time"]),
            request["hadEffect"],
            request["status"],
            body,
        )


def _ids(row: Mapping[str, Any]) -> frozenset[str]:
    shown = re.search(r"OrderId>([^<]*)<", row["userData"])
    every = (row["id"], row["ownOrderId"], shown and shown[1], *row["earlierIds"])
    return frozenset(str(one) for one in every if one)


def _fill(row: Mapping[str, Any]) -> Fill:
    sign = 1 if row["marketPosition"] == "Long" else -1
    return Fill(datetime.fromtimestamp(row["epoch"] / 1000, UTC), sign * row["quantity"], row["name"] == BY_HAND)


def _placed(row: Mapping[str, Any]) -> Placed:
    return Placed(
        row["account"],
        row["instrument"],
        row["orderAction"].casefold(),
        row["quantity"],
        row["orderType"],
        row["orderState"],
        row["name"],
        row["epoch"],
        row["filled"],
        float(row["limitPrice"]),
        _ids(row),
    )
