"""Every call that changes the world, as one value: how CrossTrade names it, where it goes, what it carries, how urgent it is.

An intent becomes a call here and nowhere else, so that no transport can put one together wrongly. Sources: the vendor's pages on
each endpoint (mid to new); RPC names marked inferred were read in the index of tools only.
"""

from dataclasses import dataclass, field
from typing import Literal

from bot.crosstrade.budget import Priority
from bot.crosstrade.requests import (
    ChangeBody,
    CloseBody,
    OrderBody,
    PlaceBody,
    account_path,
    order_path,
    reverse_position_path,
)
from bot.trading.intents import Cancel, Change, Close, FlatPlace, Intent, PlaceOrder, Reverse


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        api: name of the RPC.
        path: path of the REST call, account and order encoded.
        body: fields of the REST body; of the RPC's ``args`` together with ``named``.
        named: what stands in the path, by its name in ``args``; the account comes from the intent.
        gives_id: whether a success names an order; without one it proves nothing then.
        method: PUT for a change, POST for all others.
    """

    api: str
    path: str
    account: str
    body: dict[str, object]
    priority: Priority = Priority.ORDER
    named: dict[str, object] = field(default_factory=dict)
    gives_id: bool = True
    method: Literal["POST", "PUT"] = "POST"


def call_of(intent: Intent) -> Call:
    """The call that an intent stands for.

    Raises:
        ValueError: it can't be put into words for CrossTrade.
    """
    account = intent.account
    match intent:
        case Reverse():
            body = OrderBody.of(intent).fields()
            return Call("ReversePosition", reverse_position_path(account), account, body)
        case PlaceOrder():
            return Call("PlaceOrder", f"{account_path(account)}/orders/place", account, PlaceBody.of(intent).fields())
        case FlatPlace():
            # POST Flat Place Order (old); its RPC name is inferred.
            return Call("FlatPlace", f"{account_path(account)}/orders/flatplace", account, OrderBody.of(intent).fields())
        case Close():
            path, body = f"{account_path(account)}/positions/close", CloseBody.of(intent).fields()
            return Call("ClosePosition", path, account, body, Priority.EXIT, gives_id=False)
        case Cancel():
            path = f"{order_path(account, intent.order_id)}/cancel"
            return Call("Cancel", path, account, {}, Priority.EXIT, {"orderId": intent.order_id})
        case Change():
            path, body = f"{order_path(account, intent.order_id)}/change", ChangeBody.of(intent).fields()
            return Call("Change", path, account, body, named={"orderId": intent.order_id}, method="PUT")
