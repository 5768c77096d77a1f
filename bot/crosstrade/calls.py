"""Every call that changes the world, as one value: how CrossTrade names it, where it goes, what it carries, how urgent it is.

An action becomes a call here and nowhere else, so that no transport can put one together wrongly. Sources: the vendor's pages on
each endpoint (mid to new); RPC names marked inferred were read in the index of tools only.
"""

from dataclasses import dataclass, field
from typing import Literal

from bot.crosstrade.budget import Priority
from bot.crosstrade.requests import (
    API,
    BracketBody,
    ChangeBody,
    CloseBody,
    FilteredFlattenBody,
    InstrumentBody,
    OrderBody,
    PlaceBody,
    ReplaceBody,
    account_path,
    order_path,
    reverse_position_path,
    segment,
)
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.intents import (
    Action,
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        api: name of the RPC.
        path: path of the REST call, account and order encoded.
        account: in the RPC's ``args``; ``None`` for what goes over every account.
        body: fields of the REST body; of the RPC's ``args`` together with ``named``.
        named: what else stands in the path, by its name in ``args``.
        gives_id: whether a success names an order; without one it proves nothing then.
        method: PUT for a change, POST for all others.
    """

    api: str
    path: str
    account: str | None
    body: dict[str, object]
    priority: Priority = Priority.ORDER
    named: dict[str, object] = field(default_factory=dict)
    gives_id: bool = True
    method: Literal["POST", "PUT"] = "POST"


def call_of(action: Action) -> Call:
    """The call that an action stands for.

    Raises:
        ValueError: it can't be put into words for CrossTrade, or is more than one call.
    """
    match action:
        case CancelOrders() | CancelEverything() | FlattenAccount() | FlattenEverything() | CloseStrategy():
            return _mass_call(action)
        case Cancel() | Change() | Replace():
            return _on_order(action)
        case Close() | Invert() | Bracket():
            return _on_position(action)
        case Reverse():
            body = OrderBody.of(action).fields()
            return Call("ReversePosition", reverse_position_path(action.account), action.account, body)
        case PlaceOrder():
            path = f"{account_path(action.account)}/orders/place"
            return Call("PlaceOrder", path, action.account, PlaceBody.of(action).fields())
        case FlatPlace():
            # POST Flat Place Order (old); its RPC name is inferred.
            path = f"{account_path(action.account)}/orders/flatplace"
            return Call("FlatPlace", path, action.account, OrderBody.of(action).fields())
        case _:
            raise ValueError("that takes more than one call")


def _on_order(action: Cancel | Change | Replace) -> Call:
    account = action.account
    named: dict[str, object] = {"orderId": action.order_id}
    path = order_path(account, action.order_id)
    match action:
        case Cancel():
            return Call("Cancel", f"{path}/cancel", account, {}, Priority.EXIT, named)
        case Change():
            return Call("Change", f"{path}/change", account, ChangeBody.of(action).fields(), named=named, method="PUT")
        case Replace():
            # POST Cancel Replace (mid); its RPC name is inferred.
            return Call("CancelReplace", f"{path}/replace", account, ReplaceBody.of(action).fields(), named=named)


def _on_position(action: Close | Invert | Bracket) -> Call:
    account = action.account
    match action:
        case Close():
            path, body = f"{account_path(account)}/positions/close", CloseBody.of(action).fields()
            return Call("ClosePosition", path, account, body, Priority.EXIT, gives_id=False)
        case Invert():
            return Call("Reverse", f"{account_path(account)}/positions/reverse", account, InstrumentBody.of(action).fields())
        case Bracket():
            # POST Cancel and Bracket (mid); its RPC name and its reply are inferred.
            path, body = f"{account_path(account)}/orders/cancel_and_bracket", BracketBody.of(action).fields()
            return Call("CancelAndBracket", path, account, body, Priority.EXIT, gives_id=False)


def _mass_call(action: CancelOrders | CancelEverything | FlattenAccount | FlattenEverything | CloseStrategy) -> Call:
    """None of these names an order. Over the WebSocket a filtered flatten is ``Flatten``, only the bare one the other (mid)."""
    match action:
        case CancelOrders(account):
            path = f"{account_path(account)}/orders/cancel"
            return _exit("CancelOrders", path, account, InstrumentBody.of(action).fields())
        case CancelEverything():
            # Its path is known from the vendor's text for AI clients alone, its RPC name is inferred.
            return _exit("CancelAllOrders", f"{API}/orders/cancelall", None, {})
        case FlattenAccount(account, _, None):
            path = f"{account_path(account)}/positions/flatten"
            return _exit("Flatten", path, account, InstrumentBody.of(action).fields())
        case FlattenAccount(account):
            return _exit("Flatten", f"{API}/positions/flatten", account, FilteredFlattenBody.of(action).fields())
        case FlattenEverything():
            return _exit("FlattenEverything", f"{API}/positions/flatten", None, {})
        case CloseStrategy(account, strategy_id):
            path = f"{account_path(account)}/strategies/{segment(strategy_id)}/close"
            return _exit("CloseStrategy", path, account, {}, {"strategyId": strategy_id})


def _exit(api: str, path: str, account: str | None, body: dict[str, object], named: dict[str, object] | None = None) -> Call:
    return Call(api, path, account, body, Priority.EXIT, named or {}, gives_id=False)
