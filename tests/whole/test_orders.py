"""Orders from the channel, whole: placed, changed, cancelled and closed by the whole bot in virtual time, on both transports."""

import json
from typing import Any

import pytest

from tests.street import until
from tests.whole.conftest import Street

BOTH = pytest.mark.parametrize("transport", ["rest", "websocket"])
WHERE = {"account": "Sim101", "instrument": "ES 09-26"}


async def begun(street: Street, transport: str) -> None:
    """Start the bot on that transport, with prices that stand still."""
    street.settings["CROSSTRADE_TRANSPORT"] = transport
    await street.control("price", frozen=True)
    await street.start()


async def confirmed(street: Street, command: str, word: str, **options: Any) -> int:
    """Ask, press Confirm and wait until the card says the word; the card's id."""
    card = await street.offered(command, **options)
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: word in street.discord.message(card.id).text, why=lambda: street.discord.message(card.id).text)
    return card.id


def orders(street: Street) -> list[dict[str, Any]]:
    """The orders that the simulator has, newest last."""
    listed: list[dict[str, Any]] = street.simulator.book()["orders"]
    return listed


def last_price(street: Street) -> float:
    """The last price that a card has shown."""
    [(shown,)] = street.rows("SELECT shown FROM tickets ORDER BY created_at DESC LIMIT 1")
    return float(json.loads(shown)["last"])


@BOTH
async def test_an_order_is_placed_changed_and_cancelled(street: Street, transport: str) -> None:
    await begun(street, transport)
    probe = await street.offered("place", side="buy", qty=2, **WHERE)
    await street.discord.click("trader", probe.id, "Cancel")
    price = last_price(street) - 20
    before = len(orders(street))
    await confirmed(street, "place", "accepted", side="buy", qty=2, type="limit", limit=f"{price}", **WHERE)
    await until(lambda: len(orders(street)) == before + 1)
    order_id = orders(street)[-1]["id"]
    await confirmed(street, "modify", "changed", account="Sim101", order=order_id, qty=1, limit=f"{price - 1}")
    assert (orders(street)[-1]["quantity"], orders(street)[-1]["limitPrice"]) == (1, price - 1)
    await confirmed(street, "cancel", "order cancelled", scope="order", account="Sim101", order=order_id)
    assert orders(street)[-1]["orderState"] == "Cancelled"
    assert len(orders(street)) == before + 1
    assert await street.stop() == 0


@BOTH
async def test_a_position_is_closed_in_part_and_then_whole(street: Street, transport: str) -> None:
    await begun(street, transport)
    await confirmed(street, "close", "closed 1", qty=1, **WHERE)
    await confirmed(street, "close", "closed 1", **WHERE)
    held = [p for p in street.simulator.book()["positions"] if p["account"] == "Sim101" and p["instrument"] == "ES 09-26"]
    assert not any(position["quantity"] for position in held)
    assert await street.stop() == 0


@BOTH
async def test_a_share_of_a_position_goes_out_as_the_whole_number_that_the_card_shows(street: Street, transport: str) -> None:
    """28 % of 25 are 7; in binary arithmetic, which the other side may use, 0.28 * 25 is a little more, and rounded up 8."""
    await begun(street, transport)
    await street.control("position", account="Sim101", instrument="ES 09-26", quantity=25)
    await street.grows_old()
    await confirmed(street, "close", "closed 7", percent="28", **WHERE)
    sent = street.simulator.book()["requests"][-1]["body"]
    assert sent.get("args", sent) == {
        "instrument": "ES 09-26",
        "quantity": 7,
        **({"account": "Sim101"} if transport == "websocket" else {}),
    }
    assert (orders(street)[-1]["quantity"], orders(street)[-1]["filled"]) == (7, 7)
    assert await street.stop() == 0


@BOTH
async def test_flatplace_needs_no_position(street: Street, transport: str) -> None:
    await begun(street, transport)
    await confirmed(street, "flatplace", "filled 1", side="buy", qty=1, account="Sim102", instrument="NQ 09-26")
    assert await street.stop() == 0
