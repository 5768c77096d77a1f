"""What is sent to CrossTrade: paths and bodies. How they travel stands in ``rest`` and ``stream``."""

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.crosstrade.jsontext import dumps
from bot.trading.instruments import Contract, Root
from bot.trading.orders import OrderType, TimeInForce
from bot.trading.tickets import Reverse

API = "/v1/api"
STREAM = "/ws/stream"
# The longest look-back that CrossTrade offers, in seconds (executions page, old).
EXECUTIONS_SECONDS = 900

Price = Annotated[Decimal, Field(allow_inf_nan=False)]
Label = Annotated[str, Field(min_length=1)]


class ReversePositionBody(BaseModel):
    """Body of POST Reverse Position; ``action`` and ``quantity`` are the new order's (vendor page, mid)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=False
    )

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
    def of(cls, intent: Reverse) -> "ReversePositionBody":
        """Build it from an intent.

        Raises:
            ValueError: the terms are none that CrossTrade could take.
        """
        terms = intent.terms
        return cls(
            instrument=str(intent.contract),
            action="BUY" if terms.side.sign > 0 else "SELL",
            quantity=terms.quantity,
            order_type=terms.type,
            time_in_force=terms.tif,
            limit_price=terms.limit,
            stop_price=terms.stop,
            oco_id=terms.oco,
            strategy=terms.strategy,
        )

    def fields(self) -> dict[str, object]:
        """The fields by their names on the wire; an absent option is absent, not null."""
        return self.model_dump(by_alias=True, exclude_none=True)


def segment(name: str) -> str:
    """Encode a name as one path segment.

    Raises:
        ValueError: no encoding keeps it one: it is empty, or the ``.`` and ``..`` that every server takes for a way.
    """
    if name in {"", ".", ".."}:
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
    """GET Get order."""
    return f"{account_path(account)}/orders/{segment(order_id)}"


def executions_path(account: str) -> str:
    """GET List executions."""
    return f"{account_path(account)}/executions?lookbackTime={EXECUTIONS_SECONDS}"


def quote_path(instrument: Contract | Root) -> str:
    """GET Quote of the market service."""
    return f"{API}/market/quote?instrument={quote(str(instrument), safe='')}"


def reverse_position_path(account: str) -> str:
    """POST Reverse Position."""
    return f"{account_path(account)}/positions/reverseposition"


def rpc(request_id: str, api: str, account: str, fields: dict[str, object]) -> str:
    """The frame of an RPC: path and body together in ``args`` (WebSocket page)."""
    return dumps({"action": "rpc", "id": request_id, "api": api, "args": {"account": account, **fields}})
