"""The view of a person, as plain data: messages flattened to text and buttons, and what became of an interaction.

Reads only; nothing here acts.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.sandbox.discord._simcord import (
    ComponentType,
    Interaction,
    InteractionType,
    Message,
    NumberedBackend,
    message_accessible,
)
from bot.sandbox.discord.watch import Watch


@dataclass(frozen=True, slots=True)
class Button:
    """A button as shown.

    Attributes:
        label: what it says.
        custom_id: what a press carries; None for a link.
        disabled: it is grey.
        style: Discord's number: 1 blurple, 2 grey, 3 green, 4 red, 5 link.
        url: where a link leads.

    """

    label: str
    custom_id: str | None
    disabled: bool
    style: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as shown.

    Attributes:
        id: the message's id.
        channel: the channel's id.
        author: the author's user name.
        text: content, embeds and all text displays, in order, a line each.
        buttons: all buttons, in order.
        colours: accent colours of containers and embeds, 0xRRGGBB.
        flags: names of the flags that are set: `ephemeral`, `suppress_notifications`, `components_v2`, `loading` …
        pings: ids of the users and roles notified; the guild's own stands for everyone.
        files: names of the files attached.
        created: ISO 8601, UTC.
        edited: ISO 8601, UTC; None while never edited.
        earlier: what the text was before each edit, oldest first; its length is the number of edits.
        reply_to: id of the message it answers.
        interaction: id of the interaction it answers.
        deleted: it is gone.

    """

    id: int
    channel: int
    author: str
    text: str
    buttons: tuple[Button, ...]
    colours: tuple[int, ...]
    flags: tuple[str, ...]
    pings: tuple[int, ...]
    files: tuple[str, ...]
    created: str
    edited: str | None
    earlier: tuple[str, ...]
    reply_to: int | None
    interaction: int | None
    deleted: bool

    def button(self, label: str) -> Button:
        """Return the button with this label.

        Raises:
            LookupError: there is none.

        """
        for button in self.buttons:
            if button.label == label:
                return button
        raise LookupError(f"No button {label!r}; there are {[button.label for button in self.buttons]}.")


@dataclass(frozen=True, slots=True)
class InteractionView:
    """The course of one command, press or form.

    Attributes:
        id: the interaction's id.
        kind: `application_command`, `application_command_autocomplete`, `message_component` or `modal_submit`.
        member: who did it, user id.
        channel: where, channel id.
        command: the command's name.
        source: the message whose control was used.
        handed: when the event was written to the bot's socket, nanoseconds of the monotonic clock; None: no bot there.
        acknowledged: when the bot's answer came in, by the same clock; None: it hasn't.
        answer: `message`, `deferred`, `deferred_update`, `update`, `modal`, `autocomplete`; None: not answered.
        messages: the answer and the follow-ups, also those deleted since.
        modal: the form shown, as the bot sent it.
        choices: autocomplete choices, name and value.

    """

    id: int
    kind: str
    member: int
    channel: int
    command: str | None
    source: int | None
    handed: int | None
    acknowledged: int | None
    answer: str | None
    messages: tuple[MessageView, ...]
    modal: Mapping[str, Any] | None
    choices: tuple[tuple[str, Any], ...]

    @property
    def text(self) -> str:
        """Everything that it was answered with, a line each."""
        return "\n".join(message.text for message in self.messages)


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns what is stored into views."""

    backend: NumberedBackend
    watch: Watch

    def messages(self, channel: int, viewer: int | None = None) -> list[MessageView]:
        """Return a channel's messages, oldest first, as one member sees them; without a viewer all of them."""
        stored = sorted(self.backend.messages.get(channel, {}).values(), key=lambda message: message.id)
        if viewer is not None:
            stored = [one for one in stored if message_accessible(self.backend, channel, one, viewer, history=True)]
        return [self.message(one) for one in stored]

    def every_message(self) -> list[MessageView]:
        """Return all messages that there ever were, oldest first."""
        stored = [
            message for messages in (*self.backend.messages.values(), self.backend.deleted) for message in messages.values()
        ]
        return [self.message(one) for one in sorted(stored, key=lambda message: message.id)]

    def find(self, message_id: int) -> MessageView:
        """Return one message, wherever it is, also a deleted one.

        Raises:
            LookupError: there never was one with this id.

        """
        for stored in (*self.backend.messages.values(), self.backend.deleted):
            if message_id in stored:
                return self.message(stored[message_id])
        raise LookupError(f"There is no message {message_id}.")

    def message(self, message: Message) -> MessageView:
        """Return one message's view."""
        metadata = message.interaction_metadata or {}
        everyone = (self.backend.channels[message.channel_id].guild_id,) if message.mention_everyone else ()
        pings = (*message.ping_user_ids, *message.ping_role_ids, *everyone)
        return MessageView(
            id=message.id,
            channel=message.channel_id,
            author=self.backend.users[message.author_id].name,
            text=text_of(message),
            buttons=tuple(_button(one) for one in walk(message.components) if one["type"] == ComponentType.BUTTON),
            colours=_colours(message),
            flags=_flags(message.flags),
            pings=tuple(one for one in pings if one is not None),
            files=tuple(file["filename"] for file in message.attachments),
            created=message.timestamp,
            edited=message.edited_timestamp,
            earlier=tuple(text_of(before) for before in self.backend.earlier.get(message.id, ())),
            reply_to=int(message.reference["message_id"]) if message.reference else None,
            interaction=int(metadata["id"]) if metadata else None,
            deleted=message.id in self.backend.deleted,
        )

    def interaction(self, record: Interaction) -> InteractionView:
        """Return one interaction's view."""
        times = self.watch.times(record.id)
        own = () if record.message_id in (None, record.source_message_id) else (record.message_id,)
        return InteractionView(
            id=record.id,
            kind=InteractionType(record.type).name.lower(),
            member=record.user_id,
            channel=record.channel_id,
            command=record.command_name,
            source=record.source_message_id,
            handed=times.handed,
            acknowledged=times.acknowledged,
            answer=record.response_kind,
            messages=tuple(self.find(one) for one in (*own, *record.followup_ids)),
            modal=record.modal,
            choices=tuple((choice["name"], choice["value"]) for choice in record.autocomplete_choices or ()),
        )

    def interactions(self) -> list[InteractionView]:
        """Return all interactions, oldest first."""
        return [self.interaction(record) for record in self.backend.interactions.values()]


def walk(components: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every component, at any depth, in reading order."""
    for component in components or ():
        yield component
        yield from walk(component.get("components"))
        for single in ("accessory", "component"):
            if single in component:
                yield from walk([component[single]])


def text_of(message: Message) -> str:
    """Return all that a message says, a line each."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.get("title", ""), embed.get("description", "")]
        parts += [f"{entry['name']}: {entry['value']}" for entry in embed.get("fields", ())]
        parts.append(embed.get("footer", {}).get("text", ""))
    parts += [one["content"] for one in walk(message.components) if one["type"] == ComponentType.TEXT_DISPLAY]
    return "\n".join(part for part in parts if part)


def plain(view: Any) -> Any:
    """Return a view as JSON can carry it."""
    return dataclasses.asdict(view)


def _button(component: Mapping[str, Any]) -> Button:
    return Button(
        label=component.get("label") or "",
        custom_id=component.get("custom_id"),
        disabled=bool(component.get("disabled")),
        style=component["style"],
        url=component.get("url"),
    )


def _colours(message: Message) -> tuple[int, ...]:
    containers = [one.get("accent_color") for one in walk(message.components)]
    embeds = [embed.get("color") for embed in message.embeds]
    return tuple(colour for colour in (*containers, *embeds) if colour is not None)


def _flags(value: int) -> tuple[str, ...]:
    flags = discord.MessageFlags()
    flags.value = value
    return tuple(name for name, is_set in flags if is_set)
