"""The check: each part is good or says what to do, with the exit code that a script can trust."""

import asyncio
import json
import os
import re
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.crosstrade.endpoints import ENDPOINTS
from bot.journal.opening import opened
from bot.program.check import check
from bot.program.check._report import CheckPart
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import APPROVER_ROLE, FILLS, TRADER_ROLE
from bot.sandbox.discord.world import GUILD as LOCAL_GUILD
from bot.sandbox.ninjatrader import AccountSpec, Kind, Rule, Simulator, running

ROOT = Path(__file__).parents[2]
DISCORD_SECRET, CROSSTRADE_SECRET, PASSWORD = "discord-secret-1", "crosstrade-secret-2", "database-secret-3"
GUILD, BOT, APPLICATION, OWNER, TRADER, BOT_ROLE = 1000, 500, 501, 600, 1100, 1105
DESK, FEED, THREAD, CATEGORY = 2001, 2002, 2003, 2004
VIEW, SEND, FILES, HISTORY, IN_THREADS = 1 << 10, 1 << 11, 1 << 15, 1 << 16, 1 << 38
INVITE = f"invite link: https://discord.com/oauth2/authorize?client_id={APPLICATION}&permissions=101376&scope=bot+applications.commands"
SKIPPED_BY_TOKEN = "not checked, as the Discord token comes first"

GRANT = f"""
[[grant]]
role = {TRADER}
commands = ["reverse", "close", "resume"]
accounts = ["Sim*"]
instruments = ["ES"]
max_quantity = 5
"""

Json = object


class Portal:
    """A Discord that knows one bot in one guild; what it answers at each path can be changed."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Json]] = {}
        self.roles: dict[int, int] = {GUILD: 0, TRADER: 0, BOT_ROLE: VIEW | SEND | FILES | HISTORY}
        self.channels: list[dict[str, Json]] = [{"id": str(DESK), "type": 0, "name": "desk", "permission_overwrites": []}]
        self.user: dict[str, Json] = {"id": str(BOT), "username": "Crosstalk", "bot": True}
        self.application: dict[str, Json] = {"id": str(APPLICATION), "interactions_endpoint_url": None}
        self.member: dict[str, Json] = {"roles": [str(BOT_ROLE)], "communication_disabled_until": None}
        self.tokens: set[str | None] = set()
        self.asked: list[str] = []
        self.guild_name = "The desk"

    def channel(self, number: int, name: str, kind: int = 0, **more: Json) -> None:
        self.channels.append({"id": str(number), "type": kind, "name": name, "permission_overwrites": [], **more})

    async def handle(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers.get("Authorization"))
        path = request.path.removeprefix("/api/v10")
        self.asked.append(path)
        status, body = self.answers.get(path) or self._usual(path)
        if 300 <= status < 400:
            return web.Response(status=status, headers={"Location": f"{request.path}/{body}"})
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    def _usual(self, path: str) -> tuple[int, Json]:
        guild = {
            "id": str(GUILD),
            "name": self.guild_name,
            "owner_id": str(OWNER),
            "roles": [{"id": str(role), "name": "x", "permissions": str(bits)} for role, bits in self.roles.items()],
        }
        known: Mapping[str, Json] = {
            "/users/@me": self.user,
            "/oauth2/applications/@me": self.application,
            f"/guilds/{GUILD}": guild,
            f"/guilds/{GUILD}/channels": [channel for channel in self.channels if channel["type"] != 11],
            f"/guilds/{GUILD}/members/{BOT}": self.member,
            f"/applications/{APPLICATION}/guilds/{GUILD}/commands": [],
            **{f"/channels/{channel['id']}": channel for channel in self.channels},
        }
        return (200, known[path]) if path in known else (404, {"message": "Unknown", "code": 0})


class Street:
    """A folder with settings and a policy, between a Discord and a CrossTrade."""

    def __init__(self, portal: Portal, simulator: Simulator, discord: str, crosstrade: str) -> None:
        self.portal = portal
        self.simulator = simulator
        self.policy = GRANT
        self.settings = {
            "DISCORD_TOKEN": DISCORD_SECRET,
            "DISCORD_GUILD_ID": str(GUILD),
            "DISCORD_API_URL": f"{discord}/api/v10",
            "CROSSTRADE_TOKEN": CROSSTRADE_SECRET,
            "CROSSTRADE_URL": crosstrade,
        }
        self.code = -1
        self.mode = 0o600
        self.said: list[str] = []

    async def check(self) -> dict[str, str]:
        """Run the check; gives what it says of each part."""
        self._write()
        self.said = []
        self.code = await check(Path(".env"), self.said.append)
        text = "\n".join(self.said)
        assert not re.search(r"secret-\d|Traceback|\x1b", text)
        lines = dict(line.split(": ", 1) for line in self.said)
        assert [name for name in lines if name != "invite link"] == list(CheckPart)
        return {name: line for name, line in lines.items() if line != "good"}

    def _write(self) -> None:
        Path("policy.toml").write_text(self.policy, encoding="utf-8")
        Path(".env").write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()), encoding="utf-8")
        Path(".env").chmod(self.mode)


@asynccontextmanager
async def served(portal: Portal) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", portal.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    monkeypatch.chdir(tmp_path)
    portal, simulator = Portal(), Simulator(token=CROSSTRADE_SECRET)
    async with served(portal) as discord, running(simulator) as crosstrade:
        yield Street(portal, simulator, discord, crosstrade)


def damage(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)


def nowhere() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_where_all_is_good_every_part_says_so_and_the_invite_ends_it(street: Street) -> None:
    assert await street.check() == {
        "policy": "good (grants: 1, limits: 0)",
        "Discord token": "good (Crosstalk)",
        "guild": "good (The desk)",
        "accounts matched": "good (Sim101, Sim102)",
        "invite link": INVITE.removeprefix("invite link: "),
    }
    assert street.code == 0
    assert street.portal.tokens == {f"Bot {DISCORD_SECRET}"}


async def test_who_can_be_halted_for_good_is_told(street: Street) -> None:
    street.policy = GRANT.replace(', "resume"', "")
    told = (await street.check())["policy"]
    assert told == "good (grants: 1, limits: 0; no grant names resume, so what somebody halts stays halted until one does)"
    assert street.code == 0


async def test_against_the_local_discord_all_is_good_too(street: Street) -> None:
    discord = LocalDiscord(token=DISCORD_SECRET)
    async with discord.running():
        street.settings |= {"DISCORD_API_URL": discord.api_url, "DISCORD_GUILD_ID": str(LOCAL_GUILD)}
        street.policy = GRANT.replace(str(TRADER), str(TRADER_ROLE))
        street.policy += f'[[approval]]\nrole = {APPROVER_ROLE}\n[[notify]]\nchannel = {FILLS}\nevents = "*"'
        told = await street.check()
    assert street.code == 0
    assert all(line.startswith("good") for name, line in told.items() if name != "invite link")


async def test_a_running_bot_keeps_its_stream(street: Street) -> None:
    headers = {"Authorization": f"Bearer {CROSSTRADE_SECRET}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{street.settings['CROSSTRADE_URL']}/ws/stream") as bots,
    ):
        await street.check()
        await bots.send_json({"action": "ping"})
        assert await bots.receive_json(timeout=5) == {"type": "pong"}


async def test_the_command_of_the_program_prints_the_lines_and_ends_with_the_code(street: Street) -> None:
    street._write()
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    street.portal.answers["/users/@me"] = (401, {"message": "401: Unauthorized", "code": 0})
    command = (sys.executable, "-m", "bot", "check")
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode == 2
    assert err == b""
    assert [line.partition(":")[0] for line in out.decode().splitlines()] == list(CheckPart)
    assert b"secret" not in out
    process = await asyncio.create_subprocess_exec(*command, "--json", env=environment, stdout=PIPE, stderr=PIPE)
    told = json.loads((await process.communicate())[0])
    assert (process.returncode, told["exit_code"], told["invite"]) == (2, 2, None)
    parts = {one["part"]: one["verdict"] for one in told["parts"]}
    assert list(parts) == list(CheckPart)
    assert (parts["policy"], parts["Discord token"], parts["guild"]) == ("good", "wrong", "skipped")
    assert [f"{one['part']}: {one['text']}" for one in told["parts"] if one["verdict"] == "wrong"] == [
        line for line in out.decode().splitlines() if line.startswith("Discord token: ")
    ]


OF_DISCORD, OF_CROSSTRADE = {"Discord token", "guild", "channel permissions", "roles"}, {"CrossTrade token", "add-on connected"}


@pytest.mark.parametrize(
    ("changes", "named", "skipped"),
    [
        ({"CROSSTRADE_RATE": "fast"}, ["CROSSTRADE_RATE: not usable as it is"], {*OF_CROSSTRADE, "accounts matched"}),
        (
            {"DISCORD_TOKEN": "", "CROSSTRADE_TOKEN": "", "DISCORD_GUILD_ID": "", "LOG_LEVEL": "loud", "DISCORD_TOKN": "x"},
            ["DISCORD_TOKN: ", "DISCORD_TOKEN: missing", "DISCORD_GUILD_ID: missing", "CROSSTRADE_TOKEN: missing", "LOG_LEVEL: "],
            {*OF_DISCORD, *OF_CROSSTRADE, "accounts matched", "clock"},
        ),
        ({"DISCORD_GUILD_ID": ""}, ["DISCORD_GUILD_ID: missing"], OF_DISCORD - {"Discord token"}),
        ({"DATABASE_URL": "mysql://x"}, ["DATABASE_URL: not usable"], {"journal"}),
        (
            {"CROSSTRADE_URL": "http://simulator:8765"},
            ["CROSSTRADE_URL: not usable as it is; set it in .env or the environment to an address without a path"],
            {*OF_CROSSTRADE, "accounts matched"},
        ),
    ],
)
async def test_all_that_is_wrong_is_named_and_the_rest_is_checked(
    street: Street, changes: dict[str, str], named: list[str], skipped: set[str]
) -> None:
    street.settings |= changes
    told = await street.check()
    assert street.code == 2
    where = [told["settings"].find(name) for name in named]
    assert -1 not in where
    assert where == sorted(where)
    assert {name for name, line in told.items() if line.startswith("not checked")} == skipped
    assert all(line.startswith("good") for name, line in told.items() if name not in {*skipped, "settings", "invite link"})
    assert ("invite link" in told) is ("Discord token" not in skipped)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
async def test_tokens_that_others_can_read_are_a_remark(street: Street) -> None:
    street.mode = 0o644
    assert "chmod 600 .env" in (await street.check())["settings"]
    assert street.code == 0


async def test_a_bad_policy_is_told_and_the_rest_is_checked_all_the_same(street: Street) -> None:
    street.policy = GRANT.replace("= 5", "= 0")
    told = await street.check()
    assert street.code == 2
    assert told["policy"] == "policy.toml: grant[1].max_quantity: must be at least 1"
    assert told["roles"] == told["accounts matched"] == "not checked, as the policy comes first"
    assert told["guild"] == "good (The desk)"


async def test_a_journal_that_a_running_bot_holds_is_good(street: Street) -> None:
    async with opened("sqlite+aiosqlite:///desk.db"):
        told = await street.check()
    assert street.code == 0
    assert told["journal"] == "good (in use by a running bot)"


async def test_a_journal_in_no_folder_is_a_wrong_setting(street: Street) -> None:
    street.settings["DATABASE_URL"] = "sqlite+aiosqlite:///nowhere/desk.db"
    told = await street.check()
    assert street.code == 2
    assert told["journal"].startswith("DATABASE_URL: ")


async def test_a_journal_that_cannot_be_read_is_told(street: Street) -> None:
    damage(Path("desk.db"))
    told = await street.check()
    assert street.code == 1
    assert "damaged or not a journal" in told["journal"]


async def test_a_database_out_of_reach_is_told_without_its_password(street: Street) -> None:
    street.settings["DATABASE_URL"] = f"postgresql+asyncpg://desk:{PASSWORD}@{nowhere().removeprefix('http://')}/desk"
    told = await street.check()
    assert street.code == 1
    assert "can't be reached" in told["journal"]


@pytest.mark.parametrize(
    ("answer", "text", "code"),
    [
        ((401, {"message": "401: Unauthorized"}), "DISCORD_TOKEN: Discord refuses it; copy", 2),
        ((200, {"id": "5", "username": "Tess"}), "DISCORD_TOKEN: it belongs to a person's account", 2),
        ((404, "<html>"), "DISCORD_API_URL: Discord's API doesn't answer there (HTTP 404)", 2),
        ((302, "elsewhere"), "DISCORD_API_URL: Discord's API doesn't answer there (HTTP 302)", 2),
        ((500, "<html>"), "Discord can't be reached: it answered HTTP 500", 69),
        ((429, {"retry_after": 5}), "Discord can't be reached: it answered HTTP 429", 69),
        ((200, "<html>"), "Discord can't be reached: its answer can't be read", 69),
        ((200, {"id": f"{DISCORD_SECRET}"}), "Discord can't be reached: its answer can't be read", 69),
    ],
)
async def test_what_is_wrong_with_the_discord_token(street: Street, answer: tuple[int, Json], text: str, code: int) -> None:
    street.portal.answers["/users/@me"] = answer
    told = await street.check()
    assert street.code == code
    assert told["Discord token"].startswith(text)
    assert {told[part] for part in (CheckPart.GUILD, CheckPart.CHANNELS, CheckPart.ROLES)} == {SKIPPED_BY_TOKEN}
    assert "CrossTrade token" not in told
    assert "invite link" not in told


async def test_the_token_is_not_carried_to_where_an_answer_points(street: Street) -> None:
    street.portal.answers["/users/@me"] = (302, "elsewhere")
    await street.check()
    assert street.portal.asked == ["/users/@me"]


async def test_a_discord_out_of_reach_is_told_and_crosstrade_is_checked_all_the_same(street: Street) -> None:
    street.settings["DISCORD_API_URL"] = f"{nowhere()}/api/v10"
    told = await street.check()
    assert street.code == 69
    assert told["Discord token"].startswith("Discord can't be reached: no connection (ClientConnectorError); check the network")
    assert told["accounts matched"] == "good (Sim101, Sim102)"


async def test_an_endpoint_that_takes_the_commands_away_is_told(street: Street) -> None:
    street.portal.application["interactions_endpoint_url"] = "https://elsewhere.example/"
    told = await street.check()
    assert street.code == 1
    assert "empty Interactions Endpoint URL" in told["Discord token"]
    assert told["guild"] == "good (The desk)"


async def test_an_application_that_is_not_told_is_a_service_out_of_reach(street: Street) -> None:
    street.portal.answers["/oauth2/applications/@me"] = (403, {})
    told = await street.check()
    assert street.code == 69
    assert "it doesn't say which application this is (HTTP 403)" in told["Discord token"]


@pytest.mark.parametrize("path", [f"/guilds/{GUILD}", f"/guilds/{GUILD}/channels", f"/guilds/{GUILD}/members/{BOT}"])
async def test_a_guild_without_the_bot_is_told_with_the_way_to_invite_it(street: Street, path: str) -> None:
    street.portal.answers[path] = (404, {"message": "Unknown Guild", "code": 10004})
    told = await street.check()
    assert street.code == 2
    assert told["guild"].startswith(f"DISCORD_GUILD_ID: the bot is not in the server {GUILD}; open the invite link below")
    assert told["channel permissions"] == told["roles"] == "not checked, as the guild comes first"
    assert street.said[-1] == INVITE


async def test_of_two_guilds_the_missing_one_is_told_and_the_other_checked(street: Street) -> None:
    street.settings["DISCORD_GUILD_ID"] = f"77,{GUILD}"
    told = await street.check()
    assert street.code == 2
    assert told["guild"].startswith("DISCORD_GUILD_ID: the bot is not in the server 77;")
    assert "roles" not in told


async def test_a_guild_that_breaks_off_is_a_service_out_of_reach(street: Street) -> None:
    street.portal.answers[f"/guilds/{GUILD}/channels"] = (503, "<html>")
    told = await street.check()
    assert street.code == 69
    assert told["guild"].startswith("Discord can't be reached: it answered HTTP 503")


async def test_an_invitation_without_commands_is_told(street: Street) -> None:
    street.portal.answers[f"/applications/{APPLICATION}/guilds/{GUILD}/commands"] = (403, {"code": 50001})
    told = await street.check()
    assert street.code == 1
    assert told["guild"].startswith("The bot may register no commands in The desk; open the invite link below once more")


def notify(*channels: int) -> str:
    return GRANT + "".join(f'[[notify]]\nchannel = {channel}\nevents = ["filled"]\n' for channel in channels)


async def test_channels_of_the_routes_must_be_there_and_open(street: Street) -> None:
    portal = street.portal
    portal.channel(FEED, "feed", permission_overwrites=[{"id": str(BOT_ROLE), "allow": "0", "deny": str(SEND)}])
    portal.channel(CATEGORY, "Trading", kind=4)
    street.policy = notify(DESK, FEED, CATEGORY, 77)
    told = await street.check()
    assert street.code == 1
    assert told["channel permissions"] == (
        "Allow the bot Send Messages in #feed, the channel of notify[2]. "
        "Nobody can post in Trading, the channel of notify[3]; name a text channel. "
        "The channel 77 of notify[4] is not there for the bot; correct its id."
    )


async def test_what_only_charts_need_is_a_remark(street: Street) -> None:
    street.portal.roles[BOT_ROLE] = VIEW | SEND | HISTORY
    street.policy = notify(DESK)
    told = await street.check()
    assert street.code == 0
    assert told["channel permissions"] == "good (without Attach Files in #desk)"


async def test_a_bot_that_may_post_nowhere_is_told(street: Street) -> None:
    street.portal.roles[BOT_ROLE] = VIEW
    told = await street.check()
    assert street.code == 1
    assert told["channel permissions"].startswith("The bot may post in no channel of The desk; allow it View Channels and")


async def test_a_bot_that_is_timed_out_may_post_nowhere_until_then(street: Street) -> None:
    for minutes, code in ((5, 1), (-5, 0)):
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        street.portal.member["communication_disabled_until"] = until.isoformat()
        await street.check()
        assert street.code == code


async def test_a_thread_follows_its_parent_and_needs_a_right_of_its_own(street: Street) -> None:
    street.portal.channel(THREAD, "fills", kind=11, guild_id=str(GUILD), parent_id=str(DESK))
    street.policy = notify(THREAD)
    told = await street.check()
    assert told["channel permissions"] == "Allow the bot Send Messages in Threads in #fills, the channel of notify[1]."
    street.portal.roles[BOT_ROLE] |= IN_THREADS
    assert "channel permissions" not in await street.check()
    street.portal.channels[0]["permission_overwrites"] = [{"id": str(BOT), "allow": "0", "deny": str(VIEW)}]
    told = await street.check()
    assert "in #fills" in told["channel permissions"]


async def test_a_channel_of_another_guild_is_not_there_for_the_desk(street: Street) -> None:
    street.portal.answers["/channels/77"] = (200, {"id": "77", "type": 0, "name": "x", "guild_id": "78"})
    street.policy = notify(77)
    told = await street.check()
    assert told["channel permissions"] == "The channel 77 of notify[1] is not there for the bot; correct its id."


async def test_roles_that_the_policy_names_must_exist_and_be_given_by_hand(street: Street) -> None:
    street.policy += f'[[approval]]\nrole = 78\n[[grant]]\nrole = {GUILD}\ncommands = ["help"]'
    told = await street.check()
    assert street.code == 1
    assert told["roles"] == (
        f"The role {GUILD} of grant[2] is @everyone, which counts for nobody. "
        "There is no role 78, which approval[1] names; correct its id."
    )


async def test_a_token_that_crosstrade_refuses_is_told(street: Street) -> None:
    street.settings["CROSSTRADE_TOKEN"] = "other-secret-5"
    told = await street.check()
    assert street.code == 2
    assert told["CrossTrade token"].startswith("CROSSTRADE_TOKEN: copy it again from My Account")
    assert told["add-on connected"] == told["accounts matched"] == "not checked, as CrossTrade comes first"


async def test_a_plan_without_the_api_is_told_in_crosstrades_words(street: Street) -> None:
    street.simulator.faults.add(Kind.ANSWER, status=401, body={"error": f"api_requires_pro {CROSSTRADE_SECRET}"})
    told = await street.check()
    assert street.code == 2
    assert "api_requires_pro" in told["CrossTrade token"]


async def test_an_add_on_that_is_away_is_told(street: Street) -> None:
    street.simulator.faults.add(Kind.OFFLINE)
    told = await street.check()
    assert street.code == 1
    assert "CrossTrade token" not in told
    assert told["add-on connected"] == "Start NinjaTrader 8 and connect the CrossTrade add-on in it."
    assert told["accounts matched"] == "not checked, as the add-on comes first"


@pytest.mark.parametrize(
    ("rule", "text", "code"),
    [
        (Rule(Kind.ANSWER, status=503, body="<html>"), "CrossTrade can't be reached: CrossTrade answered HTTP 503.", 69),
        (Rule(Kind.ANSWER, status=200, body="<html>"), "CrossTrade can't be reached: CrossTrade sent an answer", 69),
        (Rule(Kind.DROP), "CrossTrade can't be reached: ", 69),
        (
            Rule(Kind.ANSWER, status=404, body={"error": "no such path"}),
            "See that CROSSTRADE_URL is right; CrossTrade says: no such path",
            1,
        ),
    ],
)
async def test_a_crosstrade_that_is_not_itself_is_told(street: Street, rule: Rule, text: str, code: int) -> None:
    street.simulator.faults.rules.append(rule)
    told = await street.check()
    assert street.code == code
    assert told["CrossTrade token"].startswith(text)


@pytest.mark.parametrize(
    ("listed", "remark"),
    [
        (None, "good"),
        ([{"method": one.method, "path": f"/v1/api/{one.path}"} for one in ENDPOINTS], "good"),
        (
            [f"{one.method} /v1/api/{one.path.replace('{account}', ':account')}" for one in ENDPOINTS if one.number != 13],
            "good (CrossTrade doesn't list GET /v1/api/orders)",
        ),
        (["GET /v2/elsewhere"], "good"),
    ],
)
async def test_what_crosstrade_does_not_list_is_remarked_on_and_stops_nothing(
    street: Street, listed: list[object] | None, remark: str
) -> None:
    body = {"success": False, "error": "no list"} if listed is None else {"success": True, "endpoints": listed}
    street.simulator.faults.add(Kind.ANSWER, "Endpoints", status=200, body=body)
    told = await street.check()
    assert street.code == 0
    assert told.get("add-on connected", "good") == remark


async def test_a_crosstrade_out_of_reach_is_told(street: Street) -> None:
    street.settings["CROSSTRADE_URL"] = nowhere()
    told = await street.check()
    assert street.code == 69
    assert told["CrossTrade token"].startswith("CrossTrade can't be reached: No connection to CrossTrade could be made.")


async def test_the_stream_of_a_running_bot_is_left_alone(street: Street) -> None:
    street.settings["CROSSTRADE_TRANSPORT"] = "websocket"
    headers = {"Authorization": f"Bearer {CROSSTRADE_SECRET}"}
    # CrossTrade cuts the older of two streams with one token.
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{street.settings['CROSSTRADE_URL']}/ws/stream") as stream,
    ):
        await street.check()
        assert street.code == 0
        await stream.send_json({"action": "ping"})
        assert (await stream.receive()).type is aiohttp.WSMsgType.TEXT


async def test_a_grant_that_fits_no_account_is_told(street: Street) -> None:
    street.policy = GRANT.replace("Sim*", "Apexx*")
    told = await street.check()
    assert street.code == 1
    assert told["accounts matched"] == "No account fits Apexx* of grant[1]; NinjaTrader has Sim101, Sim102, Apex-001."
    street.simulator.reset(accounts=())
    told = await street.check()
    assert told["accounts matched"].endswith("NinjaTrader has none.")


async def test_what_fits_nothing_elsewhere_and_what_stays_refused_are_remarks(street: Street) -> None:
    street.policy = GRANT.replace("Sim*", "*") + (
        '[[limit]]\naccounts = ["Lost*"]\n[[approval]]\nrole = 1100\naccounts = ["Apexx*"]\n'
        f'[[notify]]\nchannel = {DESK}\nevents = "*"\naccounts = ["Sim101", "Gone"]\n'
    )
    told = await street.check()
    assert street.code == 0
    assert told["accounts matched"] == (
        "good (Sim101, Sim102, Apex-001; nothing fits Lost* of limit[1]; nothing fits Apexx* of approval[1]; "
        "nothing fits Gone of notify[1]; Apex-001 is no simulation: "
        "no entry goes there until an [[account]] with live = true names it)"
    )
    street.policy += '[[account]]\nname = "Apex-*"\nlive = true\n'
    told = await street.check()
    assert "stays refused" not in told["accounts matched"]


async def test_of_several_troubles_the_code_tells_the_one_to_mend_first(street: Street) -> None:
    street.portal.roles[BOT_ROLE] = 0
    await street.check()
    assert street.code == 1
    street.settings["CROSSTRADE_URL"] = nowhere()
    await street.check()
    assert street.code == 69
    street.policy = ""
    await street.check()
    assert street.code == 2


async def test_names_from_outside_can_neither_show_a_secret_nor_move_the_terminal(street: Street) -> None:
    street.portal.guild_name = f"\x1b[2J{DISCORD_SECRET}\nsettings: good"
    street.simulator.reset(accounts=(AccountSpec(f"Sim\x1b{CROSSTRADE_SECRET}"),))
    told = await street.check()
    assert street.code == 0
    assert told["guild"] == "good (?[2J[secret]?settings: good)"
    assert "\x1b" not in json.dumps(told)


async def test_a_clock_that_is_wrong_is_told_by_the_dates_of_the_answers(street: Street) -> None:
    street.simulator.cloud.date_ahead = -3600
    told = (await street.check())["clock"]
    assert told == "The clock of the bot's machine is 60 min ahead of that of CrossTrade. Set it by a time server (NTP)."
    assert street.code == 1


async def test_a_policy_without_a_way_out_is_told(street: Street) -> None:
    street.policy = GRANT.replace('"close", ', "")
    told = (await street.check())["policy"]
    assert told.endswith("; nobody may get out of Sim* of grant[1], as no grant names close or flatten there)")
