"""What the add-on has stored of an order's life (GET Order lifecycle, add-on 1.13.2 or newer), read into ``bot.trading``'s words.

Of an event only ``timestamp``, ``epoch`` (milliseconds), ``source`` and ``event`` are documented; the rest is taken where it can
be told what it is, and left out otherwise. So one odd event costs no other, unlike a row of a list, where it could hide an order.
"""

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel

from bot.crosstrade.wire import Count, MaybeText, Number, Text, moment
from bot.errors import BrokerGarbled
from bot.trading.lifecycle import Lifecycle, OrderEvent


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


_AnyCount = Annotated[Count | None, WrapValidator(_or_none)]
_AnyNumber = Annotated[Number | None, WrapValidator(_or_none)]
_AnyText = Annotated[MaybeText, WrapValidator(_or_none)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


class _Event(_Row):
    """``message`` to ``detail``: where a reason may stand, inferred from CrossTrade's other answers."""

    event: Text
    source: _AnyText = None
    epoch: _AnyNumber = None
    filled: _AnyCount = None
    quantity: _AnyCount = None
    price: _AnyNumber = None
    message: _AnyText = None
    error: _AnyText = None
    reason: _AnyText = None
    detail: _AnyText = None


class _Reply(_Row):
    order_id: MaybeText = None
    original_order_id: MaybeText = None
    account: MaybeText = None
    events: list[object]


def read_lifecycle(body: object, clean: Callable[[str], str]) -> Lifecycle:
    """Read the reply.

    Args:
        body: the JSON value, flat or nested in ``data``.
        clean: takes secrets out of foreign words.

    Raises:
        BrokerGarbled: it is no lifecycle.
    """
    inner = body.get("data", body) if isinstance(body, Mapping) else body
    try:
        reply = _Reply.model_validate(inner)
    except ValidationError:
        raise BrokerGarbled("CrossTrade's lifecycle of the order can't be read.") from None
    ids = tuple(dict.fromkeys(one for one in (reply.order_id, reply.original_order_id) if one))
    read = (_event(item, clean) for item in reply.events)
    return Lifecycle(reply.account, ids, tuple(event for event in read if event is not None))


def _event(item: object, clean: Callable[[str], str]) -> OrderEvent | None:
    try:
        row = _Event.model_validate(item)
    except ValidationError:
        return None
    said = row.message or row.error or row.reason or row.detail
    return OrderEvent(
        what=row.event,
        source=row.source,
        at=moment(row.epoch),
        filled=row.filled,
        quantity=row.quantity,
        price=row.price or None,
        note=None if said is None else clean(said),
    )
