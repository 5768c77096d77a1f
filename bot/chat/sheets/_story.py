"""``/order``: how an order stands, its fills, its ticket, and its story from the journal and from CrossTrade together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

from bot.chat.figures import clock_time, number
from bot.chat.markdown import code
from bot.chat.sheets._fills import fill_lines, left_out
from bot.chat.sheets._lists import order_lines
from bot.chat.sheets._shared import name, read_at
from bot.chat.tables import Section, messages, side_by_side
from bot.chat.wording import clip
from bot.desk.ports import Event
from bot.desk.reads.order import STORY_LOOKS_BACK
from bot.desk.reads.reports import OrderStory
from bot.trading.exits.leftover import outcome_of
from bot.trading.market.lifecycle import OrderEvent, dated
from bot.trading.orders.mass_actions import MassAction, target_of
from bot.trading.orders.tickets import Ticket

LONGEST_OUTCOME = 700
LOOKS_BACK = "-# CrossTrade looks back 15 minutes; before that there are only those that the desk has kept."
SOURCES = "-# desk: the desk's journal · CT: CrossTrade's own record. UTC, each by its own clock."
DESK, CROSSTRADE = "desk", "CT"
NOWHERE = (
    "CrossTrade has no order with this id in this account, nor has the desk: check both, or look at /orders. "
    "NinjaTrader forgets finished orders after some minutes."
)
ELSEWHERE = "This id is of an order in another account: ask again with that account."

Line = tuple[datetime, str, str]


def order(story: OrderStory) -> list[str]:
    """``/order``."""
    heading = f"{name(story)} · order {code(story.typed)}"
    if story.is_elsewhere:
        return messages([Section(heading, (), (ELSEWHERE,))], read_at([story]))
    if _is_nowhere(story):
        return messages([Section(heading, (), (NOWHERE,))], read_at([story]))
    return messages([_status(story, heading), _fills(story), _ticket(story), *_told(story)], read_at([story]))


def _is_nowhere(story: OrderStory) -> bool:
    """Tell whether everybody who may know the order was asked, and none does."""
    unread = story.order_why or story.fills_why or story.ticket_why
    known = story.order or story.state or story.fills or story.ticket or (story.life and story.life.events)
    return not unread and not known


def _status(story: OrderStory, heading: str) -> Section:
    if story.order is not None:
        return Section(heading, tuple(order_lines(story.order)))
    if story.order_why:
        return Section(heading, (), (f"⚠ The order could not be read ({story.order_why}); it may be working.",))
    if story.state is not None:
        return Section(heading, (), (f"NinjaTrader doesn't list it; asked for its state alone, it says {story.state.value}.",))
    return Section(heading, (), ("NinjaTrader doesn't list it any more; finished orders leave its list after some minutes.",))


def _fills(story: OrderStory) -> Section:
    if story.fills is None:
        return Section(f"⚠ Its fills could not be read ({story.fills_why}); there may be some.")
    unread = (f"⚠ CrossTrade could not be asked for them ({story.fills_why}); there may be more.",) if story.fills_why else ()
    notes = (*left_out(len(story.fills)), *unread, *([LOOKS_BACK] if story.fills_are_recent else []))
    if not story.fills:
        return Section("No fills of it are known", (), notes)
    return Section("**Fills**", tuple(fill_lines(story.fills)), notes)


def _ticket(story: OrderStory) -> Section:
    ticket = story.ticket
    if ticket is not None:
        return Section(f"**Ticket {ticket.id}** · {ticket.state.value}", (), tuple(_people(ticket)))
    if story.ticket_why:
        return Section(f"⚠ The desk's journal could not be read ({story.ticket_why}).")
    return Section(f"Not an order of the desk's tickets of the last {STORY_LOOKS_BACK.days} days")


def _people(ticket: Ticket) -> list[str]:
    state = ticket.order_state.value if ticket.order_state else "submitted"
    average = "" if ticket.average_fill_price is None else f" at {number(ticket.average_fill_price)}"
    return [
        f"Asked by {ticket.requester.named}: {_asked(ticket)}",
        *(f"Approved by {approval.named}" for approval in ticket.approvals),
        f"The desk last saw it {state}, filled {ticket.filled}{average}",
        *([clip(told, LONGEST_OUTCOME)] if (told := outcome_of(ticket)) else []),
    ]


def _asked(ticket: Ticket) -> str:
    if isinstance(ticket.intent, MassAction):
        return f"{ticket.intent.command} {code(target_of(ticket.intent))}"
    terms = ticket.intent.terms
    return f"{terms.side.upper()} {terms.quantity} {ticket.intent.contract}"


def _told(story: OrderStory) -> Iterator[Section]:
    """Both stories as one, by time."""
    lines = sorted(_lines(story), key=lambda line: line[0])
    if lines:
        notes = [SOURCES]
        if story.life is not None and story.life.is_cut:
            notes.append(f"⚠ CrossTrade told only its last {len(story.life.events)} lines; there may be earlier ones.")
        yield Section("**Story**", tuple(_drawn(lines)), tuple(notes))
    if story.life_why:
        yield Section(f"⚠ CrossTrade's own record of it could not be read: {story.life_why}.")


def _lines(story: OrderStory) -> Iterator[Line]:
    for event in story.events:
        yield event.at, DESK, _desk_words(event)
    if story.life is not None:
        begin = story.events[0].at if story.events else story.at - timedelta(seconds=1)
        for at, told in dated(story.life.events, begin):
            yield at, CROSSTRADE, _crosstrade_words(told)


def _drawn(lines: list[Line]) -> Iterator[str]:
    for day, group in groupby(lines, key=lambda line: line[0].astimezone(UTC).date()):
        yield f"{day:%m-%d}"
        for at, source, words in group:
            yield from side_by_side(f"{clock_time(at)} {source:<{len(DESK)}} ", words)


def _desk_words(event: Event) -> str:
    name, filled = event.name.value, event.data.get("filled")
    state = str(event.data.get("order_state") or "")
    parts = (name, "" if state.casefold() == name else state, f"{filled} filled" if filled else "")
    return ", ".join(part for part in parts if part)


def _crosstrade_words(event: OrderEvent) -> str:
    source = "" if event.source in {None, "order_update"} else f"{(event.source or '').replace('_', ' ')} "
    parts = (f"{source}{event.what}", _size(event), event.note or "")
    return ", ".join(part for part in parts if part)


def _size(event: OrderEvent) -> str:
    at = "" if event.price is None else f" at {number(event.price)}"
    if event.filled is not None:
        return f"filled {event.filled}{'' if event.quantity is None else f'/{event.quantity}'}{at}"
    return f"{event.quantity}{at}" if event.quantity is not None else at.strip()
