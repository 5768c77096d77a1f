"""What a session plays on: a simulated NinjaTrader with the plan's accounts, a local Discord, a journal, the bot's process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.chaos.channel import Channel
from benchmarks.chaos.journals import Journal, journal
from benchmarks.chaos.plan import APPROVED, LIVE, HasRuns, Run, Session
from benchmarks.chaos.process import Bot
from benchmarks.chaos.troubles import TOKEN
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import APPROVER_ROLE, GUILD, TRADER_ROLE
from bot.sandbox.ninjatrader import AccountSpec, Holding, Simulator, running
from bot.sandbox.ninjatrader.book import Resting

CONFIRM_SECONDS = 20
PATIENCE_SECONDS = 1.5
POLICY = f"""
[desk]
confirm_seconds = {CONFIRM_SECONDS}

[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["C*"]
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
# The clock jumps, and the market stands still.
stale_seconds = 3600
"""


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


def order_there(simulator: Simulator, run: Run) -> str:
    """The id of the order that works there since before."""
    orders = simulator.world.exchange.orders
    return next(
        order.id for order in orders if order.ticket.account.name == run.account and order.ticket.contract.name == run.instrument
    )


@asynccontextmanager
async def staged(session: Session, folder: Path) -> AsyncIterator[Stage]:
    """Build it; the bot doesn't run yet."""
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    (folder / "clock").write_text("0", encoding="utf-8")
    discord = LocalDiscord(token=TOKEN, patience=PATIENCE_SECONDS)
    simulator = Simulator(token=TOKEN, rate_limited=False, accounts=accounts_of(session), account_events=True)
    simulator.world.market.frozen = True
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(discord.running())
        crosstrade = await stack.enter_async_context(running(simulator))
        kept = await stack.enter_async_context(journal(session.database, folder))
        bot = Bot(discord, _settings(session, discord, crosstrade, kept), folder)
        stage = Stage(session, discord, simulator, kept, bot)
        discord.backend.subscribers.append(stage.channel.note)
        try:
            yield stage
        finally:
            bot.kill()
            if bot.process is not None:
                await bot.process.wait()


def accounts_of(session: HasRuns) -> tuple[AccountSpec, ...]:
    """The accounts with what is open and works there before."""
    by_account = groupby(sorted(session.runs, key=lambda run: run.account), key=lambda run: run.account)
    return tuple(_account(name, tuple(runs)) for name, runs in by_account)


def _account(name: str, runs: Sequence[Run]) -> AccountSpec:
    spec = AccountSpec(name, "Rithmic") if name.startswith(LIVE) else AccountSpec(name)
    for run in runs:
        if run.held:
            spec = replace(spec, holdings=(*spec.holdings, Holding(run.instrument, run.held)))
        if run.rests:
            # A buy below the price, a sell above it: limits that wait.
            resting = Resting(run.instrument, run.rests, -60 if run.rests > 0 else 60)
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
