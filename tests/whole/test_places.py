"""Where cards stand in Discord: in threads that are archived meanwhile, beside copies that others posted, or nowhere at all."""

import asyncio

from bot.sandbox.discord import Fault, MessageView
from bot.sandbox.discord.world import DESK, FILLS
from tests.street import COMMAND, until
from tests.whole.conftest import Street

WORKING = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1, "type": "limit", "limit": "bid-40t"}


def with_button(street: Street, channel: int, label: str) -> list[MessageView]:
    """A channel's messages that have a live button with this label."""
    return [m for m in street.discord.messages(channel) if any(b.label == label and not b.disabled for b in m.buttons)]


def sent(street: Street, call: str) -> int:
    """How many calls of a kind reached the simulator."""
    return sum(request["call"] == call for request in street.simulator.book()["requests"])


async def told(street: Street, message: int, label: str) -> str:
    """Press a button and wait for what the presser is told alone."""
    pressed = await street.discord.click("trader", message, label)
    await until(lambda: bool(street.discord.interaction(pressed.id).text))
    return street.discord.interaction(pressed.id).text


async def test_a_card_in_a_thread_that_was_archived_stands_anew_and_the_old_one_sends_nothing(street: Street) -> None:
    await street.start()
    thread = street.discord.open_thread("night", "desk")
    await street.discord.slash("trader", "night", "place", WORKING)
    await until(lambda: bool(with_button(street, thread, "Confirm")))
    [offered] = with_button(street, thread, "Confirm")
    street.discord.archive("night")
    await street.discord.click("trader", offered.id, "Confirm")
    await until(lambda: bool(with_button(street, thread, "Cancel order")))
    [working] = with_button(street, thread, "Cancel order")
    assert working.id != offered.id
    # Nothing can be done about what stands there; what it sends can.
    assert [message.id for message in with_button(street, thread, "Confirm")] == [offered.id]
    assert "already" in await told(street, offered.id, "Confirm")
    assert sent(street, "PlaceOrder") == 1

    # Cancelled from elsewhere: the card in the archive keeps its button, and a press of it is answered all the same.
    street.discord.archive("night")
    order_id = street.simulator.book()["orders"][-1]["id"]
    cancelling = await street.offered("cancel", scope="order", account="Sim101", order=order_id)
    await street.discord.click("trader", cancelling.id, "Confirm")
    await until(lambda: "cancelled" in street.discord.messages(thread)[-1].text)
    assert street.discord.messages(thread)[-1].id != working.id
    assert [message.id for message in with_button(street, thread, "Cancel order")] == [working.id]
    assert await told(street, working.id, "Cancel order")
    assert sent(street, "Cancel") == 1


async def test_another_authors_copy_of_a_card_is_never_taken_for_the_card(street: Street) -> None:
    await street.start()
    street.discord.fail(Fault("POST", f"/channels/{DESK}/messages", drip=40.0))
    asked = asyncio.create_task(street.discord.slash("trader", "desk", "reverse", COMMAND))
    await until(lambda: bool(with_button(street, DESK, "Confirm")))
    await street.kill()
    await asyncio.gather(asked, return_exceptions=True)
    [card] = with_button(street, DESK, "Confirm")
    copied = street.discord.copy("second", card.id)
    street.discord.backend.delete_message(DESK, card.id)
    await street.start()
    await until(lambda: street.rows("SELECT message FROM tickets") != [(None,)])
    [(message,)] = street.rows("SELECT message FROM tickets")
    assert message != copied
    assert street.discord.message(message).author == "Crosstalk"
    assert "xpired" in street.discord.message(message).text


async def test_where_neither_card_nor_answer_gets_through_the_requester_is_told_directly(street: Street) -> None:
    await street.start()
    street.discord.fail(Fault("POST", f"/channels/{DESK}/messages", status=403, times=None))
    street.discord.fail(Fault("*", "/webhooks/*", status=404, times=None))
    await street.discord.slash("trader", "desk", "reverse", COMMAND)

    def direct() -> list[str]:
        return [message.text for message in street.discord.every_message() if message.channel not in (DESK, FILLS)]

    await until(lambda: bool(direct()))
    assert "not be shown" in direct()[0], direct()
    assert street.rows("SELECT state FROM tickets") == [("void",)]
    assert street.entries() == []
