"""A guild with a desk, and people in it, for each test."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor, ResponseMessage
from simcord.interactions import base_payload

from bot.chat.client import DeskClient
from bot.chat.messenger import DiscordMessenger
from bot.program.run import COGS
from tests.clocks import HandClock

from .desk import FakeDesk
from .samples import APPROVER_ROLE, GUILD, OTHER_GUILD, TRADER_ROLE

TYPED = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1}


@dataclass
class Stage:
    """Everything that a test touches."""

    env: Env
    desk: FakeDesk
    guild: GuildHandle
    channel: ChannelHandle
    elsewhere: ChannelHandle
    people: dict[str, MemberActor]
    outsider: MemberActor

    @property
    def client(self) -> DeskClient:
        """The bot as it runs now; a restart makes another one."""
        assert isinstance(self.env.bot, DeskClient)
        return self.env.bot

    @property
    def trader(self) -> MemberActor:
        """Somebody with a grant."""
        return self.people["trader"]

    async def reverse(self, **options: Any) -> InteractionResult:
        """The sample command, by the trader."""
        return await self.trader.slash(self.channel, "reverse", **TYPED | options)

    def card(self) -> discord.Message:
        """The newest ordinary message of the channel."""
        found = [message for message in self.channel.history() if not message.flags.ephemeral]
        return found[-1]

    def posts(self) -> list[discord.Message]:
        """All ordinary messages of the channel."""
        return [message for message in self.channel.history() if not message.flags.ephemeral]

    def forge(self, kind: int, data: dict[str, Any], *, who: MemberActor | None = None, at: Any = None, **extra: Any) -> Any:
        """Send an interaction that no honest app would; returns its record, not waited for."""
        who = who or self.trader
        channel = at or self.channel
        guild = channel.guild.id if channel.guild is not None else None
        record, payload = base_payload(
            self.env.backend, type=kind, channel_id=channel.id, guild_id=guild, user_id=who.id, data=data
        )
        self.env.backend.emit("INTERACTION_CREATE", {**payload, **extra})
        return record

    async def command(self, name: str, options: dict[str, Any], **rest: Any) -> InteractionResult:
        """Forge a command whose options no honest app would send."""
        kinds = {str: 3, int: 4}
        given = [{"name": key, "type": kinds[type(value)], "value": value} for key, value in options.items()]
        data = {"id": "1", "name": name, "type": 1, "guild_id": str(self.guild.id), "options": given}
        record = self.forge(2, data, **rest)
        await self.env.settle()
        return InteractionResult(self.env, record)

    def press(self, custom_id: str, message: discord.Message, **rest: Any) -> InteractionResult:
        """Forge a press with a message as it was then; not waited for."""
        data = {"custom_id": custom_id, "component_type": 2}
        record = self.forge(3, data, message=payload_of(message), **rest)
        record.source_message_id = message.id
        return InteractionResult(self.env, record)


def payload_of(message: discord.Message) -> dict[str, Any]:
    """A message as Discord puts it into the interaction of a press."""
    return {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "type": 0,
        "content": message.content,
        "author": {"id": str(message.author.id), "username": "bot", "discriminator": "0", "avatar": None, "bot": True},
        "components": [component.to_dict() for component in message.components],
        "flags": message.flags.value,
        "attachments": [],
        "embeds": [],
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "pinned": False,
        "timestamp": message.created_at.isoformat(),
    }


def text_of(*messages: discord.Message | ResponseMessage | None) -> str:
    """All that messages say."""
    return "\n".join(part for message in messages if message is not None for part in _texts(message) if part)


def buttons_of(message: discord.Message | ResponseMessage) -> list[str]:
    """The labels of all buttons that can be pressed."""
    return [one["label"] for one in _walk(_dicts(message)) if one["type"] == 2 and not one.get("disabled")]


def told(result: InteractionResult) -> str:
    """All that an interaction was answered with."""
    return text_of(result.response, *result.followups)


def _texts(message: discord.Message | ResponseMessage) -> Iterable[str]:
    yield message.content
    yield from (one["content"] for one in _walk(_dicts(message)) if one["type"] == 10)


def _dicts(message: discord.Message | ResponseMessage) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else dict(one.to_dict()) for one in message.components]


def _walk(components: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for one in components:
        yield one
        yield from _walk(one.get("components", ()))


def new_client(desk: FakeDesk) -> DeskClient:
    """A client as a start makes it."""
    return DeskClient(desk, desk.messenger, (GUILD,), COGS)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(DiscordMessenger(HandClock()))


@pytest.fixture
async def env(desk: FakeDesk) -> AsyncIterator[Env]:
    """SimCord with the bot in it; as a fixture of its own, so that SimCord's plugin gives the test its clock."""
    env = Env(new_client(desk))
    env.create_guild("The desk", id=GUILD)
    await env.start()
    yield env
    await env.shutdown()
    env._raise_errors_since(env._errors_acknowledged)


@pytest.fixture
async def stage(env: Env, desk: FakeDesk) -> Stage:
    guild = env.guild
    other = env.create_guild("Elsewhere", id=OTHER_GUILD)
    roles = {number: _role(env, guild, name, number) for name, number in (("Trader", TRADER_ROLE), ("Approver", APPROVER_ROLE))}
    held = {"trader": (TRADER_ROLE,), "second": (TRADER_ROLE,), "viewer": (), "approver": (APPROVER_ROLE,)}
    people = {name: guild.add_member(env.create_user(name), roles=[roles[one] for one in ids]) for name, ids in held.items()}
    await env.settle()
    return Stage(
        env=env,
        desk=desk,
        guild=guild,
        channel=guild.create_text_channel("desk"),
        elsewhere=other.create_text_channel("elsewhere"),
        people=people,
        outsider=other.add_member(people["trader"].user),
    )


def _role(env: Env, guild: GuildHandle, name: str, number: int) -> Any:
    made = env.backend.snowflake
    env.backend.snowflake = lambda: env.backend.reserve_id(number)  # type: ignore[method-assign]  # a fixed id, for once
    try:
        return guild.create_role(name)
    finally:
        env.backend.snowflake = made  # type: ignore[method-assign]  # the usual ids again
