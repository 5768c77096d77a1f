"""Endpoints that no page of the vendor's has may be missing, or answer anything: what is documented works all the same."""

from typing import Any

import pytest

from bot.crosstrade.client import UNSURE_NAMES
from bot.crosstrade.endpoints import BESIDE, ENDPOINTS, Trust
from bot.sandbox.ninjatrader.catalogue import CALLS
from tests.street import until
from tests.whole.conftest import Street
from tests.whole.test_mass_actions import calls, held, rest, working
from tests.whole.test_orders import BOTH, WHERE, begun, confirmed, last_price, orders
from tests.whole.test_reading import read

_PLACES = {(one.method, one.path) for one in (*ENDPOINTS, *BESIDE) if one.path_from is not Trust.PAGE}
UNDOCUMENTED = [call for call in CALLS if (call.method, call.path) in _PLACES]
ELSEWHERE = {"account": "Sim102", "instrument": "ES 09-26"}
# What they may say: not there, nothing that can be read, a fault of the server's.
SAYS: dict[str, dict[str, Any]] = {
    "404": {"kind": "without"},
    "garbage": {"kind": "garbage"},
    "500": {"kind": "answer", "status": 500, "body": {"success": False, "error": "internal_error"}},
    "another 404": {"kind": "answer", "status": 404, "body": "<html>Not found</html>"},
}


def test_these_are_the_endpoints_whose_paths_are_on_no_page() -> None:
    assert {call.name for call in UNDOCUMENTED} == {
        "GetAllOrders", "GetOrderStatus", "CancelAllOrders", "ListStrategies", "GetExecutionsByOrderId", "ListAtmTemplates",
    }  # fmt: skip
    assert {"FlatPlace", "CancelAllOrders", "CancelReplace", "CancelAndBracket"} == UNSURE_NAMES


@BOTH
@pytest.mark.parametrize("says", SAYS)
async def test_without_the_paths_that_no_page_has_everything_else_goes(street: Street, transport: str, says: str) -> None:
    await begun(street, transport)
    rules = [SAYS[says] | {"call": call.name} for call in UNDOCUMENTED if not call.is_trading]
    await street.control("faults", rules=[*rules, {"kind": "without", "call": "CancelAllOrders"}])
    entry = await confirmed(street, "place", "filled 1", side="buy", qty=1, strategy="Scalp", **ELSEWHERE)
    assert "nobody can check that NinjaTrader has `Scalp`" in "".join(street.discord.message(entry).earlier)
    order_id = next(row["id"] for row in orders(street) if row["ocoId"] == "")
    story = await read(street, "order", "Filled", account="Sim102", order=order_id)
    assert order_id in story
    assert "could not be read" not in story
    every = await read(street, "orders", "read ")
    for words in ("Sim101` · no working orders", "STOPMARKET", "Apex-001` · no working orders"):
        assert words in every, every
    assert "could not be read" in await read(street, "strategies", "templates", account="Sim102")
    (strategy,) = street.simulator.world.strategies.running()
    card = await street.offered("flatten", scope="strategy", account="Sim102", strategy=strategy.owner.id)
    assert "nobody can check that this one does" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: ("Sim102", "ES 09-26") not in held(street) and not working(street))
    assert calls(street).count("CloseStrategy") == 1
    # Nobody can read that it is over, but that the account is flat there and nothing works.
    await until(lambda: "the strategy is closed in" in street.discord.message(card.id).text)
    for account in ("Sim101", "Sim102"):
        await rest(street, account)
    await confirmed(street, "cancel", "nothing works in", scope="everything")
    assert working(street) == []
    assert await street.stop() == 0


@BOTH
async def test_a_call_whose_rpc_no_page_has_goes_by_rest_where_there_is_none_and_once(street: Street, transport: str) -> None:
    (street.folder / "policy.toml").write_text(
        (street.folder / "policy.toml").read_text().replace('"Apex-*"]', '"Apex-*", "*"]', 1)
    )
    await begun(street, transport)
    await street.control("faults", rules=[{"kind": "without", "call": name, "body": "rpc"} for name in UNSURE_NAMES])
    for quantity in (1, 2):
        await confirmed(street, "flatplace", f"filled {quantity}", side="buy", qty=quantity, **ELSEWHERE)
    assert held(street)["Sim102", "ES 09-26"] == 2
    old = await rest(street)
    price = last_price(street)
    await confirmed(street, "replace", "working, not filled yet", account="Sim101", order=old, qty=2, limit=f"{price - 30}")
    await confirmed(street, "bracket", "accepted", qty=2, target=f"{price - 25}", stop=f"{price + 25}", **WHERE)
    await until(lambda: len(working(street)) == 2)
    await rest(street, "Sim102")
    await confirmed(street, "cancel", "nothing works in", scope="everything")
    done = [request["call"] for request in street.simulator.book()["requests"] if request["hadEffect"]]
    assert [done.count(name) for name in ("FlatPlace", "CancelReplace", "CancelAndBracket")] == [2, 1, 1]
    # Asked by that name once; then it is known that there is none.
    asked = [request["call"] for request in street.simulator.book()["requests"] if not request["hadEffect"]]
    assert all(asked.count(name) <= 1 for name in UNSURE_NAMES)
    assert await street.stop() == 0
