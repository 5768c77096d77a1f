"""Requests to CrossTrade: paths and bodies. How they travel stands in ``rest`` and ``stream``.

Prices are in price units, exact; quantities are contracts with no sign, as the side stands beside them. No body holds a time.
A path was read on its endpoint's own page and is encoded; each raises ``ValueError`` for a name that ``segment`` refuses.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.crosstrade.jsontext import dumps
from bot.trading.market.brackets import stop_price, target_price
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Bracket, Change, Close, FlatPlace, Invert, PlaceOrder, Replace, Reverse
from bot.trading.orders.terms import OrderType, Terms, TimeInForce

API = "/v1/api"
STREAM = "/ws/stream"
# The longest look-back that CrossTrade offers, in seconds (executions page, old).
EXECUTIONS_SECONDS = 900

Price = Annotated[Decimal, Field(allow_inf_nan=False)]
Label = Annotated[str, Field(min_length=1)]


class Body(BaseModel):
    """Base of all bodies: nothing is guessed, nothing extra is sent, an absent option is absent."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=False,
        defer_build=True,
    )

    def fields(self) -> dict[str, object]:
        """The fields by their names on the wire; an absent option is absent, not null."""
        return self.model_dump(by_alias=True, exclude_none=True)


class OrderBody(Body):
    """Body of POST Reverse Position (mid) and POST Flat Place Order (old to mid).

    Attributes:
        instrument: NT8 dated form.
        action: of the new order; the position's side doesn't matter.
        quantity: contracts of the new order, not of the position.
        order_type, time_in_force: as the page lists them, in capitals.
        limit_price, stop_price: price units; the one or both that the type needs, else absent.
        oco_id: free text; NinjaTrader uses each up once (seen by others).
        strategy: name of an ATM template.
    """

    instrument: str
    action: Literal["BUY", "SELL"]
    quantity: Annotated[int, Field(ge=1)]
    order_type: OrderType
    time_in_force: TimeInForce
    limit_price: Price | None = None
    stop_price: Price | None = None
    oco_id: Label | None = None
    strategy: Label | None = None

    @classmethod
    def of(cls, intent: Reverse | FlatPlace | Replace) -> "OrderBody":
        """Build it from an intent.

        Raises:
            ValueError: the terms are none that CrossTrade could take.
        """
        return cls.model_validate(_core(intent), by_name=True)


class PlaceBody(OrderBody):
    """Body of POST Place Order: the same with our own id and conditions on what is open (new).

    Attributes:
        order_id: labels the order for looking it up; no page calls it a lock against doubles.
        require_market_position: some of ``flat``, ``long`` and ``short``, separated by commas; else 400 and no order. What the
            member asks for, else the order's guard.
        max_positions: positions that the account may have open, over all instruments; with as many, no new one is opened.
    """

    order_id: Label
    require_market_position: Label | None = None
    max_positions: Annotated[int, Field(ge=1)] | None = None

    @classmethod
    def of(cls, intent: Reverse | FlatPlace | Replace | PlaceOrder) -> "PlaceBody":
        """Build it from an intent.

        Raises:
            ValueError: the terms are none that CrossTrade could take, or there is no id.
        """
        if not isinstance(intent, PlaceOrder):
            raise ValueError("only a placed order has an id of ours")  # noqa: TRY004  as for anything that can't be sent
        wanted = ",".join(sorted(intent.require)) or intent.guard
        own = {"order_id": intent.client_order_id, "require_market_position": wanted, "max_positions": intent.max_positions}
        return cls.model_validate({**_core(intent), **own}, by_name=True)


class ReplaceBody(OrderBody):
    """Body of POST Replace Order, the vendor's "cancel replace": that of a new order (mid).

    The old order's id is in the path, so ours has no room.

    Attributes:
        require_market_position: as for a placed order; that it counts here too is inferred.
    """

    require_market_position: Label | None = None

    @classmethod
    def of(cls, intent: Reverse | FlatPlace | Replace) -> "ReplaceBody":
        """Build it from an intent.

        Raises:
            ValueError: the terms are none that CrossTrade could take.
        """
        wanted = ",".join(sorted(intent.require)) if isinstance(intent, Replace) else ""
        return cls.model_validate({**_core(intent), "require_market_position": wanted or None}, by_name=True)


class InstrumentBody(Body):
    """Body of what takes an instrument or nothing: POST Cancel Orders (new), POST Flatten Account (mid), POST Reverse (mid)."""

    instrument: Label | None = None

    @classmethod
    def of(cls, action: CancelOrders | FlattenAccount | Invert) -> "InstrumentBody":
        """Build it from an action."""
        return cls(instrument=None if action.contract is None else str(action.contract))


class FilteredFlattenBody(Body):
    """Body of POST Flatten Everything with its filters (mid); without an account it would flatten every one, so it has one."""

    account: Label
    instrument: Label | None = None
    market_position: Literal["long", "short"]

    @classmethod
    def of(cls, action: FlattenAccount) -> "FilteredFlattenBody":
        """Build it from an action.

        Raises:
            ValueError: it filters by no side, which POST Flatten Account does as well.
        """
        instrument = None if action.contract is None else str(action.contract)
        side = None if action.only is None else action.only.value
        return cls.model_validate({"account": action.account, "instrument": instrument, "market_position": side}, by_name=True)


class BracketBody(Body):
    """Body of POST Cancel and Bracket; ``action`` is the side of the position that is protected (mid).

    The names of the two prices are inferred from the same call of CrossTrade's Tradovate side.

    Attributes:
        quantity: contracts; CrossTrade takes the position's own where that is smaller.
        take_profit: price units, of the limit order; absent for a stop alone ("take-profit and/or stop-loss", webhook page).
        stop_loss: price units, of the stop market order; absent for a target alone.
    """

    instrument: str
    action: Literal["BUY", "SELL"]
    quantity: Annotated[int, Field(ge=1)]
    take_profit: Price | None = None
    stop_loss: Price | None = None

    @classmethod
    def of(cls, intent: Bracket) -> "BracketBody":
        """Build it from an intent.

        Raises:
            ValueError: a price is missing.
        """
        target, stop = target_price(intent), stop_price(intent)
        is_lost = stop is None if intent.terms.type.has_stop else target is None
        if is_lost or (intent.target is None and intent.target_typed is not None):
            raise ValueError("a bracket without one of its prices")
        return cls.model_validate(
            {
                "instrument": str(intent.contract),
                "action": "SELL" if intent.terms.side.sign > 0 else "BUY",
                "quantity": intent.terms.quantity,
                "take_profit": target,
                "stop_loss": stop,
            },
            by_name=True,
        )


class CloseBody(Body):
    """Body of POST Close Position: all, or a number of contracts (new).

    Its ``percent`` is never sent: the vendor's pages disagree on what the number means, and how it is rounded is CrossTrade's.

    Attributes:
        quantity: contracts; CrossTrade takes no more than are open. Absent for all.
    """

    instrument: str
    quantity: Annotated[int, Field(ge=1)] | None = None

    @classmethod
    def of(cls, intent: Close) -> "CloseBody":
        """Build it from an intent.

        Raises:
            ValueError: it closes no contract, or both a share and a number are asked for.
        """
        if intent.quantity is not None and intent.fraction is not None:
            raise ValueError("a close takes a number of contracts or a share")
        return cls(instrument=str(intent.contract), quantity=intent.size)


class ChangeBody(Body):
    """Body of PUT Change Order: what shall be different, and nothing else (mid).

    Attributes:
        quantity: contracts of the whole order, filled ones counted (inferred).
        limit_price, stop_price: price units.
    """

    quantity: Annotated[int, Field(ge=1)] | None = None
    limit_price: Price | None = None
    stop_price: Price | None = None

    @classmethod
    def of(cls, intent: Change) -> "ChangeBody":
        """Build it from an intent.

        Raises:
            ValueError: nothing is different, or something that can't be changed is.
        """
        before, terms = intent.before, _settled(intent.terms)
        if (before.side, before.type, before.tif, before.oco) != (terms.side, terms.type, terms.tif, terms.oco):
            raise ValueError("only quantity and prices of an order can be changed")
        new = {
            "quantity": terms.quantity if terms.quantity != before.quantity else None,
            "limit_price": terms.limit if terms.limit != before.limit else None,
            "stop_price": terms.stop if terms.stop != before.stop else None,
        }
        if not any(value is not None for value in new.values()):
            raise ValueError("nothing would be changed")
        return cls.model_validate(new, by_name=True)


def _core(intent: Reverse | FlatPlace | Replace | PlaceOrder) -> dict[str, object]:
    terms = _settled(intent.terms)
    return {
        "instrument": str(intent.contract),
        "action": "BUY" if terms.side.sign > 0 else "SELL",
        "quantity": terms.quantity,
        "order_type": terms.type,
        "time_in_force": terms.tif,
        "limit_price": terms.limit,
        "stop_price": terms.stop,
        "oco_id": terms.oco,
        "strategy": terms.strategy,
    }


def _settled(terms: Terms) -> Terms:
    """The terms, if every price in them is a number."""
    if terms.unpriced:
        raise ValueError("shorthand was never worked out")
    return terms


def segment(name: str) -> str:
    """Encode a name as one path segment.

    Raises:
        ValueError: no encoding keeps it one: it is blank, or the ``.`` and ``..`` that every server takes for a way.
    """
    if name.strip() in {"", ".", ".."}:
        raise ValueError(f"{name!r} can't be part of a path")
    return quote(name, safe="")


def accounts_path() -> str:
    """GET List accounts."""
    return f"{API}/accounts"


def account_path(account: str) -> str:
    """GET Get account."""
    return f"{API}/accounts/{segment(account)}"


def positions_path(account: str) -> str:
    """GET List positions."""
    return f"{account_path(account)}/positions"


def orders_path(account: str, *, active_only: bool) -> str:
    """GET List orders; the default of ``activeOnly`` is unknown, so it is always sent."""
    return f"{account_path(account)}/orders?activeOnly={'true' if active_only else 'false'}"


def order_path(account: str, order_id: str) -> str:
    """GET Get order; ``order_id`` is NinjaTrader's, or the one that the order was placed with."""
    return f"{account_path(account)}/orders/{segment(order_id)}"


def executions_path(account: str) -> str:
    """GET List executions, as far back as CrossTrade goes; ``lookbackTime`` is in seconds."""
    return f"{account_path(account)}/executions?lookbackTime={EXECUTIONS_SECONDS}"


def quote_path(contract: Contract) -> str:
    """GET Quote, which is the market service's."""
    return f"{API}/market/quote?instrument={quote(str(contract), safe='')}"


def reverse_position_path(account: str) -> str:
    """POST Reverse Position."""
    return f"{account_path(account)}/positions/reverseposition"


def rpc(request_id: str, api: str, account: str | None, fields: dict[str, object]) -> str:
    """The frame of an RPC: what REST has in path and body together in ``args`` (WebSocket page).

    Args:
        request_id: comes back as the answer's ``id``.
        api: name of the call.
        account: ``None`` for what goes over all.
        fields: the rest of ``args``.
    """
    args = fields if account is None else {"account": account, **fields}
    return dumps({"action": "rpc", "id": request_id, "api": api, "args": args})


def subscribe(contracts: Iterable[Contract]) -> str:
    """The frame that asks for prices of these, beside those that were asked for before (WebSocket page)."""
    return dumps({"action": "subscribe", "instruments": [str(contract) for contract in contracts]})


def unsubscribe(contracts: Iterable[Contract]) -> str:
    """The frame that asks for no more prices of these (WebSocket page)."""
    return dumps({"action": "unsubscribe", "instruments": [str(contract) for contract in contracts]})


def subscribe_events(groups: Iterable[str]) -> str:
    """The frame that asks for account events (inferred: it is documented for Tradovate, with an ``origin``)."""
    return dumps({"action": "subscribe", "events": list(groups)})


def stream_pnl(*, enabled: bool, interval: int) -> str:
    """The frame that asks for profit and loss of all accounts, or for no more; ``interval`` in milliseconds (WebSocket page)."""
    return dumps({"action": "streamPnl", "enabled": enabled, **({"interval": interval} if enabled else {})})
