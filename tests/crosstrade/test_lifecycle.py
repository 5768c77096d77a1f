"""What the add-on has stored of an order: read where it can be told what it is, and left out otherwise."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.crosstrade.lifecycle import read_lifecycle
from bot.errors import BrokerGarbled, BrokerRefused
from bot.trading.lifecycle import OrderEvent

from .conftest import Connect
from .vendor import TOKEN, Vendor, told

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
# JSON is read with exact numbers.
EPOCH = Decimal("1785758400000.0")
EVENT = {"timestamp": "2026-08-03T12:00:00.0000000Z", "epoch": EPOCH, "source": "order_update", "event": "Working"}


def body(*events: object, **changes: Any) -> dict[str, Any]:
    """A reply as the vendor's page has it."""
    whole = {"success": True, "orderId": "676", "originalOrderId": "cb1f", "account": "Sim101", "count": len(events)}
    return {**whole, "events": list(events), **changes}


def read(*events: object, **changes: Any) -> Any:
    """What is read of it."""
    return read_lifecycle(body(*events, **changes), lambda text: text.replace("secret", "***"))


def test_a_life_tells_its_account_both_ids_and_its_events_in_order() -> None:
    life = read(EVENT, {**EVENT, "event": "Filled", "filled": 3, "quantity": 3})
    assert (life.account, life.ids) == ("Sim101", ("676", "cb1f"))
    assert life.events == (
        OrderEvent("Working", "order_update", NOON),
        OrderEvent("Filled", "order_update", NOON, filled=3, quantity=3),
    )


def test_a_life_may_be_nested_and_name_one_id_or_none() -> None:
    assert read_lifecycle({"success": True, "data": body(EVENT)}, str).ids == ("676", "cb1f")
    assert read(orderId="cb1f").ids == ("cb1f",)
    assert read(orderId=None, originalOrderId=None, account=None).ids == ()


@pytest.mark.parametrize("key", ["message", "error", "reason", "detail"])
def test_a_reason_is_read_from_where_it_may_stand_and_holds_no_secret(key: str) -> None:
    [event] = read({**EVENT, "event": "Rejected", key: "no margin, secret"}).events
    assert event.note == "no margin, ***"


def test_what_an_event_tells_in_an_odd_form_is_left_out_and_the_rest_kept() -> None:
    odd = {"event": "Execution", "source": [], "epoch": "soon", "filled": -1, "quantity": "2", "price": "a lot", "message": {}}
    [event] = read(odd).events
    assert event == OrderEvent("Execution", None, None, quantity=2)
    [event] = read({**EVENT, "price": Decimal("5790.25"), "quantity": 1}).events
    assert (event.price, event.quantity) == (Decimal("5790.25"), 1)
    [event] = read({**EVENT, "price": 0}).events
    assert event.price is None


@pytest.mark.parametrize("odd", [None, "Working", 7, {}, {"event": None}, {"event": " "}])
def test_an_event_that_is_none_costs_no_other(odd: object) -> None:
    assert [event.what for event in read(odd, EVENT).events] == ["Working"]


@pytest.mark.parametrize("reply", [None, [], "no", {"success": True}, {"events": None}, {"events": [], "account": []}])
def test_anything_else_is_no_lifecycle(reply: object) -> None:
    with pytest.raises(BrokerGarbled, match="lifecycle of the order can't be read"):
        read_lifecycle(reply, str)


async def test_an_older_add_on_refuses(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(told(400, {"success": False, "error": "Unknown API command: GetOrderLifecycle"}))
    client = await connect()
    with pytest.raises(BrokerRefused, match="Unknown API command"):
        await client.lifecycle("Sim101", "o1")


async def test_no_token_of_ours_comes_back_in_a_reason(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(told(200, body({"event": "Rejected", "message": f"bad token {TOKEN}"})))
    client = await connect()
    [event] = (await client.lifecycle("Sim101", "o1")).events
    assert TOKEN not in (event.note or "")
