"""Levers that keep people from getting out, or from seeing what was done, by name: levers of the simulator that stay for a while.

A new one is an entry here, and both the chaos bench and the simulation play it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.ninjatrader import Simulator
from bot.sandbox.ninjatrader.faults import Rule

MINUTE = 60.0
LISTS = ("ListOrders", "ListPositions", "GetAllOrders", "GetAllPositions")
CANCELLING, CLOSING = frozenset({"flatten", "cancel"}), frozenset({"close", "flatten"})


@dataclass(frozen=True, slots=True)
class Lever:
    """One of them.

    Attributes:
        name: as the reports call it.
        commands: the slash commands that it bears on.
        seconds: how long it stays where seconds are real.
        lasts: how long it may stay where they aren't, one of these.
        rules: the simulator's rules.
        shuts: whether the market is shut meanwhile.
    """

    name: str
    commands: frozenset[str]
    seconds: float
    lasts: tuple[float, ...]
    rules: tuple[Mapping[str, Any], ...] = ()
    shuts: bool = False

    def begin(self, simulator: Simulator) -> None:
        """Let it begin."""
        simulator.faults.rules.extend(Rule.from_json(rule) for rule in self.rules)
        if self.shuts:
            simulator.set_market(open_now=False)

    def end(self, simulator: Simulator) -> None:
        """Let it be over; rules that are somebody else's stay."""
        mine = [Rule.from_json(rule) for rule in self.rules]
        simulator.faults.rules[:] = [rule for rule in simulator.faults.rules if rule not in mine]
        if self.shuts:
            simulator.set_market(open_now=True)


def _of(calls: Sequence[str], kind: str, **details: Any) -> tuple[Mapping[str, Any], ...]:
    return tuple({"kind": kind, "call": call, **details} for call in calls)


_LOCKED = {"kind": "locked", "seconds": 1.0, "body": {"closes": True, "text": "Account locked"}}
_SLOW = {"kind": "slow_close", "seconds": 9.0}
_ALL = frozenset({"reverse", "place", "flatplace", "bracket", "close", "flatten", "cancel"})
# Paths that no page of the vendor's has; what is documented must do without them.
_ON_NO_PAGE = (
    "GetAllOrders",
    "GetOrderStatus",
    "CancelAllOrders",
    "ListStrategies",
    "GetExecutionsByOrderId",
    "ListAtmTemplates",
)
_ALIKE = ({"kind": "coarse", "seconds": 600.0}, {"kind": "nameless"})
LEVERS = (
    Lever("cancels get stuck", CANCELLING, 8.0, (20.0, 2 * MINUTE), ({"kind": "stuck"},)),
    Lever("cancels are ignored", CANCELLING, 8.0, (20.0, 2 * MINUTE), ({"kind": "deaf"},)),
    Lever("orders come back", CANCELLING, 8.0, (8.0,), ({"kind": "comes_back"},)),
    Lever("lists lag", CLOSING, 9.0, (20.0, MINUTE), _of(LISTS, "lag", seconds=3.0)),
    Lever("positions are garbage", CLOSING, 8.0, (20.0, 2 * MINUTE), _of(("ListPositions", "GetAllPositions"), "garbage")),
    Lever("orders are garbage", CLOSING, 8.0, (20.0, 2 * MINUTE), _of(("ListOrders", "GetAllOrders"), "garbage")),
    Lever("closes are locked", CLOSING, 8.0, (2 * MINUTE,), (_LOCKED,)),
    Lever("closes are slow", CLOSING, 6.0, (30.0,), (_SLOW,)),
    Lever("slow closes join no other", CLOSING, 6.0, (30.0,), (_SLOW, {"kind": "blind_close"})),
    Lever("legs are rejected", frozenset({"bracket"}), 4.0, (30.0,), ({"kind": "leg_rejected", "seconds": 1.0},)),
    Lever("orders look alike", frozenset({"reverse", "flatplace"}), 8.0, (20.0, 2 * MINUTE), _ALIKE),
    Lever("undocumented endpoints missing", _ALL, 8.0, (20.0, 2 * MINUTE), _of(_ON_NO_PAGE, "without")),
    Lever("market shut", CLOSING, 8.0, (20.0, 2 * MINUTE), shuts=True),
)
