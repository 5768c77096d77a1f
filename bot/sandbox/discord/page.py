"""The page: SimCord's preview of every channel, kept up to date while things happen by themselves.

How it looks and what it lets a person do is SimCord's; here is one preview per channel, with the members to switch between.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from simcord import BackendError, ChannelHandle, GuildHandle, MemberActor, SetupError, UserHandle

from bot.sandbox.discord._simcord import NumberedBackend, RealTimeEnv, channel_accessible, on_page_action
from bot.sandbox.discord.line import read_line
from bot.sandbox.discord.watch import Watch
from bot.sandbox.discord.world import Room, World

_log = logging.getLogger(__name__)

# Several changes of one moment are shown together; the page itself looks twice a second.
_TOGETHER_SECONDS = 0.2
# Shown countdowns move on even when nothing happens.
_IDLE_SECONDS = 5.0


class Pages:
    """A preview per channel of the guild.

    Args:
        world: who may be looked at the guild as, in this order.
        backend: the store.
        watch: how long a person waits for an answer.

    """

    def __init__(self, world: World, backend: NumberedBackend, watch: Watch) -> None:
        self._world = world
        self._backend = backend
        self._watch = watch
        self._previews: dict[str, Any] = {}
        self._stack = AsyncExitStack()
        self._stale: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def addresses(self) -> Mapping[str, str]:
        """The address of each channel's page, by the channel's name; whoever knows one may act."""
        return {name: preview.url for name, preview in self._previews.items()}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve the pages, on ports of their own."""
        async with self._stack:
            for room in self._world.rooms:
                await self._open(room)
            self._backend.listeners.append(self._note)
            refreshing = asyncio.create_task(self._keep_refreshing())
            try:
                yield
            finally:
                refreshing.cancel()
                self._backend.listeners.remove(self._note)
                self._previews.clear()

    async def show(self, request: web.Request) -> web.Response:
        """Send the browser to a channel's page, without a name to the first."""
        wanted = request.match_info["room"] or self._world.rooms[0].name
        room = next((each for each in self._world.rooms if each.name == wanted), None)
        if room is None or not self._previews:
            raise web.HTTPNotFound
        try:
            address = self._previews[room.name].url
        except SetupError:
            # Somebody ended it with the button on the page.
            await self._open(room)
            address = self._previews[room.name].url
        raise web.HTTPFound(address)

    async def _open(self, room: Room) -> None:
        self._previews[room.name] = await self._stack.enter_async_context(self._preview(room.id))

    def _preview(self, channel_id: int) -> Any:
        # SimCord allows an environment one preview, so each channel stands on an environment of its own.
        env = RealTimeEnv(self._backend, self._watch.answered)
        guild = GuildHandle(env, self._backend.get_guild(self._world.guild))
        channel = ChannelHandle(env, guild, self._backend.get_channel(channel_id))
        viewers = [
            MemberActor(env, guild, UserHandle(env, self._backend.get_user(person.id)))
            for person in self._world.people
            if channel_accessible(self._backend, channel_id, person.id, history=True)
        ]
        preview = env.preview(channel, viewers=viewers, layout="channel")
        on_page_action(preview, _as_in_discord)
        return preview

    def _note(self, channel_id: int | None) -> None:
        self._stale |= {room.name for room in self._world.rooms if channel_id in (None, room.id)}
        self._changed.set()

    async def _keep_refreshing(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                self._note(None)
            await asyncio.sleep(_TOGETHER_SECONDS)
            stale, self._stale = self._stale, set()
            self._changed.clear()
            for name in sorted(stale):
                await self._refresh(self._previews[name])

    async def _refresh(self, preview: Any) -> None:
        try:
            await preview.refresh()
        except (SetupError, BackendError, LookupError) as error:
            # A page that was closed, or whose channel is gone, must not stop the others.
            _log.debug("A page was not drawn again: %s", error)


def _as_in_discord(action: dict[str, Any], revision: int, offered: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an action of the page as Discord would take it.

    The page binds an action to the revision that the browser saw; a card that is redrawn at that moment would refuse every
    press for nothing, and Discord binds a press to message and control only. A command pasted as one line is a command.
    """
    if "published_revision" in action:
        action = {**action, "published_revision": revision}
    if action.get("kind") != "send_message" or not isinstance(action.get("content"), str):
        return action
    options = {entry["invocation"]: [option["name"] for option in entry["options"]] for entry in offered}
    line = read_line(action["content"], options)
    if line is None:
        return action
    entry = next(entry for entry in offered if entry["invocation"] == line.command)
    kinds = {option["name"]: option["type"] for option in entry["options"]}
    command = {
        "kind": "run_command",
        "command_id": entry["commandId"],
        "path": entry["path"],
        "schema_fingerprint": entry["schemaFingerprint"],
        "options": {name: _value(kinds[name], typed) for name, typed in line.values.items()},
    }
    return {**{key: value for key, value in action.items() if key != "content"}, **command}


def _value(kind: str, typed: str) -> Any:
    return typed.lower() == "true" if kind == "boolean" else typed
