"""Acts of members: commands, autocomplete, presses, forms, plain messages, and what only a broken client would send.

What a person may do is SimCord's rule (a disabled button, a hidden channel, a command that was never synced); who the
people are is the world's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcord import BackendError, ChannelHandle, InteractionResult, MemberActor, ResponseMessage, SetupError

from bot.sandbox.discord._simcord import (
    ComponentType,
    Interaction,
    InteractionType,
    Message,
    OptionType,
    base_payload,
    message_payload,
    record_of,
)
from bot.sandbox.discord.line import read_line
from bot.sandbox.discord.reading import walk
from bot.sandbox.discord.world import Town


class NotPossibleError(Exception):
    """A person could not do this in Discord; the text says why."""


@dataclass(frozen=True, slots=True)
class People:
    """The members of a town, as ones who act.

    Everything waits until the bot has answered or the person's patience is over, and returns the interaction as stored.
    Members and channels are given by name or by id.
    """

    town: Town

    async def slash(self, member: str | int, channel: str | int, command: str, options: Mapping[str, Any]) -> Interaction:
        """Run a slash command."""
        who, where = self.member(member), self.channel(channel)
        return await self._done(who.slash(where, command, **options))

    async def type(self, member: str | int, channel: str | int, text: str) -> Interaction:
        """Run a slash command typed as one line: `/card fruit:apple number:2`."""
        who, where = self.member(member), self.channel(channel)
        offered = self.town.backend.visible_commands(user_id=who.id, channel_id=where.id)
        kinds = {
            command["name"]: {option["name"]: OptionType(option["type"]) for option in command["options"]} for command in offered
        }
        line = read_line(text, kinds)
        if line is None:
            raise NotPossibleError(f"{text!r} is no command that {member} is offered here: {sorted(kinds)}.")
        options = {name: _typed(kinds[line.command][name], value) for name, value in line.values.items()}
        return await self.slash(member, channel, line.command, options)

    async def autocomplete(
        self,
        member: str | int,
        channel: str | int,
        command: str,
        option: str,
        value: str,
        options: Mapping[str, Any],
    ) -> list[tuple[str, Any]]:
        """Type into an option; returns the choices offered, name and value."""
        who, where = self.member(member), self.channel(channel)
        try:
            choices = await who.autocomplete(where, command, option, value, **options)
        except (SetupError, BackendError) as error:
            raise NotPossibleError(str(error)) from error
        return [(choice["name"], choice["value"]) for choice in choices]

    async def click(
        self, member: str | int, message_id: int, *, label: str | None = None, custom_id: str | None = None
    ) -> Interaction:
        """Press a button that is there and not grey."""
        shown = ResponseMessage(self.town.env, self.message(message_id))
        return await self._done(self.member(member).click(shown, label=label, custom_id=custom_id))

    async def submit(self, member: str | int, interaction_id: int, values: Mapping[str, Any]) -> Interaction:
        """Fill in and send the form that an interaction was answered with; values by custom id."""
        shown = InteractionResult(self.town.env, self.town.backend.interactions[interaction_id])
        return await self._done(self.member(member).submit_modal(shown, dict(values)))

    async def say(self, member: str | int, channel: str | int, text: str) -> int:
        """Write an ordinary message; returns its id."""
        try:
            message = await self.member(member).send(self.channel(channel), text)
        except (SetupError, BackendError) as error:
            raise NotPossibleError(str(error)) from error
        return message.id

    async def forge(
        self,
        member: str | int,
        channel: str | int,
        kind: InteractionType,
        data: Mapping[str, Any],
        message_id: int | None = None,
    ) -> Interaction:
        """Send an interaction as given and checked by nobody: an option out of range, another guild, an old card."""
        record, payload = self.envelope(member, channel, kind, data, message_id)
        await self.town.env.send_raw(record, payload)
        return record

    def envelope(
        self,
        member: str | int,
        channel: str | int,
        kind: InteractionType,
        data: Mapping[str, Any],
        message_id: int | None = None,
    ) -> tuple[Interaction, dict[str, Any]]:
        """Note an interaction and return what the gateway would send of it; nothing is sent."""
        where = self.channel(channel)
        backend = self.town.backend
        record, payload = base_payload(
            backend,
            type=kind,
            channel_id=where.id,
            guild_id=where.guild.id if where.guild is not None else None,
            user_id=self.member(member).id,
            data=dict(data),
        )
        if message_id is not None:
            record.source_message_id = message_id
            payload["message"] = dict(message_payload(backend, self._as_pressed(message_id, data.get("custom_id"))))
        return record, payload

    async def press_anyway(self, member: str | int, message_id: int, custom_id: str) -> Interaction:
        """Press a button that may be grey or gone since: the press was on its way when the card changed."""
        data = {"custom_id": custom_id, "component_type": int(ComponentType.BUTTON)}
        channel = self.message(message_id).channel_id
        return await self.forge(member, channel, InteractionType.MESSAGE_COMPONENT, data, message_id)

    def member(self, member: str | int) -> MemberActor:
        """Return who is meant.

        Raises:
            NotPossibleError: nobody is called so.

        """
        for name, actor in self.town.people.items():
            if member in (name, actor.id, str(actor.id)):
                return actor
        raise NotPossibleError(f"Nobody here is called {member!r}; there are {sorted(self.town.people)}.")

    def channel(self, channel: str | int) -> ChannelHandle:
        """Return which channel is meant.

        Raises:
            NotPossibleError: no channel is called so.

        """
        for name, handle in self.town.rooms.items():
            if channel in (name, f"#{name}", handle.id, str(handle.id)):
                return handle
        raise NotPossibleError(f"No channel is called {channel!r}; there are {sorted(self.town.rooms)}.")

    def message(self, message_id: int) -> Message:
        """Return a stored message, wherever it is.

        Raises:
            NotPossibleError: there is none with this id.

        """
        for messages in self.town.backend.messages.values():
            if message_id in messages:
                return messages[message_id]
        raise NotPossibleError(f"There is no message {message_id}.")

    def latest_with(self, channel: str | int, label: str) -> int:
        """Return the id of a channel's newest message that has a button with this label.

        Raises:
            NotPossibleError: none has.

        """
        stored = self.town.backend.messages.get(self.channel(channel).id, {})
        for message in sorted(stored.values(), key=lambda each: each.id, reverse=True):
            if any(one.get("label") == label for one in walk(message.components)):
                return message.id
        raise NotPossibleError(f"No message in {channel} has a button {label!r}.")

    def _as_pressed(self, message_id: int, custom_id: str | None) -> Message:
        now = self.message(message_id)
        for version in (now, *reversed(self.town.backend.earlier.get(message_id, ()))):
            if any(one.get("custom_id") == custom_id for one in walk(version.components)):
                return version
        return now

    async def _done(self, acting: Any) -> Interaction:
        try:
            return record_of(await acting)
        except (SetupError, BackendError) as error:
            raise NotPossibleError(str(error)) from error


def _typed(kind: OptionType, value: str) -> Any:
    """Return a typed value as Discord sends it."""
    try:
        match kind:
            case OptionType.INTEGER:
                return int(value)
            case OptionType.NUMBER:
                return float(value)
            case OptionType.BOOLEAN:
                return value.lower() == "true"
            case _:
                return value
    except ValueError as error:
        raise NotPossibleError(f"{value!r} is no number.") from error
