"""``python -m bot run``: everything is built here once, by hand, and closed in the reverse order."""

import asyncio
import logging
import secrets
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import discord

from bot.chat.client import DeskClient, run_client
from bot.chat.messenger import DiscordMessenger
from bot.crosstrade.client import CrossTrade
from bot.desk.desk import Desk
from bot.desk.news import notices_of_the_desk
from bot.desk.ports import Event, EventName, Journal
from bot.errors import PolicyError
from bot.journal.opening import opened
from bot.policyfile import PolicyWatch
from bot.program.haltfile import beside_the_journal
from bot.program.metrics import Meter, served
from bot.program.signals import stop_on_signals
from bot.settings import Settings
from bot.trading.policy import Policy
from bot.trading.words import code
from cogs.accounts import Accounts
from cogs.chart import Chart
from cogs.desk import DeskCommands
from cogs.market import Market
from cogs.orders import Orders
from cogs.positions import Positions
from cogs.safety import SafetyCommands
from cogs.strategies import Strategies
from cogs.trading import Trading

log = logging.getLogger(__name__)

# Letters and digits that nobody mistakes for one another when a ticket's id is read aloud.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LENGTH = 8
GOODBYE_SECONDS = 2.0
LINK_SECONDS = 1.0
MOST_REASONS = 10
COGS = (Positions, Trading, Accounts, Orders, Market, Chart, Strategies, SafetyCommands, DeskCommands)


def utc_now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A ticket's id: unguessable and easy to read."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


async def run(settings: Settings) -> int:
    """Run the bot until it is told to stop; returns the exit code.

    Raises:
        SettingsError, PolicyError: a setting, the policy file or a token can't be used.
        JournalLocked, JournalError: the journal is another process's, or can't be used.
    """
    stop = stop_on_signals()
    watch = PolicyWatch(settings.policy_file)
    messenger = DiscordMessenger()
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(opened(settings.database_url, utc_now))
        broker = await stack.enter_async_context(_crosstrade(settings))
        meter = Meter(lambda: broker.link.up, lambda: messenger.attached, journal, utc_now)
        if settings.metrics_port is not None:
            await stack.enter_async_context(served(meter, settings.metrics_port))
        quiet, halt_file = broker.in_background, beside_the_journal(settings.database_url)
        desk = Desk(
            broker,
            journal,
            messenger,
            lambda: watch.current,
            utc_now,
            new_id,
            quiet_broker=quiet,
            urgent_broker=broker.for_exits,
            observe=meter.count,
            halt_file=halt_file,
        )
        broker.listen(desk.news)
        found = await desk.start()
        log.info("started: %s tickets expired by the restart, %s outcomes unknown", found.expired, found.unknown)
        clients = Clients(settings, desk, messenger)
        await _until_stopped(
            desk,
            asyncio.create_task(stop.wait(), name="stop"),
            asyncio.create_task(run_client(clients.make, settings.discord_token.get_secret_value()), name="discord"),
            asyncio.create_task(_watch_policy(watch, journal), name="policy"),
            asyncio.create_task(clients.show_link(broker), name="link"),
        )
    log.info("stopped")
    return 0


async def _until_stopped(desk: Desk, stop: "asyncio.Task[bool]", *work: "asyncio.Task[None]") -> None:
    """Wait for the word to stop; a part that ends before it ends the program, with its sentence if it has one."""
    try:
        done, _ = await asyncio.wait({stop, *work}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stop}:
            task.result()
    finally:
        # The desk first: what is on its way is seen to its end and told while Discord is still connected.
        await desk.close()
        for task in (stop, *work):
            task.cancel()
        # A Discord that doesn't answer a goodbye must not keep the process from ending in time.
        await asyncio.wait({stop, *work}, timeout=GOODBYE_SECONDS)


class Clients:
    """Makes a Discord client for each attempt to connect, and speaks to the newest one."""

    def __init__(self, settings: Settings, desk: Desk, messenger: DiscordMessenger) -> None:
        self._settings = settings
        self._desk = desk
        self._messenger = messenger
        self._newest: DeskClient | None = None

    def make(self) -> DeskClient:
        """A fresh client."""
        self._newest = DeskClient(
            self._desk,
            self._messenger,
            self._settings.discord_guild_id,
            COGS,
            api_url=self._settings.discord_api_url,
            gateway_url=self._settings.discord_gateway_url,
        )
        return self._newest

    async def show_link(self, broker: CrossTrade) -> None:
        """Keep the bot's line in the member list true, for ever: what is halted, else whether CrossTrade can be reached."""
        while True:
            await asyncio.sleep(LINK_SECONDS)
            if self._newest is not None:
                try:
                    await self._newest.show_link(up=broker.link.up, why=broker.link.why, switches=self._desk.switches)
                except (OSError, discord.DiscordException) as error:
                    log.info("presence not shown: %s", error)


def _crosstrade(settings: Settings) -> CrossTrade:
    return CrossTrade(
        settings.crosstrade_url,
        settings.crosstrade_token.get_secret_value(),
        clock=utc_now,
        new_id=new_id,
        transport=settings.crosstrade_transport.value,
        rate=settings.crosstrade_rate,
        burst=settings.crosstrade_burst,
    )


async def _watch_policy(watch: PolicyWatch, journal: Journal) -> None:
    """Keep the running policy that of its file; the team reads what became of a change."""

    async def told(text: str, data: dict[str, object]) -> None:
        notices = notices_of_the_desk(watch.current, EventName.POLICY_CHANGED, text)
        await journal.record(Event(utc_now(), EventName.POLICY_CHANGED, data=data), notices)

    async def changed(_policy: Policy) -> None:
        log.info("policy %s is in force", watch.digest)
        await told(f"**Policy changed** · {watch.digest} is in force", {"digest": watch.digest})

    async def refused(error: PolicyError) -> None:
        reasons = error.reasons[:MOST_REASONS]
        why = "\n".join(code(reason) for reason in reasons)
        await told(f"**Policy file refused** · {watch.digest} stays in force\n{why}", {"refused": list(reasons)})

    await watch.watch(changed, refused)
