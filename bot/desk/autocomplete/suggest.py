"""Suggestions for an option while somebody types: what the member is granted, and nothing where a fact is missing.

Nothing here has consequences, and nothing is decided by it. Which sizes and prices are worth offering is known by
``bot.trading.planning.suggestions`` and ``bot.trading.planning.sizing``; where the facts come from, and how seldom they are
read, by ``bot.desk.autocomplete.cache``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.clock import Clock
from bot.desk.autocomplete.cache import SuggestionCache, Wanted
from bot.desk.lookup.directory import Directory
from bot.desk.lookup.look import months_held
from bot.desk.lookup.names import LONGEST_ACCOUNT
from bot.errors import InstrumentError
from bot.trading.market.facts import Facts, Order, Quote, net, terms_of
from bot.trading.orders.instruments import Contract, Root, parse_instrument
from bot.trading.orders.intents import closing_side
from bot.trading.orders.tickets import Member
from bot.trading.planning.pricing import base_of
from bot.trading.planning.sizing import SizingContext, sizes, sizes_to_close
from bot.trading.planning.suggestions import SoFar, Suggestion, Where, label, prices, running_label
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import READING_COMMANDS, PermissionQuery, Policy, may


@dataclass(frozen=True, slots=True)
class Suggest:
    """Answers keystrokes."""

    suggestion_cache: SuggestionCache
    directory: Directory
    policy: Callable[[], Policy]
    clock: Clock

    async def prices(self, member: Member, so_far: SoFar, name: str, typed: str) -> Sequence[Suggestion[str]]:
        """Prices for the option of that name."""
        where = await self._market(member, so_far)
        if where is None:
            return ()
        before = None if where.order is None else terms_of(where.order)
        if before is not None and before.price(name) is None and so_far.command == "modify":
            # It has no such price, and none can be given to it.
            return ()
        facts = await self._see(member, where)
        base = base_of(facts, where.contract, None if before is None else before.price(name))
        side = so_far.side if before is None else before.side
        if so_far.command == "bracket":
            position = facts.position(where.contract)
            side = None if position is None else closing_side(position.quantity)
        return () if base is None else prices(name, typed, side, base)

    async def sizes(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[int]]:
        """Sizes that mean something: all that is open, half of it, the most that is allowed, what a stop may cost."""
        where = await self._market(member, so_far)
        if where is None:
            return ()
        suggestion_cache = self.suggestion_cache
        if so_far.command in {"close", "bracket"}:
            await suggestion_cache.see(member.id, [(suggestion_cache.positions, where.account)])
            open_ = suggestion_cache.positions.get(where.account) or ()
            return sizes_to_close(net(open_, where.contract), typed)
        facts = await self._see(
            member,
            where,
            (suggestion_cache.accounts, where.account),
            (suggestion_cache.orders, where.account),
            (suggestion_cache.recent, None),
        )
        recent = suggestion_cache.recent.get(None)
        standing = SizingContext(member, facts, self.policy(), None if recent is None else OwnOrders(tuple(recent)), self.clock())
        return sizes(so_far, typed, where, standing)

    async def orders(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[str]]:
        """The working orders of the account that the member may use the command on."""
        account = self._account(member, so_far)
        if account is None:
            return ()
        text = " ".join(typed.split()).casefold()
        shown = [Suggestion(order.id, label(order)) for order in await self._orders(member, so_far.command, account)]
        return [each for each in shown if text in each.name.casefold() or text in each.value.casefold()]

    async def running(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[str]]:
        """The ATM strategies that run in the account."""
        account = self._account(member, so_far)
        if account is None:
            return ()
        await self.suggestion_cache.see(member.id, [(self.suggestion_cache.running, account)])
        text = typed.strip().casefold()
        shown = [Suggestion(one.id, running_label(one)) for one in self.suggestion_cache.running.get(account) or ()]
        return [each for each in shown if text in each.name.casefold() or text in each.value.casefold()]

    async def strategies(self, member: Member, typed: str) -> Sequence[Suggestion[str]]:
        """The ATM templates of NinjaTrader, which belong to no account."""
        await self.suggestion_cache.see(member.id, [(self.suggestion_cache.templates, None)])
        text = typed.strip().casefold()
        names = self.suggestion_cache.templates.get(None) or ()
        return [Suggestion(name, name) for name in names if text in name.casefold()]

    async def close(self) -> None:
        """Stop reading."""
        await self.suggestion_cache.close()

    def _account(self, member: Member, so_far: SoFar) -> str | None:
        """The account, if there is one of that name that the member may use."""
        name = self.directory.canonical(so_far.account.strip()[:LONGEST_ACCOUNT])
        return None if name is None or not self._may(member, PermissionQuery(so_far.command, name)) else name

    def _may(self, member: Member, request: PermissionQuery) -> bool:
        return may(self.policy(), member.roles, request) is None

    async def _orders(self, member: Member, command: str, account: str) -> list[Order]:
        await self.suggestion_cache.see(member.id, [(self.suggestion_cache.orders, account)])
        orders = [order for order in self.suggestion_cache.orders.get(account) or () if not order.state.is_done]
        # A command that only reads is granted by account.
        by_root = command not in READING_COMMANDS
        return [
            one for one in orders if self._may(member, PermissionQuery(command, account, one.contract.root if by_root else None))
        ]

    async def _market(self, member: Member, so_far: SoFar) -> Where | None:
        """The market of the order: the named order's, else by account and instrument; ``None`` if not granted or not found."""
        account = self._account(member, so_far)
        if account is None:
            return None
        if so_far.order:
            orders = await self._orders(member, so_far.command, account)
            order = next((one for one in orders if so_far.order in one.ids), None)
            return None if order is None else Where(account, order.contract, order)
        contract = await self._contract(member, so_far, account)
        return None if contract is None else Where(account, contract)

    async def _contract(self, member: Member, so_far: SoFar, account: str) -> Contract | None:
        try:
            named = parse_instrument(so_far.instrument, self.clock.host().date())
        except InstrumentError:
            return None
        root = named.root if isinstance(named, Contract) else named.name
        if not self._may(member, PermissionQuery(so_far.command, account, root)):
            return None
        return named if isinstance(named, Contract) else await self._month(member, account, named)

    async def _month(self, member: Member, account: str, root: Root) -> Contract | None:
        """The month that a bare root means, as the request would find it."""
        suggestion_cache = self.suggestion_cache
        await suggestion_cache.see(member.id, [(suggestion_cache.positions, account), (suggestion_cache.orders, account)])
        positions, orders = suggestion_cache.positions.get(account), suggestion_cache.orders.get(account)
        if positions is None or orders is None:
            return None
        months = months_held(root, positions, orders)
        return months[0] if len(months) == 1 else None if months else self.directory.front(root.name)

    async def _see(self, member: Member, where: Where, *more: Wanted) -> Facts:
        """Quote and positions, and what else is asked for; what can't be had in time is ``None``."""
        suggestion_cache = self.suggestion_cache
        await suggestion_cache.see(
            member.id, [(suggestion_cache.quotes, where.contract), (suggestion_cache.positions, where.account), *more]
        )
        positions, orders = suggestion_cache.positions.get(where.account), suggestion_cache.orders.get(where.account)
        return Facts(
            account=suggestion_cache.accounts.get(where.account),
            positions=None if positions is None else tuple(positions),
            orders=None if orders is None else tuple(orders),
            quote=self._usable(suggestion_cache.quotes.get(where.contract), where.account),
        )

    def _usable(self, quote: Quote | None, account: str) -> Quote | None:
        """The quote, unless it is one on which no order would be taken."""
        if quote is None or quote.bid is None or quote.ask is None or quote.bid > quote.ask:
            return None
        age = quote.age(self.clock())
        return None if age is None or age > self.policy().stale_seconds(account, quote.contract.root) else quote
