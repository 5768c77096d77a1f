"""What a journal's tickets mean to the code that reads them: what is said of each, and what may be done next.

The words are those of the version that runs. What a name here stands for never changes, as those of before have it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from discord import ui

from bot.chat import mass_action_cards
from bot.chat.cards import card
from bot.chat.notices import drawn
from bot.desk.outbox.notices import headline
from bot.desk.ports import Event, EventName
from bot.trading.orders.intents import Close, Intent, VerifiedReverse, closing_terms
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.tickets import Ticket
from bot.trading.risk.underway import about_tickets
from tests.journal.upgrade import inside

Meaning = dict[str, Any]


def meaning_of(ticket: Ticket, events: Sequence[Event], now: datetime) -> Meaning:
    """All that is compared of one ticket; JSON."""
    told = list(_blocks(ticket))
    return {
        "state": ticket.state.value,
        "order": None if ticket.order_state is None else ticket.order_state.value,
        "filled": ticket.filled,
        "ids": list(ticket.order_ids),
        "card": told,
        "buttons": _buttons(ticket),
        "notice": _notice(ticket, events),
        "followed": ticket.is_followed,
        "guarded": ticket.is_guarded,
        "overdue told": inside.is_overdue(ticket) if ticket.is_followed else None,
        "word stands": inside.is_word(ticket),
        "new order may be placed": inside.may_be_placed(ticket) if isinstance(ticket.intent, VerifiedReverse) else None,
        "bars a close": _bars(ticket, now),
        "bars a close later": _bars(ticket, now + timedelta(minutes=1)),
        "answers took": [None if leg.took is None else leg.took.total_seconds() for leg in ticket.progress.steps],
    }


def _blocks(ticket: Ticket) -> Iterator[str]:
    """What became of it, as the card says it, without what it was asked for and by whom."""
    container = card(ticket).children[0]
    assert isinstance(container, ui.Container)
    for item in container.children:
        if isinstance(item, ui.Separator):
            break
        assert isinstance(item, ui.TextDisplay)
        yield item.content
    if isinstance(ticket.intent, MassAction):
        yield from mass_action_cards.lines(ticket, ticket.intent, 3000)
    yield from mass_action_cards.calls(ticket, 3000)


def _buttons(ticket: Ticket) -> list[str]:
    return [item.label or "" for item in card(ticket).walk_children() if isinstance(item, ui.Button)]


def _notice(ticket: Ticket, events: Sequence[Event]) -> str:
    """The notice of the last event of which there may be one, without the line that says who asked."""
    names = [event.name for event in events if event.name not in {EventName.STEP, EventName.SEEN}]
    return drawn(headline(names[-1], ticket).rpartition("\n")[0])


def _bars(ticket: Ticket, now: datetime) -> list[str]:
    """Why a close must not go beside the ticket."""
    intent: Intent = ticket.intent
    if isinstance(intent, MassAction):
        return []
    close = Close(intent.account, intent.contract, closing_terms(-2, None, None))
    return [denial.code.value for denial in about_tickets(close, [ticket], now)]
