"""The stage of the demo, built and taken down in one place: simulator, local Discord, folder, policy, and the bot.

What people do on it is not decided here.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.errors import DeskError
from bot.sandbox.demo.child import LOG_NAME, Bot, launched
from bot.sandbox.discord import WORLD, LocalDiscord
from bot.sandbox.discord.world import APPROVER_ROLE, FILLS, TRADER_ROLE, VIEWER_ROLE
from bot.sandbox.ninjatrader import AccountSpec, AtmTemplate, Holding, Resting, Simulator, running

PROJECT = Path(__file__).parents[3]
POLICY_NAME = "policy.toml"
START_SECONDS = 30.0
DISCORD_TOKEN = "demo-token-of-the-local-discord"  # noqa: S105 - opens nothing but the page beside it
CROSSTRADE_TOKEN = "demo-token-of-the-simulator"  # noqa: S105 - opens nothing but the simulator beside it
# What somebody may do who only looks on.
_READING = "help policy positions orders order accounts account pnl executions quote market chart strategies health why"
READING = ", ".join(f'"{command}"' for command in _READING.split())

# A month that everybody can type on any date, current ones, a live account that takes two persons, and two accounts with
# several instruments: a stop and a target that close, a stop alone, and a limit that waits where nothing is open.
ACCOUNTS = (
    AccountSpec("Sim101", holdings=(Holding("ES 09-26", -2),)),
    AccountSpec("Sim102", holdings=(Holding("ES", -3),)),
    AccountSpec("Sim103", holdings=(Holding("NQ", 1),)),
    AccountSpec(
        "Sim104",
        holdings=(Holding("MES", 4), Holding("GC", -1)),
        orders=(Resting("MES", -4, 180, "MES exits"), Resting("MES", -4, -140, "MES exits"), Resting("MNQ", 1, -200)),
    ),
    AccountSpec("Sim105", holdings=(Holding("CL", 2), Holding("RTY", -2)), orders=(Resting("CL", -2, -120),)),
    AccountSpec("Apex-001", provider="Rithmic", cash=Decimal(50_000), holdings=(Holding("MNQ", 2),)),
)
# ATM templates that orders may name.
TEMPLATES = (AtmTemplate("Scalp", stop_ticks=8, target_ticks=8), AtmTemplate("Swing", stop_ticks=60, target_ticks=120))


def policy_text(confirm_seconds: int) -> str:
    """The demo's policy file: who may do what on this stage."""
    return f"""\
[desk]
confirm_seconds = {confirm_seconds}
price_tolerance_ticks = 40

[[grant]] # Trader
role = {TRADER_ROLE}
commands = "*"
accounts = ["Sim*", "Apex-*"]
instruments = ["*"]
max_quantity = 5

[[grant]] # Viewer
role = {VIEWER_ROLE}
commands = [{READING}]
accounts = ["*"]

[[grant]] # Approver
role = {APPROVER_ROLE}
commands = [{READING}]
accounts = ["*"]

[[limit]]
accounts = ["*"]
instruments = ["*"]
max_position = 10
orders_per_minute = 20
duplicate_seconds = 5
price_band_ticks = 400
daily_loss = 25000.0

[[approval]]
accounts = ["Apex-*"]
min_quantity = 1
role = {APPROVER_ROLE}

[[account]]
name = "Apex-*"
live = true

[[notify]]
channel = {FILLS}
events = ["accepted", "rejected", "unknown", "filled", "halted"]
silent = ["accepted"]
"""


def environment(discord: LocalDiscord, crosstrade: str, *, websocket: bool) -> dict[str, str]:
    """The bot's whole environment: what its settings need and what Python needs, and nothing else of this process."""
    return {
        **{name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "DISCORD_TOKEN": DISCORD_TOKEN,
        "DISCORD_GUILD_ID": str(WORLD.guild),
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "CROSSTRADE_TOKEN": CROSSTRADE_TOKEN,
        "CROSSTRADE_URL": crosstrade,
        "CROSSTRADE_TRANSPORT": "websocket" if websocket else "rest",
        # CrossTrade's real budget, which the simulator holds it to.
        "CROSSTRADE_RATE": "3",
        "CROSSTRADE_BURST": "20",
        "POLICY_FILE": POLICY_NAME,
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs.

    Attributes:
        folder: where the bot runs, with policy file, journal and log.
        discord: the local Discord.
        simulator: the simulated NinjaTrader.
        crosstrade: where it is served, with its levers under ``/control``.
        transport: how orders travel: ``rest`` or ``websocket``.
        bot: the bot's process.
    """

    folder: Path
    discord: LocalDiscord
    simulator: Simulator
    crosstrade: str
    transport: str
    bot: Bot

    @property
    def log(self) -> Path:
        """The file with the bot's log."""
        return self.folder / LOG_NAME

    def set_confirm_seconds(self, seconds: int) -> None:
        """Rewrite the policy file with another life for tickets; the bot finds it within seconds."""
        (self.folder / POLICY_NAME).write_text(policy_text(seconds), encoding="utf-8")

    def front(self, root: str) -> str:
        """The current front month of a future."""
        return self.simulator.world.contract(root).name

    def away(self, instrument: str, ticks: int) -> Decimal:
        """A price that is so many ticks from the last one."""
        contract = self.simulator.world.contract(instrument)
        return self.simulator.world.market.ticker(contract).last + ticks * contract.product.tick

    def held(self, account: str) -> Mapping[str, int]:
        """Positions of an account, as the simulator tells them: signed contracts by instrument."""
        rows = self.simulator.book()["positions"]
        return {row["instrument"]: row["signedQuantity"] for row in rows if row["account"] == account}


@asynccontextmanager
async def staged(
    warn: Callable[[str], None],
    *,
    port: int = 0,
    pages: bool = False,
    websocket: bool = False,
    confirm_seconds: int = 30,
) -> AsyncIterator[Stage]:
    """Start everything, wait until the bot takes commands, and leave nothing behind at the end.

    Args:
        warn: gets the warnings of the bot's log, a line each.
        port: of the local Discord; 0 takes a free one.
        pages: whether there is a page for people.
        websocket: how orders travel.
        confirm_seconds: a ticket's life at first.

    Raises:
        DeskError: the port can't be opened, or the bot didn't start.
    """
    async with AsyncExitStack() as stack:
        discord = LocalDiscord(token=DISCORD_TOKEN)
        simulator = Simulator(token=CROSSTRADE_TOKEN, accounts=ACCOUNTS, templates=TEMPLATES)
        # The bot's journal and log may still be open for a moment where an open file can't be deleted.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="crosstalk-demo-", ignore_cleanup_errors=True)))
        (folder / POLICY_NAME).write_text(policy_text(confirm_seconds), encoding="utf-8")
        try:
            await stack.enter_async_context(discord.running(port=port, pages=pages))
        except OSError as error:
            where = f"Port {port}" if port else "A free port"
            raise DeskError(f"{where} can't be opened here ({_why(error)}); choose another one with --port.") from error
        crosstrade = await stack.enter_async_context(running(simulator))
        settings = environment(discord, crosstrade, websocket=websocket)
        bot = await stack.enter_async_context(launched(folder, settings, warn))
        try:
            await bot.beside(discord.ready(START_SECONDS))
        except TimeoutError as error:
            said = "\n".join(bot.last_lines)
            raise DeskError(f"The bot was not ready within {START_SECONDS:.0f} s. The last lines of its log:\n{said}") from error
        yield Stage(folder, discord, simulator, crosstrade, settings["CROSSTRADE_TRANSPORT"], bot)


def _why(error: OSError) -> str:
    # asyncio wraps the system's own words into a sentence with the address.
    return str(error.strerror or error).rpartition(": ")[2]
