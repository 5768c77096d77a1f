"""``/why``: what happened to an order or a request, step by step, from the journal alone. Nothing is asked of CrossTrade."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from bot.desk.lookup.names import RequestRefused
from bot.desk.ports import Event, EventName
from bot.desk.reads.reader import Reader, an_id
from bot.desk.reads.reports import Explanation, StoryStep
from bot.trading.orders.tickets import Member, Ticket, shifted
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery, may
from bot.trading.words import quoted

COMMAND = "why"
# How far back an order is looked for by its id; a ticket is found however old it is.
LOOKS_BACK = timedelta(days=7)
# A member's lines to look through for the newest one that is worth telling.
MOST_LINES = 50
CONFIRM = "Confirm pressed"
NOTHING_YET = "You have asked for nothing yet that I could explain; give the id of a ticket or of an order."
NO_SUCH = (
    "There is no ticket {id}, and no order of the desk's last {days} days with that id, in the accounts that you may see with "
    "/why; a card shows both ids."
)


async def explain(reader: Reader, member: Member, typed: str | None) -> Explanation:
    """The story of the ticket or order with that id; without one, of the member's own newest request.

    Raises:
        RequestRefused: there is none that the member may see.
        JournalError: the journal can't be read.
    """
    reader.naming.ask(member, PermissionQuery(COMMAND))
    if typed is None or not typed.strip():
        return await _newest(reader, member)
    wanted = an_id("id", typed, "a card")
    ticket = await _find(reader, member, wanted)
    if ticket is None:
        sentence = NO_SUCH.format(id=quoted(wanted, 64), days=LOOKS_BACK.days)
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, sentence, f"id={wanted}"))
    return await _of_ticket(reader, ticket)


async def _newest(reader: Reader, member: Member) -> Explanation:
    """The member's own newest ticket that they may see, or the denial that came after it."""
    for event in await reader.recorder.journal.newest(member.id, {EventName.OFFERED, EventName.DENIED}, MOST_LINES):
        if event.ticket is None and event.data.get("command") != COMMAND:
            return Explanation(reader.clock.host(), denial=event)
        ticket = None if event.ticket is None else await reader.recorder.journal.ticket(event.ticket)
        if ticket is not None and _may_see(reader, member, ticket):
            return await _of_ticket(reader, ticket)
    raise RequestRefused(Denial(DenialCode.BAD_REQUEST, NOTHING_YET))


async def _find(reader: Reader, member: Member, wanted: str) -> Ticket | None:
    """The ticket by its id, in whatever letters it was read aloud, else by an order's; its own ticket before one about it."""
    journal = reader.recorder.journal
    if (ticket := await journal.ticket(wanted) or await journal.ticket(wanted.upper())) is not None:
        return ticket if _may_see(reader, member, ticket) else None
    recent = await journal.recent(reader.clock() - LOOKS_BACK)
    found = [each for each in recent if wanted in _ids(each) and _may_see(reader, member, each)]
    return next((each for each in found if each.intent.places), found[-1] if found else None)


def _ids(ticket: Ticket) -> set[str | None]:
    return {*ticket.order_ids, ticket.intent.client_order_id, ticket.intent.target_id}


def _may_see(reader: Reader, member: Member, ticket: Ticket) -> bool:
    asked = (PermissionQuery(COMMAND, account) for account in ticket.intent.accounts)
    return all(may(reader.policy(), member.roles, each) is None for each in asked)


async def _of_ticket(reader: Reader, ticket: Ticket) -> Explanation:
    events = await reader.recorder.journal.events(ticket.id)
    # Lines of the log are stamped as the host's clock has them; the ticket's own moments are put beside them.
    ticket = shifted(ticket, reader.clock.set_by)
    return Explanation(reader.clock.host(), ticket, steps_of(ticket, events))


def steps_of(ticket: Ticket, events: Sequence[Event]) -> tuple[StoryStep, ...]:
    """Everything in its order, each with the time since what came before; a mass action's calls are told by themselves."""
    made = sorted(_steps(ticket, events), key=lambda step: step.at)
    timed = [StoryStep(now.name, now.at, now.at - before.at, now.event) for before, now in pairwise(made)]
    return (*made[:1], *timed)


def _steps(ticket: Ticket, events: Sequence[Event]) -> Iterator[StoryStep]:
    stored = {event.name for event in events}
    for event in events:
        # The press that sends is stored with the claim; its own moment is on the ticket.
        if event.name is EventName.SENDING and ticket.confirmed_at is not None and EventName.CONFIRMED not in stored:
            yield StoryStep(CONFIRM, ticket.confirmed_at)
        if event.name is not EventName.STEP:
            yield StoryStep(event.name.value, event.at, event=event)
