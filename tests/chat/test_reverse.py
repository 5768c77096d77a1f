"""``/reverse`` from the command to the card, and its buttons, through real discord.py."""

import logging
from dataclasses import replace

import discord
import pytest

from bot.desk.requests import Refused, ReverseRequest
from bot.errors import JournalError
from bot.trading.orders.terms import OrderType, Side, TimeInForce
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import EVERYTHING, Denial, DenialCode

from .conftest import TYPED, Stage, buttons_of, text_of, told
from .samples import APPROVER_ROLE, POLICY, TRADER_ROLE

UNKNOWN_INTERACTION = 10062


async def test_reverse_posts_a_card_that_says_what_would_happen(stage: Stage) -> None:
    result = await stage.reverse()
    text = text_of(stage.card())
    for expected in ("Sim101", "SIM", "ES 09-26", "BUY 1 MARKET", "LONG 2", "LONG 1", "trader", "close LONG 2"):
        assert expected in text
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]
    assert stage.card().jump_url in told(result)
    assert result.ephemeral
    assert stage.desk.tickets["t1"].message == stage.card().id


async def test_confirm_shows_the_order_id_and_takes_its_buttons_away(stage: Stage) -> None:
    await stage.reverse()
    result = await stage.trader.click(stage.card(), label="Confirm")
    assert result.acknowledged
    assert "order-1" in text_of(stage.card())
    assert buttons_of(stage.card()) == ["Cancel order"]
    assert stage.desk.orders == ["t1"]
    assert len(stage.posts()) == 1


async def test_cancel_ends_the_card_and_sends_nothing(stage: Stage) -> None:
    await stage.reverse()
    await stage.trader.click(stage.card(), label="Cancel")
    assert "cancelled" in text_of(stage.card())
    assert stage.desk.orders == []


async def test_every_option_reaches_the_desk_as_it_was_typed(stage: Stage) -> None:
    options = {"side": "sell", "qty": 3, "type": "stoplimit", "limit": "5795", "stop": " 5796.00", "tif": "gtc"}
    await stage.reverse(**options, oco="a*b", strategy="two legs")
    assert stage.desk.requests == [
        ReverseRequest(
            account="Sim101",
            instrument="ES 09-26",
            side=Side.SELL,
            quantity=3,
            type=OrderType.STOPLIMIT,
            tif=TimeInForce.GTC,
            limit="5795",
            stop=" 5796.00",
            oco="a*b",
            strategy="two legs",
        )
    ]


async def test_the_desk_is_told_who_asks_with_which_roles(stage: Stage) -> None:
    await stage.reverse()
    requester = stage.desk.tickets["t1"].requester
    assert (requester.id, requester.name, requester.roles) == (stage.trader.id, "trader", frozenset({TRADER_ROLE}))


@pytest.mark.parametrize("quantity", [0, -1, 10**9, 2**53])
async def test_a_quantity_that_no_app_would_send_is_left_to_the_desk_to_answer(stage: Stage, quantity: int) -> None:
    stage.desk.refuses = Refused((Denial(DenialCode.BAD_REQUEST, "The quantity must be a whole number."),))
    result = await stage.command("reverse", TYPED | {"qty": quantity})
    [asked] = stage.desk.requests
    assert isinstance(asked, ReverseRequest)
    assert asked.quantity == quantity
    assert "BAD_REQUEST" in told(result)
    assert "The quantity must be a whole number." in told(result)


async def test_an_option_of_4000_characters_is_answered(stage: Stage) -> None:
    stage.desk.refuses = Refused((Denial(DenialCode.UNKNOWN_ACCOUNT, "There is no account " + "x" * 4000),))
    result = await stage.reverse(account="x" * 4000)
    assert stage.desk.requests[0].account == "x" * 4000
    assert "UNKNOWN_ACCOUNT" in told(result)
    assert stage.posts() == []


async def test_a_refusal_tells_every_reason_with_its_code_to_the_asker_alone(stage: Stage) -> None:
    no_position = Denial(DenialCode.NO_POSITION, "`Sim101` has no position in ES 09-26, so there is nothing to reverse.")
    stage.desk.refuses = Refused((no_position, Denial(DenialCode.QUOTE_STALE, "The last price is too old.")))
    result = await stage.reverse()
    for expected in ("denied", "NO_POSITION", no_position.sentence, "QUOTE_STALE"):
        assert expected in told(result)
    assert result.ephemeral
    assert stage.posts() == []


async def test_choices_are_filtered_by_what_was_typed_and_no_more_than_25(stage: Stage) -> None:
    everything = await stage.trader.autocomplete(stage.channel, "reverse", "account", "")
    some = await stage.trader.autocomplete(stage.channel, "reverse", "account", "sIM11")
    assert len(everything) == 25
    assert [choice["value"] for choice in some] == [f"Sim11{last}" for last in range(10)]


async def test_instruments_are_offered_for_the_account_that_was_typed(stage: Stage) -> None:
    there = await stage.trader.autocomplete(stage.channel, "reverse", "instrument", '"es', account="Sim101")
    nowhere = await stage.trader.autocomplete(stage.channel, "reverse", "instrument", "")
    assert [choice["value"] for choice in there] == ["ES 09-26", "MES 09-26"]
    assert [choice["value"] for choice in nowhere] == ["NQ 09-26"]


async def test_nothing_is_asked_of_the_desk_when_discord_no_longer_knows_the_command(stage: Stage) -> None:
    stage.env.inject_error("POST", "/interactions/*/callback", status=404, code=UNKNOWN_INTERACTION, times=None)
    await stage.command("reverse", dict(TYPED))
    assert stage.desk.behind == []
    assert len(stage.env.errors) == 1


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (403, 50001), (404, 10003)])
async def test_a_channel_that_does_not_take_the_card_ends_the_ticket_and_is_told(stage: Stage, status: int, code: int) -> None:
    stage.env.inject_error("POST", "/channels/*/messages", status=status, code=code, times=None)
    result = await stage.reverse()
    assert list(stage.desk.not_posted_why) == ["t1"]
    assert "could not be posted" in told(result)
    assert "void" in told(result)
    assert "posted" not in stage.desk.behind


async def test_a_card_that_discord_did_not_take_at_first_is_posted_once(stage: Stage) -> None:
    stage.env.inject_error("POST", "/channels/*/messages", status=503)
    await stage.reverse()
    assert len(stage.posts()) == 1
    sent = [one for one in stage.env.http_requests if one.method == "POST" and one.path.endswith("/messages")]
    assert len(sent) == 2
    assert len({str(one.json["nonce"]) for one in sent if one.json is not None}) == 1


async def test_a_card_that_discord_asks_to_wait_with_ends_the_ticket_instead_of_coming_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def send(*_anything: object, **_options: object) -> None:
        tries.append(1)
        raise discord.RateLimited(40.0)

    monkeypatch.setattr(discord.PartialMessageable, "send", send)
    result = await stage.reverse()
    assert len(tries) == 1
    assert "could not be posted" in told(result)
    assert stage.desk.tickets["t1"].state is TicketState.VOID


async def test_a_card_that_discord_never_takes_ends_the_ticket(stage: Stage) -> None:
    stage.env.inject_error("POST", "/channels/*/messages", status=503, times=None)
    result = await stage.reverse()
    assert stage.desk.tickets["t1"].state is TicketState.VOID
    assert "could not be posted" in told(result)


async def test_the_card_stands_although_its_asker_could_not_be_pointed_to_it(stage: Stage) -> None:
    stage.env.inject_error("PATCH", "/webhooks/*", status=404, code=10015, times=None)
    await stage.reverse()
    assert stage.desk.behind == ["offer", "posted"]
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]


async def test_an_error_of_the_desk_is_told_in_its_own_sentence(stage: Stage) -> None:
    stage.desk.fails = JournalError("The journal can't be written.")
    result = await stage.reverse()
    assert "The journal can't be written." in told(result)
    assert "reference" in told(result)
    assert stage.env.errors


async def test_an_error_that_nobody_expected_is_answered_with_a_reference_that_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.desk.fails = RuntimeError("secret detail")
    result = await stage.reverse()
    reference = told(result).split("`")[1]
    assert reference in caplog.text
    assert "secret detail" not in told(result)
    assert stage.env.errors


async def test_a_command_that_changed_meanwhile_says_so(stage: Stage) -> None:
    stage.desk.policy = replace(POLICY, grants=(replace(POLICY.grants[0], commands=frozenset({EVERYTHING})),))
    unknown = await stage.command("older", {})
    mismatch = await stage.command("reverse", {"account": "Sim101"})
    for result in (unknown, mismatch):
        assert "has changed" in told(result)
    assert stage.desk.behind == []


async def test_somebody_elses_confirm_is_answered_to_them_alone(stage: Stage) -> None:
    await stage.reverse()
    result = await stage.people["second"].click(stage.card(), label="Confirm")
    assert "Only trader" in told(result)
    assert all(message.ephemeral for message in result.followups)
    assert stage.desk.orders == []


async def test_a_card_that_needs_approval_says_of_whom_and_offers_it(stage: Stage) -> None:
    stage.desk.approver_roles = frozenset({APPROVER_ROLE})
    await stage.reverse()
    assert buttons_of(stage.card()) == ["Confirm", "Approve", "Cancel"]
    assert f"<@&{APPROVER_ROLE}>" in text_of(stage.card())
    await stage.people["approver"].click(stage.card(), label="Approve")
    assert stage.desk.presses[-1][0] == "approve"
    assert stage.desk.presses[-1][1].member.roles == {APPROVER_ROLE}


async def test_a_press_that_discord_does_not_let_us_acknowledge_sends_nothing(stage: Stage) -> None:
    await stage.reverse()
    stage.env.inject_error("POST", "/interactions/*/callback", status=404, code=UNKNOWN_INTERACTION, times=None)
    stage.press("ticket:t1:1:confirm", stage.card())
    await stage.env.settle()
    assert stage.desk.presses
    assert stage.desk.orders == []


async def test_nothing_in_the_bots_messages_mentions_anybody(stage: Stage) -> None:
    await stage.reverse(account="@everyone <@1>", oco="@here")
    await stage.trader.click(stage.card(), label="Confirm")
    posts = [one for one in stage.env.http_requests if one.json and "components" in one.json]
    assert posts
    assert all(one.json and one.json["allowed_mentions"] == {"parse": []} for one in posts)
    assert not stage.card().mention_everyone


async def test_logs_of_a_good_run_are_quiet(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.reverse()
    await stage.trader.click(stage.card(), label="Confirm")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
