"""A host whose clock is wrong from the start, and stamps that lie: entries go by what is known, ways out always."""

import asyncio
from typing import Any

import pytest

from tests.street import until
from tests.whole.conftest import Street

PLACE: dict[str, Any] = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1, "type": "market"}


async def refused(street: Street) -> str:
    """What is answered to an entry for which there is no card."""
    asked = await street.discord.slash("trader", "desk", "place", PLACE)
    await until(lambda: bool(street.discord.interaction(asked.id).text))
    return street.discord.interaction(asked.id).text


async def health(street: Street) -> str:
    asked = await street.discord.slash("trader", "desk", "health")
    await until(lambda: bool(street.discord.interaction(asked.id).text))
    return street.discord.interaction(asked.id).text


async def stop_the_stream(street: Street) -> None:
    await street.control("stream", open=False)


@pytest.mark.parametrize(("seconds", "words"), [(60, "60 s ahead of"), (-60, "60 s behind"), (21600, "6 h ahead of")])
async def test_on_a_host_whose_clock_is_wrong_prices_are_as_old_as_they_are(street: Street, seconds: int, words: str) -> None:
    street.host.step(seconds)
    await stop_the_stream(street)
    await street.start()
    card = await street.offered("place", **PLACE)
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: any(order["filled"] for order in street.simulator.book()["orders"] if order["orderState"] == "Filled"))
    await street.card("filled 1")
    said = await health(street)
    assert said.count(words) >= 2
    assert "by a time server" in said
    # One that is old is told as old, also by a clock that makes it look fresh.
    await street.control("price", instrument="ES 09-26", age=60, frozen=True)
    await street.grows_old()
    assert "too old to trade on" in await refused(street)


@pytest.mark.parametrize("seconds", [4, 21600])
async def test_a_price_stamped_ahead_is_of_no_known_age_and_keeps_nobody_in(street: Street, seconds: int) -> None:
    await stop_the_stream(street)
    await street.start()
    await street.control("price", instrument="ES 09-26", age=-seconds, frozen=True)
    assert "s ahead of now, so how old it is isn't known" in await refused(street)
    assert "ahead of now" in (await quotes(street))
    card = await street.offered("close", account="Sim101", instrument="ES 09-26")
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: ("Sim101", "ES 09-26") not in held(street))


async def lost(street: Street, *, arrives: bool) -> None:
    """A reversal on a host that is hours off, its answer lost, and what it asked of NinjaTrader not listed for 16 minutes."""
    await street.start()
    card = await street.ask()
    drop = {"kind": "drop", "call": "ReversePosition", "effect": arrives, "count": 1}
    await street.control("timing", prune=1)
    await street.control("faults", rules=[drop, *({"kind": "offline", "call": call} for call in ("ListOrders", "GetAllOrders"))])
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("outcome unknown")
    await asyncio.sleep(16 * 60)
    await street.control("faults", clear=True)


@pytest.mark.parametrize("hours", [6, -6])
async def test_on_a_host_whose_clock_is_hours_off_an_old_order_is_found_by_the_fills_that_were_kept(
    street: Street, hours: int
) -> None:
    street.host.step(hours * 3600)
    await lost(street, arrives=True)
    await street.card("accepted", seconds=120)
    assert len(street.entries()) == 1


@pytest.mark.parametrize("hours", [6, -6])
async def test_on_a_host_whose_clock_is_hours_off_an_old_order_that_is_nowhere_never_arrived(street: Street, hours: int) -> None:
    street.host.step(hours * 3600)
    await lost(street, arrives=False)
    await street.card("never arrived", seconds=120)
    assert len(street.entries()) == 1


def held(street: Street) -> set[tuple[str, str]]:
    return {(one["account"], one["instrument"]) for one in street.simulator.book()["positions"]}


async def quotes(street: Street) -> str:
    asked = await street.discord.slash("trader", "desk", "quote", {"instrument": "ES 09-26"})
    await until(lambda: bool(street.discord.interaction(asked.id).text))
    return street.discord.interaction(asked.id).text
