"""Permissions of a member in a channel, worked out from roles and overwrites as Discord does it; and the bot's invite link.

Pure; the numbers and the order of the steps are those of Discord's documentation, page "Permissions".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

ADMINISTRATOR = 1 << 3
VIEW_CHANNELS = 1 << 10
SEND_MESSAGES = 1 << 11
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
SEND_MESSAGES_IN_THREADS = 1 << 38
ALL = -1

NAMES: Mapping[int, str] = {
    VIEW_CHANNELS: "View Channels",
    SEND_MESSAGES: "Send Messages",
    ATTACH_FILES: "Attach Files",
    READ_MESSAGE_HISTORY: "Read Message History",
    SEND_MESSAGES_IN_THREADS: "Send Messages in Threads",
}
# The least that a bot of this kind lives on; charts and reports are files.
INVITED = VIEW_CHANNELS | SEND_MESSAGES | ATTACH_FILES | READ_MESSAGE_HISTORY


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Change that a channel makes for one role or member, as bit sets."""

    id: int
    allow: int
    deny: int


def permissions_in(
    *,
    guild: int,
    owner: int,
    member: int,
    held: Iterable[int],
    roles: Mapping[int, int],
    overwrites: Iterable[Overwrite],
    timed_out: bool = False,
) -> int:
    """The permissions of a member in a channel, as a bit set; ``ALL`` for the owner and administrators.

    Args:
        guild: the guild's id, which is its @everyone role's id as well.
        owner: the user who owns the guild.
        member: the member's user id.
        held: ids of the roles that the member holds, @everyone aside.
        roles: the permissions of every role of the guild, by id.
        overwrites: the channel's.
        timed_out: whether a moderator has silenced the member for now.
    """
    mine = set(held)
    found = roles.get(guild, 0)
    for role in mine:
        found |= roles.get(role, 0)
    if member == owner or found & ADMINISTRATOR:
        return ALL
    by_id = {overwrite.id: overwrite for overwrite in overwrites}
    # Three steps, the later one winning: everyone, all roles together, the member alone.
    for step in ({guild}, mine, {member}):
        matching = [by_id[one] for one in step if one in by_id]
        for overwrite in matching:
            found &= ~overwrite.deny
        for overwrite in matching:
            found |= overwrite.allow
    if timed_out:
        found &= VIEW_CHANNELS | READ_MESSAGE_HISTORY
    # Who can't see a channel can do nothing in it.
    return found if found & VIEW_CHANNELS else 0


def names_of(permissions: int) -> str:
    """Name permissions as Discord's settings do."""
    return " and ".join(name for bit, name in NAMES.items() if permissions & bit)


def invite_link(application: int) -> str:
    """The link by which the bot is invited with the least permissions."""
    asked = urlencode({"client_id": application, "permissions": INVITED, "scope": "bot applications.commands"})
    return f"https://discord.com/oauth2/authorize?{asked}"
