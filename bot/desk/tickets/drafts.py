"""Intents from what a person typed: names made canonical, terms checked, the order found that it is about.

No limit is looked at here, and nothing is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.clock import Clock
from bot.desk.lookup.look import FactsReader
from bot.desk.lookup.names import WRITE_MONTH, Naming, RequestRefused, instrument, template, unreadable
from bot.desk.ports import Journal
from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    EntryRequest,
    FlatPlaceRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    ReplaceRequest,
    ReverseRequest,
    TicketRequest,
)
from bot.desk.tickets.permissions import requests_of
from bot.desk.tickets.scopes import Scopes
from bot.errors import BrokerError, InstrumentError, UsageError
from bot.trading.market.facts import Order, terms_of
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CANCEL_UNSEEN
from bot.trading.orders.terms import (
    OrderType,
    Side,
    Terms,
    TimeInForce,
    check_terms,
    parse_count,
    parse_fraction,
    parse_label,
    parse_requirement,
)
from bot.trading.orders.tickets import Member
from bot.trading.planning.pricing import check_changes, with_prices
from bot.trading.planning.shorthand import Shorthand, read
from bot.trading.reconciliation.following import find
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery
from bot.trading.words import quoted


@dataclass(frozen=True, slots=True)
class Drafts:
    """Makes intents. Every no is a ``RequestRefused``, and whoever may not is told before anything is read of an account."""

    look: FactsReader
    journal: Journal
    naming: Naming
    scopes: Scopes
    clock: Clock
    new_id: Callable[[], str]

    async def intent(self, member: Member, request: TicketRequest) -> Intent:
        """The intent that the request asks for.

        Raises:
            RequestRefused: not granted, not readable, or not to be found.
            JournalError: the journal can't be read.
        """
        try:
            match request:
                case CloseRequest():
                    return await self._close(member, request)
                case BracketRequest():
                    return await self._bracket(member, request)
                case FlattenRequest():
                    return await self.scopes.mass_action(member, request)
                case CancelRequest() if request.scope != "order":
                    return await self.scopes.mass_action(member, request)
                case CancelRequest() | ModifyRequest() | ReplaceRequest():
                    return await self._of_order(member, request)
                case _:
                    return await self._entry(member, request)
        except InstrumentError as error:
            raise RequestRefused(Denial(DenialCode.UNKNOWN_INSTRUMENT, str(error))) from error
        except UsageError as error:
            raise RequestRefused(Denial(DenialCode.BAD_REQUEST, str(error))) from error

    async def _entry(self, member: Member, request: EntryRequest) -> OrderIntent:
        terms = Terms(
            side=request.side,
            quantity=request.quantity,
            type=request.type,
            tif=request.tif,
            oco=parse_label("OCO id", request.oco),
            strategy=parse_label("strategy", request.strategy),
        )
        terms = with_prices(terms, request.limit, request.stop)
        check_terms(terms)
        require = parse_requirement(request.require) if isinstance(request, PlaceRequest) else frozenset()
        most = parse_count("max_positions", request.max_positions) if isinstance(request, PlaceRequest) else None
        account, contract = await self._where(member, request, terms)
        await self._check_template(terms)
        match request:
            case PlaceRequest():
                return PlaceOrder(account, contract, terms, self.new_id(), require, most)
            case FlatPlaceRequest():
                return FlatPlace(account, contract, terms)
            case _:
                return self._reversal(request, account, contract, terms)

    def _reversal(self, request: ReverseRequest, account: str, contract: Contract, terms: Terms) -> OrderIntent:
        match request.mode or self.naming.policy().reverse_mode:
            case "verified":
                return VerifiedReverse(account, contract, terms, self.new_id())
            case "invert":
                if terms != Terms(terms.side, terms.quantity):
                    raise UsageError(
                        "mode:invert is at market and takes no type, limit, stop, tif, oco or strategy; leave them out."
                    )
                return Invert(account, contract, terms)
            case "direct":
                return Reverse(account, contract, terms)
            case _:
                raise UsageError("mode takes direct, verified or invert; leave it out for the usual way.")

    async def _bracket(self, member: Member, request: BracketRequest) -> Bracket:
        target = read("target", request.target)
        has_stop = bool(request.stop.strip())
        if target is None and not has_stop:
            raise UsageError("A bracket needs a target, a stop, or both.")
        # Its side comes with the position, which is read with everything else.
        kind = OrderType.STOPMARKET if has_stop else OrderType.LIMIT
        terms = Terms(Side.SELL, request.quantity, kind, TimeInForce.GTC)
        terms = with_prices(terms, None, request.stop) if has_stop else with_prices(terms, request.target, None)
        check_terms(terms)
        account, contract = await self._where(member, request, None)
        if not has_stop:
            return Bracket(account, contract, terms, None)
        if isinstance(target, Shorthand):
            return Bracket(account, contract, terms, None, str(target))
        return Bracket(account, contract, terms, target)

    async def _close(self, member: Member, request: CloseRequest) -> Close:
        if request.quantity is not None and request.percent is not None:
            raise UsageError("Give qty or percent, not both; leave both out to close all.")
        if request.quantity is not None and request.quantity < 1:
            raise UsageError("The quantity must be a whole number of at least 1; leave qty out to close all.")
        fraction = parse_fraction(request.percent)
        account, contract = await self._where(member, request, None)
        # Side and size come with the position, which is read with everything else.
        return Close(account, contract, Terms(Side.SELL, request.quantity or 1), request.quantity, fraction)

    async def _of_order(
        self, member: Member, request: CancelRequest | ModifyRequest | ReplaceRequest
    ) -> Cancel | Change | Replace:
        order_id = parse_label("order id", request.order)
        if order_id is None:
            raise UsageError("Give the order's id, as its card or /orders shows it.")
        if not request.account.strip():
            raise UsageError("Give the account in which the order is.")
        change = _change(request) if isinstance(request, ModifyRequest) else None
        account = await self.naming.account(member, request.command, request.account)
        order = await self._order(request.command, account, order_id)
        # An order whose id has changed is reached by the one that it has now.
        order_id = order_id if order_id in order.ids else order.id
        before = terms_of(order)
        wanted: Cancel | Change | Replace = Cancel(account, order.contract, before, order_id)
        if change is not None:
            wanted = Change(account, order.contract, _changed(order, change(before)), order_id, before)
        elif isinstance(request, ReplaceRequest):
            terms = _replacing(before, request)
            wanted = Replace(account, order.contract, terms, order_id, before, parse_requirement(request.require))
        for asked in requests_of(wanted):
            self.naming.ask(member, asked)
        await self._check_template(wanted.terms)
        return wanted

    async def _order(self, command: str, account: str, order_id: str) -> Order:
        try:
            orders = await self.look.orders(account)
        except BrokerError as error:
            instead = CANCEL_UNSEEN if command == "cancel" else ""
            raise RequestRefused(unreadable("the orders", error, instead)) from error
        order = next((each for each in orders if order_id in each.ids), None) or await self._followed(account, order_id, orders)
        if order is None:
            sentence = f"NinjaTrader lists no order {quoted(order_id, 64)} in {quoted(account)}; /orders shows those that work."
            raise RequestRefused(Denial(DenialCode.NO_SUCH_ORDER, sentence, f"account={account} order={order_id}"))
        return order

    async def _followed(self, account: str, order_id: str, orders: Sequence[Order]) -> Order | None:
        """The order under an id that NinjaTrader no longer knows it by, but a ticket of ours does."""
        for ticket in await self.journal.live():
            if ticket.intent.places and ticket.order.account == account and order_id in ticket.order_ids:
                return find(ticket, orders)
        return None

    async def _where(
        self, member: Member, request: EntryRequest | CloseRequest | BracketRequest, terms: Terms | None
    ) -> tuple[str, Contract]:
        """The account and the contract, for somebody who may."""
        named = instrument(request.instrument, self.clock)
        root = named.root if isinstance(named, Contract) else named.name
        account = await self.naming.account(member, request.command, request.account)
        asked = PermissionQuery(request.command, account, root)
        self.naming.ask(member, asked if terms is None else replace(asked, quantity=terms.quantity, order_type=terms.type))
        return account, named if isinstance(named, Contract) else await self._month(account, named)

    async def _check_template(self, terms: Terms) -> None:
        """Only a list that was read, and lacks it, is a no."""
        if terms.strategy is not None and (known := await self.look.templates_beside(terms.strategy)) is not None:
            template(terms.strategy, known)

    async def _month(self, account: str, root: Root) -> Contract:
        try:
            return await self.look.month_of(account, root)
        except BrokerError as error:
            raise RequestRefused(unreadable(f"the month of {root}", error, WRITE_MONTH)) from error


def _replacing(before: Terms, request: ReplaceRequest) -> Terms:
    """The terms of the new order: what was left out stays as the old one has it, as far as the type takes it.

    The OCO id is not taken over: NinjaTrader uses each up once.
    """
    kind = request.type or before.type
    old = Terms(
        side=before.side,
        quantity=request.quantity,
        type=kind,
        tif=request.tif or before.tif,
        limit=before.limit if kind.has_limit else None,
        stop=before.stop if kind.has_stop else None,
        oco=parse_label("OCO id", request.oco),
        strategy=parse_label("strategy", request.strategy),
    )
    terms = with_prices(old, request.limit, request.stop)
    check_terms(terms)
    return terms


def _change(request: ModifyRequest) -> Callable[[Terms], Terms]:
    """The change that the request makes to an order's terms."""
    limit, stop = read("limit", request.limit), read("stop", request.stop)
    if (request.quantity, limit, stop) == (None, None, None):
        raise UsageError("Say what to change: qty, limit or stop.")

    def change(before: Terms) -> Terms:
        quantity = before.quantity if request.quantity is None else request.quantity
        return with_prices(replace(before, quantity=quantity), request.limit, request.stop)

    return change


def _changed(order: Order, terms: Terms) -> Terms:
    """The terms, if they can be those of that order."""
    check_terms(terms)
    check_changes(terms_of(order), terms)
    if terms.quantity <= order.filled:
        raise UsageError(f"{order.filled} have filled already, so the quantity must be more than that; or cancel the order.")
    return terms
