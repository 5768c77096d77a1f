"""What no app of today's would send: other types and choices, and texts of suggestions in place of their values."""

from typing import Any

import pytest
from simcord import InteractionResult

from bot.desk.requests import CancelRequest, ModifyRequest
from bot.trading.planning.suggestions import Suggestion

from .conftest import TYPED, Stage, payload_of, told

COMMAND, AUTOCOMPLETE = 2, 4
RIGHT: list[dict[str, Any]] = [
    {"name": "account", "type": 3, "value": "Sim101"},
    {"name": "instrument", "type": 3, "value": "ES 09-26"},
    {"name": "side", "type": 3, "value": "buy"},
    {"name": "qty", "type": 4, "value": 1},
]
LABEL = "BUY 2 LIMIT 5780.00 ES 09-26 (0f3a5b77…)"


def _with(name: str, **changes: Any) -> list[dict[str, Any]]:
    return [each | changes if each["name"] == name else each for each in RIGHT]


async def _send(stage: Stage, options: Any, kind: int = COMMAND, name: str = "place", **data: Any) -> Any:
    whole = {"id": "1", "name": name, "type": 1, "guild_id": str(stage.guild.id), "options": options}
    record = stage.forge(kind, whole | data)
    await stage.env.settle()
    return record


@pytest.mark.parametrize(
    "options",
    [
        _with("side", value="short"),
        _with("side", value="BUY"),
        _with("qty", value=True),
        _with("qty", value=1.5, type=10),
        _with("qty", value=1.5),
        _with("qty", value="1", type=3),
        _with("account", value=5, type=4),
        _with("account", value=None),
        _with("account", value=["Sim101"]),
        RIGHT[1:],
        [*RIGHT, RIGHT[0]],
        [*RIGHT, {"name": "leverage", "type": 4, "value": 100}],
        "nonsense",
        [7],
        [{"type": 3}],
        [{"name": "now", "type": 1, "options": []}],
    ],
    ids=str,
)
async def test_what_is_not_the_command_as_registered_gets_one_sentence_and_does_nothing(stage: Stage, options: Any) -> None:
    record = await _send(stage, options)
    assert "has changed" in told(InteractionResult(stage.env, record))
    assert "reload Discord" in told(InteractionResult(stage.env, record))
    assert stage.desk.behind == []


async def test_the_same_as_it_is_registered_is_offered(stage: Stage) -> None:
    await _send(stage, RIGHT)
    assert stage.desk.behind == ["offer", "posted"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        "nonsense",
        _with("account", focused=True, value=None),
        _with("side", focused=True),
        [RIGHT[0] | {"value": 7}, RIGHT[1]],
    ],
    ids=str,
)
async def test_a_keystroke_that_can_not_be_read_gets_no_suggestions(stage: Stage, options: Any) -> None:
    record = await _send(stage, options, AUTOCOMPLETE)
    assert InteractionResult(stage.env, record).autocomplete_choices == []
    assert stage.desk.behind == []


async def test_a_keystroke_behind_which_something_breaks_is_answered_in_one_line_of_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.desk.suggest.fails = RuntimeError("on fire")
    record = await _send(stage, [RIGHT[0], {"name": "order", "type": 3, "value": "", "focused": True}], AUTOCOMPLETE, "modify")
    assert InteractionResult(stage.env, record).autocomplete_choices == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("code", [10062, 40060])
async def test_suggestions_that_discord_refuses_cost_one_line_of_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    stage.env.inject_error("POST", "/interactions/*", status=400 if code == 40060 else 404, code=code, times=None)
    caplog.set_level("INFO")
    stage.forge(
        AUTOCOMPLETE,
        {
            "id": "1",
            "name": "place",
            "type": 1,
            "guild_id": str(stage.guild.id),
            "options": [RIGHT[0] | {"focused": True}],
        },
    )
    await stage.env.settle()
    said = [record for record in caplog.records if record.name.startswith(("bot.", "discord."))]
    assert len(said) == 1
    assert said[0].exc_info is None


async def _offered(stage: Stage, *suggestions: Suggestion[str]) -> None:
    stage.desk.suggest.answers["order"] = list(suggestions)
    await stage.trader.autocomplete(stage.channel, "modify", "order", "", account="Sim101")


async def test_the_text_of_a_suggestion_is_read_as_what_it_stands_for(stage: Stage) -> None:
    await _offered(stage, Suggestion("0f3a5b77-1111", LABEL))
    await stage.trader.slash(stage.channel, "modify", account="Sim101", order=LABEL, qty=3)
    assert stage.desk.requests == [ModifyRequest("Sim101", "0f3a5b77-1111", 3)]


async def test_a_text_that_stands_for_two_orders_is_said_to_be_one(stage: Stage) -> None:
    await _offered(stage, Suggestion("0f3a5b77-1111", LABEL), Suggestion("0f3a5b77-2222", LABEL))
    result = await stage.trader.slash(stage.channel, "modify", account="Sim101", order=LABEL, qty=3)
    assert "choose it from the list again" in told(result)
    assert stage.desk.requests == []


async def test_a_text_means_nothing_to_another_member_or_command(stage: Stage) -> None:
    await _offered(stage, Suggestion("0f3a5b77-1111", LABEL))
    for result in (
        await stage.people["second"].slash(stage.channel, "modify", account="Sim101", order=LABEL, qty=3),
        await stage.trader.slash(stage.channel, "cancel", scope="order", account="Sim101", order=LABEL),
    ):
        assert "a suggestion's text" in told(result)
    assert stage.desk.requests == []


async def test_a_text_from_before_a_restart_is_read_as_far_as_it_tells_its_value(stage: Stage) -> None:
    short = "BUY 2 LIMIT 5780.00 ES 09-26 (o1)"
    await stage.trader.slash(stage.channel, "modify", account="Sim101", order=short, limit="5790.25 (bid-40t)")
    await stage.trader.slash(stage.channel, "cancel", scope="order", account="Sim101", order="no suggestion")
    assert stage.desk.requests == [ModifyRequest("Sim101", "o1", limit="5790.25"), CancelRequest("Sim101", "no suggestion")]


async def test_an_event_that_can_not_be_read_is_skipped_and_its_sender_answered(stage: Stage) -> None:
    parse = stage.client._connection.parsers["INTERACTION_CREATE"]
    record = stage.forge(3, {"custom_id": 7, "component_type": 2}, attachment_size_limit=None, user=7, member=9)
    await stage.env.settle()
    assert record.responded
    parse({"nothing": "of use"})
    result = await stage.reverse()
    assert "is in the channel" in told(result)
    assert TYPED["account"] == stage.desk.requests[-1].account


@pytest.mark.parametrize("component", [3, 99, None, "2"], ids=str)
async def test_a_press_of_what_is_no_button_is_answered_and_does_nothing(stage: Stage, component: Any) -> None:
    await stage.reverse()
    card = stage.card()
    before = list(stage.desk.behind)
    data = {"custom_id": "ticket:t1:1:confirm", "component_type": component}
    record = stage.forge(3, data, message=payload_of(card))
    await stage.env.settle()
    assert record.responded
    assert stage.desk.behind == before
