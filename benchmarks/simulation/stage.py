"""The world of one session: Discord, NinjaTrader, a network between them, and the bot's machine; each a party of its own."""

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.chaos.channel import Card, Channel
from benchmarks.chaos.moments import is_about
from benchmarks.chaos.plan import Run, drawn_names, tells_events, wrong_by
from benchmarks.chaos.stage import order_there
from benchmarks.chaos.troubles import TOKEN
from benchmarks.simulation.lives import Lives
from benchmarks.simulation.ways import Lookout
from bot.policyfile import PolicyWatch
from bot.program.run import lead
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import GUILD
from bot.sandbox.discord.world import World as Town
from bot.sandbox.ninjatrader import AccountSpec, Simulator, Timing, running
from bot.sandbox.ninjatrader.cloud import Received
from bot.sandbox.virtual import HostClock, Network, Party, VirtualLoop
from bot.sandbox.virtual.seams import foreign_seams
from bot.settings import Settings

BOT, DISCORD, NINJATRADER = "bot", "discord", "ninjatrader"
JOURNAL = "desk.db"
PATIENCE_SECONDS = 3.0
# The market stands still, so that prices and results say nothing new.
TIMING = Timing(tick=60.0, quotes=20.0, results=20.0)
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_NANOSECONDS = 1e9


@dataclass(slots=True)
class Happening:
    """Something for the timeline."""

    at: float
    who: str
    what: str


@dataclass(slots=True)
class World:
    """Everything of one session.

    Attributes:
        true: the time that all but the bot's host have.
        host: the clock of the bot's host.
        channel: what is said in Discord.
        changes: how often anything changed in Discord.
        happenings: what was done to whom, and what the bot logged.
        uncaught: exceptions that nobody caught.
        moved: runs whose position somebody has changed in NinjaTrader itself, by number, and when.
        moving: runs whose position somebody will change right before their press.
        told: moved runs of which an event has told.
        halted: accounts that somebody has halted and nobody has lifted yet.
        leaked: what people could read that holds a secret.
        hammering: what a member does who hammers the commands that only read.
    """

    loop: VirtualLoop
    true: HostClock
    host: HostClock
    discord: LocalDiscord
    simulator: Simulator
    journal: Path
    lookout: Lookout
    channel: Channel
    changes: int = 0
    happenings: list[Happening] = field(default_factory=list)
    uncaught: list[str] = field(default_factory=list)
    moved: dict[int, datetime] = field(default_factory=dict)
    moving: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    halted: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    lives: Lives | None = None
    hammering: asyncio.Task[None] | None = None

    @property
    def bot(self) -> Lives:
        """The bot."""
        if self.lives is None:
            raise RuntimeError("the bot isn't there yet")
        return self.lives

    @property
    def network(self) -> Network:
        """The network between them."""
        return self.loop.network

    @property
    def commits(self) -> int:
        """Pieces of work that the bot has done in a thread."""
        return self.bot.commits

    def when_changed(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        """A condition that is asked again only when something has changed in Discord."""
        asked, so = -1, False

        def look() -> bool:
            nonlocal asked, so
            if asked != self.changes:
                asked, so = self.changes, condition()
            return so

        return look

    @property
    def bot_url(self) -> str:
        """The value of DATABASE_URL."""
        return _url(self.journal)

    def say(self, who: str, what: str) -> None:
        """Put it into the timeline."""
        self.happenings.append(Happening(self.loop.time(), who, what))

    def when(self, nanoseconds: int) -> datetime:
        """A moment of the loop's time, as the clock has it that nobody sets."""
        return self.true() - timedelta(microseconds=(self.nanoseconds() - nanoseconds) / 1000)

    def nanoseconds(self) -> int:
        """The loop's time, as the local Discord counts."""
        return int(self.loop.time() * _NANOSECONDS)

    def read(self, text: str) -> None:
        """Take note of something that people can read."""
        if TOKEN in text:
            self.leaked.append(text[:200])

    # What an order leaves

    def order_there(self, run: Run) -> str:
        """The id of the order that works there since before."""
        return order_there(self.simulator, run)

    def card_of(self, run: Run) -> Card | None:
        """Its card."""
        return self.channel.card_of(*run.named)

    def is_pressed(self, card: Card) -> bool:
        """True once the bot was handed a Confirm of that card."""
        presses = self.channel.presses.get(card.buttons.get("Confirm", ""), ())
        return any(self.discord.interaction(one).handed is not None for one in presses)

    def request_of(self, run: Run) -> Received | None:
        """The call that counts, as it came in at NinjaTrader."""
        received = self.simulator.cloud.received
        return next((one for one in received if one.call == run.act.calls[-1] and is_about(one, run, self)), None)

    def state_of(self, ticket: str) -> str | None:
        """A ticket's state in the journal."""
        with suppress(sqlite3.Error), closing(self.reading()) as database:
            row = database.execute("SELECT state FROM tickets WHERE id = ?", (ticket,)).fetchone()
            return None if row is None else str(row[0])
        return None

    def reading(self) -> sqlite3.Connection:
        """The journal, to look at."""
        return sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=0.1)


class _Log(logging.Handler):
    """Keeps what is logged for the timeline."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Take it in."""
        text = record.getMessage()
        self._world.read(text)
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]!r}"
        self._world.say("log", f"{record.levelname} {record.name}: {text}"[:400])


def _latencies(dice: random.Random) -> dict[tuple[str, str], Callable[[], float]]:
    """The time that bytes take: some milliseconds mostly, a second now and then."""

    def draw(least: float, mean: float) -> Callable[[], float]:
        return lambda: least + dice.expovariate(1 / mean) + (dice.random() < 0.002) * dice.uniform(0.2, 1.5)

    pairs = {BOT: ((DISCORD, 0.015, 0.015), (NINJATRADER, 0.008, 0.01))}
    return {
        way: draw(least, mean)
        for one, others in pairs.items()
        for other, least, mean in others
        for way in ((one, other), (other, one))
    }


def _ids(dice: random.Random) -> Callable[[], str]:
    """Ids that never come twice."""
    given: set[str] = set()

    def new() -> str:
        while (made := "".join(dice.choices(_LETTERS, k=8))) in given:
            pass
        given.add(made)
        return made

    return new


@asynccontextmanager
async def staged(
    loop: VirtualLoop,
    name: str,
    accounts: tuple[AccountSpec, ...],
    transport: str,
    folder: Path,
    *,
    policy: str,
    town: Town,
) -> AsyncIterator[World]:
    """Build it; the bot doesn't run yet.

    Args:
        loop: the one that runs.
        name: decides the chance of everything here.
        accounts: those at NinjaTrader.
        transport: how orders travel.
        folder: for the bot's files.
        policy: the policy file.
        town: who is there in Discord.
    """
    true, host = HostClock(loop), HostClock(loop)
    host.step(wrong_by(name))
    numbers = count(1)
    channel = Channel(now=lambda: int(loop.time() * _NANOSECONDS))
    discord = LocalDiscord(world=town, token=TOKEN, patience=PATIENCE_SECONDS, clock=true, now=channel.now)
    simulator = Simulator(
        token=TOKEN, clock=true, new_id=lambda: f"{next(numbers):032x}", accounts=accounts,
        account_events=tells_events(name), timing=TIMING, monotonic=loop.time,
        names=drawn_names(name),
    )  # fmt: skip
    simulator.world.market.frozen = True
    world = World(loop, true, host, discord, simulator, folder / JOURNAL, Lookout(loop), channel)
    discord.backend.subscribers.append(channel.note)
    discord.backend.subscribers.append(partial(_hear, world))
    discord.backend.listeners.append(lambda _channel: _count(world))
    dice = random.Random(f"{name} world")  # noqa: S311 - no secret
    loop.network.latencies = _latencies(dice)
    loop.thread_seconds = lambda: dice.uniform(0.0005, 0.004)
    loop.set_exception_handler(partial(_uncaught, world))
    async with AsyncExitStack() as stack:
        stack.enter_context(foreign_seams(loop, host, dice.getrandbits(32)))
        stack.enter_context(_logged(world))
        await _served(stack, Party(DISCORD), discord.running())
        url = await _served(stack, Party(NINJATRADER), running(simulator))
        (folder / "policy.toml").write_text(policy, encoding="utf-8")
        settings, ids = _settings(discord, url, transport, folder), _ids(dice)
        world.lives = Lives(
            BOT, lambda stop: lead(settings, PolicyWatch(settings.policy_file), stop, host.steady(), ids=ids), world.say
        )
        try:
            yield world
        finally:
            world.bot.kill()


def _hear(world: World, event: str, payload: Mapping[str, Any]) -> None:
    """Put what people do into the timeline, and look at what the bot says."""
    if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
        world.read(repr(payload))
    if event == "INTERACTION_CREATE":
        what = payload.get("data", {})
        who = payload.get("member", {}).get("user", {}).get("username", "somebody")
        options = {option["name"]: option.get("value") for option in what.get("options", ())}
        world.say(who, f"/{what['name']} {options}" if "name" in what else f"presses {what.get('custom_id')}")


def _count(world: World) -> None:
    world.changes += 1


async def _served(stack: AsyncExitStack, party: Party, server: Any) -> Any:
    """Let a party serve as long as the stack is open."""
    served = await party.start(server.__aenter__())

    async def end() -> None:
        await party.start(server.__aexit__(None, None, None))

    stack.push_async_callback(end)
    return served


@contextmanager
def _logged(world: World) -> Iterator[None]:
    root, handler = logging.getLogger(), _Log(world)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _uncaught(world: World, _loop: object, context: dict[str, Any]) -> None:
    text = f"{context.get('message')}: {context.get('exception')!r}"
    world.uncaught.append(text)
    world.say("uncaught", text)


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _settings(discord: LocalDiscord, crosstrade: str, transport: str, folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        discord_token=TOKEN,
        discord_guild_id=str(GUILD),
        discord_api_url=discord.api_url,
        discord_gateway_url=discord.gateway_url,
        crosstrade_token=TOKEN,
        crosstrade_url=crosstrade,
        crosstrade_transport=transport,
        database_url=_url(folder / JOURNAL),
        policy_file=folder / "policy.toml",
    )
