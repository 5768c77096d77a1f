"""The stage of a session: a simulated NinjaTrader with the plan's accounts, a local Discord, a journal, the bot's process."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.chaos.channel import Channel
from benchmarks.chaos.journals import Journal, journal
from benchmarks.chaos.plan import APPROVED, LIVE, HasRuns, Place, Run, Session, fresh_ms, tells_events
from benchmarks.chaos.process import Bot
from benchmarks.chaos.troubles import TOKEN
from bot.sandbox.discord import WORLD, LocalDiscord, Person, World
from bot.sandbox.discord.world import ADMINISTRATOR_ROLE, APPROVER_ROLE, DESK, GUILD, TRADER_ROLE, VIEWER_ROLE
from bot.sandbox.ninjatrader import AccountSpec, Holding, Simulator, running
from bot.sandbox.ninjatrader.book import Resting
from bot.sandbox.ninjatrader.orders import Action, OrderType, Ticket, TimeInForce

CONFIRM_SECONDS = 20
PATIENCE_SECONDS = 1.5
# Asks for orders and may approve those of others; only that it is somebody else keeps their own Approve from counting.
BOTH = "second"
FIRST_ROLE, FIRST_MEMBER = 1180000000000000600, 1180000000000000800
READER = Person("reader", FIRST_MEMBER - 1, "Rita (reader)", ("viewer",))
TEMPLATE = "Scalp"
POLICY = f"""
[desk]
confirm_seconds = {CONFIRM_SECONDS}
fresh_ms = {{fresh_ms}}
ticket_visibility = "{{visibility}}"

[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["C*"]
instruments = ["*"]
max_quantity = 9

[[grant]]
role = {VIEWER_ROLE}
commands = ["market", "positions", "orders", "accounts", "pnl", "quote", "why"]
accounts = ["C*"]

# Whoever has a command that trades may halt; only whom the policy names lifts it. Only whoever may do it in every account that
# there is or will be goes over everything by one call.
[[grant]]
role = {ADMINISTRATOR_ROLE}
commands = ["resume", "flatten", "cancel"]
accounts = ["*"]
instruments = ["*"]
max_quantity = 9

[[approval]]
accounts = ["{APPROVED}*"]
min_quantity = 1
role = {APPROVER_ROLE}

[[account]]
name = "{LIVE}*"
live = true

[[limit]]
max_position = 50
price_band_ticks = 400
"""
_GRANT = """
[[grant]]
role = {role}
commands = "*"
accounts = ["{accounts}"]
instruments = ["*"]
max_quantity = 9
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """A member who is granted a few accounts and no other, so that everything is just these.

    Attributes:
        number: of the run that is theirs.
        accounts: a pattern of the accounts' names.
    """

    name: str
    number: int
    accounts: str

    @property
    def role(self) -> int:
        """The id of a role that nobody else has."""
        return FIRST_ROLE + self.number

    @property
    def person(self) -> Person:
        """The same person in Discord."""
        return Person(self.name, FIRST_MEMBER + self.number, self.name.title(), (self.name,))


def owners(session: HasRuns) -> tuple[Owner, ...]:
    """Those who act for everything that is theirs."""
    some = (run for run in session.runs if run.act.scope == "everything")
    return tuple(Owner(run.member, run.number, f"{run.account[:-1]}*") for run in some)


def policy_of(session: HasRuns) -> str:
    """The policy file."""
    grants = (_GRANT.format(role=owner.role, accounts=owner.accounts) for owner in owners(session))
    visibility = "private" if session.is_private else "channel"
    return POLICY.format(visibility=visibility, fresh_ms=fresh_ms(session.name)) + "".join(grants)


def town_of(session: HasRuns) -> World:
    """The town: people, roles and channels in Discord."""
    more = owners(session)
    roles = {**WORLD.roles, **{owner.name: owner.role for owner in more}}
    people = (replace(one, roles=(*one.roles, "approver")) if one.name == BOTH else one for one in WORLD.people)
    return replace(WORLD, roles=roles, people=(*people, READER, *(owner.person for owner in more)))


@dataclass(slots=True)
class Stage:
    """Everything of one session."""

    session: Session
    discord: LocalDiscord
    simulator: Simulator
    journal: Journal
    bot: Bot
    channel: Channel = field(default_factory=Channel)

    def order_there(self, run: Run) -> str:
        """The id of the order that works there since before."""
        return order_there(self.simulator, run)


def options_of(simulator: Simulator, run: Run) -> dict[str, Any]:
    """The options of the slash command, with the id of what it is about where it takes one."""
    if run.act.scope == "strategy":
        return {**run.options, "strategy": strategy_there(simulator, run)}
    if run.act.scope == "order" or run.act.command in {"modify", "replace"}:
        return {**run.options, "order": order_there(simulator, run)}
    return dict(run.options)


def strategy_there(simulator: Simulator, run: Run) -> str:
    """The id of the ATM strategy that runs there since before."""
    return next(one.owner.id for one in simulator.world.strategies.all if one.entry.ticket.account.name == run.account)


def watch_private(channel: Channel, discord: LocalDiscord) -> None:
    """Let the channel take in what is shown to single members."""
    discord.backend.listeners.append(lambda _channel: channel.look(discord.backend.messages[DESK]))


def begin_strategies(simulator: Simulator, session: HasRuns) -> None:
    """Let each run have its ATM strategy, which has filled by the time that the bot is there."""
    world = simulator.world
    for run in session.runs:
        if run.act.scope == "strategy":
            action, contract = Action.BUY if run.held > 0 else Action.SELL, world.contract(run.instrument)
            account = world.account(run.account)
            entry = Ticket(account, contract, action, OrderType.MARKET, abs(run.held), TimeInForce.DAY, strategy=TEMPLATE)
            world.exchange.submit(entry)


def order_there(simulator: Simulator, run: Run) -> str:
    """The id of the order that works there since before."""
    orders = simulator.world.exchange.orders
    return next(
        order.id for order in orders if order.ticket.account.name == run.account and order.ticket.contract.name == run.instrument
    )


@asynccontextmanager
async def staged(session: Session, folder: Path) -> AsyncIterator[Stage]:
    """Build it; the bot doesn't run yet."""
    (folder / "policy.toml").write_text(policy_of(session), encoding="utf-8")
    (folder / "clock").write_text(str(session.wrong_by), encoding="utf-8")
    discord = LocalDiscord(world=town_of(session), token=TOKEN, patience=PATIENCE_SECONDS)
    simulator = Simulator(
        token=TOKEN,
        rate_limited=False,
        accounts=accounts_of(session),
        account_events=tells_events(session.name),
        names=session.names,
    )
    simulator.world.market.frozen = True
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(discord.running())
        crosstrade = await stack.enter_async_context(running(simulator))
        kept = await stack.enter_async_context(journal(session.database, folder))
        bot = Bot(discord, _settings(session, discord, crosstrade, kept), folder)
        stage = Stage(session, discord, simulator, kept, bot)
        discord.backend.subscribers.append(stage.channel.note)
        if session.is_private:
            watch_private(stage.channel, discord)
        begin_strategies(simulator, session)
        try:
            yield stage
        finally:
            bot.kill()
            if bot.process is not None:
                await bot.process.wait()


def accounts_of(session: HasRuns) -> tuple[AccountSpec, ...]:
    """The accounts with what is open and works there before; what a strategy holds comes with it."""
    some = [(place, run) for run in session.runs for place in run.places]
    by_account = groupby(sorted(some, key=lambda one: one[0].account), key=lambda one: one[0].account)
    return tuple(_account(name, [(place, run.act.scope != "strategy") for place, run in them]) for name, them in by_account)


def _account(name: str, places: Iterable[tuple[Place, bool]]) -> AccountSpec:
    spec = AccountSpec(name, "Rithmic") if name.startswith(LIVE) else AccountSpec(name)
    for place, is_held in places:
        if place.held and is_held:
            spec = replace(spec, holdings=(*spec.holdings, Holding(place.instrument, place.held)))
        if place.rests:
            # A buy below the price, a sell above it: limits that wait.
            resting = Resting(place.instrument, place.rests, -60 if place.rests > 0 else 60)
            spec = replace(spec, orders=(*spec.orders, resting))
    return spec


def _settings(session: Session, discord: LocalDiscord, crosstrade: str, kept: Journal) -> dict[str, Any]:
    return {
        "DISCORD_TOKEN": TOKEN,
        "DISCORD_GUILD_ID": str(GUILD),
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "CROSSTRADE_TOKEN": TOKEN,
        "CROSSTRADE_URL": crosstrade,
        "CROSSTRADE_TRANSPORT": session.transport,
        "CROSSTRADE_RATE": "500",
        "CROSSTRADE_BURST": "500",
        "DATABASE_URL": kept.url,
    }
