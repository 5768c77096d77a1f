"""The same over HTTP, for tests in another process."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord import LocalDiscord


@pytest.fixture
async def http(local: LocalDiscord) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(local.base) as session:
        yield session


async def do(http: aiohttp.ClientSession, verb: str, **parameters: Any) -> Any:
    async with http.post(f"/control/{verb}", json=parameters) as reply:
        return await reply.json() | {"status": reply.status} if reply.status != 200 else await reply.json()


async def read(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(f"/control/{path}") as reply:
        return await reply.json()


async def test_a_whole_story_is_told_over_http(local: LocalDiscord, bot: Process, http: aiohttp.ClientSession) -> None:
    typing = {"member": "trader", "channel": "desk", "command": "card", "option": "fruit", "value": "ban"}
    assert await do(http, "autocomplete", **typing) == [["Banana", "banana"]]
    asked = await do(http, "type", member="trader", channel="desk", text="/card fruit:apple number:4")
    assert asked["answer"] == "deferred"
    await local.until(lambda: any(each.buttons for each in local.messages("desk")))
    pressed = await do(http, "press", member="second", channel="desk", label="Confirm")
    assert pressed["acknowledged"] > pressed["handed"]
    await local.until(lambda: any("filled" in each.text for each in local.messages("desk")))
    card = (await read(http, "channels/desk/messages?viewer=viewer"))[-1]
    assert card["text"] == "Card 4\nState: filled"
    assert card["earlier"] == ["Card 4\nState: open", "Card 4\nState: confirmed by second"]
    assert (await read(http, f"interactions/{asked['id']}"))["messages"][0]["text"] == "Posted for apple"
    calls = await read(http, "calls?method=PATCH&path=/channels/*")
    assert [call["status"] for call in calls] == [200, 200]
    assert await read(http, "state") == {"connected": 1, "identified": 1, "resumed": 0}


async def test_faults_are_switched_over_http(local: LocalDiscord, http: aiohttp.ClientSession) -> None:
    assert await do(http, "fail", method="GET", path="/users/*", status=502, times=1) is None
    headers = {"Authorization": "Bot the-right-token"}
    statuses = []
    for _ in range(2):
        async with http.get("/api/v10/users/@me", headers=headers) as reply:
            statuses.append(reply.status)
    assert statuses == [502, 200]
    await do(http, "take_from_bot", channel="desk", permissions=["send_messages"])
    await do(http, "set_roles", member="viewer", roles=["trader"])
    await do(http, "close_gateway", code=4000)
    await do(http, "heal")


@pytest.mark.parametrize(
    ("verb", "parameters", "status"),
    [
        ("slash", {"member": "stranger", "channel": "desk", "command": "card"}, 409),
        ("slash", {"member": "trader", "channel": "desk", "command": "unheard-of"}, 409),
        ("slash", {"who": "trader"}, 400),
        ("fail", {"lose": "everything"}, 400),
        ("delete_channel", {"channel": "nowhere"}, 409),
        ("set_roles", {"member": "viewer", "roles": ["emperor"]}, 404),
    ],
)
async def test_wrong_use_is_answered_in_words(
    http: aiohttp.ClientSession, verb: str, parameters: dict[str, Any], status: int
) -> None:
    refused = await do(http, verb, **parameters)
    assert refused["status"] == status
    assert refused["error"]


async def test_an_unknown_message_is_not_found(http: aiohttp.ClientSession) -> None:
    assert "no message 5" in (await read(http, "messages/5"))["error"]


async def test_any_event_is_sent_as_it_is_given_over_http(local: LocalDiscord, bot: Process, http: aiohttp.ClientSession) -> None:
    data = {"name": "card", "type": 1, "guild_id": str(local.world.guild)}
    payload = await do(http, "envelope", member="trader", channel="desk", kind=2, data=data)
    assert (await read(http, f"interactions/{payload['id']}"))["handed"] is None
    await do(http, "event", name="INTERACTION_CREATE", payload=payload)
    await local.until(lambda: local.interaction(int(payload["id"])).handed)
