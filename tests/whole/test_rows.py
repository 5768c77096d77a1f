"""Rows that nobody can read, and positions that are no futures: named, in nobody's way out, and never called flat."""

from typing import Any

import pytest

from tests.street import until
from tests.whole.conftest import Street

PLACE: dict[str, Any] = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1, "type": "market"}


async def told(street: Street, command: str, **options: Any) -> str:
    asked = await street.discord.slash("trader", "desk", command, options)
    await until(lambda: bool(street.discord.interaction(asked.id).text))
    return street.discord.interaction(asked.id).text


def held(street: Street, account: str) -> list[str]:
    return [one["instrument"] for one in street.simulator.book()["positions"] if one["account"] == account]


async def test_a_row_that_can_not_be_read_bars_entries_in_its_account_alone_and_no_way_out(street: Street) -> None:
    await street.control("position", account="Sim101", instrument="ES SPREAD", type="Future", quantity=1)
    await street.start()
    said = await told(street, "place", **PLACE)
    assert 'position "ES SPREAD"' in said
    assert not street.simulator.book()["requests"]
    positions = await told(street, "positions", account="Sim101")
    assert "ES 09-26" in positions
    assert "Not all rows can be read" in positions
    assert 'position "ES SPREAD"' in positions
    every = await told(street, "positions")
    assert "Sim102" in every
    assert "ES SPREAD" in every
    health = await told(street, "health")
    assert "rows unread" in health
    # Another account is none of its business.
    await street.offered("place", **PLACE | {"account": "Sim102"})
    card = await street.offered("flatten", scope="account", account="Sim101")
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: not held(street, "Sim101") and not street.simulator.world.account("Sim101").others, 60)


@pytest.mark.parametrize("account", ["Sim101", "Sim102"])
async def test_what_is_no_future_is_shown_bars_nothing_and_goes_with_its_account(street: Street, account: str) -> None:
    await street.control("position", account=account, instrument="AAPL", type="Stock", quantity=100)
    await street.start()
    said = await told(street, "positions", account=account)
    assert "AAPL" in said
    assert "LONG 100" in said
    assert "flat" not in said.replace("flatten", "")
    card = await street.offered("place", **PLACE | {"account": account})
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: any(one["filled"] for one in street.simulator.book()["orders"] if one["account"] == account))
    card = await street.offered("flatten", scope="account", account=account)
    assert "`AAPL` LONG 100" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: not held(street, account) and not street.simulator.world.account(account).others, 60)
    await until(lambda: "flat" in street.discord.message(card.id).text.casefold().replace("flatten", ""), 60)


def working(street: Street, account: str) -> list[str]:
    return [one["instrument"] for one in street.simulator.world.account(account).other_orders.values()]


async def test_orders_and_fills_of_what_is_no_future_are_named(street: Street) -> None:
    share = {"account": "Sim101", "instrument": "AAPL", "type": "Stock", "quantity": 100}
    await street.control("order", **share, action="BUY", orderType="LIMIT", limitPrice=180)
    await street.control("order", **share, action="SELL", orderType="MARKET")
    await street.start()
    for options in ({"account": "Sim101"}, {}):
        said = await told(street, "orders", **options)
        assert "1 order of what is no future: `AAPL` BUY 100" in said
        assert "`/cancel scope:account` cancels it" in said
        assert "`Sim101` · no working futures orders" in said
    fills = await told(street, "executions", account="Sim101")
    assert "1 fill of what is no future: `AAPL` SELL 100 at 100" in fills
    assert "no fills in" not in fills


@pytest.mark.parametrize("command", ["cancel", "flatten"])
@pytest.mark.parametrize("account", ["Sim101", "Sim102"])
async def test_orders_of_what_is_no_future_go_with_their_account(street: Street, account: str, command: str) -> None:
    await street.control(
        "order", account=account, instrument="AAPL", type="Stock", quantity=100, orderType="LIMIT", limitPrice=180
    )
    await street.start()
    card = await street.offered(command, scope="account", account=account)
    assert "`AAPL` BUY 100" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "accepted" in street.discord.message(card.id).text, 60)
    assert not working(street, account)
    assert command == "cancel" or not held(street, account)


@pytest.mark.parametrize(("command", "loud"), [("cancel", "NOT ALL CANCELLED"), ("flatten", "NOT FLAT")])
async def test_one_that_stays_is_named_and_nothing_is_called_done(street: Street, command: str, loud: str) -> None:
    share = {"account": "Sim101", "instrument": "AAPL", "type": "Stock", "quantity": 100}
    await street.control("order", **share, orderType="LIMIT", limitPrice=180, stuck=True)
    await street.start()
    card = await street.offered(command, scope="account", account="Sim101")
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: loud in street.discord.message(card.id).text, 200)
    text = street.discord.message(card.id).text
    assert "`AAPL` BUY 100" in text
    assert "still working, no future" in text
    assert working(street, "Sim101") == ["AAPL"]
    # What could be closed is closed all the same.
    assert not held(street, "Sim101") or command == "cancel"


async def test_a_flatten_of_one_side_says_what_it_leaves_open(street: Street) -> None:
    await street.control("position", account="Sim101", instrument="AAPL", type="Stock", quantity=100)
    await street.control("position", account="Sim102", instrument="AAPL", type="Stock", quantity=100)
    await street.control("position", account="Sim101", instrument="ES 09-26", quantity=2)
    for one in held(street, "Sim102"):
        await street.control("position", account="Sim102", instrument=one, quantity=0)
    await street.start()
    none = await told(street, "flatten", scope="account", account="Sim102", only="long")
    assert "No long futures position is open" in none
    assert "`AAPL` LONG 100" in none
    card = await street.offered("flatten", scope="account", account="Sim101", only="long")
    assert "a flatten of the long side doesn't close it" in card.text
    assert "`AAPL` LONG 100" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "accepted" in street.discord.message(card.id).text, 60)
    text = street.discord.message(card.id).text
    assert "no long futures position left" in text
    assert "no long position left" not in text
    assert street.simulator.world.account("Sim101").others
