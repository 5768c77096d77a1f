"""Comparison of the three books. Pure, and written from the promises: nothing of the bot's own judgement is used."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from benchmarks.chaos.books import Case, End, Placed, Sent, Spot, end_of, title_of, told_id

_DONE = frozenset({"Filled", "Cancelled", "Rejected"})
_UNDONE = frozenset({End.REJECTED, End.NOT_SENT, End.DENIED, End.CANCELLED, End.EXPIRED, End.VOID, End.NEVER_ARRIVED})
_AS_IT_WAS = frozenset({"Working", "Accepted"})
# What cards say below their first line.
_CLOSED, _CANCELLED = re.compile(r"^closed (\d+)", re.MULTILINE), "order cancelled"
LOUD = "NOT "
# The commands by which people get out, or protect what they have.
OUT = frozenset({"close", "flatten", "cancel", "bracket"})
_OWN_NAMES = frozenset({"Close", "Partial close"})


class Breach(StrEnum):
    """A promise that was broken."""

    TWICE = "orders executed twice"
    UNPRESSED = "orders executed without a press"
    UNTOLD = "presses whose end is not told"
    INVENTED = "told accepted without an order"
    UNSETTLED = "unknown that evidence could have settled"
    LARGER = "made larger or opposite by a way out"
    CALLED = "called closed, flat or protected and wasn't"


@dataclass(frozen=True, slots=True)
class Violation:
    """One of them, with what shows it."""

    breach: Breach
    case: Case
    why: str


def violations(case: Case) -> Iterator[Violation]:
    """Everything that is wrong with one run."""
    for check in (_twice, _unpressed, _untold, _invented, _unsettled, _larger, _called):
        for breach, why in check(case):
            yield Violation(breach, case, why)


Found = Iterator[tuple[Breach, str]]


def _twice(case: Case) -> Found:
    if case.run.act.reads_back and case.run.act.scope != "strategy":
        # It may call several times, and must never do more than close.
        return
    counted = Counter(sent.call for sent in case.sent)
    for call, count in counted.items():
        if count > 1:
            done = sum(sent.had_effect for sent in case.sent if sent.call == call)
            yield Breach.TWICE, f"{call} came in {count} times and was done {done} times"


def _unpressed(case: Case) -> Found:
    if not case.sent:
        return
    if case.pressed_at is None:
        yield Breach.UNPRESSED, f"{case.sent[0].call} although nobody pressed who may"
        return
    if case.sent[0].at < case.pressed_at:
        yield Breach.UNPRESSED, f"{case.sent[0].call} before the press"
    for sent in case.sent:
        if sent.call not in case.run.act.calls:
            yield Breach.UNPRESSED, f"{sent.call} is no call of {case.run.act.name}"
        elif not _has_terms(sent, case):
            yield Breach.UNPRESSED, f"{sent.call} with other terms than were pressed: {dict(sent.body)}"


def _has_terms(sent: Sent, case: Case) -> bool:
    run = case.run
    if sent.call in {"ReversePosition", "PlaceOrder", "FlatPlace", "CancelReplace"}:
        return (str(sent.body.get("action")).casefold(), sent.body.get("quantity")) == (run.side, run.quantity)
    return sent.call not in {"Change", "CancelAndBracket"} or sent.body.get("quantity") == run.quantity


def _untold(case: Case) -> Found:
    if case.story.card is not None and case.end is End.OPEN:
        yield Breach.UNTOLD, f"the card still says {case.title!r}"
    for other in case.story.duplicates:
        if end_of(other.text) is End.OPEN:
            yield Breach.UNTOLD, f"another message of it still says {title_of(other.text)!r}"
    # Whoever reads for a moment only that it isn't there sends it again.
    undone = next((end for _, text in case.story.texts if (end := end_of(text)) in _UNDONE), None)
    if undone is not None and (entry := _entry(case)) is not None and not _did_nothing(case):
        yield Breach.UNTOLD, f"told {undone} although {entry.call} was done"


def _larger(case: Case) -> Found:
    if case.run.act.command in OUT:
        for spot in case.spots:
            held = spot.place.held
            if any(now * held < 0 or abs(now) > abs(held) for now in spot.positions):
                went = " → ".join(map(str, spot.positions))
                yield Breach.LARGER, f"of {held} contracts, {spot.place.account} {spot.place.instrument} went {went}"
    if case.run.act.name == "reverse verified":
        for sent in case.sent:
            if sent.call == "PlaceOrder" and (still := case.spots[0].held_at(sent.at)):
                yield Breach.LARGER, f"the new order came in with {still} still open"


def _called(case: Case) -> Found:
    if case.story.card is None:
        return
    if case.run.act.reads_back and case.end is End.ACCEPTED and LOUD not in case.title and (left := _left(case)):
        yield Breach.CALLED, f"told as done, and {left}"
    elif case.run.act.command == "flatten" and (done_at := _told_done_at(case)) is not None:
        for spot in case.spots:
            if still := spot.held_at(done_at):
                yield Breach.CALLED, f"told as done at {done_at:%H:%M:%S.%f}, with {still} {spot.place.instrument} open"
    text, closed = case.story.text, abs(case.run.held) - abs(case.position)
    if case.run.act.command == "close" and (told := _CLOSED.search(text)) and int(told[1]) > closed:
        yield Breach.CALLED, f"told {told[0]!r}, and the position went from {case.run.held} to {case.position}"
    if case.run.act.scope == "order" and _CANCELLED in text and case.orders[0].state not in _DONE:
        yield Breach.CALLED, f"told as cancelled, and the order is {case.orders[0].state}"
    if "target and stop are there" in text:
        working = sum(order.state not in _DONE for order in _new(case))
        if working < 2 and case.position:
            yield Breach.CALLED, f"told as protected, and {working} of its orders work"


def _told_done_at(case: Case) -> datetime | None:
    """When a mass action was first told as done; nobody else has to agree to one, so that its press counts from Confirm."""
    pressed = case.story.pressed_at
    if pressed is None:
        return None
    said = (at for at, text in case.story.texts if end_of(text) is End.ACCEPTED and LOUD not in title_of(text))
    first = next(said, None)
    return None if first is None else pressed + timedelta(microseconds=(first - case.story.pressed_ns) / 1000)


def _left(case: Case) -> str:
    """The rest that a mass action has left."""
    return "; ".join(filter(None, (_left_in(case, spot) for spot in case.spots)))


def _left_in(case: Case, spot: Spot) -> str:
    working = sum(order.state not in _DONE for order in spot.orders)
    is_open = spot.position if case.run.act.command == "flatten" else 0
    return f"{spot.place.account} {spot.place.instrument}: {is_open} open, {working} working" if is_open or working else ""


def _entry(case: Case) -> Sent | None:
    """The call that is told as the order, if it was done."""
    last = case.run.act.calls[-1]
    calls = case.run.act.calls if case.run.act.reads_back else (last,)
    return next((sent for sent in case.sent if sent.call in calls and sent.had_effect), None)


def _did_nothing(case: Case) -> bool:
    """Tell whether NinjaTrader itself took it and did nothing: rejected what was placed later, or ignored a cancel."""
    if case.run.act.scope == "order":
        return any(order.state in _AS_IT_WAS for order in case.orders[:1])
    return _was_rejected(case)


def _was_rejected(case: Case) -> bool:
    """Tell whether NinjaTrader itself rejected what was placed, later than CrossTrade took it."""
    since = case.orders[bool(case.run.rests) :] if case.run.act.command == "close" else _new(case)
    return any(order.state == "Rejected" for order in since)


def _invented(case: Case) -> Found:
    if case.end is not End.ACCEPTED or LOUD in case.title:
        return
    if _entry(case) is None:
        yield Breach.INVENTED, f"told {case.title!r} and nothing of it was done"
    elif (told := told_id(case.title)) is not None and not any(told in order.ids for order in case.orders):
        yield Breach.INVENTED, f"told order {told}, which is none there"


def _unsettled(case: Case) -> Found:
    if case.end is End.UNKNOWN and (truth := settled_by(case)) is not None:
        yield Breach.UNSETTLED, f"still unknown, and {truth}"


def settled_by(case: Case) -> str | None:
    """The end that the simulator's book proves of a lost answer; ``None`` where two stories fit it."""
    if any(spot.by_hand for spot in case.spots):
        return None
    match case.run.act.name:
        case "close" | "close part":
            return _of_close(case)
        case "cancel" | "modify":
            return _of_target(case)
        case "bracket":
            count = len(_new(case))
            return f"{count} of its orders are there" if count in {0, 2} else None
        case _ if case.run.act.reads_back:
            return f"what is left can be read: {_left(case) or 'nothing'}"
        case _:
            return _of_entry(case)


def _new(case: Case) -> list[Placed]:
    """The orders that were placed since, NinjaTrader's own closes left out."""
    return [order for order in case.orders[bool(case.run.rests) :] if order.name not in _OWN_NAMES]


def _of_close(case: Case) -> str | None:
    size = 1 if case.run.act.name == "close part" else abs(case.run.held)
    after = case.run.held - size if case.run.held > 0 else case.run.held + size
    if case.position == after:
        return "the position shows that it was closed"
    under_way = any(order.state not in _DONE for order in case.orders)
    return "the position is as it was" if case.position == case.run.held and not under_way else None


def _of_target(case: Case) -> str | None:
    order = case.orders[0]
    if order.state in _DONE or order.state in _AS_IT_WAS:
        return f"the order is {order.state}, {order.quantity} contracts"
    return None


def _of_entry(case: Case) -> str | None:
    run = case.run
    own = next((str(sent.body["orderId"]) for sent in case.sent if sent.call == "PlaceOrder"), None)
    if own is not None and any(own in order.ids for order in case.orders):
        return f"order {own} is there"
    twins = [
        order
        for order in case.orders[bool(run.rests) :]
        if (order.side, order.quantity) == (run.side, run.quantity) and order.name != "Partial close"
    ]
    # What closes in front of the new order may look just like it; and by its row nobody can tell which one it is.
    alike = run.held != 0 and abs(run.held) == run.quantity
    if alike:
        return _of_lookalikes(case, twins)
    if len(twins) == 1:
        return f"one order fits, {twins[0].state}"
    return f"no order fits, {case.position} open" if not twins and case.position in {0, run.held} else None


def _of_lookalikes(case: Case, twins: list[Placed]) -> str | None:
    after = case.run.quantity if case.run.side == "buy" else -case.run.quantity
    if len(twins) == 2:
        return "two orders fit, a close and the entry" if twins[0].created != twins[1].created else None
    if len(twins) == 1:
        if case.position == after:
            return "one order fits, and the position"
        return "the close was filled, the new order isn't there" if case.position == 0 and twins[0].state == "Filled" else None
    return "no order fits" if not twins and case.position == case.run.held else None
