"""What a press decides on is kept known while its card is open, by the whole bot: no read between the thumb and the wire."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

from bot.sandbox.ninjatrader.orders import Action, OrderType, Ticket, TimeInForce
from tests.street import POLICY, until
from tests.whole.conftest import Street
from tests.whole.test_clocks import health
from tests.whole.test_orders import WHERE, begun, orders

LISTS = ("ListOrders", "ListPositions")
ENTRY: dict[str, Any] = {"side": "buy", "qty": 1, **WHERE}


def asked(street: Street) -> Counter[str]:
    """All that has come in at CrossTrade so far, by call."""
    return Counter(street.simulator.cloud.asked)


def lists(street: Street) -> int:
    """How many lists of an account were asked for so far."""
    return sum(asked(street)[name] for name in LISTS)


async def pressed(street: Street, seconds: float) -> Counter[str]:
    """Press a card so long after it was shown; what was asked between the press and the order, that among it."""
    card = await street.offered("place", **ENTRY)
    await asyncio.sleep(seconds)
    before = asked(street)
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: asked(street)["PlaceOrder"] > before["PlaceOrder"])
    return asked(street) - before


@pytest.mark.parametrize("seconds", [0.5, 3.0, 11.3, 25.0])
async def test_no_read_lies_between_the_press_and_the_order(street: Street, seconds: float) -> None:
    await begun(street, "rest")
    between = await pressed(street, seconds)
    assert not [name for name in between if name in {*LISTS, "GetQuote", "GetAccount"}]


async def test_without_an_age_each_fact_is_read_at_the_press(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", "[desk]\nfresh_ms = 0"))
    await begun(street, "rest")
    between = await pressed(street, 3.0)
    assert {*LISTS, "GetAccount"} <= between.keys()


async def test_nothing_is_kept_known_for_a_card_that_is_over(street: Street) -> None:
    await begun(street, "rest")
    card = await street.offered("place", **ENTRY)
    before = lists(street)
    await asyncio.sleep(5)
    assert lists(street) - before >= 2 * 3
    await street.discord.click("trader", card.id, "Cancel")
    await until(lambda: "cancelled" in street.discord.message(card.id).text)
    before = lists(street)
    await asyncio.sleep(20)
    assert lists(street) - before <= 1


async def test_open_cards_leave_the_last_requests_to_those_who_press(street: Street) -> None:
    street.settings |= {"CROSSTRADE_RATE": "3", "CROSSTRADE_BURST": "20"}
    await begun(street, "rest")
    for account in ("Sim101", "Sim102"):
        for quantity in (1, 2, 3):
            await street.offered("place", **ENTRY | {"account": account, "qty": quantity})
    for _ in range(10):
        await asyncio.sleep(1)
        left = re.search(r"(\d+) at once", await health(street))
        assert left is not None
        assert int(left[1]) >= 10


async def test_what_an_event_tells_of_is_read_again_however_young_it_is(street: Street) -> None:
    await street.control("cloud", accountEvents=True)
    await begun(street, "rest")
    await until(lambda: street.simulator.hub.tells_events)
    card = await street.offered("reverse", **ENTRY)
    await by_hand(street)
    await until(lambda: any(order["filled"] for order in orders(street)))
    await asyncio.sleep(0.2)
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "the position is now" in street.discord.message(card.id).text)
    assert street.entries() == []


async def by_hand(street: Street) -> None:
    """Let somebody trade in NinjaTrader itself."""
    there = street.simulator.world
    account, contract = there.account("Sim101"), there.contract("ES 09-26")
    there.exchange.submit(Ticket(account, contract, Action.SELL, OrderType.MARKET, 1, TimeInForce.DAY))
