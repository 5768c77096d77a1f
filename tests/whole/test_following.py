"""What becomes of an order after its 200, and what its card offers next, by the whole bot in virtual time."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.discord import Fault, Loss, MessageView
from bot.sandbox.discord.world import DESK, FILLS
from bot.sandbox.ninjatrader import Timing
from tests.street import POLICY, until
from tests.whole.conftest import Street, built, new_simulator
from tests.whole.test_orders import BOTH, WHERE, begun, confirmed, orders

FAR = {"side": "buy", "qty": 2, "type": "limit", **WHERE}


async def fault(street: Street, kind: str, call: str = "PlaceOrder", **details: Any) -> None:
    """Let something go wrong at the simulator."""
    await street.control("faults", rules=[{"kind": kind, "call": call, **details}])


def shown(street: Street, card: int) -> list[str]:
    """Everything that a card has said, oldest first."""
    message = street.discord.message(card)
    return [*message.earlier, message.text]


def labels(street: Street, card: int) -> list[str | None]:
    """The buttons that can be pressed on a card."""
    return [button.label for button in street.discord.message(card).buttons if not button.disabled]


def held(street: Street) -> int:
    """What Sim101 holds of ES 09-26."""
    rows = [p for p in street.simulator.book()["positions"] if (p["account"], p["instrument"]) == ("Sim101", "ES 09-26")]
    return sum(row["signedQuantity"] for row in rows)


async def says(street: Street, card: int, words: str, seconds: float = 15) -> None:
    """Wait until a card says something."""
    await until(lambda: words in street.discord.message(card).text, seconds, lambda: street.discord.message(card).text)


async def pressed(street: Street, card: int, label: str, member: str = "trader") -> MessageView:
    """Press a button of a sent order's card and wait for the card of the ticket that it makes."""
    before = {message.id for message in street.discord.messages(DESK)}
    await street.discord.click(member, card, label)
    await until(lambda: any(m.id not in before and m.buttons for m in street.discord.messages(DESK)))
    return next(m for m in street.discord.messages(DESK) if m.id not in before and m.buttons)


def far_price(street: Street, away: float = 40) -> str:
    """A price below the market, where a buy order rests."""
    ticker = street.simulator.world.market.ticker(street.simulator.world.contract("ES 09-26"))
    return str(float(ticker.last) - away)


@BOTH
async def test_part_fills_are_told_chunk_by_chunk_in_one_message(street: Street, transport: str) -> None:
    await begun(street, transport)
    await fault(street, "partial", quantity=1, seconds=1.6)
    card = await confirmed(street, "place", "accepted", side="sell", qty=3, **WHERE)
    await says(street, card, "filled 3 at ")
    told = "\n".join(shown(street, card))
    for words in ("filled 1/3 at", "filled 2/3 at", "Submitted <t:", "Seen filled <t:"):
        assert words in told, told
    await until(lambda: any("Filled 3" in message.text for message in street.discord.messages(FILLS)))
    notices = [message.text for message in street.discord.messages(FILLS)]
    assert [sum(words in text for text in notices) for words in ("Part filled 1/3", "Part filled 2/3", "Filled 3")] == [1, 1, 1]
    assert len([message for message in street.discord.messages(DESK) if "ephemeral" not in message.flags]) == 1


@BOTH
async def test_a_rejection_after_the_200_is_told_with_its_reason(street: Street, transport: str) -> None:
    await begun(street, transport)
    await fault(street, "reject", seconds=0.6)
    card = await confirmed(street, "place", "accepted", side="sell", qty=1, **WHERE)
    await says(street, card, "rejected by NinjaTrader")
    text = street.discord.message(card).text
    assert "Order rejected by the broker." in text
    assert "### rejected" in text
    assert labels(street, card) == []
    notices = [message.text for message in street.discord.messages(FILLS) if "Rejected by NinjaTrader" in message.text]
    assert len(notices) == 1
    assert "Order rejected by the broker." in notices[0]


async def test_an_older_add_on_rejects_without_a_reason(street: Street) -> None:
    await begun(street, "rest")
    body = {"success": False, "error": "Unknown API command: GetOrderLifecycle"}
    await fault(street, "answer", "GetOrderLifecycle", status=400, body=body)
    await fault(street, "reject", seconds=0.3)
    card = await confirmed(street, "place", "accepted", side="sell", qty=1, **WHERE)
    await says(street, card, "rejected by NinjaTrader")
    assert "The bot could not read why" in street.discord.message(card).text


@pytest.mark.parametrize(
    ("kind", "call", "command"),
    [
        ("null_order_id", "ListOrders", "reverse"),
        ("id_changes", "PlaceOrder", "place"),
        ("id_changes", "ReversePosition", "reverse"),
        ("own_id_lost", "PlaceOrder", "place"),
    ],
)
async def test_an_order_whose_id_is_null_lost_or_another_is_followed_to_its_fill(
    street: Street, kind: str, call: str, command: str
) -> None:
    await begun(street, "rest")
    await fault(street, kind, call)
    card = await confirmed(street, command, "accepted", side="buy", qty=1, **WHERE)
    await says(street, card, "filled 1 at ", seconds=25)
    assert orders(street)[-1]["orderState"] == "Filled"


@pytest.mark.parametrize("kind", ["id_changes", "own_id_lost"])
async def test_an_order_that_goes_by_another_id_now_is_reached_by_the_one_on_its_card(street: Street, kind: str) -> None:
    await begun(street, "rest")
    await fault(street, kind)
    card = await confirmed(street, "place", "accepted", limit=far_price(street), **FAR)
    await says(street, card, "working", seconds=25)
    own = re.search(r"order `?([0-9a-zA-Z]+)", street.discord.message(card).text)
    assert own is not None
    assert own[1] != orders(street)[-1]["id"]
    where = {"account": "Sim101", "order": own[1]}
    await confirmed(street, "modify", "accepted", qty=3, **where)
    await until(lambda: orders(street)[-1]["quantity"] == 3)
    reply = await street.discord.slash("trader", "desk", "order", where)
    await until(
        lambda: "working" in street.discord.interaction(reply.id).text, 20, lambda: street.discord.interaction(reply.id).text
    )
    await confirmed(street, "cancel", "accepted", scope="order", **where)
    await says(street, card, "order cancelled")


async def test_an_order_that_is_pruned_at_once_is_settled_by_its_traces(tmp_path: Path) -> None:
    simulator = new_simulator(timing=Timing(prune=0))
    async with built(tmp_path, simulator) as street:
        await begun(street, "rest")
        card = await confirmed(street, "place", "accepted", side="sell", qty=1, **WHERE)
        await says(street, card, "filled 1 at ", seconds=25)
        assert await street.stop() == 0


@BOTH
async def test_a_fill_is_closed_from_its_own_card_and_the_card_then_offers_nothing(street: Street, transport: str) -> None:
    await begun(street, transport)
    entry = await confirmed(street, "reverse", "filled 3 at ", side="buy", qty=3, **WHERE)
    assert labels(street, entry) == ["Close", "Close half", "Break-even"]
    half = await pressed(street, entry, "Close half")
    for words in ("CLOSE 2 of LONG 3", "SELL 2 MARKET"):
        assert words in half.text, half.text
    assert held(street) == 3
    await street.discord.click("trader", half.id, "Confirm")
    await says(street, half.id, "closed 2")
    close = await pressed(street, entry, "Close", member="second")
    assert "CLOSE all of LONG 1" in close.text
    await street.discord.click("second", close.id, "Confirm")
    await says(street, close.id, "closed 1")
    assert held(street) == 0
    await until(lambda: labels(street, entry) == [], 45, lambda: str(labels(street, entry)))
    assert await street.stop() == 0


async def test_a_resting_order_is_cancelled_from_its_own_card(street: Street) -> None:
    await begun(street, "rest")
    entry = await confirmed(street, "place", "accepted", limit=far_price(street), **FAR)
    assert labels(street, entry) == ["Cancel order"]
    cancel = await pressed(street, entry, "Cancel order")
    assert "CANCEL BUY 2 LIMIT" in cancel.text
    assert not orders(street)[-1]["orderState"].startswith("Cancel")
    await street.discord.click("trader", cancel.id, "Confirm")
    await says(street, cancel.id, "order cancelled")
    await says(street, entry, "order cancelled, 0 of 2 filled")
    assert labels(street, entry) == []
    notices = [message.text for message in street.discord.messages(FILLS) if "Order cancelled" in message.text]
    assert len(notices) == 1


async def test_a_stop_is_moved_to_break_even_from_the_card_of_its_entry(street: Street) -> None:
    await begun(street, "rest")
    entry = await confirmed(street, "reverse", "filled 1 at ", side="buy", qty=1, **WHERE)
    reply = await street.discord.click("trader", entry, "Break-even")
    await until(lambda: "NOT_ONE_STOP" in street.discord.interaction(reply.id).text)
    stop = far_price(street)
    await confirmed(street, "place", "accepted", side="sell", qty=1, type="stopmarket", stop=stop, **WHERE)
    # A break-even stop needs a market that has gone the right way.
    average = street.simulator.book()["positions"][0]["averagePrice"]
    await street.control("price", instrument="ES 09-26", last=float(average) + 20, frozen=True)
    await street.grows_old()
    moved = await pressed(street, entry, "Break-even")
    assert "MODIFY SELL 1 STOPMARKET" in moved.text
    await street.discord.click("trader", moved.id, "Confirm")
    await says(street, moved.id, "changed")
    assert orders(street)[-1]["stopPrice"] == float(average)


async def test_strangers_and_old_cards_are_answered_and_nothing_is_sent(street: Street) -> None:
    await begun(street, "rest")
    entry = await confirmed(street, "reverse", "filled 1 at ", side="buy", qty=1, **WHERE)
    close = next(button.custom_id for button in street.discord.message(entry).buttons if button.label == "Close")
    requests = len(street.simulator.book()["requests"])
    for member, words in (("viewer", "NO_GRANT"), ("approver", "NO_GRANT")):
        reply = await street.discord.click(member, entry, "Close")
        await until(lambda reply=reply, words=words: words in street.discord.interaction(reply.id).text)  # type: ignore[misc]
    await street.control("position", account="Sim101", instrument="ES 09-26", quantity=0)
    reply = await street.discord.click("trader", entry, "Close")
    await until(lambda: "NO_POSITION" in street.discord.interaction(reply.id).text)
    await until(lambda: labels(street, entry) == [], 45)
    assert close is not None
    reply = await street.discord.press_anyway("trader", entry, close)
    await until(lambda: "CARD_OVER" in street.discord.interaction(reply.id).text)
    assert len(street.simulator.book()["requests"]) == requests


async def test_a_private_card_that_stands_there_although_its_answer_was_lost_says_that_it_is_over(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await begun(street, "rest")
    street.discord.fail(Fault("PATCH", "/webhooks/*", times=None, lose=Loss.REPLY))
    reply = await street.discord.slash("trader", "desk", "reverse", {**WHERE, "side": "buy", "qty": 2})
    await until(lambda: street.rows("SELECT state FROM tickets") == [("void",)], 60)
    card = street.discord.interaction(reply.id).messages[0].id
    assert any("confirm?" in text for text in shown(street, card))
    street.discord.heal()
    await says(street, card, "void", 60)
    assert labels(street, card) == []


async def test_a_post_that_is_never_answered_keeps_nobody_else_from_posting_for_long(street: Street) -> None:
    await begun(street, "rest")
    street.discord.fail(Fault("POST", f"/channels/{DESK}/messages", drip=400.0))
    await street.discord.slash("trader", "desk", "reverse", {**WHERE, "side": "buy", "qty": 2})
    await street.discord.slash("second", "desk", "reverse", {**WHERE, "side": "buy", "qty": 1})
    await until(lambda: any("BUY 1 MARKET" in one.text for one in street.discord.messages(DESK)), 60)


async def test_the_end_of_a_private_card_is_shown_though_the_bot_has_logged_in_anew_since(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await begun(street, "rest")
    reply = await street.discord.slash("trader", "desk", "reverse", {**WHERE, "side": "buy", "qty": 2})
    await until(lambda: bool(street.discord.interaction(reply.id).messages))
    card = street.discord.interaction(reply.id).messages[0].id
    await says(street, card, "confirm?")
    await until(lambda: bool(labels(street, card)))
    street.discord.refuse()
    street.discord.gateway.drop()
    await until(lambda: street.rows("SELECT state FROM tickets") == [("expired",)], 60)
    street.discord.refuse(rest=False, gateway=False)
    await says(street, card, "expired", 60)
    assert labels(street, card) == []


@pytest.mark.parametrize("loss", [{"delay": 6.0, "lose": Loss.REPLY}, {"drip": 40.0}], ids=["lost", "waited for in vain"])
async def test_the_result_of_a_private_ticket_is_told_on_although_the_answer_to_its_post_was_lost(
    street: Street, loss: dict[str, Any]
) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await begun(street, "rest")
    reply = await street.discord.slash("trader", "desk", "flatten", {**WHERE, "scope": "instrument"})
    await until(lambda: bool(street.discord.interaction(reply.id).messages[-1].buttons))
    await fault(street, "delay", "ClosePosition", seconds=2)
    street.discord.fail(Fault("POST", f"/channels/{DESK}/messages", **loss))
    card = street.discord.interaction(reply.id).messages[-1].id
    await street.discord.click("trader", card, "Confirm")
    await until(lambda: street.rows("SELECT state FROM tickets") == [("accepted",)])
    await says(street, card, "The result", 90)
    (result,) = (one.id for one in street.discord.messages(DESK) if "-# ticket" in one.text and one.id != card)
    await says(street, result, "accepted · flat", 90)
    assert shown(street, result)[0].startswith("### sending")
    assert str(result) in street.discord.message(card).text


async def test_on_a_private_desk_the_ticket_of_a_button_is_its_pressers_alone(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY.replace("[desk]", '[desk]\nticket_visibility = "private"'))
    await begun(street, "rest")
    reply = await street.discord.slash("trader", "desk", "reverse", {**WHERE, "side": "buy", "qty": 2})
    await until(lambda: bool(street.discord.interaction(reply.id).messages[-1].buttons))
    await street.discord.click("trader", street.discord.interaction(reply.id).messages[-1].id, "Confirm")
    entry = (await street.card("filled 2 at ")).id
    assert labels(street, street.discord.interaction(reply.id).messages[-1].id) == []
    asked = await street.discord.click("second", entry, "Close half")
    await until(lambda: any(m.buttons for m in street.discord.interaction(asked.id).messages))
    ticket = street.discord.interaction(asked.id).messages[-1]
    assert "ephemeral" in ticket.flags
    assert "CLOSE 1 of LONG 2" in ticket.text
    await street.discord.click("second", ticket.id, "Confirm")
    await until(lambda: held(street) == 1)
