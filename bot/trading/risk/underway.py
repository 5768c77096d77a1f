"""Work under way in a contract that stands in the way of something new: the desk's tickets, and orders that close. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.trading.market.facts import Facts, Order, terms_of
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Close,
    Intent,
    OrderIntent,
    VerifiedReverse,
    closing_side,
)
from bot.trading.orders.mass_actions import CancelWorking, MassAction, target_of
from bot.trading.orders.terms import OrderType, words_of
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, TicketState
from bot.trading.risk.closing import LISTS_LAG, held_in, working_closes
from bot.trading.risk.policy import Denial, DenialCode
from bot.trading.words import quoted

LAG = timedelta(seconds=LISTS_LAG)
# A flatten that has not closed anything by then is kept from it: by itself it keeps nobody else from closing.
FLATTEN_BEGINS = timedelta(seconds=6)


def about_tickets(intent: OrderIntent, tickets: Iterable[Ticket], now: datetime) -> Iterable[Denial]:
    """The reasons why the desk's own tickets leave no room for this order."""
    closes = intent.closes
    for ticket in tickets:
        # A close that was taken and that no list shows yet would be done twice by another one.
        is_open = ticket.state in IN_FLIGHT or (closes and is_just_closed(ticket, now, LAG))
        if not is_open or not (stands_in_the_way(ticket.intent, intent) or _leaves_root_open(ticket, intent)):
            continue
        if isinstance(intent, Close) and ticket.state is TicketState.SENDING and not _is_at_it(ticket, now):
            continue
        if isinstance(ticket.intent, MassAction) and ticket.intent.closes and ticket.state in IN_FLIGHT:
            yield Denial(
                DenialCode.FLATTENING,
                f"{ticket.requester.named} is flattening {quoted(target_of(ticket.intent))} (ticket {ticket.id}), so "
                "nothing new is taken there; wait until its card says what became of it.",
                f"ticket={ticket.id} state={ticket.state}",
            )
        else:
            its = intent.contract if isinstance(ticket.intent, MassAction) else ticket.order.contract
            others = "" if its == intent.contract else f"until then no month of {its.root} is entered there; "
            yield Denial(
                DenialCode.OUTCOME_UNKNOWN,
                f"The outcome of ticket {ticket.id} in {quoted(intent.account)} {its} is not known yet; "
                f"{others}wait until its card says what became of it.",
                f"ticket={ticket.id} state={ticket.state}",
            )


def _leaves_root_open(ticket: Ticket, intent: OrderIntent) -> bool:
    """Tell whether nobody knows what a ticket has left in the root, in whichever month: nothing new is taken there until then."""
    its = ticket.intent
    if ticket.state is not TicketState.UNKNOWN or intent.is_exit or isinstance(its, Cancel | CancelWorking):
        return False
    if isinstance(its, MassAction):
        contract = its.scope.contract
        return intent.account in its.scope.accounts and (contract is None or contract.root == intent.contract.root)
    return (its.account, its.contract.root) == (intent.account, intent.contract.root)


def about_closes(intent: OrderIntent, facts: Facts) -> Iterable[Denial]:
    """The reasons why orders that close there already bar another close: together they could turn the position over.

    An order without a price of which nobody told the type may close; that keeps out an entry, and nobody from getting out.
    """
    if not intent.closes:
        return
    untyped = () if isinstance(intent, Close) else _may_close(facts, intent.contract)
    for order in (*working_closes(facts, intent.contract), *untyped):
        yield Denial(
            DenialCode.CLOSING,
            f"Order {quoted(order.id, 64)} closes there already ({words_of(terms_of(order), None)}, {order.remaining} to fill); "
            f"wait for it, or take it back with “/cancel scope:order account:{intent.account} order:{order.id}” and ask again.",
            f"order={order.id} remaining={order.remaining}",
        )


def _may_close(facts: Facts, contract: Contract) -> Iterable[Order]:
    side = closing_side(held_in(facts, contract)) if held_in(facts, contract) else None
    for order in facts.working(contract):
        if order.side is side and order.type is None and terms_of(order).type is OrderType.MARKET:
            yield order


def is_just_closed(ticket: Ticket, now: datetime, lag: timedelta) -> bool:
    """Tell whether a call of its that closes was taken so lately that no list need show it yet."""
    if isinstance(ticket.intent, Close):
        taken = ticket.ended_at or ticket.last_sent_at
        return ticket.is_closing and taken is not None and now - taken < lag
    if isinstance(ticket.intent, VerifiedReverse) and ticket.state is TicketState.ACCEPTED:
        # It was read as flat before the new order was placed.
        return False
    leg = ticket.progress.last_close if ticket.intent.is_mass or isinstance(ticket.intent, VerifiedReverse) else None
    ended_flat = ticket.progress.done_at is not None
    return leg is not None and not ended_flat and now - leg.sent_at < lag


def _is_at_it(ticket: Ticket, now: datetime) -> bool:
    """Tell whether a ticket on its way closes, or is about to; of a flatten that has been kept from it so far that isn't said."""
    if not (ticket.intent.is_mass and ticket.intent.closes) or ticket.sent_at is None or now - ticket.sent_at < FLATTEN_BEGINS:
        return True
    leg = ticket.progress.last_close
    # What has been closing for longer shows among the orders.
    return leg is not None and now - leg.sent_at < 3 * LAG


def stands_in_the_way(underway: Intent, intent: OrderIntent) -> bool:
    """Tell whether one must not be sent while the other's outcome is open.

    A cancellation can't make anything worse. A close goes unless another close is under way: two could turn the position over.
    A flatten lets nothing in until it is done.
    """
    if isinstance(intent, Cancel) or not underway.touches(intent.account, intent.contract):
        return False
    if isinstance(intent, Close | Bracket):
        return underway.closes
    return not isinstance(underway, Cancel | CancelWorking)
