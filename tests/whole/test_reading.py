"""Reading commands by the whole bot in virtual time, whichever way orders travel."""

import asyncio

import pytest

from bot.sandbox.discord.world import DESK
from tests.street import until
from tests.whole.conftest import Street


async def read(street: Street, command: str, words: str, member: str = "trader", **options: object) -> str:
    """Run a command; its private answer, once it holds these words."""
    # Each member has a share of what may be read in a minute.
    await asyncio.sleep(10)
    asked = await street.discord.slash(member, "desk", command, options)

    def answer() -> str:
        return street.discord.interaction(asked.id).text

    await until(lambda: words in answer(), why=lambda: f"{words!r} not in {answer()!r}")
    return answer()


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_every_reading_command_tells_what_ninjatrader_has(street: Street, transport: str) -> None:
    street.settings["CROSSTRADE_TRANSPORT"] = transport
    await street.start()
    everything = await read(street, "positions", "read ")
    for words in ("Sim101", "ES 09-26", "SHORT 2", "MES 12-25", "Sim102` · flat", "LIVE", "Apex-001"):
        assert words in everything, everything
    assert "SHORT 2" in await read(street, "positions", "Sim101", account="sim101")
    last = street.simulator.world.market.ticker(street.simulator.world.contract("ES 09-26")).last
    card = await street.ask(type="limit", limit=str(last - 50))
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted")
    order_id = street.rows("SELECT order_ids FROM tickets")[0][0].strip('["]').partition('"')[0]
    await street.card("working, not filled yet")
    assert order_id in await read(street, "orders", "LIMIT", account="Sim101")
    assert "no working orders in MES" in await read(street, "orders", "Sim101", account="Sim101", instrument="MES")
    every = await read(street, "orders", "read ")
    for words in (order_id, "Sim102` · no working orders", "Apex-001` · no working orders"):
        assert words in every, every
    story = await read(street, "order", "Ticket", account="Sim101", order=order_id)
    for words in ("accepted", "Asked by Tess", "Working", "desk sending", "CT   api received"):
        assert words in story, story
    assert "Neither" not in story
    assert "an order in another account" in await read(street, "order", "read ", account="Apex-001", order=order_id)
    assert "has no order with this id" in await read(street, "order", "read ", account="Sim101", order="nonsense")
    accounts = await read(street, "accounts", "Sim102")
    for words in ("SIM", "flat"):
        assert words in accounts, accounts
    account = await read(street, "account", "cash", account="Apex-001")
    for words in ("realised", "buying power", "Margins", "maintenance", "Highest so far"):
        assert words in account, account
    assert "In all" in await read(street, "pnl", "total")
    fills = await read(street, "executions", "BUY 2", account="Sim101")
    for words in ("ES 09-26", "Nobody was watching then"):
        assert words in fills, fills
    (fill_id,) = street.rows("SELECT id FROM fills")[0]
    assert f"id {fill_id}" in await read(street, "executions", "BUY 2", account="Sim101", execution=fill_id)
    chart = await read(street, "chart", "**ES 09-26** · 1 h", instrument='"ES 09-26"', account="Sim101", period="1h")
    assert "FLAT · 1 working order" in chart
    assert "could not be read" not in chart
    (picture,) = street.discord.interactions()[-1].messages
    assert picture.files == ("ES-09-26-1h.png",)
    assert "ephemeral" in picture.flags
    quotes = await read(street, "quote", "NQ", instrument='"ES 09-26", NQ')
    assert "could not be read" not in quotes
    assert "own feed" in await read(street, "quote", "ES", instrument="ES", account="Sim101")
    assert "market is open" in await read(street, "market", "closes", instrument="ES, CL")
    strategies = await read(street, "strategies", "no strategies running", account="Sim102")
    assert "MyAtmStrategy" in strategies
    assert len(street.entries()) == 1
    assert [message.id for message in street.discord.messages(DESK) if "ephemeral" not in message.flags] == [card.id]
    assert await street.stop() == 0


async def test_who_may_not_read_is_told_so_and_a_failed_read_is_no_flat(street: Street) -> None:
    await street.start()
    await read(street, "positions", "NO_GRANT", member="viewer")
    await street.control("faults", rules=[{"kind": "offline", "call": name} for name in ("ListPositions", "GetAllPositions")])
    answer = await read(street, "positions", "could not be read", account="Sim101")
    assert "flat\n" not in answer


async def test_an_add_on_too_old_for_the_record_of_orders_leaves_the_rest_of_the_story(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("filled 1 at")
    await street.control(
        "faults",
        rules=[
            {"kind": "answer", "call": name, "status": 400, "body": {"error": f"Unknown API command: {name}"}}
            for name in ("GetOrderLifecycle", "GetExecutionsByOrderId", "GetAllOrders")
        ],
    )
    order_id = street.rows("SELECT order_ids FROM tickets")[0][0].strip('["]').partition('"')[0]
    story = await read(street, "order", "Ticket", account="Sim101", order=order_id)
    for words in ("too old for it, 1.13.2 or later", "**Fills**", "BUY 1", "looks back 15 minutes", "desk accepted"):
        assert words in story, story
    assert "no working orders" in await read(street, "orders", "read ")
