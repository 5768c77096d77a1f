"""An unknown outcome that a person resolves, the explanation of it, and what a restart tells: whole, by a process."""

from typing import Any

from bot.sandbox.discord.world import DESK, FILLS
from tests.street import until
from tests.whole.conftest import Street

STARTED = "**The bot has started**"


async def answered(street: Street, command: str, **options: Any) -> str:
    """What a member alone reads after a command."""
    reply = await street.discord.slash("trader", "desk", command, options)
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    return street.discord.interaction(reply.id).text


async def test_a_person_resolves_what_the_bot_can_not_prove_and_why_tells_all_of_it(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.control("faults", rules=[{"kind": "drop", "call": "ReversePosition", "effect": False, "count": 1}])
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("outcome unknown")
    ((ticket,),) = street.rows("SELECT id FROM tickets")
    await street.control("faults", rules=[{"kind": "offline", "call": "ListOrders"}])
    said = await answered(street, "resolve", ticket=ticket, outcome="accepted", why="seen", order="o1")
    assert "could not be read" in said
    await street.control("faults", clear=True)
    said = await answered(street, "resolve", ticket=ticket, outcome="accepted", why="seen", order="o1")
    assert "lists no order `o1` in `Sim101`" in said
    said = await answered(street, "resolve", ticket=ticket, outcome="never arrived", why="NinjaTrader has no trace of it")
    assert said == f"Ticket {ticket} is now never arrived; its card says so. Nothing was sent."
    told = await street.card("resolved by")
    assert told.id == card.id
    assert "NinjaTrader has no trace of it" in told.text
    await street.card("Resolved by a person: never arrived", FILLS)
    assert "is settled already: never arrived" in await answered(street, "resolve", ticket=ticket, outcome="rejected", why="seen")
    explained = await answered(street, "why")
    for words in (f"ticket {ticket}", "Confirm pressed", "sending", "unknown", "resolved", "NinjaTrader has no trace", " ms"):
        assert words in explained, explained
    assert len(street.entries()) == 1
    # The way is free again.
    await street.ask()


async def test_a_restart_tells_where_it_was_asked_what_it_found(street: Street) -> None:
    await street.start()
    first = await street.card(STARTED, FILLS)
    assert "Nothing was left open." in first.text
    assert not any(STARTED in message.text for message in street.discord.messages(DESK))
    lost = await street.ask()
    await street.control("faults", rules=[{"kind": "drop", "call": "ReversePosition", "effect": False, "count": 1}])
    await street.discord.click("trader", lost.id, "Confirm")
    await street.card("outcome unknown")
    card = await street.offered("place", account="Sim102", instrument="ES 09-26", side="buy", qty=1)
    await street.kill()
    street.discord.heal()
    await street.start()
    told = await street.card(STARTED)
    assert "1 ticket expired by the restart: nothing was sent, ask again with the command" in told.text
    assert "1 outcome unknown: the bot looks for the order, and nothing is sent again" in told.text
    await until(lambda: "expired" in street.discord.message(card.id).text)
    await until(lambda: sum(STARTED in message.text for message in street.discord.messages(FILLS)) == 2)
    assert len(street.entries()) == 1
    assert await street.stop() == 0
