"""Check of Discord: the bot's token, guilds, channels, roles. Only reads, by plain HTTP at ``DISCORD_API_URL``."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.clock import Clock, utc_now
from bot.dates import Dates
from bot.errors import ServiceUnreachable
from bot.program.check import _permissions as rights
from bot.program.check._report import CheckPart, Report, Verdict
from bot.program.proxies import proxy_for
from bot.settings import Settings
from bot.trading.risk.policy import Policy

_THREADS = {10, 11, 12}
_POSTABLE = {0, 2, 5, 13, *_THREADS}

_BAD_TOKEN = "DISCORD_TOKEN: Discord refuses it; copy the bot's token again from the Bot page of the Developer Portal."  # noqa: S105
_NO_BOT = "DISCORD_TOKEN: it belongs to a person's account, which Discord forbids; use the token of a bot application."
_NO_API = (
    "DISCORD_API_URL: Discord's API doesn't answer there (HTTP {status}); write https://discord.com/api/v10 or leave it out."
)
_ENDPOINT = (
    "Discord would send commands to a web address instead of the bot; empty Interactions Endpoint URL in the Developer Portal."
)
_NO_GUILD = "DISCORD_GUILD_ID: the bot is not in the server {guild}; open the invite link below, or correct the id."
_NO_SCOPE = "The bot may register no commands in {guild}; open the invite link below once more, which asks for that."

T = TypeVar("T")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _User(_Read):
    id: int
    username: str
    bot: bool = False


class _Application(_Read):
    id: int
    interactions_endpoint_url: str | None = None


class _Role(_Read):
    id: int
    permissions: int


class _Guild(_Read):
    id: int
    name: str
    owner_id: int
    roles: tuple[_Role, ...]


class _Overwrite(_Read):
    id: int
    allow: int
    deny: int


class _Channel(_Read):
    id: int
    type: int
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    permission_overwrites: tuple[_Overwrite, ...] = ()


class _Member(_Read):
    roles: tuple[int, ...]
    communication_disabled_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A guild with what decides there over the bot."""

    guild: _Guild
    channels: dict[int, _Channel]
    bot: int
    member: _Member

    def lacks(self, channel: _Channel) -> int:
        """The missing ones of the permissions that posting there takes, and of those that the invite asks for, as a bit set."""
        is_thread = channel.type in _THREADS
        ruling = self.channels.get(channel.parent_id or 0, channel) if is_thread else channel
        silenced_until = self.member.communication_disabled_until
        found = rights.permissions_in(
            guild=self.guild.id,
            owner=self.guild.owner_id,
            member=self.bot,
            held=self.member.roles,
            roles={role.id: role.permissions for role in self.guild.roles},
            overwrites=[rights.Overwrite(each.id, each.allow, each.deny) for each in ruling.permission_overwrites],
            timed_out=silenced_until is not None and silenced_until > utc_now(),
        )
        wanted = rights.INVITED ^ rights.SEND_MESSAGES ^ rights.SEND_MESSAGES_IN_THREADS if is_thread else rights.INVITED
        return wanted & ~found


_TO_POST = rights.VIEW_CHANNELS | rights.SEND_MESSAGES | rights.SEND_MESSAGES_IN_THREADS


class _Api:
    def __init__(self, session: aiohttp.ClientSession, url: str, clock: Clock, dates: Dates) -> None:
        self._session = session
        self._clock = clock
        self._dates = dates
        self._url = url

    async def get(self, path: str, kind: type[T]) -> T | int:
        """Ask for something; gives the status where Discord refuses.

        Raises:
            ServiceUnreachable: no answer that can be used.
        """
        asked = self._clock()
        try:
            async with self._session.get(f"{self._url}{path}", allow_redirects=False) as answer:
                self._dates.told(answer.headers, asked)
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Its own text stays out, as it may hold anything.
            raise ServiceUnreachable(f"no connection ({type(error).__name__})") from None
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServiceUnreachable(f"it answered HTTP {status}")
        if status != HTTPStatus.OK:
            return status
        try:
            return TypeAdapter(kind).validate_json(body)
        except ValidationError:
            raise ServiceUnreachable("its answer can't be read") from None


@dataclass(frozen=True, slots=True)
class _Identity:
    bot: int
    application: int


async def ask_discord(
    settings: Settings, policy: Policy | None, report: Report, seconds: float, clock: Clock, dates: Dates
) -> str | None:
    """Report token, guild, channels and roles; gives the bot's invite link once its application is known.

    Args:
        settings: all of them.
        policy: names the channels and roles; ``None`` where it can't be used.
        report: what is found.
        seconds: for each answer.
        clock: the one that its dates are compared with.
        dates: told of them.
    """
    headers = {
        "Authorization": f"Bot {settings.discord_token.get_secret_value()}",
        "User-Agent": "DiscordBot (crosstalk, 0.1)",
    }
    limit, proxy = aiohttp.ClientTimeout(total=seconds), proxy_for(settings.discord_api_url)
    async with aiohttp.ClientSession(headers=headers, timeout=limit, proxy=proxy) as session:
        api = _Api(session, settings.discord_api_url, clock, dates)
        me = await _reached(report, CheckPart.DISCORD_TOKEN, _identity(api, report))
        if me is None:
            for part in (CheckPart.GUILD, CheckPart.CHANNELS, CheckPart.ROLES):
                report.skip(part, "the Discord token comes first")
            return None
        if not settings.discord_guild_id:
            for part in (CheckPart.GUILD, CheckPart.CHANNELS, CheckPart.ROLES):
                report.skip(part, "DISCORD_GUILD_ID comes first")
            return rights.invite_link(me.application)
        places = await _reached(report, CheckPart.GUILD, _places(api, settings.discord_guild_id, me, report))
        if not places:
            report.skip(CheckPart.CHANNELS, "the guild comes first")
            report.skip(CheckPart.ROLES, "the guild comes first")
        else:
            await _reached(report, CheckPart.CHANNELS, _channels(api, places, policy, report))
            _roles(places, policy, report)
        return rights.invite_link(me.application)


async def _reached(report: Report, part: CheckPart, question: Awaitable[T]) -> T | None:
    try:
        return await question
    except ServiceUnreachable as error:
        report.add(part, Verdict.UNREACHABLE, f"Discord can't be reached: {error}; check the network or try again later.")
        return None


async def _identity(api: _Api, report: Report) -> _Identity | None:
    user = await api.get("/users/@me", _User)
    if isinstance(user, int):
        text = _BAD_TOKEN if user == HTTPStatus.UNAUTHORIZED else _NO_API.format(status=user)
        report.add(CheckPart.DISCORD_TOKEN, Verdict.WRONG, text)
        return None
    if not user.bot:
        report.add(CheckPart.DISCORD_TOKEN, Verdict.WRONG, _NO_BOT)
        return None
    application = await api.get("/oauth2/applications/@me", _Application)
    if isinstance(application, int):
        raise ServiceUnreachable(f"it doesn't say which application this is (HTTP {application})")
    if application.interactions_endpoint_url:
        report.add(CheckPart.DISCORD_TOKEN, Verdict.FAILED, _ENDPOINT)
    else:
        report.add(CheckPart.DISCORD_TOKEN, Verdict.GOOD, user.username)
    # Of old bots the application's id is not the bot's.
    return _Identity(user.id, application.id)


async def _places(api: _Api, guilds: Sequence[int], me: _Identity, report: Report) -> list[_Place]:
    found: list[_Place] = []
    lost: list[str] = []
    closed: list[str] = []
    for number in guilds:
        guild = await api.get(f"/guilds/{number}", _Guild)
        channels = await api.get(f"/guilds/{number}/channels", tuple[_Channel, ...])
        member = await api.get(f"/guilds/{number}/members/{me.bot}", _Member)
        if isinstance(guild, int) or isinstance(channels, int) or isinstance(member, int):
            lost.append(_NO_GUILD.format(guild=number))
            continue
        if isinstance(await api.get(f"/applications/{me.application}/guilds/{number}/commands", list[object]), int):
            closed.append(_NO_SCOPE.format(guild=guild.name))
        found.append(_Place(guild, {channel.id: channel for channel in channels}, me.bot, member))
    if lost:
        report.add(CheckPart.GUILD, Verdict.WRONG, " ".join([*lost, *closed]))
    elif closed:
        report.add(CheckPart.GUILD, Verdict.FAILED, " ".join(closed))
    else:
        report.add(CheckPart.GUILD, Verdict.GOOD, ", ".join(place.guild.name for place in found))
    return found


async def _channels(api: _Api, places: Sequence[_Place], policy: Policy | None, report: Report) -> None:
    problems = [
        f"The bot may post in no channel of {place.guild.name}; allow it View Channels and Send Messages where the desk is to be."
        for place in places
        if all(place.lacks(channel) & _TO_POST for channel in place.channels.values() if channel.type in _POSTABLE)
    ]
    remarks: list[str] = []
    for number, route in enumerate(policy.routes if policy else (), start=1):
        place, channel = await _found(api, places, route.channel)
        if place is None or channel is None:
            problems.append(f"The channel {route.channel} of notify[{number}] is not there for the bot; correct its id.")
        elif channel.type not in _POSTABLE:
            problems.append(f"Nobody can post in {channel.name}, the channel of notify[{number}]; name a text channel.")
        elif lacking := place.lacks(channel):
            to_post, other = lacking & _TO_POST, lacking & ~_TO_POST
            if to_post:
                problems.append(f"Allow the bot {rights.names_of(to_post)} in #{channel.name}, the channel of notify[{number}].")
            else:
                remarks.append(f"without {rights.names_of(other)} in #{channel.name}")
    if problems:
        report.add(CheckPart.CHANNELS, Verdict.FAILED, " ".join(problems))
    else:
        report.add(CheckPart.CHANNELS, Verdict.GOOD, ", ".join(remarks))


async def _found(api: _Api, places: Sequence[_Place], number: int) -> tuple[_Place, _Channel] | tuple[None, None]:
    for place in places:
        if number in place.channels:
            return place, place.channels[number]
    # A thread is in no list of channels.
    channel = await api.get(f"/channels/{number}", _Channel)
    if not isinstance(channel, int):
        for place in places:
            if place.guild.id == channel.guild_id:
                return place, channel
    return None, None


def _roles(places: Sequence[_Place], policy: Policy | None, report: Report) -> None:
    if policy is None:
        report.skip(CheckPart.ROLES, "the policy comes first")
        return
    named = [(f"grant[{number}]", grant.role) for number, grant in enumerate(policy.grants, start=1)]
    named += [(f"approval[{number}]", approval.role) for number, approval in enumerate(policy.approvals, start=1)]
    everybody = {place.guild.id for place in places}
    known = {role.id for place in places for role in place.guild.roles}
    problems = [
        f"The role {role} of {where} is @everyone, which counts for nobody." for where, role in named if role in everybody
    ]
    problems += [f"There is no role {role}, which {where} names; correct its id." for where, role in named if role not in known]
    if problems:
        report.add(CheckPart.ROLES, Verdict.FAILED, " ".join(problems))
    else:
        report.add(CheckPart.ROLES, Verdict.GOOD)
