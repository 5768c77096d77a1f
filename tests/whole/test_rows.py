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
