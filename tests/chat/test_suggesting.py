"""Autocomplete of prices, sizes, orders and templates, through real discord.py: what reaches the desk and what comes back."""

from typing import Any

import discord
import pytest
from discord import app_commands
from simcord import InteractionResult

from bot.errors import JournalError
from bot.trading.orders.terms import LARGEST_QUANTITY, OrderType, Side
from bot.trading.planning.suggestions import SoFar, Suggestion

from .conftest import Stage

PLACING = ["reverse", "place", "flatplace"]
FILLED = {"account": "Sim101", "instrument": "ES 09-26", "side": "sell", "type": "stoplimit", "stop": " 5780 "}


async def typed(stage: Stage, command: str, option: str, value: Any = "", **filled: Any) -> list[tuple[Any, str]]:
    """Type into an option; the choices as pairs."""
    choices = await stage.trader.autocomplete(stage.channel, command, option, value, **filled)
    return [(choice["value"], choice["name"]) for choice in choices]


@pytest.mark.parametrize("command", PLACING)
async def test_a_price_is_shown_as_it_would_be_with_what_was_typed_beside_it(stage: Stage, command: str) -> None:
    stage.desk.suggest.answers["limit"] = [Suggestion("5790.25", "5790.25 (bid-2t)")]
    assert await typed(stage, command, "limit", "bid-2t", **FILLED) == [("5790.25", "5790.25 (bid-2t)")]
    so_far = SoFar(command, "Sim101", "ES 09-26", side=Side.SELL, type=OrderType.STOPLIMIT, stop="5780", limit="bid-2t")
    assert stage.desk.suggest.asked == [("limit", so_far, "bid-2t")]


@pytest.mark.parametrize("command", [*PLACING, "close", "modify", "replace", "bracket"])
async def test_sizes_are_whole_numbers_with_words(stage: Stage, command: str) -> None:
    stage.desk.suggest.answers["qty"] = [Suggestion(2, "2 (half of LONG 3)")]
    assert await typed(stage, command, "qty", "2", account="Sim101") == [(2, "2 (half of LONG 3)")]
    assert stage.desk.suggest.asked[0][2] == "2"


async def test_a_quantity_keeps_its_range_beside_its_suggestions(stage: Stage) -> None:
    command = stage.client.tree.get_command("place", guild=discord.Object(stage.guild.id))
    assert isinstance(command, app_commands.Command)
    [qty] = [one for one in command.to_dict(stage.client.tree)["options"] if one["name"] == "qty"]
    assert (qty["autocomplete"], qty["min_value"], qty["max_value"]) == (True, 1, LARGEST_QUANTITY)


@pytest.mark.parametrize("option", ["target", "stop"])
async def test_a_brackets_prices_are_asked_for_by_name(stage: Stage, option: str) -> None:
    stage.desk.suggest.answers[option] = [Suggestion("5820.25", "5820.25 (ask+80t)")]
    where = {"account": "Sim101", "instrument": "ES 09-26"}
    assert await typed(stage, "bracket", option, "ask+80t", **where) == [("5820.25", "5820.25 (ask+80t)")]
    [(name, so_far, text)] = stage.desk.suggest.asked
    assert (name, text) == (option, "ask+80t")
    assert so_far is not None
    assert (so_far.command, so_far.account, so_far.instrument) == ("bracket", "Sim101", "ES 09-26")


@pytest.mark.parametrize("command", ["cancel", "modify", "order", "replace"])
async def test_orders_are_told_in_words_and_sent_by_id(stage: Stage, command: str) -> None:
    stage.desk.suggest.answers["order"] = [Suggestion("0123456789abcdef", "BUY 1 LIMIT 5780.00 ES 09-26 (01234567…)")]
    found = await typed(stage, command, "order", "", account="Sim101")
    assert found == [("0123456789abcdef", "BUY 1 LIMIT 5780.00 ES 09-26 (01234567…)")]
    assert stage.desk.suggest.asked == [("order", SoFar(command, "Sim101"), "")]


@pytest.mark.parametrize("command", PLACING)
async def test_templates_are_offered_by_name(stage: Stage, command: str) -> None:
    stage.desk.suggest.answers["strategy"] = [Suggestion("Two legs", "Two legs")]
    assert await typed(stage, command, "strategy", "two") == [("Two legs", "Two legs")]


async def test_strategies_that_run_are_told_in_words_and_sent_by_id(stage: Stage) -> None:
    stage.desk.suggest.answers["strategy"] = [Suggestion("334", "Scalp - 334: LONG 2")]
    found = await typed(stage, "flatten", "strategy", "sca", scope="strategy", account="Sim101")
    assert found == [("334", "Scalp - 334: LONG 2")]
    assert stage.desk.suggest.asked == [("strategy", SoFar("flatten", "Sim101"), "sca")]


@pytest.mark.parametrize("option", ["limit", "stop"])
async def test_a_modified_orders_prices_know_which_order_it_is(stage: Stage, option: str) -> None:
    await typed(stage, "modify", option, "+2t", account="Sim101", order=" o1 ")
    [(name, so_far, text)] = stage.desk.suggest.asked
    assert (name, text) == (option, "+2t")
    assert so_far is not None
    assert (so_far.command, so_far.account, so_far.order) == ("modify", "Sim101", "o1")


async def test_options_that_no_app_would_send_get_no_suggestions(stage: Stage) -> None:
    data = {
        "id": "1",
        "name": "place",
        "type": 1,
        "guild_id": str(stage.guild.id),
        "options": [
            {"name": "side", "type": 3, "value": "hold"},
            {"name": "type", "type": 3, "value": "iceberg"},
            {"name": "account", "type": 4, "value": 5},
            {"name": "limit", "type": 3, "value": "", "focused": True},
        ],
    }
    record = stage.forge(4, data)
    await stage.env.settle()
    assert record.responded
    assert stage.desk.suggest.asked == []


async def test_no_more_choices_than_discord_takes_and_no_value_that_it_would_cut(stage: Stage) -> None:
    many = [Suggestion(f"Sim{number}", f"Sim{number}") for number in range(40)]
    stage.desk.suggest.answers["strategy"] = [Suggestion("x" * 101, "too long"), *many]
    found = await typed(stage, "place", "strategy")
    assert len(found) == 25
    assert found[0] == ("Sim0", "Sim0")


async def test_a_name_of_somebody_elses_is_one_line_that_discord_takes(stage: Stage) -> None:
    stage.desk.suggest.answers["order"] = [Suggestion("o1", "x\n" * 200 + "\u202e")]
    [(value, name)] = await typed(stage, "cancel", "order", account="Sim101")
    assert value == "o1"
    assert len(name) == 100
    assert "\n" not in name


@pytest.mark.parametrize(
    ("command", "option"), [("place", "limit"), ("place", "qty"), ("cancel", "order"), ("place", "strategy")]
)
async def test_a_desk_that_can_not_say_offers_nothing_and_sends_nothing(stage: Stage, command: str, option: str) -> None:
    stage.desk.suggest.fails = JournalError("The journal can't be read.")
    value = {"name": option, "type": 4 if option == "qty" else 3, "value": "1", "focused": True}
    record = stage.forge(4, {"id": "1", "name": command, "type": 1, "guild_id": str(stage.guild.id), "options": [value]})
    await stage.env.settle()
    # Answered, and with nothing; unanswered it would be None, and the person would read of a fault.
    assert InteractionResult(stage.env, record).autocomplete_choices == []
    assert stage.desk.behind == ["suggest"]
    assert stage.desk.orders == []


async def test_nobody_without_a_grant_is_told_anything(stage: Stage) -> None:
    stage.desk.suggest.answers = {"limit": [Suggestion("5790.25", "5790.25")], "order": [Suggestion("o1", "o1")]}
    viewer = stage.people["viewer"]
    assert await viewer.autocomplete(stage.channel, "place", "limit", "bid", **FILLED) == []
    assert await viewer.autocomplete(stage.channel, "cancel", "order", "", account="Sim101") == []
    assert stage.desk.behind == []
