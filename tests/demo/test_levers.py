"""Each word that may be typed into the demo's terminal does what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.sandbox.demo.levers import WORDS, heard
from bot.sandbox.demo.stage import ACCOUNTS
from bot.sandbox.ninjatrader import Kind, Simulator, Timing, running
from tests.sandbox.ninjatrader.client import Api

FAST = Timing(step=0.002, fill=0.003, reject=0.02, tick=3600)
ENTRY = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 3, "timeInForce": "DAY"}
PLACE = "accounts/Sim102/orders/place"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A simulated NinjaTrader with the demo's accounts."""
    async with AsyncExitStack() as stack:
        simulator = Simulator(accounts=ACCOUNTS, timing=FAST, rate_limited=False)
        url = await stack.enter_async_context(running(simulator))
        yield Api(await stack.enter_async_context(ClientSession()), url, simulator)


def type_in(api: Api, line: str) -> list[str]:
    """What is printed in answer to a line."""
    return list(heard(api.simulator, line))


async def place(api: Api) -> tuple[int, Any]:
    """Try to buy three."""
    return await api.send("POST", PLACE, ENTRY)


async def entered(api: Api, *states: str) -> Any:
    """The newest order of Sim102, once it is in one of these states."""
    order = [one for one in api.simulator.world.exchange.orders if one.ticket.account.name == "Sim102"][-1]
    return await api.order_in(order.id, *states)


async def test_lost_loses_one_answer_and_the_order_is_done(api: Api) -> None:
    assert type_in(api, "lost") == ["lost: the next order is done, but its answer gets lost"]
    assert (await api.send("GET", "accounts"))[0] == 200, "reads are spared"
    assert (await place(api))[0] == 408
    await entered(api, "Filled")
    assert (await place(api))[0] == 200


async def test_reject_strikes_the_next_order_after_the_yes(api: Api) -> None:
    type_in(api, "reject")
    assert (await place(api))[0] == 200
    await entered(api, "Rejected")
    await place(api)
    await entered(api, "Filled")


async def test_partial_fills_one_contract_at_a_time(api: Api) -> None:
    type_in(api, "partial")
    await place(api)
    assert (await entered(api, "PartFilled"))["filled"] == 1


async def test_slow_lets_a_close_take_its_time(api: Api) -> None:
    type_in(api, "slow")
    await api.post("accounts/Sim101/positions/close", {"instrument": "ES 09-26"})
    (order,) = [one for one in api.simulator.world.exchange.orders if one.ticket.account.name == "Sim101"]
    assert order.treatment.fill_after == 20


async def test_busy_until_all_is_fine(api: Api) -> None:
    type_in(api, "busy")
    assert (await place(api))[0] == 429
    assert (await api.send("GET", "accounts"))[0] == 429
    type_in(api, "fine")
    assert (await place(api))[0] == 200


async def test_offline_and_online_leave_other_troubles_alone(api: Api) -> None:
    type_in(api, "partial offline")
    assert (await place(api))[0] == 408
    assert api.simulator.world.exchange.live_orders(api.simulator.world.account("Sim102")) == []
    type_in(api, "online")
    assert (await place(api))[0] == 200
    assert [rule.kind for rule in api.simulator.faults.rules] == [Kind.PARTIAL]


@pytest.mark.parametrize("opens", ["open", "fine"])
async def test_in_a_closed_market_nothing_fills_until_it_opens(api: Api, opens: str) -> None:
    type_in(api, "closed")
    await place(api)
    assert (await entered(api, "Working"))["filled"] == 0
    assert (await api.get("market/info?root=ES"))["status"]["isOpen"] is False
    type_in(api, opens)
    api.simulator.world.tick()
    await entered(api, "Filled")


async def test_the_book_shows_positions_what_works_and_what_goes_wrong(api: Api) -> None:
    type_in(api, "slow lost")
    printed = type_in(api, "book")
    text = "\n".join(printed)
    assert "Sim102:\n    SHORT 3 ES " in text.replace("  Sim102", "Sim102")
    assert any(line.strip().startswith("SELL 4 MES ") and " LIMIT " in line and " Working " in line for line in printed)
    assert any(line.strip().startswith("SELL 4 MES ") and " STOPMARKET " in line and " Accepted " in line for line in printed)
    assert printed[-1] == "  going wrong: slow_close, timeout"
    type_in(api, "fine")
    await api.post("accounts/Sim105/positions/flatten")
    async with asyncio.timeout(5):
        while "  Sim105: flat, nothing works" not in type_in(api, "book"):
            await asyncio.sleep(0)


async def test_a_line_may_hold_several_words_in_any_case_and_none(api: Api) -> None:
    assert type_in(api, "  ") == []
    assert [line.partition(":")[0] for line in type_in(api, "Slow OFFLINE")] == ["slow", "offline"]
    assert type_in(api, "lots") == [f"“lots” is none of the words: {', '.join(WORDS)}"]
    assert api.simulator.faults.has("PlaceOrder", Kind.SLOW_CLOSE)


async def test_help_says_what_each_word_does(api: Api) -> None:
    printed = type_in(api, "help")
    assert len(printed) == len(WORDS) + 1
    assert all(meant.says in line for meant, line in zip(WORDS.values(), printed[1:], strict=True))
