"""The local Discord without its sockets: what people can do, what can be seen, what can go wrong.

Each method is one line of translation to the part that does it.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import discord
from simcord import ChannelHandle

from bot.sandbox.discord._simcord import Interaction, InteractionType, Overwrite, OverwriteType, RealTimeEnv
from bot.sandbox.discord.faults import Fault, Faults
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.page import Pages
from bot.sandbox.discord.people import People
from bot.sandbox.discord.reading import InteractionView, MessageView, Reader
from bot.sandbox.discord.rest import Call, Rest
from bot.sandbox.discord.watch import Watch
from bot.sandbox.discord.world import WORLD, World, build, new_backend

_T = TypeVar("_T")
_LOOK_AGAIN_SECONDS = 0.005


def utc_now() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.UTC)


class Local:
    """Everything but the port.

    Args:
        token: the only token that may log in; None takes any that isn't empty.
        world: who lives in the guild.
        clock: UTC now.
        patience: seconds that people wait for an answer to what they do; Discord gives up after 3.
        now: nanoseconds of a count that nobody sets.

    Attributes:
        backend: SimCord's store, for what has no method here.
        gateway: the WebSocket side: `identified`, `connected`, `refusing`, `close(code)`, `drop()`, `forget()`.
        rest: the REST side: `calls`, `refusing`.
        pages: the pages' addresses, while they are served.

    """

    def __init__(
        self,
        *,
        token: str | None = None,
        world: World = WORLD,
        clock: Callable[[], dt.datetime] = utc_now,
        patience: float = 3.0,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.world = world
        self._watch = Watch(patience, now)
        self.backend = new_backend(world, clock)
        self._town = build(world, RealTimeEnv(self.backend, self._watch.answered), self.backend)
        self.people = People(self._town)
        self._reader = Reader(self.backend, self._watch)
        self._faults = Faults()
        self.gateway = Gateway(self.backend, token, self._watch)
        self.rest = Rest(self.backend, token, self._faults, self._watch)
        self.pages = Pages(world, self.backend, self._watch)

    # What people do

    async def slash(
        self, member: str | int, channel: str | int, command: str, options: Mapping[str, Any] | None = None
    ) -> InteractionView:
        """Run a slash command and wait for the bot's first answer; more may follow, see `interaction`.

        Raises:
            NotPossibleError: a person could not.

        """
        return self._view(await self.people.slash(member, channel, command, options or {}))

    async def type(self, member: str | int, channel: str | int, text: str) -> InteractionView:
        """Run a slash command given as the line that a person types: `/card fruit:apple number:2`."""
        return self._view(await self.people.type(member, channel, text))

    async def autocomplete(
        self,
        member: str | int,
        channel: str | int,
        command: str,
        option: str,
        value: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> list[tuple[str, Any]]:
        """Type a value into an option, others filled in already; returns the choices offered, name and value."""
        return await self.people.autocomplete(member, channel, command, option, value, options or {})

    async def click(
        self, member: str | int, message_id: int, label: str | None = None, *, custom_id: str | None = None
    ) -> InteractionView:
        """Press the button with this label or custom id, which must be there and not grey."""
        return self._view(await self.people.click(member, message_id, label=label, custom_id=custom_id))

    async def press(self, member: str | int, channel: str | int, label: str) -> InteractionView:
        """Press the button with this label on the newest message of the channel that has one."""
        return await self.click(member, self.people.latest_with(channel, label), label)

    async def press_anyway(self, member: str | int, message_id: int, custom_id: str) -> InteractionView:
        """Press a button that may be grey or gone by now."""
        return self._view(await self.people.press_anyway(member, message_id, custom_id))

    async def submit_modal(self, member: str | int, interaction_id: int, values: Mapping[str, Any]) -> InteractionView:
        """Fill in and send the form that an interaction was answered with; values by custom id."""
        return self._view(await self.people.submit(member, interaction_id, values))

    async def forge(
        self,
        member: str | int,
        channel: str | int,
        kind: InteractionType,
        data: Mapping[str, Any],
        message_id: int | None = None,
    ) -> InteractionView:
        """Send an interaction that no honest client would, as given."""
        return self._view(await self.people.forge(member, channel, kind, data, message_id))

    def envelope(
        self,
        member: str | int,
        channel: str | int,
        kind: InteractionType,
        data: Mapping[str, Any],
        message_id: int | None = None,
    ) -> dict[str, Any]:
        """Note an interaction and return its event as Discord would send it, for `event` to send as it is made of it."""
        return self.people.envelope(member, channel, kind, data, message_id)[1]

    def event(self, name: str, payload: Mapping[str, Any]) -> None:
        """Send any event over the gateway, checked by nobody: with fields missing or of other types, or for the second time."""
        self.gateway.say(name, payload)

    async def say(self, member: str | int, channel: str | int, text: str) -> int:
        """Write an ordinary message; returns its id."""
        return await self.people.say(member, channel, text)

    # What can be seen

    def messages(self, channel: str | int, viewer: str | int | None = None) -> list[MessageView]:
        """Return a channel's messages, oldest first; without a viewer all of them, ephemeral ones too."""
        who = None if viewer is None else self.people.member(viewer).id
        return self._reader.messages(self.people.channel(channel).id, who)

    def every_message(self) -> list[MessageView]:
        """Return the messages of all channels and threads, oldest first, ephemeral and deleted ones too."""
        return self._reader.every_message()

    def message(self, message_id: int) -> MessageView:
        """Return one message as it is now, also a deleted one."""
        return self._reader.find(message_id)

    def interaction(self, interaction_id: int) -> InteractionView:
        """Return what has become of an interaction by now."""
        return self._view(self.backend.interactions[interaction_id])

    def interactions(self) -> list[InteractionView]:
        """Return all interactions, oldest first."""
        return self._reader.interactions()

    def commands(self) -> list[Mapping[str, Any]]:
        """Return the commands registered for the guild."""
        return list(self.backend.commands.get(self.world.guild, {}).values())

    def calls(self, method: str = "*", path: str = "*") -> list[Call]:
        """Return the REST calls so far that match, oldest first."""
        pattern = Fault(method, path, times=None)
        return [call for call in self.rest.calls if pattern.hits(call.method, call.path)]

    async def until(self, condition: Callable[[], _T | None], seconds: float = 10.0) -> _T:
        """Wait for a condition and return what it gave.

        Raises:
            TimeoutError: it did not come true in time.

        """
        async with asyncio.timeout(seconds):
            while True:
                if found := condition():
                    return found
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def ready(self, seconds: float = 10.0) -> None:
        """Wait until a bot is connected and has registered commands."""
        await self.until(lambda: self.gateway.connected and self.commands(), seconds)

    # What can go wrong

    def fail(self, fault: Fault) -> None:
        """Let something go wrong with the REST calls that match."""
        self._faults.add(fault)

    def heal(self) -> None:
        """End all faults and accept connections again."""
        self._faults.clear()
        self.rest.refusing = self.gateway.refusing = False

    def refuse(self, *, rest: bool = True, gateway: bool = True) -> None:
        """Drop every new connection from now on; see `gateway.close` for those that stand."""
        self.rest.refusing, self.gateway.refusing = rest, gateway

    def delete_channel(self, channel: str | int) -> None:
        """Delete a channel with everything in it."""
        self.backend.delete_channel(self.people.channel(channel).id)

    def open_thread(self, name: str, channel: str | int) -> int:
        """Open a thread below a channel; returns its id. It is a channel like others from then on, by its name or id."""
        parent = self.people.channel(channel)
        thread = self.backend.create_thread(parent.id, name, self.world.people[0].id)
        self._town.rooms[name] = ChannelHandle(self._town.env, parent.guild, thread)
        return thread.id

    def archive(self, thread: str | int) -> None:
        """Archive a thread: its messages can't be edited (50083) until somebody posts in it."""
        self.backend.edit_channel(self.people.channel(thread).id, {}, thread_metadata={"archived": True})

    def copy(self, member: str | int, message_id: int) -> int:
        """Post a copy of a message, buttons and all, as another bot can, by this member; returns its id."""
        shown = self.people.message(message_id)
        made = replace(shown, id=self.backend.snowflake(), author_id=self.people.member(member).id)
        return self.backend.commit_message(made).id

    def take_from_bot(self, channel: str | int, *permissions: str) -> None:
        """Take these permissions from the bot in a channel, `send_messages` for instance; none gives all back."""
        number = self.people.channel(channel).id
        bot = self.backend.bot_user.id
        others = [one for one in self.backend.get_channel(number).overwrites if one.target_id != bot]
        denied = discord.Permissions(**dict.fromkeys(permissions, True)).value
        mine = [Overwrite(bot, OverwriteType.MEMBER, deny=denied)] if denied else []
        self.backend.edit_channel(number, {}, overwrites=[*others, *mine])

    def set_roles(self, member: str | int, *roles: str) -> None:
        """Give a member these roles, by name, and no others."""
        numbers = [self._town.roles[name].id for name in roles]
        self.backend.edit_member(self.world.guild, self.people.member(member).id, {"role_ids": numbers})

    def _view(self, record: Interaction) -> InteractionView:
        return self._reader.interaction(record)
