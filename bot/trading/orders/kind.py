"""The facts that every kind of order states of itself, and their defaults.

Rules ask an order by these words, and nothing else lists the kinds: a new one is its class in ``intents`` or ``mass_actions``, an
entry where CrossTrade's calls are made, and its words for people.
"""

from typing import ClassVar

from bot.trading.orders.instruments import Contract


class Kind:
    """The facts about a kind of order.

    Attributes:
        kind: its word in the journal; once written it stays.
        command: the slash command that asks for it.
        is_exit: whether it can only lessen what is at risk, so that no limit may stand in its way.
        is_mass: whether it goes over many things, and has a ``scope`` in place of one contract.
        closes: whether it closes what is open, in front of whatever else it does.
        places: whether it places a new order that may open or grow a position, whose life its card then tells.
        needs_position: whether it means nothing without a position.
    """

    __slots__ = ()
    kind: ClassVar[str]
    command: ClassVar[str]
    is_exit: ClassVar[bool] = False
    is_mass: ClassVar[bool] = False
    closes: ClassVar[bool] = False
    places: ClassVar[bool] = False
    needs_position: ClassVar[bool] = False

    @property
    def target_id(self) -> str | None:
        """The id of the order that is cancelled, changed or replaced."""
        return None

    @property
    def kept_id(self) -> str | None:
        """The id of an order of another ticket that lives on: one that is cancelled or changed, not one that is replaced."""
        return None

    @property
    def shows_in_order(self) -> bool:
        """Tell whether what became of it shows in one order: the one that is placed, cancelled or changed."""
        return self.places or self.target_id is not None

    @property
    def shows_in_position(self) -> bool:
        """Tell whether what became of it shows in the position alone: CrossTrade names no order for a close."""
        return False


class OneContract(Kind):
    """A kind that is about one contract in one account."""

    __slots__ = ()
    account: str
    contract: Contract

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account that it touches."""
        return (self.account,)

    def touches(self, account: str, contract: Contract) -> bool:
        """Tell whether it is about that contract in that account."""
        return (self.account, self.contract) == (account, contract)
