"""Reading commands by a process over real sockets, whichever way orders travel."""

import pytest

from bot.sandbox.discord.world import DESK
from tests.process.conftest import Street, until


async def read(street: Street, command: str, words: str, member: str = "trader", **options: object) -> str:
    """Run a command; its private answer, once it holds these words."""
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
    assert "no working orders" in await read(street, "orders", "Sim101", account="Sim101", instrument="MES")
    story = await read(street, "order", "Ticket", account="Sim101", order=order_id)
    for words in ("accepted", "Asked by Tess", "Working"):
        assert words in story, story
    assert "SIM" in await read(street, "accounts", "Sim102")
    assert "realised" in await read(street, "account", "cash", account="Apex-001")
    assert "In all" in await read(street, "pnl", "total")
    assert "ES 09-26" in await read(street, "executions", "BUY 2", account="Sim101")
    chart = await read(street, "chart", "**ES 09-26** · 1 h", instrument='"ES 09-26"', account="Sim101", period="1h")
    assert "FLAT · 1 working order" in chart
    assert "could not be read" not in chart
    (picture,) = street.discord.interactions()[-1].messages
    assert picture.files == ("ES-09-26-1h.png",)
    assert "ephemeral" in picture.flags
    quotes = await read(street, "quote", "NQ", instrument='"ES 09-26", NQ')
    assert "could not be read" not in quotes
    assert len(street.entries()) == 1
    assert [message.id for message in street.discord.messages(DESK) if "ephemeral" not in message.flags] == [card.id]
    assert await street.stop() == 0


async def test_who_may_not_read_is_told_so_and_a_failed_read_is_no_flat(street: Street) -> None:
    await street.start()
    await read(street, "positions", "NO_GRANT", member="viewer")
    await street.control("faults", rules=[{"kind": "offline", "call": "ListPositions"}])
    answer = await read(street, "positions", "could not be read", account="Sim101")
    assert "flat\n" not in answer
