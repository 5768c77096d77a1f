"""``python -m bot run``: everything is built here by hand, once for each time that this process leads, and closed in reverse.

On SQLite a process leads from its start to its end. On PostgreSQL it may have to stand by before, and again after another one has
taken over from it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack

import discord

from bot.chat.client import DeskClient, run_client
from bot.chat.messenger import DiscordMessenger
from bot.clock import Clock, system_clock
from bot.crosstrade.client import CrossTrade
from bot.crosstrade.rest import WhyNot, never_why
from bot.desk.desk import Desk
from bot.desk.outbox.notices import notices_of_the_desk
from bot.desk.ports import EventName, Tone
from bot.errors import JournalError, JournalLocked, PolicyError
from bot.journal.heads import heads_file
from bot.journal.lease import Lease
from bot.journal.opening import opened, standby
from bot.journal.standby import Standby
from bot.journal.store import SqlJournal
from bot.policyfile import PolicyWatch, changes, in_numbers
from bot.program.haltfile import beside_the_journal
from bot.program.heads import Heads
from bot.program.lanes import lanes_of
from bot.program.metrics import Meter, StandingBy, served
from bot.program.policy import differences
from bot.program.proxies import proxy_for, shown
from bot.program.signals import stop_on_signals, unless
from bot.program.trust import trust_in
from bot.settings import Settings, is_in_clear
from bot.timings import USUAL, CrossTradeTimings, DeskTimings, Timings
from bot.trading.risk.policy import Policy
from bot.trading.words import quoted
from cogs.accounts import Accounts
from cogs.chart import Chart
from cogs.desk import DeskCommands
from cogs.health import HealthCommands
from cogs.journal import JournalCommands
from cogs.market import Market
from cogs.orders import Orders
from cogs.positions import Positions
from cogs.safety import SafetyCommands
from cogs.strategies import Strategies
from cogs.trading import Trading

log = logging.getLogger(__name__)

NewId = Callable[[], str]

# Letters and digits that nobody mistakes for one another when a ticket's id is read aloud.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LENGTH = 8
MOST_REASONS = 10
COGS = (
    Positions,
    Trading,
    Accounts,
    Orders,
    Market,
    Chart,
    Strategies,
    SafetyCommands,
    HealthCommands,
    JournalCommands,
    DeskCommands,
)


def new_id() -> str:
    """A ticket's id: unguessable and easy to read."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


async def run(settings: Settings, timings: Timings = USUAL) -> int:
    """Run the bot until it is told to stop; returns the exit code.

    Raises:
        SettingsError, PolicyError: a setting, the policy file or a token can't be used.
        JournalLocked, JournalError: the journal is another process's and nobody can stand by, or it can't be used.
    """
    stop = stop_on_signals()
    _tell_ways(settings)
    # A file that can't be used stops the start, also of a bot that would stand by.
    watch = PolicyWatch(settings.policy_file)
    waiting, stood_by = standby(settings.database_url, timings.journal), False
    while not stop.is_set():
        why = "Another process leads now."
        try:
            watch = _as_it_is_now(watch, settings) if stood_by else watch
            # A clock of its own for each time: what it says holds from the start of a desk to its end.
            await lead(settings, watch, stop, system_clock(), stood_by=waiting if stood_by else None, timings=timings)
        except JournalLocked as error:
            if waiting is None:
                raise
            why = str(error)
        except JournalError as error:
            if waiting is None or not stood_by:
                raise
            # Who stands by is there for such days.
            why = str(error)
            await unless(stop, asyncio.sleep(timings.program.lead_again))
        if waiting is not None and not stop.is_set():
            stood_by = True
            log.info("standing by: %s", why)
            await _stand_by(waiting, settings, stop)
    if waiting is not None:
        await waiting.close()
    log.info("stopped")
    return 0


def _tell_ways(settings: Settings) -> None:
    """Say through which proxies it goes, and where a token goes in clear.

    Raises:
        SettingsError: a proxy can't be used.
    """
    for url in (settings.discord_api_url, settings.crosstrade_url):
        if (proxy := proxy_for(url)) is not None:
            log.info("%s is reached through the proxy %s", url, shown(proxy))
        if is_in_clear(url):
            log.warning("the token for %s goes there in clear, without TLS", url)


async def _stand_by(waiting: Standby, settings: Settings, stop: asyncio.Event) -> None:
    """Wait for the turn; whoever watches the machine sees that it is well."""
    async with AsyncExitStack() as stack:
        if settings.metrics_port is not None:
            await stack.enter_async_context(served(StandingBy(), settings.metrics_port))
        await unless(stop, waiting.turn())


def _as_it_is_now(watch: PolicyWatch, settings: Settings) -> PolicyWatch:
    """The policy file read again after what may have been days; one that can't be used by then leaves what was read last."""
    try:
        return PolicyWatch(settings.policy_file)
    except PolicyError as error:
        log.error("policy %s stays in force: %s", watch.digest, error)  # noqa: TRY400 - the sentence says it
        return watch


async def lead(
    settings: Settings,
    watch: PolicyWatch,
    stop: asyncio.Event,
    clock: Clock,
    *,
    ids: NewId = new_id,
    stood_by: Standby | None = None,
    timings: Timings = USUAL,
) -> None:
    """Run the desk until told to stop, or until another process has taken over.

    Args:
        settings: all of them.
        watch: has read the policy file.
        stop: the word to stop.
        clock: begins with this desk.
        ids: gives an id that was never given before, of letters and digits.
        stood_by: what has watched another process lead before.
        timings: how long is waited for what.
    """
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(opened(settings.database_url, clock, timings.journal))
        lease = journal.lease
        why_not = never_why if lease is None else lease.why_not
        messenger = DiscordMessenger(clock, why_not, timings.chat)
        broker = await stack.enter_async_context(_crosstrade(settings, clock, ids, why_not, timings.crosstrade, watch))
        meter = Meter(lambda: broker.link.up, lambda: messenger.attached, broker.vitals, journal, clock)
        if settings.metrics_port is not None:
            await stack.enter_async_context(served(meter, settings.metrics_port))
        parts = broker, journal, messenger
        desk = _desk(parts, settings, watch, clock, ids, meter, timings.desk)
        broker.listen(desk.news)
        if lease is not None and stood_by is not None:
            await _tell_of_takeover(lease, watch, desk)
        meter.grades = desk.health.grades
        kept = heads_file(settings.database_url)
        found = await desk.start(await trust_in(journal, kept, stood_by))
        log.info("started: %s tickets expired by the restart, %s outcomes unknown", found.expired, found.unknown)
        # Nobody takes over from a bot on SQLite.
        lost = asyncio.Event() if lease is None else lease.lost
        clients = Clients(settings, desk, messenger, timings)
        heads = Heads(journal, desk.record, lambda: watch.current, kept, clock.host, timings.program)
        await _until_stopped(
            desk,
            heads,
            lost,
            timings.program.goodbye,
            asyncio.create_task(stop.wait(), name="stop"),
            asyncio.create_task(run_client(clients.make, settings.discord_token.get_secret_value()), name="discord"),
            asyncio.create_task(_watch_policy(watch, desk, timings.program.policy_every), name="policy"),
            asyncio.create_task(heads.watch(), name="heads"),
            asyncio.create_task(clients.show_link(), name="link"),
        )


def _desk(
    parts: tuple[CrossTrade, SqlJournal, DiscordMessenger],
    settings: Settings,
    watch: PolicyWatch,
    clock: Clock,
    ids: NewId,
    meter: Meter,
    timings: DeskTimings,
) -> Desk:
    broker, journal, messenger = parts
    return Desk(
        broker,
        journal,
        messenger,
        lambda: watch.current,
        clock,
        ids,
        lanes=lanes_of(broker, lambda: watch.current.fresh, timings),
        timings=timings,
        observe=meter.count,
        halt_file=beside_the_journal(settings.database_url),
    )


async def _until_stopped(
    desk: Desk, heads: Heads, lost: asyncio.Event, goodbye: float, stop: "asyncio.Task[bool]", *work: "asyncio.Task[None]"
) -> None:
    """Wait for the word to stop, or until another process leads; then give the work so many seconds for its goodbye.

    A part that ends before that ends the program, with its sentence if it has one.
    """
    deposed = asyncio.create_task(lost.wait(), name="deposed")
    waits = {stop, deposed}
    try:
        done, _ = await asyncio.wait({*waits, *work}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - waits:
            task.result()
    finally:
        if lost.is_set():
            log.warning("another bot has taken over; this one stops and stands by")
            await desk.abandon()
        else:
            # While Discord can still be told of it; the rows that come behind it until the end are kept below.
            await heads.tell_last()
            # The desk first: what is on its way is seen to its end and told while Discord is still connected.
            await desk.close()
        for task in (*waits, *work):
            task.cancel()
        # A Discord that doesn't answer a goodbye must not keep the process from ending in time.
        await asyncio.wait({*waits, *work}, timeout=goodbye)
        if not lost.is_set():
            await heads.keep_last()


async def _tell_of_takeover(lease: Lease, watch: PolicyWatch, desk: Desk) -> None:
    """Note that this process leads now where another one did, and tell the team."""
    log.warning("took over from %s; this is term %s", lease.before, lease.epoch)
    text = f"Another machine leads the desk now · {quoted(lease.name)} took over from {quoted(str(lease.before))}"
    notices = notices_of_the_desk(watch.current, EventName.TOOK_OVER, text)
    data: dict[str, object] = {"from": lease.before, "to": lease.name, "term": lease.epoch}
    await desk.record(EventName.TOOK_OVER, data=data, notices=notices)


class Clients:
    """Makes a Discord client for each attempt to connect, and speaks to the newest one."""

    def __init__(self, settings: Settings, desk: Desk, messenger: DiscordMessenger, timings: Timings) -> None:
        self._settings = settings
        self._desk = desk
        self._messenger = messenger
        self._timings = timings
        self._newest: DeskClient | None = None

    def make(self) -> DeskClient:
        """A fresh client."""
        self._newest = DeskClient(
            self._desk,
            self._messenger,
            self._settings.discord_guild_id,
            COGS,
            timings=self._timings.chat,
            api_url=self._settings.discord_api_url,
            gateway_url=self._settings.discord_gateway_url,
            proxy=proxy_for(self._settings.discord_api_url),
        )
        return self._newest

    async def show_link(self) -> None:
        """Keep the bot's line in the member list true, for ever: what is halted, and which link is down."""
        while True:
            await asyncio.sleep(self._timings.program.presence_every)
            if self._newest is not None:
                try:
                    sign = self._desk.health.sign
                    await self._newest.show_link(
                        up=sign.up, why=sign.why, which=sign.which, partly=sign.partly, switches=self._desk.switches
                    )
                except (OSError, discord.DiscordException) as error:
                    log.info("presence not shown: %s", error)


def _crosstrade(
    settings: Settings, clock: Clock, ids: NewId, why_not: WhyNot, timings: CrossTradeTimings, watch: PolicyWatch
) -> CrossTrade:
    return CrossTrade(
        settings.crosstrade_url,
        settings.crosstrade_token.get_secret_value(),
        clock=clock,
        new_id=ids,
        transport=settings.crosstrade_transport.value,
        rate=settings.crosstrade_rate,
        burst=settings.crosstrade_burst,
        timings=timings,
        entries_fall_back=lambda: watch.current.entries_fall_back,
        why_not=why_not,
        proxy=proxy_for(settings.crosstrade_url),
    )


async def _watch_policy(watch: PolicyWatch, desk: Desk, every: float) -> None:
    """Keep the running policy that of its file; the team reads what became of a change."""

    async def told(text: str, data: dict[str, object]) -> None:
        notices = notices_of_the_desk(watch.current, EventName.POLICY_CHANGED, text)
        await desk.record(EventName.POLICY_CHANGED, data=data, notices=notices)

    async def changed(policy: Policy) -> None:
        log.info("policy %s is in force", watch.digest)
        counted = changes(watch.before, policy)
        text = "\n".join(
            [f"Policy changed · {watch.digest} is in force", *in_numbers(counted), *differences(watch.before, policy)]
        )
        data = {"digest": watch.digest, "changed": [str(one) for one in counted]}
        # Who was told of such things before hears of this, too: a file that was cut off names no channels.
        tone = Tone.ALARM if any(one.is_alarming for one in counted) else Tone.ROUTINE
        notices = notices_of_the_desk(policy, EventName.POLICY_CHANGED, text, tone, before=watch.before)
        await desk.record(EventName.POLICY_CHANGED, data=data, notices=notices)

    async def refused(error: PolicyError) -> None:
        reasons = error.reasons[:MOST_REASONS]
        why = "\n".join(quoted(reason) for reason in reasons)
        await told(f"Policy file refused · {watch.digest} stays in force\n{why}", {"refused": list(reasons)})

    await watch.watch(changed, refused, every)
