"""The guild that the demo and the tests live in: who is there, with which roles, in which channels, all with fixed ids.

Only the population. How it is served, and what people do, lives elsewhere.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
from simcord import ChannelHandle, GuildHandle, MemberActor, RoleHandle

from bot.sandbox.discord._simcord import NumberedBackend, RealTimeEnv

GUILD = 1180000000000000001
OTHER_GUILD = 1180000000000000002

DESK = 1180000000000000101
FILLS = 1180000000000000102
PRIVATE = 1180000000000000103
ELSEWHERE = 1180000000000000104

TRADER_ROLE = 1180000000000000201
VIEWER_ROLE = 1180000000000000202
APPROVER_ROLE = 1180000000000000203
ADMINISTRATOR_ROLE = 1180000000000000204
BOT_ROLE = 1180000000000000205

TRADER = 1180000000000000301
SECOND_TRADER = 1180000000000000302
VIEWER = 1180000000000000303
APPROVER = 1180000000000000304
ADMINISTRATOR = 1180000000000000305
OWNER = 1180000000000000306

APPLICATION = 1180000000000000401
_PORTAL_ENTRY = 1180000000000000402
_OTHER_BOT_ROLE = 1180000000000000403

# What the invite link of a bot that posts cards and charts asks for, and no more.
BOT_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, embed_links=True, attach_files=True, read_message_history=True
)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the guild.

    Attributes:
        name: what calls use; also the Discord user name.
        id: the user's id.
        display: the name that the page shows.
        roles: names of the roles held, as in `World.roles`.

    """

    name: str
    id: int
    display: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """A text channel.

    Attributes:
        name: what calls use; also the channel's name.
        id: the channel's id.
        readers: names of the only roles that see it; None is everybody.

    """

    name: str
    id: int
    readers: tuple[str, ...] | None = None


def _roles() -> dict[str, int]:
    return {
        "trader": TRADER_ROLE,
        "viewer": VIEWER_ROLE,
        "approver": APPROVER_ROLE,
        "administrator": ADMINISTRATOR_ROLE,
    }


@dataclass(frozen=True, slots=True)
class World:
    """A plan of the guild; `dataclasses.replace` makes another one, with other role ids for instance.

    Attributes:
        guild: the guild's id; it belongs to a person called owner, who may everything.
        roles: role ids by name; the one named administrator carries Discord's Administrator permission.
        people: its members beside the owner and the bot.
        rooms: its text channels, top to bottom.
        application: id of the bot's application and of its user, one number as Discord does it.
        bot_name: the bot's user name.
        bot_permissions: what the bot's own role allows.
        other_guild: a second guild, with one channel, that the bot and the first person are in too.

    """

    guild: int = GUILD
    roles: Mapping[str, int] = field(default_factory=_roles)
    people: tuple[Person, ...] = (
        Person("trader", TRADER, "Tess (trader)", ("trader",)),
        Person("second", SECOND_TRADER, "Sam (second trader)", ("trader",)),
        Person("viewer", VIEWER, "Vera (viewer)", ("viewer",)),
        Person("approver", APPROVER, "Arno (approver)", ("approver",)),
        Person("administrator", ADMINISTRATOR, "Adam (administrator)", ("administrator",)),
    )
    rooms: tuple[Room, ...] = (
        Room("desk", DESK),
        Room("fills", FILLS),
        Room("private", PRIVATE, ("trader", "approver")),
    )
    application: int = APPLICATION
    bot_name: str = "Crosstalk"
    bot_permissions: discord.Permissions = BOT_PERMISSIONS
    other_guild: int = OTHER_GUILD


WORLD = World()


@dataclass(frozen=True, slots=True)
class Town:
    """The plan built: handles by name and by id.

    Attributes:
        backend: the store.
        env: the environment that the handles belong to.
        guild: the guild.
        people: who may act, by name.
        rooms: where, by name; "elsewhere" is the other guild's channel.
        roles: the guild's roles, by name.
        elsewhere: the first person as a member of the other guild.

    """

    backend: NumberedBackend
    env: RealTimeEnv
    guild: GuildHandle
    people: Mapping[str, MemberActor]
    rooms: dict[str, ChannelHandle]
    roles: Mapping[str, RoleHandle]
    elsewhere: MemberActor


def new_backend(world: World, clock: Callable[[], dt.datetime]) -> NumberedBackend:
    """Return an empty store that knows the bot."""
    backend = NumberedBackend(clock, (_PORTAL_ENTRY, world.application))
    backend.application_id = world.application
    backend.bot_user.name = world.bot_name
    return backend


def build(world: World, env: RealTimeEnv, backend: NumberedBackend) -> Town:
    """Build the plan in the environment's store."""
    with backend.numbered(OWNER):
        owner = env.create_user("owner", global_name="Otto (owner)")
    with backend.numbered(BOT_ROLE):
        guild = env.create_guild("The desk", id=world.guild, owner=owner)
    backend.get_role(world.guild, BOT_ROLE).permissions = world.bot_permissions.value
    roles = {name: _role(backend, guild, name, number) for name, number in world.roles.items()}
    people = {"owner": MemberActor(env, guild, owner)}
    for person in world.people:
        with backend.numbered(person.id):
            user = env.create_user(person.name, global_name=person.display)
        people[person.name] = guild.add_member(user, roles=[roles[name] for name in person.roles])
    rooms = {room.name: _room(backend, guild, room, roles) for room in world.rooms}
    with backend.numbered(_OTHER_BOT_ROLE):
        other = env.create_guild("Somewhere else", id=world.other_guild, owner=owner)
    with backend.numbered(ELSEWHERE):
        rooms["elsewhere"] = other.create_text_channel("elsewhere")
    elsewhere = other.add_member(people[world.people[0].name].user)
    return Town(backend, env, guild, people, rooms, roles, elsewhere)


def _role(backend: NumberedBackend, guild: GuildHandle, name: str, number: int) -> RoleHandle:
    with backend.numbered(number):
        administrator = name == "administrator"
        return guild.create_role(name.title(), permissions=discord.Permissions(administrator=administrator))


def _room(backend: NumberedBackend, guild: GuildHandle, room: Room, roles: Mapping[str, RoleHandle]) -> ChannelHandle:
    overwrites: dict[Any, discord.PermissionOverwrite] = {}
    if room.readers is not None:
        overwrites[guild.default_role] = discord.PermissionOverwrite(view_channel=False)
        for seer in (guild.roles[backend.bot_user.name], *(roles[name] for name in room.readers)):
            overwrites[seer] = discord.PermissionOverwrite(view_channel=True)
    with backend.numbered(room.id):
        return guild.create_text_channel(room.name, overwrites=overwrites)
