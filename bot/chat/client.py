"""The Discord client: how it is set up, what it loads, how it gets and stays connected. What it does is in cogs and buttons."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from types import SimpleNamespace, TracebackType
from typing import Any, Protocol, Self

import aiohttp
import discord
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.chat import wording
from bot.chat.access import Access, Host, guilds
from bot.chat.answers import answer
from bot.chat.buttons import DYNAMIC_ITEMS, is_answered
from bot.chat.connection import Brake, skip_unreadable, stay_connected
from bot.chat.door import DeskDoor
from bot.chat.heartbeat import measure_from_sending
from bot.chat.messenger import DiscordMessenger
from bot.chat.offering import Offering
from bot.chat.presence import CROSSTRADE, NO_SWITCHES, presence
from bot.chat.rivals import CAME
from bot.chat.translate import UNREACHABLE
from bot.chat.tree import DeskTree
from bot.errors import SettingsError
from bot.timings import USUAL, ChatTimings
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import Denial

log = logging.getLogger(__name__)

# discord.py warns at every start that it could not speak; nobody here wants it to.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

_TOKEN_REFUSED = 4004

BAD_TOKEN = "Discord refuses this token; copy the bot's token again from the Discord Developer Portal (Bot, Reset Token)."  # noqa: S105
NOT_A_BOT = "This token belongs to a person's account, which Discord forbids; use the token of a bot application."
NOT_A_MEMBER = (
    "The bot can't register its commands in the server {guild}; invite it there with the scopes bot and applications.commands, "
    "or correct the id."
)

CogFactory = Callable[[Any], commands.Cog]


def _dated(messenger: DiscordMessenger) -> aiohttp.TraceConfig:
    """Have the messenger told of the date of each of Discord's answers."""

    async def begins(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.asked = messenger.clock()

    async def ends(_session: object, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        messenger.dates.told(params.response.headers, context.asked)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(begins)
    trace.on_request_end.append(ends)
    return trace


class DeskClient(Host):
    """The bot as Discord sees it: few intents, no caches, commands in the desk's guilds only.

    Args:
        desk: what everything behind the gate asks.
        messenger: is given this client once it has logged in.
        guild_ids: the guilds that may command the desk.
        cogs: classes (or functions) that make a cog of a client.
        timings: how long is waited for what.
        api_url, gateway_url: where Discord is, if not where it always is; see ``point_at``.
    """

    def __init__(
        self,
        desk: DeskDoor,
        messenger: DiscordMessenger,
        guild_ids: Collection[int],
        cogs: Sequence[CogFactory],
        *,
        timings: ChatTimings = USUAL.chat,
        api_url: str | None = None,
        gateway_url: str | None = None,
        proxy: str | None = None,
    ) -> None:
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            tree_cls=DeskTree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=timings.longest_rate_limit,
            proxy=proxy,
            http_trace=_dated(messenger),
        )
        self.desk = desk
        self.messenger = messenger
        self.private = messenger.private
        self.recall = messenger.recall
        self.offering = Offering(desk, messenger)
        self.access = Access(desk, frozenset(guild_ids))
        self.reached = False
        self.brake = Brake(messenger.clock.seconds, timings)
        self._factories = tuple(cogs)
        self._shown_link: tuple[object, ...] | None = None
        self._asks_for_gateway = api_url is not None and gateway_url is None
        self._gateway = point_at(api_url, gateway_url)
        measure_from_sending()
        skip_unreadable(self)

    async def setup_hook(self) -> None:
        """Load everything and register the commands; runs once, logged in and not yet connected.

        Raises:
            SettingsError: the token is a person's, or a guild doesn't have the bot.
        """
        if self.user is not None and not self.user.bot:
            raise SettingsError("DISCORD_TOKEN", NOT_A_BOT)
        if self._asks_for_gateway:
            _shards, url, _limit = await self.http.get_bot_gateway()
            point_at(None, url)
        self.add_dynamic_items(*DYNAMIC_ITEMS)
        served = guilds(self.access.guilds)
        for make in self._factories:
            await self.add_cog(make(self), guilds=served)
        for guild in served:
            await self._register_commands(guild)
        self.messenger.attach(self)

    async def connect(self, *, reconnect: bool = True) -> None:  # noqa: ARG002 - discord.py's name; it always does
        """Connect and stay connected, with pauses that end soon; see ``connection``.

        Raises:
            discord.ConnectionClosed: Discord wants no more of it.
            Exception: whatever the very first attempt fails with.
        """
        await stay_connected(self, self.brake)

    async def close(self) -> None:
        """Disconnect; news wait for the next client."""
        self.messenger.detach(self)
        await super().close()

    async def show_link(
        self, *, up: bool, why: str, which: str = CROSSTRADE, partly: str = "", switches: Switches = NO_SWITCHES
    ) -> None:
        """Say in the member list what is halted, and whether entries get through or which link is down; only changes are sent."""
        shown = (up, why, which, partly, switches)
        if not self.is_ready() or self._shown_link == shown:
            return
        status, activity = presence(up=up, why=why, which=which, partly=partly, switches=switches)
        await self.change_presence(status=status, activity=activity)
        self._shown_link = shown

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Note that Discord was reached, where a lost connection is taken up again, and when an interaction came."""
        if self.is_closed():
            # discord.py 2.7.1 may still come to call itself ready, and then has no loop to say so in.
            return
        if event == "interaction":
            args[0].extras[CAME] = self.messenger.clock.seconds()
        if event in ("connect", "resumed"):
            self.brake.began()
        if event == "connect":
            self.reached = True
            # A fresh session starts without a presence.
            self._shown_link = None
            # READY names an address of Discord's own for that, which would lead past a proxy.
            if self._gateway is not None and isinstance(self.ws, DiscordWebSocket):
                self.ws.gateway = self._gateway
        super().dispatch(event, *args, **kwargs)

    async def on_ready(self) -> None:
        """Register the buttons again: discord.py 2.7.1 can lose a whole class of them, and this may come many times."""
        self.add_dynamic_items(*DYNAMIC_ITEMS)
        log.info("ready as %s", self.user)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Answer presses and forms that discord.py drops without a word. Nothing is ever done here."""
        is_press = interaction.type is discord.InteractionType.component
        if interaction.type is not discord.InteractionType.modal_submit and not (is_press and not is_answered(interaction)):
            return
        admitted = self.access.admit(interaction, None)
        text = wording.denied([admitted]) if isinstance(admitted, Denial) else wording.CARD_CHANGED
        await answer(interaction, text)

    async def _register_commands(self, guild: discord.Object) -> None:
        try:
            registered = await self.tree.sync(guild=guild)
        except (discord.Forbidden, discord.NotFound) as error:
            raise SettingsError("DISCORD_GUILD_ID", NOT_A_MEMBER.format(guild=guild.id)) from error
        log.info("%s commands registered in guild %s", len(registered), guild.id)


def point_at(api_url: str | None, gateway_url: str | None) -> yarl.URL | None:
    """Send discord.py to another Discord: a proxy, or a local one. ``None`` leaves a part as it is.

    discord.py has no setting for it. Every REST call, those for interactions too, takes its address from ``Route.BASE`` when it
    is made, and a fresh connection goes to ``DEFAULT_GATEWAY``; both are attributes of classes, so this holds for the process.

    Args:
        api_url: base of the REST API, version included.
        gateway_url: the gateway, without query.

    Returns:
        The gateway, where also lost connections must be taken up again; READY names another address for that.
    """
    if api_url is not None:
        Route.BASE = api_url.rstrip("/")
    if gateway_url is None:
        return None
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    return DiscordWebSocket.DEFAULT_GATEWAY


class Connects(Protocol):
    """The part of a client that ``run_client`` needs."""

    brake: Brake

    async def __aenter__(self) -> Self:
        """Prepare."""

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close."""

    async def login(self, token: str) -> None:
        """Log in by REST and set up."""

    async def connect(self) -> None:
        """Connect and stay connected; takes lost connections up again by itself."""


async def run_client(
    make_client: Callable[[], Connects],
    token: str,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Log in and stay connected until cancelled, with a new client whenever one can't go on.

    Raises:
        SettingsError: Discord refuses the token, or a guild doesn't have the bot.
    """
    brake: Brake | None = None
    while True:
        client = make_client()
        # The pauses go on from one client to the next.
        client.brake = brake = client.brake if brake is None else brake
        async with client:
            why = await _log_in(client, token) or await _stay_connected(client)
        wait = brake.wait()
        log.warning("Discord is out of reach (%s); trying again in %.0f s", why, wait)
        await pause(wait)


async def _log_in(client: Connects, token: str) -> str | None:
    """Log in; returns why it must be tried again, if so."""
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        raise SettingsError("DISCORD_TOKEN", BAD_TOKEN) from error
    except (discord.HTTPException, discord.RateLimited, discord.GatewayNotFound, *UNREACHABLE) as error:
        return _reason(error)
    return None


async def _stay_connected(client: Connects) -> str:
    """Stay connected; returns why that ended."""
    try:
        await client.connect()
    except discord.ConnectionClosed as error:
        if error.code == _TOKEN_REFUSED:
            raise SettingsError("DISCORD_TOKEN", BAD_TOKEN) from error
        return _reason(error)
    except (discord.HTTPException, discord.GatewayNotFound, *UNREACHABLE) as error:
        return _reason(error)
    except Exception as error:
        # An event that discord.py can't read ends its loop; the desk's orders must not lose their news over that.
        log.exception("the connection to Discord ended in a fault")
        return _reason(error)
    return "the connection was closed"


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
