"""The measure of Discord's gateway: from the heartbeat that was answered, not from the one before it."""

import asyncio
import logging
import time
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket, KeepAliveHandler

from bot.chat.heartbeat import measure_from_sending

INTERVAL = 41.25


class Socket:
    """Answers each heartbeat before whoever sent it goes on, as a Discord does that is near."""

    def __init__(self) -> None:
        self.ws: Any = None

    async def send_str(self, _text: str) -> None:
        self.ws._keep_alive.ack()


async def test_an_answer_that_comes_before_the_thread_has_noted_its_heartbeat_is_no_late_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    measure_from_sending()
    socket = Socket()
    ws = socket.ws = DiscordWebSocket(socket, loop=asyncio.get_running_loop())  # type: ignore[arg-type]  # what it needs of one
    ws._max_heartbeat_timeout = 60
    keeper = ws._keep_alive = KeepAliveHandler(ws=ws, interval=INTERVAL)
    keeper._last_send = time.perf_counter() - INTERVAL
    with caplog.at_level(logging.WARNING):
        await ws.send_heartbeat(keeper.get_payload())
    assert keeper.latency < 1
    assert "behind" not in caplog.text
