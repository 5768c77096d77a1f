"""Every trading command through real discord.py: its options reach the desk as they were typed, and its card comes back."""

from typing import Any

import pytest

from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    FlatPlaceRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    Refused,
    ReplaceRequest,
    ReverseRequest,
    TicketRequest,
)
from bot.program.run import COGS
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType, Side, TimeInForce
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Denial, DenialCode

from .conftest import Stage, buttons_of, text_of, told
from .samples import TRADER_ROLE

WHERE = {"account": "Sim101", "instrument": "ES 09-26"}
ALL_OF_IT = {
    "side": "sell",
    "qty": 3,
    "type": "stoplimit",
    "limit": "5795",
    "stop": " 5796.00",
    "tif": "gtc",
    "oco": "a*b",
    "strategy": "two legs",
}
TERMS: dict[str, Any] = {
    "account": "Sim101",
    "instrument": "ES 09-26",
    "side": Side.SELL,
    "quantity": 3,
    "type": OrderType.STOPLIMIT,
    "tif": TimeInForce.GTC,
    "limit": "5795",
    "stop": " 5796.00",
    "oco": "a*b",
    "strategy": "two legs",
}
FEWEST = {"side": "buy", "qty": 1}
NEW = {name: value for name, value in ALL_OF_IT.items() if name != "side"}
ORDER = {"account": "Sim101", "order": "o 9"}

# Command, what is typed, what the desk is asked, what its card says.
TYPED: list[tuple[str, dict[str, Any], TicketRequest, str]] = [
    ("place", WHERE | FEWEST, PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1), "Place · confirm?"),
    ("place", WHERE | ALL_OF_IT | {"require": "flat, long"}, PlaceRequest(**TERMS, require="flat, long"), "SELL 3 STOPLIMIT"),
    ("place", WHERE | FEWEST | {"max_positions": 2}, PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, max_positions=2), "BUY 1"),
    ("flatplace", WHERE | FEWEST, FlatPlaceRequest("Sim101", "ES 09-26", Side.BUY, 1), "Flatplace · confirm?"),
    ("flatplace", WHERE | ALL_OF_IT, FlatPlaceRequest(**TERMS), "SELL 3 STOPLIMIT"),
    ("reverse", WHERE | FEWEST | {"mode": "direct"}, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="direct"), "BUY 1"),
    ("reverse", WHERE | ALL_OF_IT | {"mode": "verified"}, ReverseRequest(**TERMS, mode="verified"), "verified"),
    ("reverse", WHERE | FEWEST | {"mode": "invert"}, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="invert"), "INVERT"),
    ("close", WHERE, CloseRequest("Sim101", "ES 09-26"), "CLOSE all"),
    ("close", WHERE | {"qty": 2}, CloseRequest("Sim101", "ES 09-26", 2), "CLOSE 2"),
    ("close", WHERE | {"percent": "12.5 %"}, CloseRequest("Sim101", "ES 09-26", None, "12.5 %"), "CLOSE"),
    ("flatten", {"scope": "everything"}, FlattenRequest("everything"), "**FLATTEN** · everything"),
    ("flatten", {"scope": "account", "account": "Sim101"}, FlattenRequest("account", "Sim101"), "**FLATTEN** · `Sim101`"),
    (
        "flatten",
        {"scope": "instrument", **WHERE, "only": "long"},
        FlattenRequest("instrument", "Sim101", "ES 09-26", "long"),
        "**FLATTEN long positions** · `Sim101 ES 09-26`",
    ),
    (
        "flatten",
        {"scope": "strategy", "account": "Sim101", "strategy": "334"},
        FlattenRequest("strategy", "Sim101", strategy="334"),
        "**FLATTEN** · `Scalp 334 in Sim101 ES 09-26`",
    ),
    (
        "bracket",
        WHERE | {"qty": 2, "target": "5820", "stop": "5790.0"},
        BracketRequest("Sim101", "ES 09-26", 2, "5820", "5790.0"),
        "BRACKET",
    ),
    ("bracket", WHERE | {"qty": 2, "stop": "5790.0"}, BracketRequest("Sim101", "ES 09-26", 2, "", "5790.0"), "BRACKET"),
    ("modify", ORDER | {"qty": 2}, ModifyRequest("Sim101", "o 9", 2), "MODIFY"),
    ("modify", ORDER | {"limit": "1", "stop": "2"}, ModifyRequest("Sim101", "o 9", None, "1", "2"), "MODIFY"),
    ("replace", ORDER | {"qty": 2}, ReplaceRequest("Sim101", "o 9", 2), "REPLACE by BUY 2 LIMIT"),
    (
        "replace",
        ORDER | NEW | {"require": "short"},
        ReplaceRequest("Sim101", "o 9", 3, OrderType.STOPLIMIT, TimeInForce.GTC, "5795", " 5796.00", "a*b", "two legs", "short"),
        "REPLACE",
    ),
    ("cancel", {"scope": "order", **ORDER}, CancelRequest("Sim101", "o 9"), "CANCEL BUY 2 LIMIT"),
    (
        "cancel",
        {"scope": "instrument", **WHERE},
        CancelRequest("Sim101", "", "instrument", "ES 09-26"),
        "**CANCEL** · `Sim101 ES",
    ),
    ("cancel", {"scope": "account", "account": "Sim101"}, CancelRequest("Sim101", "", "account"), "**CANCEL** · `Sim101`"),
    ("cancel", {"scope": "everything"}, CancelRequest("", "", "everything"), "**CANCEL** · everything"),
]
IDS = [f"{command} {' '.join(options)}" for command, options, _, _ in TYPED]


@pytest.mark.parametrize(("command", "options", "request_", "words"), TYPED, ids=IDS)
async def test_options_reach_the_desk_as_typed_and_the_card_comes_back(
    stage: Stage, command: str, options: dict[str, Any], request_: TicketRequest, words: str
) -> None:
    result = await stage.trader.slash(stage.channel, command, **options)
    assert stage.desk.requests == [request_]
    assert stage.desk.members[-1].roles == {TRADER_ROLE}
    assert words in text_of(stage.card())
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]
    assert stage.card().jump_url in told(result)
    assert stage.desk.orders == []


def test_every_trading_command_is_typed_above() -> None:
    built = {command.name for cog in COGS for command in cog.__cog_app_commands__}
    assert {command for command, _, _, _ in TYPED} == TRADING_COMMANDS & built


@pytest.mark.parametrize("command", ["flatten", "bracket", "replace", "cancel", "place", "flatplace", "close", "modify"])
async def test_a_card_of_any_command_is_confirmed_once(stage: Stage, command: str) -> None:
    options = next(options for name, options, _, _ in TYPED if name == command)
    await stage.trader.slash(stage.channel, command, **options)
    card = stage.card()
    await stage.trader.click(card, label="Confirm")
    assert stage.desk.orders == ["t1"]
    assert stage.desk.tickets["t1"].state is TicketState.ACCEPTED
    assert not {"Confirm", "Cancel"} & set(buttons_of(stage.card()))


@pytest.mark.parametrize(("command", "options", "request_", "_words"), TYPED, ids=IDS)
async def test_a_refusal_is_told_to_the_asker_alone(
    stage: Stage, command: str, options: dict[str, Any], request_: TicketRequest, _words: str
) -> None:
    sentence = "Tina is flattening `Sim101` already (ticket t9); its card says how far it is."
    stage.desk.refuses = Refused((Denial(DenialCode.FLATTENING, sentence),))
    result = await stage.trader.slash(stage.channel, command, **options)
    assert "FLATTENING" in told(result)
    assert sentence in told(result)
    assert result.ephemeral
    assert stage.posts() == []


@pytest.mark.parametrize("command", ["flatten", "bracket", "cancel", "place", "flatplace", "close"])
async def test_accounts_and_their_instruments_are_offered(stage: Stage, command: str) -> None:
    accounts = await stage.trader.autocomplete(stage.channel, command, "account", "sim12")
    there = await stage.trader.autocomplete(stage.channel, command, "instrument", "", account="Sim101")
    assert [choice["value"] for choice in accounts] == [f"Sim12{last}" for last in range(10)]
    assert [choice["value"] for choice in there] == ["ES 09-26", "MES 09-26"]


@pytest.mark.parametrize("command", ["modify", "replace"])
async def test_accounts_are_offered_where_an_order_is_named(stage: Stage, command: str) -> None:
    accounts = await stage.trader.autocomplete(stage.channel, command, "account", "Sim139")
    assert [choice["value"] for choice in accounts] == ["Sim139"]
