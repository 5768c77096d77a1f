"""The main job, whole: from the slash command to the order id in the channel, and the way out, by a process over real sockets."""

import asyncio
from datetime import datetime

import pytest

from bot.sandbox.discord.world import DESK, FILLS
from tests.process.conftest import Street
from tests.street import CROSSTRADE_SECRET, DISCORD_SECRET, until

LISTS = ("ListOrders", "ListPositions", "GetAllOrders", "GetAllPositions")


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_a_reverse_ends_with_the_order_id_in_the_channel(street: Street, transport: str) -> None:
    street.settings["CROSSTRADE_TRANSPORT"] = transport
    await street.start()
    # Nobody has named an account yet: the watchdog's first round tells which there are, by a clock that goes on meanwhile.
    async with asyncio.timeout(20):
        while not await street.discord.autocomplete("trader", "desk", "reverse", "account", "Sim101"):
            await asyncio.sleep(0.05)
    card = await street.ask()
    for words in ("Sim101", "SIM", "ES 09-26", "BUY 1", "MARKET", "SHORT 2", "LONG 1"):
        assert words in card.text, card.text
    assert street.entries() == []
    await street.discord.click("trader", card.id, "Confirm")
    done = await street.card("accepted")
    assert done.id == card.id
    [entry] = street.entries()
    order_id = entry["body"] and street.rows("SELECT order_ids FROM tickets")[0][0]
    assert order_id
    assert not {"Confirm", "Cancel", "Approve"} & {button.label for button in done.buttons}
    # Nothing is on its way any more.
    assert await street.stop(seconds=5) == 0
    assert "Traceback" not in street.output.decode()
    assert DISCORD_SECRET not in street.output.decode()
    assert CROSSTRADE_SECRET not in street.output.decode()
    assert any("Accepted" in message.text for message in street.discord.messages(FILLS))
    await until(lambda: len(street.discord.messages(DESK)) >= 1)


@pytest.mark.parametrize("transport", ["rest", "websocket"])
@pytest.mark.parametrize("lists", [LISTS, ("ListPositions", "GetAllPositions")], ids=["no list", "no positions"])
async def test_a_flatten_goes_out_within_five_seconds_of_its_press_though_lists_can_not_be_read(
    street: Street, transport: str, lists: tuple[str, ...]
) -> None:
    """What docs/commands.md, the card and the denial of `/close` promise, by real sockets and a real clock."""
    street.settings["CROSSTRADE_TRANSPORT"] = transport
    await street.start()
    card = await street.offered("flatten", scope="account", account="Sim101")
    await street.control("faults", rules=[{"kind": "garbage", "call": call} for call in lists])
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: bool(street.simulator.book()["requests"]))
    await street.control("faults", clear=True)
    await until(lambda: "accepted · flat" in street.discord.message(card.id).text, 60)
    [request] = street.simulator.book()["requests"]
    [(confirmed_at,)] = street.rows("SELECT confirmed_at FROM tickets")
    assert request["call"] == "Flatten"
    assert datetime.fromisoformat(request["time"]).timestamp() - confirmed_at / 1e6 <= 5
    assert any("unseen" in text for text in (*street.discord.message(card.id).earlier, street.discord.message(card.id).text))
