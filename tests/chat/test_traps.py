"""discord.py 2.7.1 as it is: dead buttons, lost presses, double dispatch. Each test would fail if the trap caught us."""

import re

import pytest
from simcord import InteractionResult

from bot.chat.access import GuardedButton
from bot.chat.actions import ActionButton
from bot.chat.buttons import DYNAMIC_ITEMS, TicketButton
from bot.trading.orders.tickets import TicketState

from .conftest import Stage, buttons_of, new_client, text_of, told
from .desk import FakeDesk

LONGEST_ID = "x" * 64


def a_button(item: type[GuardedButton], ticket: str) -> GuardedButton:
    """A button as a card has it, with the longest of everything else."""
    if issubclass(item, TicketButton):
        return item(ticket, 999_999_999)
    assert issubclass(item, ActionButton)
    return item(ticket)


@pytest.mark.parametrize("item", DYNAMIC_ITEMS)
@pytest.mark.parametrize("ticket", ["t1", LONGEST_ID, "A-b_9"])
def test_an_id_fits_its_template_whole_and_discord(item: type[GuardedButton], ticket: str) -> None:
    button = a_button(item, ticket)
    assert button.template.fullmatch(button.custom_id)
    assert len(button.custom_id) <= 100


@pytest.mark.parametrize("ticket", ["", "x" * 65, "a:b", "a b", "a\n", "é", "١"])
@pytest.mark.parametrize("item", DYNAMIC_ITEMS)
def test_an_id_that_would_be_posted_but_never_answered_can_not_be_made(item: type[GuardedButton], ticket: str) -> None:
    with pytest.raises(ValueError, match="never be answered"):
        a_button(item, ticket)


@pytest.mark.parametrize("tail", ["x", ":", "\n", " "])
@pytest.mark.parametrize("made", DYNAMIC_ITEMS)
def test_a_template_takes_no_tail(made: type[GuardedButton], tail: str) -> None:
    custom_id = a_button(made, "t1").custom_id + tail
    assert not any(item.__discord_ui_compiled_template__.fullmatch(custom_id) for item in DYNAMIC_ITEMS)


def test_a_base_class_takes_no_id_at_all() -> None:
    assert not GuardedButton.__discord_ui_compiled_template__.fullmatch("")


@pytest.mark.parametrize("item", DYNAMIC_ITEMS)
def test_i4_no_press_is_dispatched_twice(item: type[GuardedButton]) -> None:
    custom_id = a_button(item, "t1").custom_id
    assert [each for each in DYNAMIC_ITEMS if each.__discord_ui_compiled_template__.fullmatch(custom_id)] == [item]


async def test_i3_two_quick_clicks_run_twice_and_send_once(stage: Stage) -> None:
    await stage.reverse()
    card = stage.card()
    first, second = (stage.press("ticket:t1:1:confirm", card) for _ in range(2))
    await stage.env.settle()
    assert len(stage.desk.presses) == 2
    assert stage.desk.orders == ["t1"]
    assert first.acknowledged
    assert second.acknowledged
    assert "already" in told(first) + told(second)


async def test_i6_buttons_work_after_a_restart(stage: Stage, desk: FakeDesk) -> None:
    await stage.reverse()
    await stage.env.restart_bot(new_client(desk))
    await stage.trader.click(stage.card(), label="Confirm")
    assert desk.orders == ["t1"]
    assert "order-1" in text_of(stage.card())


async def test_a_button_knows_all_of_its_ticket_from_its_id_alone(stage: Stage) -> None:
    await stage.reverse()
    await stage.trader.click(stage.card(), label="Cancel")
    verb, press = stage.desk.presses[0]
    assert (verb, press.ticket, press.revision, press.member.id) == ("cancel", "t1", 1, stage.trader.id)


async def test_the_buttons_of_one_card_survive_the_end_of_another(stage: Stage) -> None:
    await stage.reverse()
    first = stage.card()
    await stage.reverse()
    await stage.trader.click(stage.card(), label="Cancel")
    for _ in range(3):
        await stage.desk.redraw("t2")
    await stage.trader.click(first, label="Confirm")
    assert stage.desk.orders == ["t1"]


async def test_buttons_that_were_lost_come_back_when_the_bot_is_ready_again(stage: Stage) -> None:
    await stage.reverse()
    stage.client.remove_dynamic_items(*DYNAMIC_ITEMS)
    stage.client.dispatch("ready")
    await stage.env.settle()
    await stage.trader.click(stage.card(), label="Confirm")
    assert stage.desk.orders == ["t1"]


async def test_a_press_that_fails_is_answered_and_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.reverse()
    stage.desk.fails = RuntimeError("private matters")
    result = await stage.trader.click(stage.card(), label="Confirm")
    reference = re.findall(r"reference `(\w+)`", told(result))
    assert reference[0] in caplog.text
    assert "private matters" in caplog.text
    assert "private matters" not in told(result)


async def test_a_press_that_came_while_its_button_left_the_card_is_answered_and_does_nothing(stage: Stage) -> None:
    await stage.reverse()
    await stage.trader.click(stage.card(), label="Cancel")
    stage.desk.behind.clear()
    late = stage.press("ticket:t1:1:confirm", stage.card())
    await stage.env.settle()
    assert "not on the card any more" in told(late)
    assert stage.desk.behind == []


async def test_a_press_on_a_card_as_it_was_before_is_the_desks_to_answer(stage: Stage) -> None:
    await stage.reverse()
    before = stage.card()
    await stage.trader.click(stage.card(), label="Cancel")
    late = stage.press("ticket:t1:1:confirm", before)
    await stage.env.settle()
    assert "cancelled already" in told(late)
    assert stage.desk.orders == []


@pytest.mark.parametrize("custom_id", ["ticket:t1:1:explode", "older:button", "x" * 100])
async def test_a_press_on_a_button_that_no_version_of_the_bot_knows_is_answered(stage: Stage, custom_id: str) -> None:
    await stage.reverse()
    stage.desk.behind.clear()
    result = stage.press(custom_id, stage.card())
    await stage.env.settle()
    assert "nothing was done" in told(result)
    assert stage.desk.behind == []


async def test_a_press_without_its_message_is_answered(stage: Stage) -> None:
    await stage.reverse()
    stage.desk.behind.clear()
    record = stage.forge(3, {"custom_id": "ticket:t1:1:confirm", "component_type": 2})
    await stage.env.settle()
    assert "nothing was done" in told(InteractionResult(stage.env, record))
    assert stage.desk.behind == []


async def test_i7_a_click_on_one_card_never_hits_another(stage: Stage) -> None:
    await stage.reverse()
    first = stage.card()
    await stage.reverse()
    await stage.trader.click(first, label="Confirm")
    assert stage.desk.orders == ["t1"]
    assert stage.desk.tickets["t2"].state is TicketState.OFFERED
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]
