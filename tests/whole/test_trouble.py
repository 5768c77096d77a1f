"""What a bad day brings, to the whole bot: each gets one clear sentence, and nothing is lost or sent twice."""

import asyncio

import pytest

from bot.sandbox.discord import Fault
from bot.sandbox.discord.world import ADMINISTRATOR, DESK, FILLS, VIEWER
from tests.street import COMMAND, POLICY, until
from tests.whole.conftest import Street


async def answered(street: Street, member: str = "trader", **options: object) -> str:
    """What a member alone reads after /reverse."""
    reply = await street.discord.slash(member, "desk", "reverse", {**COMMAND, **options})
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    return street.discord.interaction(reply.id).text


async def test_crosstrade_being_down_stops_no_start_and_no_entry_gets_through(street: Street) -> None:
    await street.control("faults", rules=[{"kind": "offline"}])
    await street.start()
    assert "FACTS_MISSING" in await answered(street)
    await until(lambda: "down" in str(street.discord.gateway.presence))
    await street.control("faults", clear=True)
    await street.ask()
    assert street.entries() == []
    await until(lambda: "up" in str(street.discord.gateway.presence))


async def test_a_crosstrade_token_that_is_refused_is_said_in_one_sentence(street: Street) -> None:
    street.settings["CROSSTRADE_TOKEN"] = "not-the-token-1234"
    await street.start()
    said = await answered(street)
    assert "token" in said
    assert "not-the-token-1234" not in said + street.output.decode()


async def test_i1_a_lost_answer_is_unknown_then_found_and_never_sent_again(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.control("faults", rules=[{"kind": "drop", "call": "ReversePosition", "effect": True, "count": 1}])
    await street.discord.click("trader", card.id, "Confirm")
    told = await street.card("accepted", seconds=20)
    assert told.id == card.id
    assert any("outcome unknown" in earlier.casefold() for earlier in told.earlier) or any(
        "unknown" in message.text.casefold() for message in street.discord.messages(FILLS)
    )
    assert len(street.entries()) == 1


@pytest.mark.parametrize("kinds", [("coarse",), ("coarse", "nameless"), ("nameless",)], ids=" ".join)
async def test_a_reversal_whose_close_looks_like_its_entry_does_not_stay_unknown(street: Street, kinds: tuple[str, ...]) -> None:
    """SHORT 2, buy 2: two orders to buy 2 at market, of one moment, of which NinjaTrader may call one a close."""
    await street.start()
    card = await street.ask(qty=2)
    lost = {"kind": "drop", "call": "ReversePosition", "effect": True, "count": 1}
    await street.control("faults", rules=[lost, *({"kind": kind, "seconds": 600} for kind in kinds)])
    await street.discord.click("trader", card.id, "Confirm")
    told = await street.card("accepted", seconds=20)
    close, entry = (order["id"] for order in street.simulator.book()["orders"][-2:])
    assert entry in told.text
    # Without name and time nothing tells which is which, and that is said.
    assert ("can't be told" in told.text) is (close in told.text) is (len(kinds) == 2)
    await until(lambda: "filled 2" in street.discord.message(card.id).text)
    assert len(street.entries()) == 1
    # And whoever wants to enter may.
    await street.ask(member="second", side="sell")


async def test_i16_an_answer_without_an_order_id_is_no_success(street: Street) -> None:
    await street.start()
    card = await street.ask()
    rule = {"kind": "answer", "call": "ReversePosition", "status": 200, "body": {"success": True}, "count": 1}
    await street.control("faults", rules=[rule])
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("outcome unknown")
    denied = await answered(street, "second")
    assert "OUTCOME_UNKNOWN" in denied


async def test_a_rejection_is_told_in_crosstrades_own_words(street: Street) -> None:
    await street.start()
    card = await street.ask()
    words = "No position found for instrument 'ES 09-26' in account 'sim101'"
    rule = {"kind": "answer", "call": "ReversePosition", "status": 400, "body": {"error": words}, "count": 1}
    await street.control("faults", rules=[rule])
    await street.discord.click("trader", card.id, "Confirm")
    assert words in (await street.card("rejected")).text


async def test_i15_a_live_account_says_so_and_asks_for_a_second_person(street: Street) -> None:
    await street.start()
    front = street.simulator.book()["positions"]
    name = next(p["instrument"] for p in front if p["account"] == "Apex-001")
    card = await street.ask(account="Apex-001", instrument=name, side="sell")
    assert "LIVE" in card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "ann" in street.discord.message(card.id).text.casefold() or bool(street.discord.message(card.id).earlier))
    assert street.entries() == []
    await street.discord.click("approver", card.id, "Approve")
    await street.card("accepted")
    assert len(street.entries()) == 1


async def test_i6_i9_a_card_from_before_a_restart_is_expired_answered_and_never_sent(street: Street) -> None:
    await street.start()
    card = await street.ask()
    confirm = next(button for button in card.buttons if button.label == "Confirm")
    await street.kill()
    await street.start()
    await until(lambda: "expired" in street.discord.message(card.id).text.casefold())
    assert confirm.custom_id is not None
    pressed = await street.discord.press_anyway("trader", card.id, confirm.custom_id)
    await until(lambda: "expired" in street.discord.interaction(pressed.id).text.casefold())
    assert street.entries() == []


async def test_a_card_that_was_posted_but_not_noted_before_a_kill_is_found_again(street: Street) -> None:
    await street.start()
    street.discord.fail(Fault("POST", f"/channels/{DESK}/messages", drip=40.0))
    asked = asyncio.create_task(street.discord.slash("trader", "desk", "reverse", COMMAND))
    await until(lambda: any(message.buttons for message in street.discord.messages(DESK)))
    await street.kill()
    await asyncio.gather(asked, return_exceptions=True)
    assert street.rows("SELECT state, message FROM tickets") == [("offered", None)]
    await street.start()
    await until(lambda: all(not message.buttons for message in street.discord.messages(DESK)))
    assert street.rows("SELECT state FROM tickets") == [("expired",)]
    cards = [message for message in street.discord.messages(DESK) if "has started" not in message.text]
    assert len([message for message in cards if "ephemeral" not in message.flags]) == 1
    assert street.entries() == []


async def test_a_policy_that_changes_is_in_force_within_seconds_and_a_bad_one_is_not(street: Street) -> None:
    await street.start()
    (street.folder / "policy.toml").write_text("[[nonsense")
    await until(lambda: bool(street.rows("SELECT 1 FROM events WHERE name = 'policy changed' AND data LIKE '%refused%'")))
    await street.card("Policy file refused", FILLS)
    await street.ask()
    (street.folder / "policy.toml").write_text(POLICY.replace("max_position = 10", "max_position = 0"))
    await until(lambda: bool(street.rows("SELECT 1 FROM events WHERE name = 'policy changed' AND data LIKE '%digest%'")))
    await street.card("is in force", FILLS)
    assert "MAX_POSITION" in await answered(street, "second")


async def test_a_policy_file_that_was_cut_off_is_told_loudly_where_news_were_told_before(street: Street) -> None:
    await street.start()
    (street.folder / "policy.toml").write_text(POLICY[: POLICY.index("[[limit]]")])
    text = (await street.card("Fewer safeguards than before", FILLS)).text
    assert "limits 1 → 0" in text
    assert "Was the file cut off?" in text


async def test_discord_answering_5xx_and_429_delays_news_and_loses_none(street: Street) -> None:
    await street.start()
    card = await street.ask()
    for status in (500, 503, 429):
        street.discord.fail(Fault("PATCH", "*", times=1, status=status))
        street.discord.fail(Fault("POST", f"/channels/{FILLS}/messages", times=1, status=status))
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted", seconds=30)
    await street.card("Filled", FILLS, seconds=30)


async def test_a_gateway_that_closes_is_found_again(street: Street) -> None:
    await street.start()
    identified = street.discord.gateway.identified + street.discord.gateway.resumed
    street.discord.gateway.close(1001)
    await until(lambda: street.discord.gateway.identified + street.discord.gateway.resumed > identified, 30)
    card = await street.ask()
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted")


async def test_a_deleted_channel_is_told_in_the_next_best_place(street: Street) -> None:
    await street.start()
    card = await street.ask()
    street.discord.fail(Fault("PATCH", "*", times=1, delay=0.5))
    await street.discord.click("trader", card.id, "Confirm")
    street.discord.delete_channel("desk")
    await until(lambda: street.rows("SELECT state FROM tickets") == [("accepted",)])
    order_id = street.rows("SELECT order_ids FROM tickets")[0][0].strip('[]"')
    await until(lambda: any("/users/@me/channels" in call.path for call in street.discord.calls()), 20)
    assert order_id


async def test_a_bot_that_may_not_post_says_so_to_the_member_and_sends_nothing(street: Street) -> None:
    await street.start()
    street.discord.take_from_bot("desk", "send_messages")
    said = await answered(street)
    assert "Send Messages" in said or "post" in said
    assert street.rows("SELECT state FROM tickets") == [("void",)]


async def test_other_guilds_and_strangers_are_refused(street: Street) -> None:
    await street.start()
    reply = await street.discord.slash("viewer", "desk", "reverse", COMMAND)
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    assert "NO_GRANT" in street.discord.interaction(reply.id).text
    reply = await street.discord.slash("administrator", "desk", "reverse", COMMAND)
    await until(lambda: "NO_GRANT" in street.discord.interaction(reply.id).text)
    denied = "SELECT actor FROM events WHERE name = 'denied' AND data LIKE '%NO_GRANT%'"
    await until(lambda: [row[0] for row in street.rows(denied)] == [VIEWER, ADMINISTRATOR])


async def test_hostile_words_ping_nobody_and_change_nothing(street: Street) -> None:
    await street.start()
    said = await answered(street, account="@everyone **x** `y` <@1>")
    assert "denied" in said.casefold()
    said = await answered(street, instrument="x" * 4000)
    assert "denied" in said.casefold()
    card = await street.ask(oco="@everyone [a](https://b.c) `q`")
    assert not card.pings
    assert "denied" in (await answered(street, qty=1, type="limit", limit="5" * 4000)).casefold()


async def test_a_private_ticket_is_seen_by_its_requester_alone_and_its_result_by_all(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await street.start()
    reply = await street.discord.slash("trader", "desk", "reverse", COMMAND)
    await until(lambda: "Confirm" in [b.label for m in street.discord.interaction(reply.id).messages for b in m.buttons])
    message = street.discord.interaction(reply.id).messages[-1]
    assert "ephemeral" in message.flags
    assert not [m for m in street.discord.messages(DESK, viewer="second") if m.buttons]
    await street.discord.click("trader", message.id, "Confirm")
    await until(lambda: any("accepted" in m.text.casefold() for m in street.discord.messages(DESK, viewer="second")))
    assert len(street.entries()) == 1
