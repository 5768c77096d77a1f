"""Shorthand and suggestions by the whole bot in virtual time: shown while somebody types, settled at the request."""

import asyncio
import re
import time
from decimal import Decimal
from typing import Any

from tests.street import until
from tests.whole.conftest import Street

WHERE = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy"}
# Discord waits three seconds; this leaves it most of them.
WELL_INSIDE = 2.5


async def typed(street: Street, command: str, option: str, value: str = "", **options: Any) -> list[tuple[str, Any]]:
    """Type into an option; the choices, which must come in time."""
    began = time.monotonic()
    found = await street.discord.autocomplete("trader", "desk", command, option, value, options)
    assert time.monotonic() - began < WELL_INSIDE
    return found


async def typed_until_offered(street: Street, command: str, option: str, value: str, **options: Any) -> list[tuple[str, Any]]:
    """Go on typing until there is a choice; what was read a moment ago is shown for a while."""
    async with asyncio.timeout(10):
        while not (found := await typed(street, command, option, value, **options)):
            await asyncio.sleep(0.1)
    return found


async def test_what_is_shown_while_typing_is_what_is_sent(street: Street) -> None:
    await street.control("price", frozen=True)
    await street.start()
    [(name, price)] = await typed(street, "place", "limit", "bid-40t", **WHERE)
    assert name == f"{price} (bid-40t)"
    sizes = await typed(street, "place", "qty", **WHERE)
    assert ("2 (all of SHORT 2)", 2) in sizes
    assert ("Scalp", "Scalp") in await typed(street, "place", "strategy", "sc", **WHERE)
    shown = await street.offered("place", **WHERE, qty=1, type="limit", limit="bid-40t")
    assert f"limit {price} (typed bid-40t)" in shown.text.replace("`", "")
    await street.discord.click("trader", shown.id, "Confirm")
    await until(lambda: "working, not filled yet" in street.discord.message(shown.id).text)
    order = street.simulator.book()["orders"][-1]
    assert Decimal(str(order["limitPrice"])) == Decimal(price)
    [(told, order_id)] = await typed_until_offered(street, "modify", "order", "limit", account="Sim101")
    assert order_id == order["id"]
    assert re.fullmatch(rf"BUY 1 LIMIT [0-9.]+ ES 09-26 \({order_id[:8]}…\)", told)
    assert Decimal(told.split()[3]) == Decimal(price)
    [(_, higher)] = await typed(street, "modify", "limit", "+4t", account="Sim101", order=order_id)
    assert Decimal(higher) == Decimal(price) + 1
    assert await street.stop() == 0


async def test_a_link_that_goes_down_while_somebody_types_leaves_them_without_choices(street: Street) -> None:
    await street.start()
    assert await typed(street, "place", "limit", "bid", **WHERE)
    await street.control("faults", rules=[{"kind": "offline"}])
    elsewhere = {**WHERE, "instrument": "NQ 12-26"}
    assert await typed(street, "place", "limit", "bid", **elsewhere) == []
    assert await typed(street, "place", "qty", account="Sim102", instrument="NQ 12-26") == []
    assert await typed(street, "place", "strategy", "sc", **WHERE) == []
    assert await typed(street, "cancel", "order", "", account="Sim102") == []
    assert [one for one in street.simulator.book()["requests"] if one["call"] == "PlaceOrder"] == []
    assert await street.stop() == 0
    assert b"Traceback" not in street.output


async def test_a_template_that_ninjatrader_does_not_have_is_told_with_the_closest(street: Street) -> None:
    await street.start()
    asked = await street.discord.slash("trader", "desk", "place", {**WHERE, "qty": 1, "strategy": "Scalpp"})
    await until(lambda: "UNKNOWN_STRATEGY" in street.discord.interaction(asked.id).text)
    assert "did you mean `Scalp`?" in street.discord.interaction(asked.id).text
    assert await street.stop() == 0
