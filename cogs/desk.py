"""``/help`` and ``/policy``: what there is, and what the member who asks may do with it."""

from collections.abc import Iterator
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import wording
from bot.chat.access import Host, admitted
from bot.chat.answers import say
from bot.chat.client import DeskClient
from bot.chat.markdown import code
from bot.errors import UsageError
from bot.trading.market.facts import SINCE
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType
from bot.trading.orders.tickets import Member
from bot.trading.risk.explaining import explained, question
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import EVERYTHING, OLDEST_QUOTE, READING_COMMANDS, Grant, Limit, PermissionQuery, Policy
from bot.trading.words import money


class DeskCommands(commands.Cog):
    """Commands about the desk itself."""

    def __init__(self, client: DeskClient) -> None:
        self._client = client
        self._desk = client.desk

    @app_commands.command(name="help", description="The commands that you may use here")
    @app_commands.guild_only()
    async def help(self, interaction: discord.Interaction[Host]) -> None:
        """List the commands that this member may use, as they are registered."""
        member = admitted(interaction)
        registered = self._client.tree.get_commands(guild=interaction.guild, type=discord.AppCommandType.chat_input)
        allowed = [command for command in registered if self._desk.may(member, PermissionQuery(command.name)) is None]
        lines = [line for command in sorted(allowed, key=_name) for line in _help(command)]
        await say(interaction, wording.bounded(lines))

    @app_commands.command(name="policy", description="What you may do, and the limits that hold")
    @app_commands.describe(
        why="A command: whether you may use it, and by which grant",
        account="With why: on this account",
        instrument="With why: in this instrument",
        qty="With why: so many contracts",
        order_type="With why: an order of this type",
    )
    @app_commands.rename(order_type="type")
    @app_commands.guild_only()
    async def policy(
        self,
        interaction: discord.Interaction[Host],
        *,
        why: app_commands.Range[str, 1, 40] | None = None,
        account: app_commands.Range[str, 1, 60] | None = None,
        instrument: app_commands.Range[str, 1, 40] | None = None,
        qty: app_commands.Range[int, 1] | None = None,
        order_type: Literal["market", "limit", "stopmarket", "stoplimit"] | None = None,
    ) -> None:
        """List this member's grants, and the limits for everybody; or explain one permission."""
        member = admitted(interaction)
        if why is None:
            lines = [*_halted(self._desk.switches), *_policy(self._desk.policy, member)]
        else:
            kind, today = None if order_type is None else OrderType(order_type.upper()), interaction.created_at.date()
            try:
                query = question(why, account, instrument, qty, kind, today)
            except UsageError as error:
                lines = [str(error)]
            else:
                found = explained(self._desk.policy, member.roles, query)
                lines = list(found.words(lambda table, number: f"{table}[{number}]"))
        await say(interaction, wording.bounded(lines))


def _name(command: app_commands.Command[DeskCommands, ..., None] | app_commands.Group) -> str:
    return command.name


def _help(command: app_commands.Command[DeskCommands, ..., None] | app_commands.Group) -> Iterator[str]:
    yield f"**/{command.name}** — {command.description}"
    if isinstance(command, app_commands.Group):
        return
    needed = [code(each.display_name) for each in command.parameters if each.required]
    optional = [code(each.display_name) for each in command.parameters if not each.required]
    if needed:
        yield f"needs {' '.join(needed)}"
    if optional:
        yield f"takes {' '.join(optional)}"


def _halted(switches: Switches) -> Iterator[str]:
    """Halts in force: what nobody may do just now, whatever they are granted."""
    if switches.all:
        yield "**Halted**"
    yield from (switch.sentence for switch in switches.by_weight())


def _policy(policy: Policy, member: Member) -> list[str]:
    lines = ["**You may**"]
    for grant in policy.grants_of(member.roles):
        lines += _grant(grant)
    if policy.limits:
        lines.append("**For everybody**")
    for limit in policy.limits:
        lines += _limit(limit)
    for rule in policy.approvals:
        lines.append(f"From {rule.min_quantity} in {_names(rule.accounts)}: another <@&{rule.role}> must approve")
    lines.append(f"A ticket can be confirmed for {policy.confirm_seconds} s")
    return lines


def _grant(grant: Grant) -> Iterator[str]:
    everything = EVERYTHING in grant.commands
    yield "every command" if everything else " ".join(f"/{command}" for command in sorted(grant.commands))
    if everything or grant.commands & (TRADING_COMMANDS | READING_COMMANDS | {"resolve"}):
        yield f"· accounts {_names(grant.accounts)}"
    if everything or grant.commands & TRADING_COMMANDS:
        yield f"· instruments {_names(grant.instruments)}"
        yield f"· at most {grant.max_quantity or 0} per order"
        yield f"· types {' '.join(sorted(grant.order_types))}"


def _limit(limit: Limit) -> Iterator[str]:
    yield f"accounts {_names(limit.accounts)}, instruments {_names(limit.instruments)}"
    parts = (
        ("position at most {}", limit.max_position),
        ("{} orders a minute for each of you", limit.orders_per_minute),
        ("the same order again after {} s", limit.duplicate_seconds),
        ("prices within {} ticks of the last", limit.price_band_ticks),
        (f"a loss of {{}} a day, {SINCE}", None if limit.daily_loss is None else money(limit.daily_loss)),
        ("prices not older than {} s", min(limit.stale_seconds, OLDEST_QUOTE)),
    )
    for sentence, value in parts:
        if value is not None:
            yield f"· {sentence.format(value)}"


def _names(patterns: tuple[str, ...]) -> str:
    return " ".join(code(pattern, 60) for pattern in patterns) or "none"
