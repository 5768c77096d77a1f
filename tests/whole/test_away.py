"""Discord's gateway, or all of Discord, away for some seconds in the middle of an answer: what was asked is answered."""

import asyncio

from bot.sandbox.discord import Fault, Loss
from bot.sandbox.discord.world import DESK
from tests.street import COMMAND, POLICY, until
from tests.whole.conftest import Street


async def _away(street: Street, seconds: float, *, rest: bool = False) -> None:
    street.discord.gateway.drop()
    street.discord.refuse(rest=rest)
    await asyncio.sleep(seconds)
    street.discord.heal()


async def test_a_reading_command_is_answered_over_the_session_that_lives_then(street: Street) -> None:
    await street.start()
    await street.control("faults", rules=[{"kind": "delay", "call": "ListPositions", "seconds": 2.0, "count": 1}])
    asked = await street.discord.slash("trader", "desk", "positions", {"account": "Sim101"})
    await _away(street, 3.0, rest=True)
    await until(lambda: bool(street.discord.interaction(asked.id).text), 30)


async def test_an_order_that_is_asked_for_is_offered_all_the_same(street: Street) -> None:
    await street.start()
    await street.control("faults", rules=[{"kind": "delay", "call": "ListPositions", "seconds": 1.0, "count": 1}])
    await street.discord.slash("trader", "desk", "reverse", COMMAND)
    await _away(street, 3.0, rest=True)
    await until(lambda: any(message.buttons for message in street.discord.messages(DESK)), 30)
    assert street.rows("SELECT state FROM tickets") == [("offered",)]


async def test_the_gateway_alone_being_away_identifies_no_more_often_than_it_must(street: Street) -> None:
    await street.start()
    before = street.discord.gateway.identified
    await _away(street, 3.0)
    await until(lambda: street.discord.gateway.connected == 1, 30)
    assert street.discord.gateway.identified <= before + 1
    await street.ask()


async def test_an_acknowledgement_whose_answer_is_lost_is_known_to_have_arrived(street: Street) -> None:
    await street.start()
    street.discord.fail(Fault("POST", "/interactions/*", lose=Loss.REPLY))
    asked = await street.discord.slash("trader", "desk", "positions", {"account": "Sim101"})
    await until(lambda: bool(street.discord.interaction(asked.id).text), 10)
    card = await street.ask()
    street.discord.fail(Fault("POST", "/interactions/*", lose=Loss.REPLY))
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted")
    assert len(street.entries()) == 1


async def test_a_private_ticket_that_expires_meanwhile_shows_no_live_confirm(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await street.start()
    asked = await street.discord.slash("trader", "desk", "reverse", COMMAND)
    await until(lambda: any(m.buttons for m in street.discord.interaction(asked.id).messages))
    await asyncio.sleep(29.0)
    await _away(street, 3.0)
    await until(lambda: not any(m.buttons for m in street.discord.interaction(asked.id).messages), 10)
