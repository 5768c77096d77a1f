"""Requests from buttons of a sent order's card, as a slash command would have made them, on what is read at the press.

Nothing is decided for good and nothing is sent here: the request goes through the desk's one door like any other, and its
ticket is confirmed like any other.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from bot.clock import Clock
from bot.desk.lookup.names import Naming, RequestRefused, unreadable
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker
from bot.desk.reads.shares import Tally
from bot.desk.requests import BracketRequest, CancelRequest, CloseRequest, ModifyRequest, Refused, TicketRequest
from bot.errors import NO_JOURNAL, BrokerError, JournalError
from bot.trading.market.facts import Order, Position
from bot.trading.orders.tickets import Member, Ticket, side_word
from bot.trading.planning.card_actions import (
    CardAction,
    bracket_again,
    break_even,
    fitting,
    half,
    is_on_its_side,
    is_too_old,
    moved_to,
    protects_already,
    stops_of,
)
from bot.trading.reconciliation.following import find
from bot.trading.reconciliation.protection import open_size
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery
from bot.trading.words import quoted

log = logging.getLogger(__name__)
Read = TypeVar("Read")

GONE = "I don't know this card any more; use the command instead."
OVER = "This card is over: its buttons have no meaning any more. Use /{command} for what is open now."
CHANGED = "The order has changed since you saw this card: that button has no meaning any more; look at the card again."


@dataclass(frozen=True, slots=True)
class Actions:
    """Makes requests of presses. Every no is ``Refused``, and whoever may not learns nothing of an account.

    Attributes:
        first: the broker whose reads go early, for those who haven't pressed often lately.
    """

    recorder: Recorder
    broker: Broker
    first: Broker
    hurrying: Tally
    naming: Naming
    clock: Clock

    async def request(self, member: Member, ticket_id: str, verb: CardAction) -> TicketRequest | Refused:
        """The request that the member makes by pressing that button on that ticket's card."""
        try:
            by = replace(self, broker=self.first) if self.hurrying.ask(member.id) is None else self
            return await by._request(member, ticket_id, verb)  # noqa: SLF001  it is one of ours
        except RequestRefused as stop:
            await self.recorder.denied(member.id, stop.denials, button=verb.value, ticket=ticket_id)
            return Refused(stop.denials)
        except JournalError as error:
            return Refused((Denial(DenialCode.DESK_DOWN, f"{error} Nothing was sent; tell whoever runs the desk. {NO_JOURNAL}"),))

    async def _request(self, member: Member, ticket_id: str, verb: CardAction) -> TicketRequest:
        ticket = await self.recorder.journal.ticket(ticket_id)
        if ticket is None:
            raise RequestRefused(Denial(DenialCode.CARD_OVER, GONE, f"ticket={ticket_id}"))
        if not ticket.intent.places and verb is not CardAction.BRACKET:
            raise RequestRefused(Denial(DenialCode.CARD_OVER, CHANGED, f"ticket={ticket_id} button={verb}"))
        intent = ticket.order
        self.naming.ask(member, PermissionQuery(verb.command, intent.account, intent.contract.root))
        self._check(ticket, verb)
        match verb:
            case CardAction.CANCEL_ORDER:
                return CancelRequest(intent.account, (await self._order(ticket)).id)
            case CardAction.CLOSE:
                await self._position(ticket)
                return CloseRequest(intent.account, str(intent.contract))
            case CardAction.CLOSE_HALF:
                return await self._half(ticket)
            case CardAction.BRACKET:
                return await self._bracket(ticket)
            case _:
                return await self._break_even(ticket)

    def _check(self, ticket: Ticket, verb: CardAction) -> None:
        is_over = ticket.retired_at is not None or is_too_old(ticket, self.clock())
        if is_over and verb is not CardAction.BRACKET:
            raise RequestRefused(Denial(DenialCode.CARD_OVER, OVER.format(command=verb.command), f"ticket={ticket.id}"))
        if verb not in fitting(ticket):
            raise RequestRefused(Denial(DenialCode.CARD_OVER, CHANGED, f"ticket={ticket.id} button={verb}"))

    async def _order(self, ticket: Ticket) -> Order:
        """The ticket's order under the id by which it is listed now."""
        account = ticket.order.account
        order = find(ticket, await _read("the orders", self.broker.orders(account, active_only=False)))
        shown = quoted(ticket.order_id or "", 64)
        if order is None:
            sentence = (
                f"NinjaTrader doesn't list order {shown} in {quoted(account)}, so it can't be cancelled; look there for it."
            )
            raise RequestRefused(Denial(DenialCode.NO_SUCH_ORDER, sentence, f"account={account} order={ticket.order_id}"))
        if order.state.is_done:
            sentence = f"Order {shown} is {order.state.value.lower()} already, so there is nothing to cancel."
            raise RequestRefused(
                Denial(DenialCode.ORDER_FINISHED, sentence, f"order={ticket.order_id} state={order.state.value}")
            )
        return order

    async def _position(self, ticket: Ticket) -> Position:
        """The open position on the side of the ticket's order, or of what it protects."""
        intent = ticket.order
        positions = await _read("the positions", self.broker.positions(intent.account))
        found = next((each for each in positions if each.contract == intent.contract), None)
        held = 0 if found is None else found.quantity
        if found is None or not (is_on_its_side(ticket, held) if intent.places else open_size(ticket, held) > 0):
            now = f"{quoted(intent.account)} is {side_word(held)} in {intent.contract} now"
            sentence = f"{now}, so what this card is about is closed; use /positions to see what is open."
            raise RequestRefused(Denial(DenialCode.NO_POSITION, sentence, f"position={held}"))
        return found

    async def _half(self, ticket: Ticket) -> CloseRequest:
        position = await self._position(ticket)
        held = abs(position.quantity)
        if held < 2:
            sentence = f"Only {held} of {position.contract} is open, which has no half; use Close."
            raise RequestRefused(Denial(DenialCode.BAD_REQUEST, sentence, f"position={position.quantity}"))
        return CloseRequest(ticket.order.account, str(position.contract), half(held))

    async def _bracket(self, ticket: Ticket) -> BracketRequest:
        """Over the whole position: the call cancels whatever else works there."""
        position = await self._position(ticket)
        target, stop = bracket_again(ticket, position)
        return BracketRequest(ticket.order.account, str(position.contract), abs(position.quantity), target, stop)

    async def _break_even(self, ticket: Ticket) -> ModifyRequest:
        account = ticket.order.account
        position, orders = await asyncio.gather(
            self._position(ticket), _read("the orders", self.broker.orders(account, active_only=False))
        )
        stops = stops_of(position, orders)
        if len(stops) != 1:
            sentence = (
                f"Break-even moves the one stop that protects {side_word(position.quantity)} {position.contract}, "
                f"and {len(stops) or 'none'} {'are' if len(stops) > 1 else 'is'} working; use /modify for a stop of your choice."
            )
            raise RequestRefused(Denial(DenialCode.NOT_ONE_STOP, sentence, f"stops={len(stops)}"))
        price = break_even(position, await self._tick(ticket))
        if price is None:
            sentence = "NinjaTrader doesn't tell the position's average price, so break-even isn't known; use /modify."
            raise RequestRefused(Denial(DenialCode.FACTS_MISSING, sentence))
        return _moved(account, position, stops[0], price)

    async def _tick(self, ticket: Ticket) -> Decimal:
        if ticket.shown.tick_size is not None:
            return ticket.shown.tick_size
        contract = ticket.order.contract
        return (await _read(f"the tick of {contract}", self.broker.quote(contract))).tick_size


def _moved(account: str, position: Position, stop: Order, price: Decimal) -> ModifyRequest:
    if protects_already(position, stop, price):
        sentence = f"The stop lies at {stop.stop} already, which is break-even ({price}) or better; use /modify to move it."
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, sentence, f"stop={stop.stop} break_even={price}"))
    terms = moved_to(stop, price)
    return ModifyRequest(account, stop.id, stop=f"{price:f}", limit=None if terms.limit is None else f"{terms.limit:f}")


async def _read(what: str, reading: Awaitable[Read]) -> Read:
    try:
        return await reading
    except BrokerError as error:
        raise RequestRefused(unreadable(what, error)) from error
