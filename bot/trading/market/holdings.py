"""An account's holdings in the snapshot of all accounts."""

from dataclasses import dataclass

from bot.trading.market.facts import Account, Position


@dataclass(frozen=True, slots=True)
class AccountSummary:
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
        """Number of open positions; ``None`` where the list and NinjaTrader's word don't agree."""
        return None if self.is_flat is not None and self.is_flat is bool(self.positions) else len(self.positions)
