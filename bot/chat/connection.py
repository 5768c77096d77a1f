"""One client's connection to the gateway: taken up again as long as that may help, with a brake, and past what can't be read.

discord.py's own loop closes the client when an attempt to connect fails, and with it all that is being answered; or else it has
no brake where a session ends as soon as it has begun. Here the client stays, and so do its answers, which need no gateway.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import Route

from bot.chat import wording
from bot.chat.translate import UNREACHABLE, translated
from bot.errors import DeliveryError
from bot.timings import ChatTimings

log = logging.getLogger(__name__)

_NO_SESSION_WITHOUT = ("READY", "RESUMED")
_AUTOCOMPLETE, _SUGGESTIONS, _MESSAGE, _EPHEMERAL = 4, 8, 4, 64
_LOST = 4000


class Brake:
    """Says how long to wait before the next session. Only one that has lasted lets the pauses begin small again.

    Args:
        clock: seconds of a count that nothing sets back.
    """

    def __init__(self, clock: Callable[[], float], timings: ChatTimings) -> None:
        self._clock = clock
        self.timings = timings
        self._began: float | None = None
        self._pause = timings.login_pause

    def began(self) -> None:
        """A session has begun, or was taken up again."""
        self._began = self._clock()

    @property
    def is_long(self) -> bool:
        """Tell whether it has been in vain for so long that a fresh session is likelier to come about than the last one."""
        return self._pause > self.timings.longest_login_pause

    def wait(self) -> float:
        """The pause, in seconds, now that a session, or the attempt at one, has ended."""
        began, self._began = self._began, None
        if began is not None and self._clock() - began >= self.timings.lasting:
            self._pause = self.timings.login_pause
            return 0.0
        longest = self.timings.longest_login_pause if began is None else self.timings.longest_session_pause
        wait = min(self._pause, longest)
        self._pause = min(self._pause * 2, self.timings.longest_session_pause)
        return wait


async def stay_connected(client: discord.Client, brake: Brake, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Connect and stay so until the client is closed.

    Raises:
        discord.ConnectionClosed: Discord wants no more of it: the token, the intents or the version are refused.
        Exception: whatever the very first attempt fails with.
    """
    found: dict[str, Any] = {"initial": True}
    while not client.is_closed():
        why = await _one_session(client, brake, found)
        if client.is_closed():
            return
        wait = brake.wait()
        log.info("the gateway is lost (%s); taking it up again in %.0f s", why, wait)
        await pause(wait)
        socket = client.ws
        found = {"initial": False}
        if socket.session_id is not None and not brake.is_long:
            found |= {"resume": True, "sequence": socket.sequence, "session": socket.session_id, "gateway": socket.gateway}


async def _one_session(client: discord.Client, brake: Brake, found: dict[str, Any]) -> str:
    """Connect and listen until that ends; returns why it did."""
    try:
        client.ws = await asyncio.wait_for(DiscordWebSocket.from_client(client, **found), brake.timings.connects_within)
        while True:
            await client.ws.poll_event()
    except ReconnectWebSocket:
        client.dispatch("disconnect")
        return "Discord asks for it, or closed it"
    except discord.ConnectionClosed:
        client.dispatch("disconnect")
        if not client.is_closed():
            raise
        return "closed"
    except (discord.HTTPException, discord.GatewayNotFound, *UNREACHABLE) as error:
        client.dispatch("disconnect")
        if found["initial"] and client.ws is None:
            raise
        return f"{type(error).__name__}: {error}"[:200]
    except Exception as error:
        # What can't be read is skipped; this is the stream of frames itself, or the greeting.
        log.exception("the connection to Discord ended in a fault")
        client.dispatch("disconnect")
        if client.ws is None:
            raise
        await client.ws.close(code=_LOST)
        return type(error).__name__


def skip_unreadable(client: discord.Client) -> None:
    """Let an event that discord.py can't read be logged and skipped, where it would end the session and all behind it."""
    answering: set[asyncio.Task[None]] = set()
    parsers = client._connection.parsers  # noqa: SLF001 - discord.py has no other way to hear of an event before it is read
    for event, parse in list(parsers.items()):
        if event not in _NO_SESSION_WITHOUT:
            parsers[event] = _skipping(client, event, parse, answering)


def _skipping(
    client: discord.Client, event: str, parse: Callable[[Any], Any], answering: set["asyncio.Task[None]"]
) -> Callable[[Any], None]:
    def read(data: Any) -> None:
        try:
            parse(data)
        except Exception as error:  # noqa: BLE001 - whatever the garbage brings about
            # Neither its content nor a traceback that would show some of it.
            log.warning("an event of Discord's can't be read and is skipped: %s (%s)", event, type(error).__name__)
            if event == "INTERACTION_CREATE" and isinstance(data, dict):
                task = asyncio.create_task(_answer(client, data), name="an answer to what can't be read")
                answering.add(task)
                task.add_done_callback(answering.discard)

    return read


async def _answer(client: discord.Client, data: dict[str, Any]) -> None:
    """Tell whoever sent it, as far as it says who that is."""
    interaction, token = str(data.get("id", "")), str(data.get("token", ""))
    if not (interaction.isdecimal() and token):
        return
    said: dict[str, Any] = {"type": _MESSAGE, "data": {"content": wording.COMMANDS_CHANGED, "flags": _EPHEMERAL}}
    if data.get("type") == _AUTOCOMPLETE:
        said = {"type": _SUGGESTIONS, "data": {"choices": []}}
    where = Route("POST", "/interactions/{id}/{token}/callback", id=interaction, token=token)
    try:
        with translated("an answer"):
            await client.http.request(where, json=said)
    except DeliveryError as error:
        log.warning("interaction %s not answered: %s", interaction, error)
