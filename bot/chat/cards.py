"""A ticket as people see it: one card in Components V2, drawn anew from the ticket for each edit. Nothing is decided here.

Short lines, one idea each, as phones show them. Every line and block is capped, so that the whole stays below Discord's 4,000
characters and 40 components whatever CrossTrade or a person has put into it.
"""

from collections.abc import Iterator
from typing import Any

from discord import ui
from discord.utils import format_dt

from bot.chat import figures, mass_action_cards, phrases
from bot.chat.access import GuardedButton
from bot.chat.actions import actions
from bot.chat.buttons import ApproveButton, CancelButton, ConfirmButton
from bot.chat.hints import hint, refusal_hint
from bot.chat.markdown import code
from bot.chat.wording import LONGEST_LINE, clip, size
from bot.trading.orders.intents import Bracket, Cancel, Change, Close, VerifiedReverse
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, MassAction
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket, TicketState, side_word
from bot.trading.planning.preview import steps
from bot.trading.reconciliation.protection import is_unprotected, turned_to
from bot.trading.reconciliation.resolving import is_resolved
from bot.trading.words import lateness

# A little below Discord's 4,000 characters for all texts of a message together.
LONGEST_CARD = 3900
LONGEST_OUTCOME = 700
LONGEST_CALLS = 800
MOST_WARNINGS = 5
MOST_APPROVALS = 3

RED, BLUE, GREEN, ORANGE, YELLOW, GREY = 0xE03131, 0x339AF0, 0x2F9E44, 0xE8590C, 0xFAB005, 0x868E96
_COLOURS = {
    TicketState.ACCEPTED: GREEN,
    TicketState.REJECTED: ORANGE,
    TicketState.NOT_SENT: ORANGE,
    TicketState.DENIED: ORANGE,
    TicketState.UNKNOWN: YELLOW,
    TicketState.NEVER_ARRIVED: GREY,
    TicketState.CANCELLED: GREY,
    TicketState.EXPIRED: GREY,
    TicketState.VOID: GREY,
}
NO_REASON = "The bot could not read why; NinjaTrader's log says it (Control Center, Log)."
# What would be open afterwards, and what that is worth, is no news with them.
_LEAVING_THE_POSITION = (Cancel, Bracket)
# Nothing was sent and nobody need ask what came of it: only the facts of the order are kept on the card.
_QUIET_ENDS = frozenset({TicketState.CANCELLED, TicketState.EXPIRED, TicketState.VOID, TicketState.DENIED})


def card(ticket: Ticket, late: float = 0.0, *, buttons: bool = True, note: str | None = None) -> ui.LayoutView:
    """Draw a ticket as it stands.

    Args:
        ticket: what to draw.
        late: how many seconds ago the news happened.
        buttons: ``False`` where nobody can press, as in direct messages.
        note: a last line, for this message alone.
    """
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*_items(ticket, late, buttons=buttons, note=note), accent_colour=colour(ticket)))
    return view


def colour(ticket: Ticket) -> int:
    """The card's accent: by its end, and while it is open by LIVE or SIM."""
    if ticket.order_state is OrderState.REJECTED or turned_to(ticket) is not None or is_unprotected(ticket):
        return ORANGE
    if isinstance(ticket.intent, MassAction) and mass_action_cards.is_short_of_it(ticket):
        return ORANGE
    if ticket.order_state is OrderState.GONE:
        return YELLOW
    return _COLOURS.get(ticket.state, RED if ticket.shown.live else BLUE)


def _items(ticket: Ticket, late: float, *, buttons: bool, note: str | None) -> Iterator[ui.Item[Any]]:
    head, warnings = list(_head(ticket, late)), [*_alarms(ticket), *_warnings(ticket)]
    people = _text(*_people(ticket), *([note] if note else []))
    yield from head
    yield ui.Separator()
    match ticket.intent:
        case Flatten() | CancelWorking() | FlattenStrategy() as mass_action:
            taken = sum(size(block.content) for block in (*head, *warnings, people))
            yield from _mass_action_blocks(ticket, mass_action, LONGEST_CARD - taken)
        case _:
            yield from _order_blocks(ticket)
    yield from warnings
    yield ui.Separator()
    yield people
    if buttons and (row := [*_buttons(ticket)]):
        yield ui.ActionRow(*row)


def _head(ticket: Ticket, late: float) -> Iterator[ui.TextDisplay[Any]]:
    # What the desk says of it stands in a block of its own, between our words about it.
    yield _text(_title(ticket, late), *_news(ticket))
    if protection := clip("\n".join(phrases.protection(ticket)), LONGEST_OUTCOME):
        yield ui.TextDisplay(protection)
    # Discord refuses a text of nothing but blanks, and the whole card with it.
    if told := clip(_told(ticket), LONGEST_OUTCOME):
        yield ui.TextDisplay(told)
    if (ticket.state is TicketState.REJECTED and not is_resolved(ticket)) or _is_rejected_later(ticket):
        yield _text(_what_to_do(ticket))


def _what_to_do(ticket: Ticket) -> str:
    if not ticket.outcome:
        return NO_REASON
    # A condition is CrossTrade's to hold, before there is an order.
    was_never_placed = ticket.state is TicketState.REJECTED and not ticket.order_ids
    return refusal_hint(ticket.outcome, ticket.intent) if was_never_placed else hint(ticket.outcome)


def _told(ticket: Ticket) -> str:
    # What is left, its rows below tell.
    return ticket.outcome or ""


def _warnings(ticket: Ticket) -> Iterator[ui.TextDisplay[Any]]:
    if ticket.state not in _QUIET_ENDS and ticket.shown.warnings:
        yield _text(*(f"⚠ {warning}" for warning in ticket.shown.warnings[:MOST_WARNINGS]))


def _alarms(ticket: Ticket) -> Iterator[ui.TextDisplay[Any]]:
    if isinstance(ticket.intent, MassAction) and (found := [*mass_action_cards.alarms(ticket, ticket.intent)][:MOST_WARNINGS]):
        yield _text(*found)


def _order_blocks(ticket: Ticket) -> Iterator[ui.TextDisplay[Any]]:
    yield _text(*_order(ticket))
    yield _text(*_change(ticket))
    if calls := mass_action_cards.calls(ticket, LONGEST_CALLS):
        yield _text(*calls)
    if ticket.state is TicketState.OFFERED:
        yield _text(*_market(ticket))


def _mass_action_blocks(ticket: Ticket, mass_action: MassAction, room: int) -> Iterator[ui.TextDisplay[Any]]:
    """Scope of a mass action, its rows, its steps or its calls; the rows take the room that is left."""
    order = _text(*mass_action_cards.order(ticket, mass_action))
    below = list(mass_action_cards.plan(ticket, mass_action)) if ticket.state is TicketState.OFFERED else []
    below += mass_action_cards.calls(ticket, min(LONGEST_CALLS, room // 3))
    lines = mass_action_cards.lines(ticket, mass_action, room - size(order.content) - sum(size(line) + 1 for line in below))
    yield order
    yield from (_text(*block) for block in (lines, below) if block)


def _text(*lines: str) -> ui.TextDisplay[Any]:
    return ui.TextDisplay("\n".join(clip(line, LONGEST_LINE) for line in lines))


def _buttons(ticket: Ticket) -> Iterator[GuardedButton]:
    if ticket.state is not TicketState.OFFERED:
        yield from actions(ticket)
        return
    yield ConfirmButton(ticket.id, ticket.revision)
    if ticket.shown.approver_roles:
        yield ApproveButton(ticket.id, ticket.revision)
    yield CancelButton(ticket.id, ticket.revision)


def foot(ticket_id: str) -> str:
    """The line by which people, and the bot itself, know whose card it is."""
    return f"-# ticket {ticket_id}"


def _title(ticket: Ticket, late: float) -> str:
    words = _state_words(ticket)
    stamp = lateness(late)
    return f"### {words} · {stamp}" if stamp else f"### {words}"


def _state_words(ticket: Ticket) -> str:
    if isinstance(ticket.intent, MassAction) and (own := mass_action_cards.title(ticket, ticket.intent)):
        return own
    match ticket.state:
        case TicketState.OFFERED:
            return f"{ticket.intent.command.capitalize()} · {_open_words(ticket)}"
        case TicketState.ACCEPTED if (turned := turned_to(ticket)) is not None:
            return f"now {side_word(turned)} · {ticket.intent.command}"
        case TicketState.ACCEPTED:
            end = "rejected" if _is_rejected_later(ticket) else "accepted"
            return f"{end} · order {code(ticket.order_id, 64)}" if ticket.order_id else f"{end} · {ticket.intent.command}"
        case TicketState.UNKNOWN:
            return "outcome unknown"
        case _ if _is_stopped(ticket):
            return f"close sent · new order {ticket.state.value}"
        case _:
            return ticket.state.value


def _open_words(ticket: Ticket) -> str:
    if ticket.confirmed_at is not None:
        return "confirmed, needs approval"
    if ticket.approvals and not ticket.missing_roles:
        return "approved, needs Confirm"
    return "changed, look again" if ticket.revision > 1 else "confirm?"


def _is_stopped(ticket: Ticket) -> bool:
    """Tell whether a verified reversal ended between its two calls: with the close sent, and without a new order."""
    ended_without = ticket.state in {TicketState.NOT_SENT, TicketState.REJECTED}
    return isinstance(ticket.intent, VerifiedReverse) and ended_without and ticket.progress.went_out


BY_WORD = "The bot found no proof of it; somebody has looked and says so."
UNSEEN_NEWS = (
    "**Do not send it again.** The call went out although the lists could not be read.",
    "The bot reads them again and again and writes here what has become of it. Look at NinjaTrader meanwhile.",
)
NOT_FOLLOWED = f"{BY_WORD} No order is known to follow."
_PLAIN_NEWS = {
    TicketState.REJECTED: ("No order was placed. CrossTrade says:",),
    TicketState.UNKNOWN: (
        "**Do not send it again.** The answer was lost, so the order may be in the market.",
        "The bot is looking for it among NinjaTrader's orders, fills and positions and writes here what it finds.",
        "Until then it takes no new order for this account and instrument.",
        "If you know what became of it, and have the right to say so: /resolve",
    ),
    TicketState.NOT_SENT: ("Nothing left the bot, so nothing of it is in the market. You can ask again.",),
    TicketState.NEVER_ARRIVED: ("NinjaTrader has no such order and no fill of it.",),
    TicketState.DENIED: ("Nothing was sent.",),
}
# What such a ticket is about is there, as its outcome says.
_PLAIN_NEWS_OF_NO_ORDER = {
    **_PLAIN_NEWS,
    TicketState.NEVER_ARRIVED: ("It never reached NinjaTrader, so nothing of it was done.",),
}


def _news(ticket: Ticket) -> Iterator[str]:
    """News of the ticket, below the title."""
    is_mass = isinstance(ticket.intent, MassAction)
    if _is_rejected_later(ticket):
        yield from _rejected_order(ticket)
        return
    match ticket.state:
        case TicketState.ACCEPTED if is_resolved(ticket) and not is_mass and not ticket.order_ids:
            yield NOT_FOLLOWED
        case TicketState.ACCEPTED if not is_mass:
            yield phrases.news(ticket)
        case _ if is_resolved(ticket):
            yield BY_WORD
        case TicketState.ACCEPTED if mass_action_cards.is_short_of_it(ticket):
            yield from mass_action_cards.about_left(ticket)
        case TicketState.UNKNOWN if ticket.progress.went_unseen:
            yield from UNSEEN_NEWS
        case _ if _is_stopped(ticket):
            # The title says it, and the outcome what came of the close.
            return
        case TicketState.CANCELLED:
            yield f"Cancelled by {ticket.ender or 'the desk'}; nothing was sent."
        case TicketState.EXPIRED | TicketState.VOID if not ticket.outcome:
            yield "Nothing was sent; ask again with the command."
        case state:
            yield from (_PLAIN_NEWS if ticket.intent.places else _PLAIN_NEWS_OF_NO_ORDER).get(state, ())


def _is_rejected_later(ticket: Ticket) -> bool:
    """Tell whether NinjaTrader said no to what CrossTrade had taken; of an order to cancel or change that is another's news."""
    return ticket.order_state is OrderState.REJECTED and (ticket.intent.places or isinstance(ticket.intent, Close))


def _rejected_order(ticket: Ticket) -> Iterator[str]:
    yield "rejected by NinjaTrader" + (f", {ticket.filled} of {ticket.terms.quantity} filled" if ticket.filled else "")
    if ticket.intent.closes and ticket.intent.places:
        yield "The close before it may have been done all the same; look at the position."


def _order(ticket: Ticket) -> Iterator[str]:
    intent, terms = ticket.order, ticket.order.terms
    yield f"{figures.mark(live=ticket.shown.live)} · {code(intent.account, 60)}"
    yield from phrases.order(ticket)
    yield from (
        f"{name} {code(text, 64)}" for name, text in (("oco", terms.oco), ("strategy", terms.strategy)) if text is not None
    )
    yield from phrases.conditions(intent)


def _change(ticket: Ticket) -> Iterator[str]:
    shown = ticket.shown
    average = (
        "" if shown.average_price is None or not shown.position else f" at {figures.price(shown.average_price, shown.tick_size)}"
    )
    is_open = ticket.state is TicketState.OFFERED
    held = f"{side_word(shown.position)}{average}" if shown.position_read else "position could not be read"
    yield f"{'Now' if is_open else 'Before'}: {held}"
    if ticket.state not in _QUIET_ENDS and not isinstance(ticket.intent, _LEAVING_THE_POSITION):
        yield f"{'After' if is_open else 'Planned'}: {side_word(shown.after)}"
    # One order that is cancelled or changed is told above, whole.
    if is_open and not isinstance(ticket.intent, Cancel | Change):
        yield from (f"{number}. {step}" for number, step in enumerate(steps(ticket.order, shown), start=1))


def _market(ticket: Ticket) -> Iterator[str]:
    shown = ticket.shown
    if shown.last is None or shown.quoted_at is None:
        yield "No price could be read."
    else:
        yield f"Last {figures.price(shown.last, shown.tick_size)} · {format_dt(shown.quoted_at, 'R')}"
    if shown.bid is not None and shown.ask is not None:
        yield f"Bid {figures.price(shown.bid, shown.tick_size)} · ask {figures.price(shown.ask, shown.tick_size)}"
    if not isinstance(ticket.intent, _LEAVING_THE_POSITION):
        yield from _worth(ticket)
    # Those that a bracket cancels are its first step.
    if shown.working_orders and not isinstance(ticket.intent, Bracket):
        yield f"Other working orders there: {shown.working_orders}"


def _worth(ticket: Ticket) -> Iterator[str]:
    shown = ticket.shown
    if shown.last is not None and shown.point_value is not None and shown.tick_value is not None:
        yield f"Notional ${figures.amount(shown.last * shown.point_value * ticket.order.terms.quantity)}"
        yield f"One tick is ${figures.amount(shown.tick_value)} per contract"


def _people(ticket: Ticket) -> Iterator[str]:
    yield f"Asked by {ticket.requester.named}"
    if ticket.confirmed_at is not None:
        yield f"Confirmed by {ticket.requester.named}"
    yield from (f"Approved by {approval.named}" for approval in ticket.approvals[:MOST_APPROVALS])
    if is_resolved(ticket):
        yield f"Resolved by {ticket.ender or ''}"
    yield from phrases.times(ticket)
    if ticket.state is TicketState.OFFERED:
        missing = sorted(ticket.missing_roles)[:MOST_APPROVALS]
        yield from (f"Needs Approve by another <@&{role}>" for role in missing)
        yield f"Expires {format_dt(ticket.expires_at, 'R')}"
    yield foot(ticket.id)
