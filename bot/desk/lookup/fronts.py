"""Front months: by NinjaTrader's word, remembered for a while; where it doesn't tell, by the calendar, which is then said.

A bare root goes to CrossTrade as a ``root`` of GET Market info and nowhere else: as an instrument it may be a share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.trading.market.expiry import front_by_calendar
from bot.trading.orders.instruments import Contract, Root


@dataclass(frozen=True, slots=True)
class Front:
    """The contract that a bare root means; ``guessed`` where the calendar says so and NinjaTrader doesn't."""

    contract: Contract
    guessed: bool = False


class Fronts:
    """Front months as last read.

    Args:
        today: by the calendar that people see.
    """

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self._told: dict[str, Contract] = {}
        self._fresh: set[str] = set()
        self._in_vain: set[str] = set()

    def told(self, root: str) -> Contract | None:
        """The front month of a root as NinjaTrader last told it, if it did."""
        return self._told.get(root)

    def all_told(self) -> list[Contract]:
        """Those of all roots, in the order of their names."""
        return [self._told[root] for root in sorted(self._told)]

    def guess(self, root: str) -> Contract | None:
        """The front month by the calendar, where NinjaTrader was asked and never told it."""
        return front_by_calendar(root, self._today()) if root in self._in_vain else None

    def is_fresh(self, root: str) -> bool:
        """Tell whether there is no need to ask again."""
        return root in self._fresh

    def forget(self) -> None:
        """Ask again, as they roll; until it is answered the old ones stand."""
        self._fresh.clear()

    async def refresh(self, broker: Broker, root: str) -> None:
        """Ask for one.

        Raises:
            BrokerError: it can't be read; the old one stays.
        """
        try:
            session = await broker.session(Root(root))
        except BrokerError:
            if root not in self._told:
                self._in_vain.add(root)
            raise
        self._told[root] = session.contract
        self._fresh.add(root)
        self._in_vain.discard(root)

    async def of(self, broker: Broker, root: str) -> Front:
        """The contract a bare root means now: as lately told, else as told on asking, else as told before or by the calendar.

        Raises:
            BrokerError: it can't be read, was never told, and the calendar has no rule for this root.
        """
        if not self.is_fresh(root):
            try:
                await self.refresh(broker, root)
            except BrokerError:
                if (guess := self.guess(root)) is not None:
                    return Front(guess, guessed=True)
                if root not in self._told:
                    raise
        return Front(self._told[root])
