"""Faults of stops and targets: rejected after they were taken, cancelled by somebody, never placed by their ATM strategy."""

from typing import Any

import pytest

from .client import Api, until

ORDERS = "accounts/Sim102/orders?activeOnly=false"
NAMES = {"StopMarket": "stop", "Limit": "target"}


async def legs(api: Api) -> dict[str, str]:
    """The states of the stop and the target, by what they are."""
    rows = (await api.get(ORDERS))["orders"]
    return {NAMES[row["orderType"]]: row["orderState"] for row in rows if row["orderType"] in NAMES}


async def bracketed(api: Api) -> None:
    """A position with a bracket around it."""
    await api.order_in(await api.order(quantity=2), "Filled")
    last = (await api.get("market/quote?instrument=ES%2009-26"))["last"]
    body = {"instrument": "ES 09-26", "action": "BUY", "quantity": 2, "takeProfit": last + 100, "stopLoss": last - 100}
    await api.post("accounts/Sim102/orders/cancel_and_bracket", body)


async def by_strategy(api: Api) -> None:
    """A position whose ATM strategy protects it."""
    await api.order_in(await api.order(quantity=2, strategy="MyAtmStrategy"), "Filled")


async def come_to(api: Api, **states: str) -> None:
    """Wait until the legs have these states, and hold that there are no others."""

    async def look() -> dict[str, str]:
        return await legs(api)

    await until(look, lambda seen: seen == states)


@pytest.mark.parametrize("protected", [bracketed, by_strategy])
@pytest.mark.parametrize(
    ("which", "states"),
    [
        ("both", {"stop": "Rejected", "target": "Rejected"}),
        ("stop", {"stop": "Rejected", "target": "Working"}),
        ("target", {"stop": "Accepted", "target": "Rejected"}),
    ],
)
async def test_legs_are_rejected_after_they_worked(api: Api, protected: Any, which: str, states: dict[str, str]) -> None:
    await api.control("price", instrument="ES 09-26", frozen=True)
    await api.fault("leg_rejected", body=which, seconds=0.1, count=1)
    await protected(api)
    await come_to(api, stop="Accepted", target="Working")
    await come_to(api, **states)
    assert (await api.control("faults"))["rules"] == []


async def test_the_add_on_tells_why_a_leg_was_rejected(api: Api) -> None:
    await api.fault("leg_rejected", body="stop", count=1)
    await bracketed(api)
    await until(lambda: legs(api), lambda seen: seen["stop"] == "Rejected")
    (stop,) = (row for row in (await api.get(ORDERS))["orders"] if row["orderType"] == "StopMarket")
    events = (await api.get(f"accounts/Sim102/orders/{stop['id']}/lifecycle"))["events"]
    assert [event["message"] for event in events if event["source"] == "error"] == ["Order rejected by the broker."]


@pytest.mark.parametrize("protected", [bracketed, by_strategy])
async def test_somebody_cancels_a_leg_and_its_group_goes_with_it(api: Api, protected: Any) -> None:
    await api.control("price", instrument="ES 09-26", frozen=True)
    await api.fault("leg_cancelled", body="stop", seconds=0.05, count=1)
    await protected(api)
    await come_to(api, stop="Cancelled", target="Cancelled")


@pytest.mark.parametrize(("which", "states"), [(None, {"target": "Working"}), ("both", {})])
async def test_an_atm_strategy_places_no_stop(api: Api, which: str | None, states: dict[str, str]) -> None:
    await api.control("price", instrument="ES 09-26", frozen=True)
    await api.fault("atm_bare", body=which, count=1)
    await by_strategy(api)
    await come_to(api, **states)


async def test_an_order_without_a_strategy_uses_none_of_them_up(api: Api) -> None:
    for kind in ("leg_rejected", "leg_cancelled", "atm_bare"):
        await api.fault(kind, count=1)
    await api.order_in(await api.order(), "Filled")
    assert len((await api.control("faults"))["rules"]) == 3
