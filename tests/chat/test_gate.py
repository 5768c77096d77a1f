"""I8: everything that a person can touch passes the gate, whatever is added to the bot later; a no lets nothing through."""

import ast
import inspect
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.ui import LayoutView
from simcord import InteractionResult

import bot.chat
import cogs
from bot.chat.access import GuardedButton, admitted
from bot.chat.buttons import DYNAMIC_ITEMS
from bot.chat.cards import card
from bot.trading.orders.protection import Protection
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Denial, DenialCode

from .conftest import Stage, payload_of, told
from .samples import TRADER_ROLE, ticket

NO = Denial(DenialCode.NO_GRANT, "No grant, no entry.")
AUTOCOMPLETE, COMMAND, PRESS, FORM = 4, 2, 3, 5
EVERY_KIND = list(discord.AppCommandType)


def _commands(stage: Stage) -> list[Any]:
    guild = discord.Object(stage.guild.id)
    return [command for kind in EVERY_KIND for command in stage.client.tree.walk_commands(guild=guild, type=kind)]


def _options(command: app_commands.Command[Any, ..., Any], focused: str | None = None) -> list[dict[str, Any]]:
    values = {discord.AppCommandOptionType.integer: (4, 1), discord.AppCommandOptionType.string: (3, "buy")}
    given = []
    for each in command.parameters:
        if each.required or each.display_name == focused:
            kind, value = values[each.type]
            given.append({"name": each.display_name, "type": kind, "value": value, "focused": each.display_name == focused})
    return given


def _data(command: app_commands.Command[Any, ..., Any], guild: int | None, focused: str | None = None) -> dict[str, Any]:
    data = {"id": "1", "name": command.name, "type": 1, "options": _options(command, focused)}
    return data if guild is None else data | {"guild_id": str(guild)}


async def test_there_are_commands_and_buttons_to_guard(stage: Stage) -> None:
    assert {command.name for command in _commands(stage)} >= {"reverse", "help", "policy", "positions", "order", "quote"}
    assert len(DYNAMIC_ITEMS) >= 3


async def test_nothing_is_registered_but_in_the_desks_own_guild(stage: Stage) -> None:
    assert [command for kind in EVERY_KIND for command in stage.client.tree.walk_commands(type=kind)] == []
    puts = [one.path for one in stage.env.http_requests if one.path.endswith("/commands")]
    assert puts == [f"/applications/{stage.client.application_id}/guilds/{stage.guild.id}/commands"]


async def test_every_command_asks_the_desk_and_a_no_ends_it(stage: Stage) -> None:
    stage.desk.denial = NO
    for command in _commands(stage):
        stage.desk.asked.clear()
        record = stage.forge(COMMAND, _data(command, stage.guild.id))
        await stage.env.settle()
        result = InteractionResult(stage.env, record)
        assert [request.command for request in stage.desk.asked] == [command.name]
        assert "NO_GRANT" in told(result)
        assert NO.sentence in told(result)
        assert result.ephemeral
    assert stage.desk.behind == []


async def test_every_autocomplete_asks_the_desk_and_a_no_offers_nothing(stage: Stage) -> None:
    stage.desk.denial = NO
    asked = []
    for command in _commands(stage):
        for parameter in command.parameters:
            if parameter.autocomplete:
                record = stage.forge(AUTOCOMPLETE, _data(command, stage.guild.id, parameter.display_name))
                await stage.env.settle()
                assert InteractionResult(stage.env, record).autocomplete_choices == []
                asked.append(command.name)
    assert [request.command for request in stage.desk.asked] == asked
    assert {"reverse", "positions", "orders", "order", "account", "executions", "quote", "market", "strategies"} <= set(asked)
    assert stage.desk.behind == []


@pytest.mark.parametrize("where", ["another guild", "direct messages"])
async def test_every_command_and_autocomplete_is_refused_outside_the_desks_guild(stage: Stage, where: str) -> None:
    for command in _commands(stage):
        for kind, focused in ((COMMAND, None), *((AUTOCOMPLETE, each.display_name) for each in command.parameters)):
            record = _from_outside(stage, kind, _data(command, stage.guild.id, focused), where)
            await stage.env.settle()
            result = InteractionResult(stage.env, record)
            if kind == COMMAND:
                assert "NOT_HERE" in told(result)
            else:
                assert result.autocomplete_choices == []
    assert stage.desk.behind == []
    assert stage.desk.asked == []


@pytest.mark.parametrize("where", ["another guild", "direct messages"])
async def test_every_button_is_refused_outside_the_desks_guild(stage: Stage, where: str) -> None:
    result = await stage.reverse()
    stage.desk.behind.clear()
    for custom_id in _every_custom_id():
        record = _from_outside(stage, PRESS, {"custom_id": custom_id, "component_type": 2}, where, message=_shown(stage))
        await stage.env.settle()
        result = InteractionResult(stage.env, record)
        assert "NOT_HERE" in told(result)
    assert stage.desk.behind == []


@pytest.mark.parametrize("where", ["the desk", "another guild"])
async def test_a_form_that_nobody_shows_is_answered_and_does_nothing(stage: Stage, where: str) -> None:
    data = {"custom_id": "anything", "components": []}
    record = stage.forge(FORM, data) if where == "the desk" else _from_outside(stage, FORM, data, where)
    await stage.env.settle()
    assert told(InteractionResult(stage.env, record))
    assert stage.desk.behind == []


async def test_somebody_without_any_grant_gets_in_nowhere(stage: Stage) -> None:
    for command in _commands(stage):
        record = stage.forge(COMMAND, _data(command, stage.guild.id), who=stage.people["viewer"])
        await stage.env.settle()
        assert "NO_GRANT" in told(InteractionResult(stage.env, record))
    assert stage.desk.behind == []


async def test_the_everyone_role_is_no_role_to_the_desk(stage: Stage) -> None:
    await stage.reverse()
    assert stage.desk.members[-1].roles == {TRADER_ROLE}


async def test_a_gate_that_fails_is_a_no_and_is_answered(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_anything: object) -> None:
        raise RuntimeError("policy engine on fire")

    stage.desk.may = broken  # type: ignore[method-assign,assignment]  # the fake's own door, broken
    result = await stage.reverse()
    choices = await stage.trader.autocomplete(stage.channel, "reverse", "account", "")
    assert "Something went wrong" in told(result)
    assert "on fire" not in told(result)
    assert "on fire" in caplog.text
    assert choices == []
    assert stage.desk.behind == []
    assert stage.env.errors


async def test_a_guild_that_has_not_come_up_yet_is_a_no_and_not_a_lack_of_roles(stage: Stage) -> None:
    stage.client._connection._remove_guild(stage.client.get_guild(stage.guild.id))  # type: ignore[arg-type]  # it is there
    result = await stage.reverse()
    assert "DESK_DOWN" in told(result)
    assert stage.desk.behind == []


async def test_a_command_reached_past_the_gate_does_nothing(stage: Stage) -> None:
    with pytest.raises(RuntimeError, match="past the gate"):
        admitted(_Unadmitted())  # type: ignore[arg-type]  # only its extras matter


def test_the_registry_names_every_button_there_is() -> None:
    assert set(_leaves(GuardedButton)) == set(DYNAMIC_ITEMS)
    assert set(_leaves(discord.ui.DynamicItem)) == set(DYNAMIC_ITEMS)


@pytest.mark.parametrize("name", ["callback", "interaction_check"])
def test_a_button_can_not_stand_beside_the_gate(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        type("Sneaky", (GuardedButton,), {name: None}, template="x")


def test_no_other_class_in_the_bot_can_be_pressed_or_filled_in() -> None:
    """Views, modals, plain items and callbacks set by hand have no gate; so there are none in the code."""
    touched = {"View", "LayoutView", "Modal", "DynamicItem", "Button", "Select", "ActionRow", "Item"}
    found = {}
    for path, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and touched & {_last(base) for base in node.bases}:
                found[node.name] = path.name
            handmade = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "callback"
            decorated = isinstance(node, ast.AsyncFunctionDef) and any(
                _last(one) in {"button", "select", "context_menu"} for one in node.decorator_list
            )
            assert not handmade, f"{path}:{getattr(node, 'lineno', '?')} sets a callback by hand"
            assert not decorated, f"{path} has a decorated item"
    assert found == {"GuardedButton": "access.py"}


def _from_outside(stage: Stage, kind: int, data: dict[str, Any], where: str, **extra: Any) -> Any:
    if where == "another guild":
        return stage.forge(kind, data, who=stage.outsider, at=stage.elsewhere, **extra)
    return stage.forge(kind, data, at=stage.trader.user.dm_channel, **extra)


def _shown(stage: Stage) -> dict[str, Any]:
    """Every button on one card, as Discord puts it into a press."""
    shown = [item.to_component_dict() for view in _cards() for item in view.children]
    return payload_of(stage.card()) | {"components": shown}


def _every_custom_id() -> Iterable[str]:
    ids = {item.custom_id for view in _cards() for item in view.walk_children() if isinstance(item, GuardedButton)}
    assert len(ids) == len(DYNAMIC_ITEMS)
    return sorted(ids)


def _cards() -> Iterable[LayoutView]:
    """Cards that have every button between them."""
    sent = ticket(state=TicketState.ACCEPTED, order_ids=("o1",), terms=Terms(Side.SELL, 2), after=-2)
    yield card(ticket(approver_roles=frozenset({TRADER_ROLE})))
    yield card(sent)
    terms, lost = Terms(Side.SELL, 2, strategy="Scalp"), Protection(held=-2, bare=2)
    filled = ticket(state=TicketState.ACCEPTED, order_ids=("o1",), terms=terms, after=-2, protection=lost)
    yield card(replace(filled, order_state=OrderState.FILLED, filled=2))


def _leaves(cls: type[Any]) -> Iterable[type[Any]]:
    below = [each for each in cls.__subclasses__() if each.__module__.startswith(("bot.", "cogs."))]
    return [leaf for each in below for leaf in _leaves(each)] or [cls]


def _sources() -> Iterable[tuple[Path, ast.Module]]:
    for package in (bot.chat, cogs):
        for path in sorted(Path(inspect.getfile(package)).parent.rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _last(node: ast.expr) -> str:
    """The name that an expression ends in, subscripts and calls aside."""
    while isinstance(node, ast.Subscript | ast.Call):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Unadmitted:
    extras: dict[str, object]

    def __init__(self) -> None:
        self.extras = {}
