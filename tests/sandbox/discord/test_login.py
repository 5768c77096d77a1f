"""Logging in: the right token, a wrong one, and the frames that a bot gets before anything happens."""

import json
import zlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import APPLICATION, GUILD, OTHER_GUILD

TOKEN = "the-right-token"


class Line:
    """A gateway connection by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._inflate = zlib.decompressobj()

    async def say(self, op: int, data: Any) -> None:
        """Send a frame."""
        await self._socket.send_json({"op": op, "d": data})

    async def hear(self) -> Any:
        """Return the next frame, or the code that the connection was closed with."""
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data
        if message.type is aiohttp.WSMsgType.BINARY:
            return json.loads(self._inflate.decompress(message.data))
        return json.loads(message.data)

    async def hear_event(self, name: str) -> Any:
        """Skip to an event and return its data."""
        while (heard := await self.hear())["t"] != name:
            pass
        return heard["d"]


@asynccontextmanager
async def line(local: LocalDiscord, **query: str) -> AsyncIterator[Line]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(URL(local.gateway_url).with_query(v="10", encoding="json", **query)) as socket,
    ):
        yield Line(socket)


def identity(token: str = TOKEN, intents: int = 1) -> dict[str, Any]:
    return {"token": token, "intents": intents, "properties": {}}


async def test_a_bot_logs_in_and_registers_its_commands(local: LocalDiscord, bot: Process) -> None:
    assert {command["name"] for command in local.commands()} == {"card", "secret", "report", "slow"}
    assert [call.path for call in local.calls("GET")] == ["/users/@me", "/oauth2/applications/@me"]
    assert local.gateway.connected == 1


async def test_a_wrong_token_is_a_login_failure(local: LocalDiscord, start_bot: Any) -> None:
    async with start_bot(token="wrong") as running:
        assert await running.wait() == 2
    assert [call.status for call in local.calls()] == [401]


async def test_a_wrong_token_closes_the_gateway_for_good(local: LocalDiscord) -> None:
    async with line(local) as gateway:
        await gateway.hear()
        await gateway.say(2, identity("wrong"))
        assert await gateway.hear() == 4004


async def test_the_guilds_come_after_ready_and_only_with_the_own_member(local: LocalDiscord) -> None:
    async with line(local, compress="zlib-stream") as gateway:
        assert (await gateway.hear())["d"]["heartbeat_interval"] > 0
        await gateway.say(1, None)
        assert (await gateway.hear())["op"] == 11
        await gateway.say(2, identity())
        ready = await gateway.hear_event("READY")
        assert ready["user"]["id"] == ready["application"]["id"] == str(APPLICATION)
        assert [guild["id"] for guild in ready["guilds"]] == [str(GUILD), str(OTHER_GUILD)]
        guild = await gateway.hear_event("GUILD_CREATE")
        assert guild["unavailable"] is False
        assert [member["user"]["id"] for member in guild["members"]] == [str(APPLICATION)]
        assert {channel["name"] for channel in guild["channels"]} == {"desk", "fills", "private"}


async def test_members_are_sent_when_asked_for(local: LocalDiscord) -> None:
    async with line(local) as gateway:
        await gateway.say(2, identity())
        await gateway.say(8, {"guild_id": GUILD, "query": "", "limit": 0, "nonce": "n"})
        chunk = await gateway.hear_event("GUILD_MEMBERS_CHUNK")
        assert chunk["nonce"] == "n"
        assert {member["user"]["username"] for member in chunk["members"]} >= {"trader", "viewer", "approver"}


async def test_a_session_is_resumed_with_what_was_missed(local: LocalDiscord) -> None:
    async with line(local) as gateway:
        await gateway.say(2, identity(intents=513))
        session = (await gateway.hear_event("READY"))["session_id"]
        await gateway.hear_event("GUILD_CREATE")
    await local.until(lambda: local.gateway.connected == 0)
    await local.say("trader", "desk", "anybody there?")
    async with line(local) as gateway:
        await gateway.hear()
        await gateway.say(6, {"token": TOKEN, "session_id": session, "seq": 3})
        assert (await gateway.hear())["t"] == "MESSAGE_CREATE"
        assert (await gateway.hear())["d"] == {}
    assert local.gateway.resumed == 1


async def test_a_forgotten_session_cannot_be_resumed(local: LocalDiscord) -> None:
    async with line(local) as gateway:
        await gateway.hear()
        await gateway.say(6, {"token": TOKEN, "session_id": "unknown", "seq": 3})
        assert await gateway.hear() == {"op": 9, "d": False, "s": None, "t": None}
