"""What an account holds beside its lists of positions and orders: how it stands in a snapshot, and strategies that run in it."""

from dataclasses import dataclass
from decimal import Decimal

from bot.trading.facts import Account, Position
from bot.trading.instruments import Contract


@dataclass(frozen=True, slots=True)
class Standing:
    """One account of the snapshot of all (GET Accounts summary, old to mid).

    Attributes:
        account: with its money.
        positions: its open futures positions, quantities signed.
        is_flat: whether NinjaTrader says that nothing is open in it, futures or other; ``None`` when it didn't say.
    """

    account: Account
    positions: tuple[Position, ...]
    is_flat: bool | None = None

    @property
    def open_count(self) -> int | None:
        """How many positions are open; ``None`` where the list and NinjaTrader's word don't agree."""
        return None if self.is_flat is not None and self.is_flat is bool(self.positions) else len(self.positions)


@dataclass(frozen=True, slots=True)
class Strategy:
    """An ATM strategy that runs in NinjaTrader (GET List strategies; seen in the code of others, unverified).

    Attributes:
        id: what closing it takes.
        name: of the template or the strategy.
        label: NinjaTrader's display name.
        contract: seldom told.
        quantity: contracts that it holds, signed, long positive; ``None`` when that was not told.
        average_price: price at which they were opened, in price units.
        unrealised: its open result, in the account's currency; negative is a loss.
    """

    id: str
    account: str
    name: str | None = None
    label: str | None = None
    contract: Contract | None = None
    quantity: int | None = None
    average_price: Decimal | None = None
    unrealised: Decimal | None = None
