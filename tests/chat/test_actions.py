"""The buttons of sent orders: each press makes a ticket of the presser's own, or is answered with why not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.actions import ACTION_ITEMS, ActionButton
from bot.desk.requests import BracketRequest, CancelRequest, CloseRequest, ModifyRequest, TicketRequest
from bot.errors import JournalError
from bot.trading.orders.protection import Protection
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import Origin, Ticket, TicketState, Visibility
from bot.trading.planning.card_actions import CardAction

from .conftest import Stage, buttons_of, new_client, text_of, told
from .samples import TICKET, ticket

UNKNOWN_INTERACTION = 10062
REQUESTS: dict[CardAction, TicketRequest] = {
    CardAction.CANCEL_ORDER: CancelRequest("Sim101", "o1"),
    CardAction.CLOSE: CloseRequest("Sim101", "ES 09-26"),
    CardAction.CLOSE_HALF: CloseRequest("Sim101", "ES 09-26", 1),
    CardAction.BREAK_EVEN: ModifyRequest("Sim101", "o2", stop="5790.50"),
    CardAction.BRACKET: BracketRequest("Sim101", "ES 09-26", 2, stop="5810.00"),
}
SOLD = Terms(Side.SELL, 2)
LABELS = {item.verb: item.label for item in ACTION_ITEMS}


async def on_stage(stage: Stage, terms: Terms = SOLD, **changes: Any) -> Ticket:
    """An accepted ticket of the trader's, shown in the channel as the outbox would."""
    one = ticket(
        id="sent1",
        state=TicketState.ACCEPTED,
        order_ids=("o1",),
        terms=terms,
        after=-2,
        origin=Origin(stage.guild.id, stage.channel.id),
        requester=replace(TICKET.requester, id=stage.trader.id),
        **changes,
    )
    stage.desk.tickets[one.id] = one
    await stage.desk.redraw(one.id)
    return stage.desk.tickets[one.id]


async def with_button(stage: Stage, verb: CardAction) -> Ticket:
    """A card on which that button is."""
    if verb is CardAction.CANCEL_ORDER:
        return await on_stage(stage)
    if verb is CardAction.BRACKET:
        lost = Protection(held=-2, bare=2)
        return await on_stage(stage, replace(SOLD, strategy="Scalp"), order_state=OrderState.FILLED, filled=2, protection=lost)
    return await on_stage(stage, order_state=OrderState.FILLED, filled=2)


@pytest.mark.parametrize("verb", CardAction)
async def test_a_press_posts_a_ticket_card_of_the_pressers_own(stage: Stage, verb: CardAction) -> None:
    sent = await with_button(stage, verb)
    stage.desk.requested = REQUESTS[verb]
    second = stage.people["second"]
    result = await second.click(stage.card(), label=LABELS[verb])
    assert [(member.id, ticket_id, pressed) for member, ticket_id, pressed in stage.desk.pressed] == [(second.id, sent.id, verb)]
    assert stage.desk.requests == [REQUESTS[verb]]
    [made] = [one for one in stage.desk.tickets.values() if one.id != sent.id]
    assert (made.requester.id, made.state) == (second.id, TicketState.OFFERED)
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]
    assert made.message == stage.card().id
    assert stage.card().jump_url in told(result)
    assert result.ephemeral
    assert len(stage.posts()) == 2
    assert stage.desk.orders == []


async def test_nothing_is_sent_before_the_new_card_is_confirmed(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    first = stage.card()
    stage.desk.requested = REQUESTS[CardAction.CLOSE]
    await stage.trader.click(first, label="Close")
    assert stage.desk.orders == []
    await stage.trader.click(stage.card(), label="Confirm")
    assert stage.desk.orders == ["t2"]


@pytest.mark.parametrize("verb", CardAction)
async def test_a_stranger_is_denied_in_a_sentence_of_their_own(stage: Stage, verb: CardAction) -> None:
    await with_button(stage, verb)
    stage.desk.requested = REQUESTS[verb]
    result = await stage.people["viewer"].click(stage.card(), label=LABELS[verb])
    assert "NO_GRANT" in told(result)
    assert result.ephemeral
    assert len(stage.posts()) == 1
    assert stage.desk.requests == []


async def test_a_press_on_a_card_that_is_over_is_answered(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    result = await stage.trader.click(stage.card(), label="Close")
    assert "CARD_OVER" in told(result)
    assert len(stage.posts()) == 1


async def test_a_press_that_came_while_the_button_left_the_card_is_answered(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.desk.tickets["sent1"] = replace(stage.desk.tickets["sent1"], retired_at=TICKET.created_at)
    await stage.desk.redraw("sent1")
    assert buttons_of(stage.card()) == []
    late = stage.press("ticket:sent1:then:close", stage.card())
    await stage.env.settle()
    assert "not on the card any more" in told(late)
    assert stage.desk.pressed == []


async def test_on_a_private_desk_the_new_card_is_the_pressers_alone(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.desk.requested = REQUESTS[CardAction.CLOSE]
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.trader.click(stage.card(), label="Close")
    assert result.response is not None
    assert result.ephemeral
    assert buttons_of(result.response) == ["Confirm", "Cancel"]
    assert len(stage.posts()) == 1
    await stage.trader.click(result.response, label="Confirm")
    assert stage.desk.orders == ["t2"]
    assert buttons_of(result.response) == []


async def test_the_private_card_of_a_sent_order_has_no_buttons_and_its_result_has(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.reverse()
    assert result.response is not None
    await stage.trader.click(result.response, label="Confirm")
    assert buttons_of(result.response) == []
    assert buttons_of(stage.card()) == ["Cancel order"]


async def test_buttons_work_after_a_restart(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.desk.requested = REQUESTS[CardAction.CLOSE]
    await stage.env.restart_bot(new_client(stage.desk))
    await stage.trader.click(stage.card(), label="Close")
    assert stage.desk.requests == [REQUESTS[CardAction.CLOSE]]


async def test_two_quick_clicks_make_two_tickets_and_send_nothing(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.desk.requested = REQUESTS[CardAction.CLOSE]
    card = stage.card()
    for _ in range(2):
        stage.press("ticket:sent1:then:close", card)
    await stage.env.settle()
    assert len(stage.desk.requests) == 2
    assert stage.desk.orders == []


async def test_a_press_that_discord_does_not_let_us_acknowledge_asks_for_nothing(stage: Stage) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.env.inject_error("POST", "/interactions/*/callback", status=404, code=UNKNOWN_INTERACTION, times=None)
    stage.press("ticket:sent1:then:close", stage.card())
    await stage.env.settle()
    assert stage.desk.pressed == []


@pytest.mark.parametrize(
    ("error", "words"), [(JournalError("The journal can't be read."), "The journal can't be read."), (RuntimeError("x"), "wrong")]
)
async def test_a_press_that_fails_is_answered(stage: Stage, error: Exception, words: str) -> None:
    await with_button(stage, CardAction.CLOSE)
    stage.desk.fails = error
    result = await stage.trader.click(stage.card(), label="Close")
    assert words in told(result)
    assert "reference" in told(result)


async def test_the_labels_are_none_of_an_open_tickets(stage: Stage) -> None:
    assert set(LABELS.values()) == {"Cancel order", "Close", "Close half", "Break-even", "Bracket"}
    assert {item.verb for item in ACTION_ITEMS} == set(CardAction)
    await stage.reverse()
    assert not set(buttons_of(stage.card())) & set(LABELS.values())


async def test_a_lost_card_is_found_again_by_these_buttons_too(stage: Stage) -> None:
    sent = await with_button(stage, CardAction.CLOSE)
    lost = replace(sent, message=None, created_at=stage.card().created_at)
    assert await stage.desk.messenger.show(lost, 0.0) == sent.message
    assert "filled 2" in text_of(stage.card())
    assert len(stage.posts()) == 1


def test_the_base_has_no_button_of_its_own() -> None:
    assert not ActionButton.__discord_ui_compiled_template__.fullmatch("ticket:t1:then:close")
