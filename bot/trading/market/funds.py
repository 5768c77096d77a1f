"""An account's money beyond the day's result: what it could still buy, what its positions tie up, how high it once stood.

All amounts are in the account's currency, as ``Decimal``; what CrossTrade didn't tell is ``None``. No limit looks at any of it.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Margin:
    """One of NinjaTrader's margins (GET Get account, ``item``; mid).

    Attributes:
        used: what the open positions need of it, in the account's currency.
        left: what is left above that, in the account's currency; NinjaTrader calls it the excess.
    """

    used: Decimal | None = None
    left: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's means, as NinjaTrader tells them (GET Get account, ``item``; mid). Many brokers leave parts of it at zero.

    Attributes:
        net_liquidation: cash with the open result, in the account's currency.
        buying_power: what NinjaTrader would still let it buy, in the account's currency.
        initial, intraday, maintenance, position: the margins, by NinjaTrader's names for them.
    """

    net_liquidation: Decimal | None = None
    buying_power: Decimal | None = None
    initial: Margin = Margin()
    intraday: Margin = Margin()
    maintenance: Margin = Margin()
    position: Margin = Margin()


@dataclass(frozen=True, slots=True)
class Watermarks:
    """The highest marks of an account, as CrossTrade's monitor keeps them in its own memory (GET Watermarks, old to mid).

    It is served without NinjaTrader, so it can be old. A watermark's day or reset is not documented.

    Attributes:
        account: the account's name as asked for or answered.
        result: highest profit and loss, in the account's currency.
        net_liquidation: highest net liquidation, in the account's currency.
        unrealised: highest open result, in the account's currency.
    """

    account: str
    result: Decimal | None = None
    net_liquidation: Decimal | None = None
    unrealised: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether CrossTrade keeps none: no monitor watches the account, or it has had no result yet."""
        return self.result is None and self.net_liquidation is None and self.unrealised is None
