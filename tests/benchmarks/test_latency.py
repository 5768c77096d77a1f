"""The benchmark runs and reports; its figures are for people, and nothing here depends on them."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.latency import Plan, measure, percentiles
from benchmarks.stage import Name, StageError
from benchmarks.table import table


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_both_bots_are_measured_in_one_run(tmp_path: Path, transport: str) -> None:
    plan = Plan(runs=2, warm_up=1, pause=0.0, transport=transport)
    figures = await measure(plan, tmp_path)
    for measured in (figures.slash, figures.confirm):
        assert {name: len(values) for name, values in measured.items()} == dict.fromkeys(Name, 2)
        assert all(0 < value < 10_000 for values in measured.values() for value in values)
    text = table(plan, figures)
    for words in ("slash event", "Confirm event", "Crosstalk", "bare bot", "ratio", "p50", "p99", transport):
        assert words in text


async def test_a_bot_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="CROSSTRADE_TRANSPORT"):
        await measure(Plan(runs=2, transport="pigeon"), tmp_path)


def test_percentiles_need_two_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["latency", "--runs", "1"])
    assert "two runs" in capsys.readouterr().err


def test_percentiles_are_those_of_the_values() -> None:
    assert percentiles([float(value) for value in range(101)]) == (50.0, 90.0, 99.0)
