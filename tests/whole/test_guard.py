"""A position that changes in the last moment, between what a press was decided on and the order, by the whole bot."""

from typing import Any

import pytest

from bot.sandbox.discord.world import FILLS
from tests.street import POLICY, until
from tests.whole.conftest import Street
from tests.whole.test_following import held, says
from tests.whole.test_orders import BOTH, WHERE, begun, orders

UNGUARDED = POLICY.replace("[desk]", "[desk]\nguard = false")
ENTRY: dict[str, Any] = {"side": "buy", "qty": 1, **WHERE}


async def position(street: Street, quantity: int) -> None:
    """Let somebody at NinjaTrader itself change what Sim101 holds."""
    await street.control("position", account="Sim101", instrument="ES 09-26", quantity=quantity)
    await street.grows_old()


def placing(street: Street) -> list[dict[str, Any]]:
    """What each request of POST Place Order has carried."""
    bodies = [request["body"] for request in street.simulator.book()["requests"] if request["call"] == "PlaceOrder"]
    return [body.get("args", body) for body in bodies]


async def pressed_too_late(street: Street, before: int, after: int, **options: Any) -> int:
    """Confirm an order, and change the position while its request is on its way; the card."""
    await position(street, before)
    card = await street.offered("place", **ENTRY | options)
    await street.control("faults", rules=[{"kind": "delay", "call": "PlaceOrder", "seconds": 6.0}])
    await street.discord.click("trader", card.id, "Confirm")
    # It has reached CrossTrade, and NinjaTrader hasn't looked at it yet.
    await until(lambda: len(placing(street)) == 1)
    await position(street, after)
    return card.id


@BOTH
@pytest.mark.parametrize(("before", "after", "side"), [(0, 1, "flat"), (2, 0, "long"), (-1, 3, "short")])
async def test_an_order_for_a_position_that_has_changed_is_refused(
    street: Street, transport: str, before: int, after: int, side: str
) -> None:
    await begun(street, transport)
    there = len(orders(street))
    card = await pressed_too_late(street, before, after)
    await says(street, card, "### rejected")
    told = street.discord.message(card).text
    for words in (
        "No order was placed.",
        f"required: {side}",
        f"The position is no longer {side}, so NinjaTrader refused the order; ask again with the command.",
        f"only while {side} there, as on this card",
    ):
        assert words in told
    assert [body["requireMarketPosition"] for body in placing(street)] == [side]
    await until(lambda: any("Rejected" in message.text for message in street.discord.messages(FILLS)))
    assert (len(orders(street)), held(street)) == (there, after)
    assert await street.stop() == 0
    assert (len(placing(street)), held(street)) == (1, after)


@BOTH
async def test_without_a_guard_it_is_met(street: Street, transport: str) -> None:
    (street.folder / "policy.toml").write_text(UNGUARDED)
    await begun(street, transport)
    card = await pressed_too_late(street, 0, 1)
    await says(street, card, "filled 1 at ")
    assert "only while" not in street.discord.message(card).text
    assert ["requireMarketPosition" in body for body in placing(street)] == [False]
    assert held(street) == 2


async def test_a_member_s_own_condition_is_refused_in_its_own_words(street: Street) -> None:
    await begun(street, "rest")
    card = await pressed_too_late(street, 0, 1, require="flat,short")
    await says(street, card, "The position is not flat or short, so NinjaTrader refused the order")
    assert "still" not in street.discord.message(card).text
    assert held(street) == 1


async def test_a_position_that_is_larger_on_the_same_side_meets_it(street: Street) -> None:
    await begun(street, "rest")
    card = await pressed_too_late(street, 1, 2)
    await says(street, card, "filled 1 at ")
    assert held(street) == 3


async def test_an_order_that_rests_is_held_to_it_when_it_is_submitted_alone(street: Street) -> None:
    await begun(street, "rest")
    await position(street, 0)
    ticker = street.simulator.world.market.ticker(street.simulator.world.contract("ES 09-26"))
    price = ticker.last - 10
    card = await street.offered("place", **ENTRY, type="limit", limit=str(price))
    assert "only while flat there, as on this card" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await says(street, card.id, "working, not filled yet")
    await position(street, 2)
    await street.control("price", instrument="ES 09-26", last=float(price - 5), frozen=True)
    await says(street, card.id, "filled 1 at ")
    assert held(street) == 3
