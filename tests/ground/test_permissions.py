"""What the bot may do in a channel, case by case as Discord's documentation words it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.program.check import _permissions as rights
from bot.program.check._permissions import ALL, Overwrite, invite_link, names_of, permissions_in

GUILD, OWNER, BOT, TRADER, MUTED, STRANGER = 1, 2, 3, 10, 11, 12
VIEW, SEND, FILES, HISTORY = rights.VIEW_CHANNELS, rights.SEND_MESSAGES, rights.ATTACH_FILES, rights.READ_MESSAGE_HISTORY


@pytest.mark.parametrize(
    ("held", "roles", "overwrites", "expected"),
    [
        pytest.param([], {}, [], 0, id="nothing is allowed where nothing says so"),
        pytest.param([], {GUILD: VIEW | SEND}, [], VIEW | SEND, id="everyone's rights are everybody's"),
        pytest.param([TRADER], {GUILD: VIEW, TRADER: SEND}, [], VIEW | SEND, id="roles add up"),
        pytest.param([], {GUILD: VIEW, TRADER: SEND}, [], VIEW, id="a role that isn't held counts for nothing"),
        pytest.param([TRADER], {GUILD: VIEW}, [], VIEW, id="a role that is gone counts for nothing"),
        pytest.param([], {GUILD: SEND | FILES}, [], 0, id="who can't see a channel can do nothing there"),
        pytest.param(
            [TRADER], {TRADER: rights.ADMINISTRATOR}, [Overwrite(GUILD, 0, VIEW)], ALL, id="nothing binds administrators"
        ),
        pytest.param([], {GUILD: VIEW | SEND}, [Overwrite(GUILD, 0, SEND)], VIEW, id="everyone's rights are taken in a channel"),
        pytest.param([], {GUILD: VIEW}, [Overwrite(GUILD, SEND, 0)], VIEW | SEND, id="everyone's rights are given in a channel"),
        pytest.param(
            [TRADER],
            {GUILD: VIEW | SEND},
            [Overwrite(TRADER, SEND, 0), Overwrite(GUILD, 0, SEND)],
            VIEW | SEND,
            id="a role's overwrite wins over everyone's, whatever their order",
        ),
        pytest.param(
            [TRADER, MUTED],
            {GUILD: VIEW},
            [Overwrite(TRADER, SEND, 0), Overwrite(MUTED, 0, SEND)],
            VIEW | SEND,
            id="among roles what one allows wins over what another denies",
        ),
        pytest.param(
            [TRADER],
            {GUILD: VIEW | SEND},
            [Overwrite(BOT, 0, SEND), Overwrite(TRADER, SEND, 0)],
            VIEW,
            id="the member's own overwrite wins over the roles'",
        ),
        pytest.param([], {GUILD: VIEW}, [Overwrite(BOT, SEND, SEND)], VIEW | SEND, id="within one overwrite allowing wins"),
        pytest.param(
            [],
            {GUILD: VIEW | SEND},
            [Overwrite(STRANGER, 0, VIEW | SEND)],
            VIEW | SEND,
            id="an overwrite for somebody else counts for nothing",
        ),
        pytest.param([], {GUILD: VIEW | SEND}, [Overwrite(BOT, 0, VIEW)], 0, id="hidden by an overwrite"),
    ],
)
def test_permissions_are_worked_out_as_discord_does(
    held: list[int], roles: dict[int, int], overwrites: list[Overwrite], expected: int
) -> None:
    assert permissions_in(guild=GUILD, owner=OWNER, member=BOT, held=held, roles=roles, overwrites=overwrites) == expected


def test_the_owner_may_everything() -> None:
    denied = [Overwrite(GUILD, 0, VIEW)]
    assert permissions_in(guild=GUILD, owner=BOT, member=BOT, held=[], roles={}, overwrites=denied) == ALL


def test_who_is_timed_out_can_only_look() -> None:
    roles = {GUILD: VIEW | SEND | FILES | HISTORY}
    found = permissions_in(guild=GUILD, owner=OWNER, member=BOT, held=[], roles=roles, overwrites=[], timed_out=True)
    assert found == VIEW | HISTORY


def test_permissions_are_named_as_in_discords_settings() -> None:
    assert names_of(VIEW | SEND) == "View Channels and Send Messages"
    assert names_of(0) == ""


def test_the_invite_asks_for_the_least() -> None:
    link = urlsplit(invite_link(42))
    assert (link.scheme, link.netloc, link.path) == ("https", "discord.com", "/oauth2/authorize")
    assert parse_qs(link.query) == {
        "client_id": ["42"],
        "permissions": [str(1 << 10 | 1 << 11 | 1 << 15 | 1 << 16)],
        "scope": ["bot applications.commands"],
    }
