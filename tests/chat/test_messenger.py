"""Cards and notices reaching Discord, or saying why not, in our own errors."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.chat.messenger import DiscordMessenger
from bot.chat.notices import drawn
from bot.chat.private import PrivateCards
from bot.chat.translate import translated
from bot.desk.ports import Notice
from bot.errors import DeliveryDelayed, DeliveryRefused
from bot.trading.orders.tickets import Origin, Ticket, TicketState, Visibility
from tests.clocks import HandClock

from .conftest import Stage, buttons_of, new_client, text_of, told
from .desk import FakeDesk
from .samples import TICKET, TRADER_ROLE, ticket

S = TicketState


def _here(stage: Stage, **changes: object) -> Ticket:
    """A ticket asked for in the stage's channel by its trader."""
    place = Origin(stage.guild.id, stage.channel.id)
    return ticket(origin=place, requester=replace(TICKET.requester, id=stage.trader.id), **changes)


async def test_a_ticket_without_a_message_is_posted_where_it_was_asked(stage: Stage) -> None:
    posted = await stage.desk.messenger.show(_here(stage), 0.0)
    assert posted == stage.card().id
    assert "Sim101" in text_of(stage.card())


async def test_a_ticket_with_a_message_is_edited_in_place(stage: Stage) -> None:
    posted = await stage.desk.messenger.show(_here(stage), 0.0)
    again = await stage.desk.messenger.show(_here(stage, message=posted, state=S.ACCEPTED, order_ids=("o1",)), 400.0)
    assert again is None
    assert len(stage.posts()) == 1
    assert "o1" in text_of(stage.card())
    assert "7 min late" in text_of(stage.card())


async def test_a_card_that_somebody_deleted_is_posted_anew(stage: Stage) -> None:
    first = await stage.desk.messenger.show(_here(stage), 0.0)
    await stage.card().delete()
    second = await stage.desk.messenger.show(_here(stage, message=first, state=S.EXPIRED), 0.0)
    assert second == stage.card().id
    assert second != first
    assert "expired" in text_of(stage.card())


async def test_a_channel_that_is_gone_is_said_to_refuse(stage: Stage) -> None:
    stage.env.inject_error("*", "/channels/*/messages*", status=404, code=10003, times=None)
    for message in (None, 5):
        with pytest.raises(DeliveryRefused):
            await stage.desk.messenger.show(_here(stage, message=message), 0.0)


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001)])
async def test_only_a_deleted_message_is_posted_anew(stage: Stage, status: int, code: int) -> None:
    posted = await stage.desk.messenger.show(_here(stage), 0.0)
    stage.env.inject_error("PATCH", "/channels/*", status=status, code=code, times=None)
    with pytest.raises(DeliveryRefused):
        await stage.desk.messenger.show(_here(stage, message=posted), 0.0)
    assert len(stage.posts()) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_what_will_never_work_is_refused(stage: Stage, status: int) -> None:
    stage.env.inject_error("*", "/channels/*/messages*", status=status, code=50001, times=None)
    with pytest.raises(DeliveryRefused):
        await stage.desk.messenger.tell(Notice(stage.channel.id, "news"), 1, 0.0)


@pytest.mark.parametrize("status", [401, 503])
async def test_what_may_work_later_is_delayed(stage: Stage, status: int) -> None:
    stage.env.inject_error("*", "/channels/*/messages*", status=status, times=None)
    with pytest.raises(DeliveryDelayed):
        await stage.desk.messenger.show(_here(stage), 0.0)
    with pytest.raises(DeliveryDelayed):
        await stage.desk.messenger.tell(Notice(stage.channel.id, "news"), 1, 0.0)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectionError("reset"),
        aiohttp.ServerDisconnectedError(),
        ConnectionResetError(),
        TimeoutError(),
        OSError(),
    ],
)
def test_a_lost_network_is_a_delay(error: Exception) -> None:
    with pytest.raises(DeliveryDelayed, match="could not be reached"), translated("a notice"):
        raise error


def test_an_answer_that_nobody_can_read_is_a_delay() -> None:
    with pytest.raises(DeliveryDelayed, match="can't be read"), translated("a card"):
        json.loads('{"id": "11')


async def test_a_client_that_is_closed_meanwhile_is_a_delay() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    with pytest.raises(DeliveryDelayed, match="closed"), translated("a card"):
        await session.get("http://127.0.0.1:1/")


def test_any_other_fault_of_the_program_is_not_taken_for_discords() -> None:
    with pytest.raises(RuntimeError, match="ours"), translated("a card"):
        raise RuntimeError("ours")


def test_a_wait_that_discord_asks_for_is_passed_on() -> None:
    with pytest.raises(DeliveryDelayed) as caught, translated("a notice"):
        raise discord.RateLimited(12.5)
    assert caught.value.retry_after == 12.5


@pytest.mark.parametrize(("header", "expected"), [("7.5", 7.5), ("soon", None), (None, None)])
def test_the_header_of_a_429_says_how_long_to_wait(header: str | None, expected: float | None) -> None:
    with pytest.raises(DeliveryDelayed) as caught, translated("a notice"):
        raise discord.HTTPException(_Answer(429, header), "slow down")
    assert caught.value.retry_after == expected


async def test_without_a_client_everything_waits() -> None:
    messenger = DiscordMessenger(HandClock())
    for work in (
        messenger.show(TICKET, 0.0),
        messenger.show(ticket(message=5), 0.0),
        messenger.tell(Notice(1, "news"), 1, 0.0),
        messenger.fall_back(TICKET, 0.0),
    ):
        with pytest.raises(DeliveryDelayed):
            await work


async def test_who_may_not_tell_just_now_puts_it_off_and_shows_no_card(stage: Stage, desk: FakeDesk) -> None:
    why: list[str] = []
    messenger = DiscordMessenger(HandClock(), lambda: why[0] if why else None)
    messenger.attach(stage.client)
    assert messenger.attached
    why.append("Another bot leads this desk now.")
    assert not messenger.attached
    for work in (messenger.show(_here(stage), 0.0), messenger.tell(Notice(1, "news"), 1, 0.0)):
        with pytest.raises(DeliveryDelayed, match="Another bot leads"):
            await work
    why.clear()
    assert await messenger.show(_here(stage), 0.0) is not None


async def test_a_client_that_closes_takes_itself_away_and_no_other(stage: Stage, desk: FakeDesk) -> None:
    other = new_client(desk)
    other.messenger.detach(other)
    await stage.desk.messenger.show(_here(stage), 0.0)
    stage.desk.messenger.detach(stage.client)
    with pytest.raises(DeliveryDelayed):
        await stage.desk.messenger.show(_here(stage), 0.0)


async def test_a_notice_says_what_and_how_late_and_wakes_nobody_when_silent(stage: Stage) -> None:
    await stage.desk.messenger.tell(Notice(stage.channel.id, "Filled 1", silent=True), 7, 300.0)
    assert text_of(stage.card()) == "**Filled 1**\n-# 5 min late"
    assert stage.card().flags.suppress_notifications
    await stage.desk.messenger.tell(Notice(stage.channel.id, "loud"), 8, 0.0)
    assert text_of(stage.card()) == "**loud**"
    assert not stage.card().flags.suppress_notifications


async def test_i19_a_notice_that_is_too_long_is_cut_and_told(stage: Stage) -> None:
    await stage.desk.messenger.tell(Notice(stage.channel.id, f"headline · more\n“{'x' * 9000}”"), 7, 300.0)
    assert text_of(stage.card()).startswith("**headline** · more\n`xxx")
    assert len(text_of(stage.card())) <= 2000
    assert text_of(stage.card()).count("`") % 2 == 0


async def test_the_same_delivery_has_the_same_nonce_and_another_one_has_not(stage: Stage) -> None:
    notice = Notice(stage.channel.id, "news")
    for number, late in ((1, 0.0), (1, 60.0), (2, 0.0)):
        await stage.desk.messenger.tell(notice, number, late)
    await stage.desk.messenger.tell(replace(notice, text="other"), 1, 0.0)
    nonces = _nonces(stage)
    assert nonces[0] == nonces[1]
    assert len(set(nonces)) == 3
    assert all(len(nonce) <= 25 for nonce in nonces)


async def test_a_card_has_one_nonce_whoever_posts_it_until_it_was_deleted(stage: Stage) -> None:
    one = _here(stage)
    for _ in range(2):
        await stage.desk.messenger.post(one)
    await stage.desk.messenger.post(one, instead_of=9)
    first, second, third = _nonces(stage)
    assert first == second != third


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(hours=-3), timedelta(hours=3)])
async def test_a_card_that_was_posted_and_not_noted_is_found_by_a_clock_that_is_wrong(stage: Stage, wrong: timedelta) -> None:
    one = _here(stage, created_at=datetime.now(UTC) + wrong)
    posted = await stage.desk.messenger.post(one)
    assert await stage.desk.messenger.show(replace(one, state=S.EXPIRED), 0.0) == posted.id
    assert [text_of(card).splitlines()[0] for card in stage.posts()] == ["### expired"]


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(hours=-6), timedelta(hours=6)])
async def test_a_notice_that_stands_there_already_is_not_told_again_after_a_crash(stage: Stage, wrong: timedelta) -> None:
    """The process may have ended between posting it and noting that; Discord forgets the nonce within minutes."""
    notice = Notice(stage.channel.id, "**Filled 1** at 5800")
    await stage.desk.messenger.tell(notice, 1, 0.0)
    since, clock = stage.card().created_at + wrong, stage.desk.messenger.clock
    stage.desk.messenger.dates.told({"Date": format_datetime(clock() - wrong)}, clock())
    await stage.desk.messenger.tell(notice, 1, 900.0, since)
    await stage.desk.messenger.tell(replace(notice, text="**Filled 2**"), 2, 900.0, since)
    assert [text_of(message) for message in stage.posts()] == ["**Filled 1** at 5800", "**Filled 2**\n-# 15 min late"]


async def test_somebody_elses_message_and_one_of_another_day_are_no_notice(stage: Stage) -> None:
    notice = Notice(stage.channel.id, "Link down · Journal")
    await stage.desk.messenger.tell(notice, 1, 0.0)
    await stage.desk.messenger.tell(notice, 2, 0.0, stage.card().created_at + timedelta(minutes=5))
    assert len(stage.posts()) == 2
    said = replace(notice, text="I say so")
    await stage.trader.send(stage.channel, drawn(said.text))
    await stage.desk.messenger.tell(said, 3, 0.0, stage.card().created_at)
    assert [text_of(message) for message in stage.posts()][2:] == ["**I say so**", "**I say so**"]


async def test_who_may_not_read_the_history_is_told_rather_twice_than_never(stage: Stage) -> None:
    stage.env.inject_error("GET", "/channels/*/messages*", status=403, code=50001, times=None)
    await stage.desk.messenger.tell(Notice(stage.channel.id, "news"), 1, 0.0, TICKET.created_at)
    assert text_of(stage.card()) == "**news**"


async def test_a_ticket_whose_channel_is_gone_reaches_its_requester_directly(stage: Stage) -> None:
    await stage.desk.messenger.fall_back(_here(stage, state=S.ACCEPTED, order_ids=("o1",)), 0.0)
    letter = stage.trader.user.dm_channel.last_message
    assert letter is not None
    assert "o1" in text_of(letter)


async def test_a_letter_has_no_buttons(stage: Stage) -> None:
    await stage.desk.messenger.fall_back(_here(stage), 0.0)
    letter = stage.trader.user.dm_channel.last_message
    assert letter is not None
    assert buttons_of(letter) == []


async def test_a_requester_who_takes_no_letters_is_said_to_refuse(stage: Stage) -> None:
    stage.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)
    with pytest.raises(DeliveryRefused):
        await stage.desk.messenger.fall_back(_here(stage), 0.0)


async def test_a_private_card_is_seen_by_its_requester_alone_until_it_is_sent(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.reverse()
    assert result.ephemeral
    assert result.response is not None
    assert buttons_of(result.response) == ["Confirm", "Cancel"]
    assert stage.posts() == []
    assert stage.desk.private == ["t1"]
    await stage.trader.click(result.response, label="Confirm")
    assert "order-1" in text_of(stage.card())
    assert stage.desk.tickets["t1"].message == stage.card().id
    assert stage.card().jump_url in told(result)
    assert buttons_of(result.response) == []


async def test_a_private_card_that_was_cancelled_stays_private(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.reverse()
    assert result.response is not None
    await stage.trader.click(result.response, label="Cancel")
    assert "cancelled" in told(result)
    assert stage.posts() == []


async def test_a_private_card_out_of_reach_is_refused_so_that_its_requester_gets_a_letter(stage: Stage) -> None:
    with pytest.raises(DeliveryRefused):
        await stage.desk.messenger.show(_here(stage, visibility=Visibility.PRIVATE, state=S.EXPIRED), 0.0)
    assert stage.posts() == []


async def test_the_result_of_a_private_ticket_is_posted_although_its_card_is_out_of_reach(stage: Stage) -> None:
    lost = _here(stage, visibility=Visibility.PRIVATE, state=S.ACCEPTED, order_ids=("o1",))
    assert await stage.desk.messenger.show(lost, 0.0) == stage.card().id


async def test_a_private_card_that_can_not_be_redrawn_loses_nothing(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.reverse()
    assert result.response is not None
    stage.env.inject_error("PATCH", "/webhooks/*", status=404, code=50027, times=None)
    await stage.trader.click(result.response, label="Confirm")
    assert "order-1" in text_of(stage.card())


async def test_a_private_card_that_is_not_shown_ends_the_ticket(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    stage.env.inject_error("PATCH", "/webhooks/*", status=404, code=10015, times=1)
    result = await stage.reverse()
    assert list(stage.desk.not_posted_why) == ["t1"]
    assert stage.desk.private == []
    assert "could not be shown" in told(result)


async def test_a_private_card_lives_on_with_each_press_and_ends_after_15_minutes(stage: Stage) -> None:
    stage.desk.visibility = Visibility.PRIVATE
    result = await stage.reverse()
    assert result.response is not None
    clock = stage.desk.messenger.clock
    assert isinstance(clock, HandClock)
    clock.now += timedelta(minutes=14)
    await stage.people["trader"].click(result.response, label="Cancel")
    clock.now += timedelta(minutes=14)
    clock.set_by = timedelta(hours=1)
    assert stage.desk.messenger.private.find("t1") is not None
    clock.now += timedelta(minutes=1)
    assert stage.desk.messenger.private.find("t1") is None


def test_only_so_many_private_cards_are_kept() -> None:
    kept = PrivateCards(HandClock().seconds, lives=60.0, most=2)
    interaction = SimpleNamespace(application_id=1, token="token")
    for name in ("a", "b", "c"):
        kept.keep(name, interaction)
    kept.renew("a", interaction)
    assert [kept.find(name) is not None for name in ("a", "b", "c")] == [False, True, True]


def _nonces(stage: Stage) -> list[str]:
    return [str(one.json["nonce"]) for one in stage.env.http_requests if one.json and "nonce" in one.json]


class _Answer:
    """An HTTP response as far as discord.py's exception looks at it."""

    reason = "Too Many Requests"

    def __init__(self, status: int, retry_after: str | None) -> None:
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": retry_after}


async def test_a_card_that_can_not_be_edited_any_more_is_posted_anew(stage: Stage) -> None:
    """As in a thread that was archived since (50083): the stale card with its live buttons must not be all that people see."""
    await stage.reverse()
    before = stage.card()
    stage.env.inject_error("PATCH", f"/channels/*/messages/{before.id}", status=400, code=50083, times=None)
    await stage.people["trader"].click(before, label="Cancel")
    assert stage.card().id != before.id
    assert "cancelled" in text_of(stage.card())
    assert stage.desk.tickets["t1"].message == stage.card().id


async def test_a_card_in_a_channel_that_is_shut_is_left_to_the_next_best_place(stage: Stage) -> None:
    await stage.reverse()
    stage.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50001, times=None)
    with pytest.raises(DeliveryRefused):
        await stage.desk.messenger.show(stage.desk.tickets["t1"], 0.0)
    assert len(stage.posts()) == 1


async def test_somebody_elses_copy_of_a_card_is_not_taken_for_ours(stage: Stage) -> None:
    await stage.trader.send(stage.channel, "-# ticket t1")
    await stage.env.settle()
    await stage.desk.messenger.show(replace(TICKET, origin=Origin(stage.guild.id, stage.channel.id)), 0.0)
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]


async def test_a_members_roles_are_those_of_now(stage: Stage) -> None:
    roles = stage.desk.messenger.roles
    assert await roles(stage.guild.id, stage.trader.id) == frozenset({TRADER_ROLE})
    assert await roles(stage.guild.id, 12345) is None
    stage.env.inject_error("GET", "/guilds/*/members/*", status=403, code=50001, times=1)
    with pytest.raises(DeliveryRefused):
        await roles(stage.guild.id, stage.trader.id)
    with pytest.raises(DeliveryDelayed):
        await roles(1, stage.trader.id)
