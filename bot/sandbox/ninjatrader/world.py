"""The simulated world as a whole: market, accounts, exchange, strategies, built from what a test or the demo wants."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from .atm import AtmTemplate, Strategies
from .book import ZERO, Account, AccountSpec, Position, Resting
from .exchange import Exchange
from .hours import Hours
from .market import Market
from .names import Names, respelt
from .orders import Action, OrderType, Ticket, TimeInForce
from .products import Contract, UnknownInstrumentError, find_contract, is_root
from .timing import Timing
from .wire import ApiError


class World:
    """One NinjaTrader with its market. A reset makes a new one and stops the old."""

    def __init__(
        self,
        *,
        seed: int,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        timing: Timing,
        hours: Hours,
        accounts: tuple[AccountSpec, ...],
        templates: tuple[AtmTemplate, ...],
        names: Names = Names.DATED,
        roots: bool = False,
    ) -> None:
        """Open the books with these accounts; `roots` is whether prices of a bare root are those of its front month."""
        self.names = names
        self.roots = roots
        self.clock = clock
        self.new_id = new_id
        self.timing = timing
        self.market = Market(seed, hours)
        self.exchange = Exchange(self.market, clock, new_id, timing, {template.name for template in templates})
        self.strategies = Strategies(self.exchange, templates)
        self.templates = templates
        self.accounts = [self._open(number, spec) for number, spec in enumerate(accounts, start=2)]

    def _open(self, number: int, spec: AccountSpec) -> Account:
        account = Account(number, spec.name, spec.provider, spec.cash)
        for holding in spec.holdings:
            self.set_position(account, self.contract(holding.instrument), holding.quantity, holding.average)
        for resting in spec.orders:
            self._rest(account, resting)
        return account

    def _rest(self, account: Account, resting: Resting) -> None:
        contract = self.contract(resting.instrument)
        away = resting.ticks * contract.product.tick
        price = self.market.ticker(contract).last + away
        action = Action.BUY if resting.quantity > 0 else Action.SELL
        is_limit = away * action.sign < 0
        ticket = Ticket(
            account,
            contract,
            action,
            OrderType.LIMIT if is_limit else OrderType.STOP_MARKET,
            abs(resting.quantity),
            TimeInForce.GTC,
            limit=price if is_limit else ZERO,
            stop=ZERO if is_limit else price,
            oco_id=resting.oco_id,
        )
        self.exchange.rest(ticket)

    def set_timing(self, timing: Timing) -> None:
        """Let things take another time from now on."""
        self.timing = self.exchange.timing = timing

    def set_position(self, account: Account, contract: Contract, quantity: int, average: Decimal | None) -> None:
        """Put a position in place, without an order; without `average` at the last price."""
        price = self.market.ticker(contract).last if average is None else average
        account.positions[contract] = Position(quantity, price if quantity else Decimal(0))

    def contract(self, spelling: str) -> Contract:
        """Read an instrument in any spelling; ApiError 400 when there is none such (text inferred)."""
        try:
            return find_contract(spelling, self.clock().date())
        except UnknownInstrumentError:
            raise ApiError(400, "invalid_instrument", detail=f"Instrument {spelling} not found") from None

    def is_no_month(self, spelling: str) -> bool:
        """Tell whether it is a bare root, of which there are no prices here: as an instrument it is a share (seen by others)."""
        return not self.roots and is_root(spelling)

    def respelt(self, body: Any) -> Any:
        """Give what goes out with its instruments spelt as this NinjaTrader spells them."""
        return respelt(body, self.names, self.clock().date())

    def account(self, name: str) -> Account:
        """Find an account by its name in any case; ApiError 400 when there is none (status inferred)."""
        for account in self.accounts:
            if account.name.casefold() == name.casefold():
                return account
        raise ApiError(400, "invalid_account", detail=f"Account {name} not found")

    def tick(self) -> None:
        """Let a moment pass: prices move, orders match, marks rise."""
        self.market.step()
        self.exchange.match_all()
        for account in self.accounts:
            account.mark(self.market)

    def stop(self) -> None:
        """Call off everything that was going to happen."""
        self.exchange.scheduler.stop()
