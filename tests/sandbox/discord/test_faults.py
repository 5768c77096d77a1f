"""What goes wrong on purpose goes wrong for an unmodified bot as it would with the real service."""

import json
import time
from asyncio.subprocess import Process
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord import Fault, LocalDiscord, NotPossibleError
from bot.sandbox.discord.faults import Loss
from bot.sandbox.discord.world import DESK

HEADERS = {"Authorization": "Bot the-right-token"}
POST = "/channels/*/messages"


async def post(local: LocalDiscord, **message: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{local.api_url}/channels/{DESK}/messages", json=message, headers=HEADERS) as reply,
    ):
        return reply.status, await reply.json()


async def test_an_error_that_passes_is_tried_again_by_the_bot(local: LocalDiscord, bot: Process) -> None:
    local.fail(Fault("POST", POST, status=500))
    await local.slash("trader", "desk", "card", {"fruit": "apple"})
    await local.until(lambda: any(each.buttons for each in local.messages("desk")))
    assert [call.status for call in local.calls("POST", POST)] == [500, 200]


async def test_a_rate_limit_is_waited_for_and_not_taken_for_a_ban(local: LocalDiscord, bot: Process) -> None:
    local.fail(Fault("POST", POST, status=429, retry_after=0.05, times=2))
    await local.slash("trader", "desk", "card", {"fruit": "apple"})
    await local.until(lambda: any(each.buttons for each in local.messages("desk")))
    assert [call.status for call in local.calls("POST", POST)] == [429, 429, 200]


async def test_a_delay_holds_up_the_calls_that_match(local: LocalDiscord) -> None:
    local.fail(Fault("POST", POST, delay=0.05))
    await post(local, content="slow")
    await post(local, content="quick")
    slow, quick = local.calls("POST", POST)
    assert slow.took > 50_000_000 > quick.took


async def test_a_lost_reply_leaves_the_message_and_its_nonce_finds_it(local: LocalDiscord) -> None:
    local.fail(Fault("POST", POST, lose=Loss.REPLY))
    message = {"content": "once", "nonce": "7", "enforce_nonce": True}
    with pytest.raises(aiohttp.ClientError):
        await post(local, **message)
    status, again = await post(local, **message)
    assert status == 200
    assert again["nonce"] == "7"
    assert [each.id for each in local.messages("desk")] == [int(again["id"])]
    assert [call.status for call in local.calls("POST", POST)] == [0, 200]


async def test_a_lost_request_leaves_nothing(local: LocalDiscord) -> None:
    local.fail(Fault("POST", POST, lose=Loss.REQUEST))
    with pytest.raises(aiohttp.ClientError):
        await post(local, content="never")
    assert local.messages("desk") == []


async def test_refusing_ends_with_healing(local: LocalDiscord) -> None:
    local.refuse()
    with pytest.raises(aiohttp.ClientError):
        await post(local, content="never")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.ws_connect(local.gateway_url)
    local.heal()
    assert (await post(local, content="at last"))[0] == 200


async def test_a_closed_gateway_is_resumed_and_nothing_is_missed(local: LocalDiscord, bot: Process) -> None:
    local.gateway.close(4000)
    # This goes into a connection that is about to end, and reaches the bot by the next one.
    asked = await local.slash("trader", "desk", "secret")
    assert asked.text == "one"
    assert (local.gateway.identified, local.gateway.resumed) == (1, 1)


async def test_a_dropped_gateway_is_resumed_and_nothing_is_missed(local: LocalDiscord, bot: Process) -> None:
    local.gateway.drop()
    asked = await local.slash("trader", "desk", "secret")
    assert asked.text == "one"
    assert (local.gateway.identified, local.gateway.resumed) == (1, 1)


async def test_garbage_is_the_answer_to_something_that_was_done(local: LocalDiscord) -> None:
    local.fail(Fault("POST", POST, garbage=True))
    with pytest.raises(json.JSONDecodeError):
        await post(local, content="done")
    assert [each.text for each in local.messages("desk")] == ["done"]
    assert (await post(local, content="again"))[0] == 200


async def test_a_dripping_answer_is_whole_in_the_end(local: LocalDiscord) -> None:
    local.fail(Fault("POST", POST, drip=0.1))
    began = time.monotonic()
    status, message = await post(local, content="slow")
    assert (status, message["content"]) == (200, "slow")
    assert time.monotonic() - began >= 0.1


async def test_a_bot_that_was_killed_answers_old_cards_when_it_is_back(local: LocalDiscord, bot: Process, start_bot: Any) -> None:
    await local.slash("trader", "desk", "card", {"fruit": "apple", "number": 5})
    card = await local.until(lambda: next((each for each in local.messages("desk") if each.buttons), None))
    bot.kill()
    await bot.wait()
    async with start_bot():
        await local.until(lambda: local.gateway.identified == 2)
        assert (await local.click("trader", card.id, "Confirm")).answer == "deferred_update"


async def test_nobody_answers_while_no_bot_is_there(local: LocalDiscord, bot: Process) -> None:
    bot.kill()
    await local.until(lambda: local.gateway.connected == 0)
    local._watch.patience = 0.1
    asked = await local.slash("trader", "desk", "secret")
    assert (asked.handed, asked.answer) == (None, None)


async def test_a_deleted_channel_takes_no_messages(local: LocalDiscord) -> None:
    local.delete_channel("desk")
    assert await post(local, content="hello") == (404, {"code": 10003, "message": "Unknown Channel"})
    with pytest.raises(NotPossibleError):
        await local.slash("trader", "desk", "card", {"fruit": "apple"})


async def test_the_bot_may_lose_the_right_to_post_and_get_it_back(local: LocalDiscord) -> None:
    local.take_from_bot("desk", "send_messages")
    assert (await post(local, content="hello"))[0] == 403
    local.take_from_bot("desk")
    assert (await post(local, content="hello"))[0] == 200


async def test_what_the_rules_do_not_know_is_said_loudly(local: LocalDiscord) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{local.api_url}/no/such/route", headers=HEADERS) as reply,
    ):
        assert reply.status == 501
