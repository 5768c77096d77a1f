"""``python -m bot policy`` says what is decided, and not what a line alone would mean."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.program.policy import differences, in_words
from bot.trading.orders.terms import OrderType
from bot.trading.risk.policy import AccountRule, Approval, Grant, Limit, PermissionQuery, Policy, may


def words(*rules: tuple[str, bool]) -> list[str]:
    """What is said of these lines on accounts."""
    accounts = tuple(AccountRule(name, live=live) for name, live in rules)
    return in_words(Policy(grants=(), accounts=accounts))[-len(rules) :]


NOT_LIVE = "is not live, whatever other lines say: no entry goes there unless it is a simulation; ways out go."


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([("Apex-*", True)], ["“Apex-*” is live and may be traded."]),
        ([("*", True), ("Apex-1", False)], ["“*” is live and may be traded, but not “Apex-1”.", f"“Apex-1” {NOT_LIVE}"]),
        (
            [("*", False), ("Apex-1", True)],
            [f"“*” {NOT_LIVE}", "“Apex-1” stays shut for entries, as another line says live = false for all of it."],
        ),
        ([("Apex-*", True), ("Sim1", False)], ["“Apex-*” is live and may be traded.", f"“Sim1” {NOT_LIVE}"]),
    ],
)
def test_lines_on_accounts_are_told_with_what_others_make_of_them(rules: list[tuple[str, bool]], told: list[str]) -> None:
    assert words(*rules) == told


@pytest.mark.parametrize(("allowed", "told"), [(True, "entries go by REST"), (False, "entries are not sent")])
def test_which_way_entries_go_while_the_stream_is_away_is_told(allowed: bool, told: str) -> None:
    assert any(told in line for line in in_words(Policy(grants=(), entries_fall_back=allowed)))


@pytest.mark.parametrize(
    ("milliseconds", "told"), [(1500, "at most 1500 ms before it"), (1, "at most 1 ms before it"), (0, "reads everything")]
)
def test_how_old_what_a_press_decides_on_may_be_is_told(milliseconds: int, told: str) -> None:
    lines = in_words(Policy(grants=(), fresh=timedelta(milliseconds=milliseconds)))
    assert sum(told in line for line in lines) == 1


@pytest.mark.parametrize(
    ("guard", "told"), [(True, "no longer flat, long or short as on its card"), (False, "whatever the position has become")]
)
def test_whether_an_order_is_for_the_position_on_its_card_is_told(guard: bool, told: str) -> None:
    assert sum(told in line for line in in_words(Policy(grants=(), guard=guard))) == 1


def test_grants_that_overlap_are_told_as_they_are_decided() -> None:
    wide = Grant(1100, frozenset({"place", "close"}), ("Sim*",), ("*",), 1, frozenset({OrderType.LIMIT}))
    deep = Grant(1100, frozenset({"place"}), ("Sim*", "Apex*"), ("ES",), 5)
    other = Grant(1101, frozenset({"place"}), ("*",), ("*",), 2)
    lines = in_words(Policy(grants=(wide, other, deep)))
    assert (
        "Role 1100, place: one grant must allow the whole order, parts never mix. "
        "Either grant[1]: at most 1 in “*” on “Sim*”, LIMIT; or grant[3]: at most 5 in “ES” on “Apex*”, “Sim*”."
    ) in lines
    assert "Who has several roles has all their grants, and one of these must allow the whole order, too." in lines
    mixed = PermissionQuery("place", "Sim1", "NQ", 5, OrderType.LIMIT)
    assert may(Policy(grants=(wide, deep)), frozenset({1100}), mixed) is not None


def test_one_grant_alone_needs_no_such_words() -> None:
    lines = in_words(Policy(grants=(Grant(1100, frozenset({"place"}), ("*",), ("*",), 1),)))
    assert not any("whole order" in line for line in lines)


FILE = """
[[grant]]
role = 1100
commands = ["reverse", "close"]
accounts = ["Sim*"]
instruments = ["ES"]
max_quantity = 5

  [[ grant ]]
role = 1101
commands = ["positions"]
accounts = ["*"]

[[limit]]
accounts = ["*"]
instruments = ["*"]
max_position = 3
"""


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (["1100", "reverse", "account=Sim101", "qty=2"], "Yes: /reverse 2 on “Sim101” is allowed by grant[1], line 2.\n"),
        (["1101,1100", "close", "account=Apex-1"], "grant[1], line 2: Your roles don't allow /close on “Apex-1”"),
        (["1101", "/positions", "account=Apex-1"], "is allowed by grant[2], line 9."),
        (["1100", "reverse", "account=Sim101", "instrument=ES"], "A limit holds for it, too: limit[1], line 14.\n"),
    ],
)
def test_a_question_is_answered_with_the_line_of_the_file(
    why: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.toml").write_text(FILE, encoding="utf-8")
    assert main(["policy", str(tmp_path / "policy.toml"), "--why", *why]) == 0
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (["trader", "reverse"], "give ids of roles, a command and what it is about"),
        (["1100"], "give ids of roles, a command and what it is about"),
        (["1100", "fly"], "There is no command “fly”"),
        (["1100", "reverse", "Sim101"], "write each part once: account=Sim101"),
        (["1100", "reverse", "qty=1", "qty=2"], "write each part once"),
        (["1100", "reverse", "qty=two"], "write each part once"),
        (["1100", "reverse", "type=iceberg"], "type=market|limit|stopmarket|stoplimit"),
        (["1100", "reverse", "colour=red"], "write each part once"),
        (["1100", "reverse", "instrument=E?S"], "That is no instrument that can be read"),
    ],
)
def test_a_question_that_can_not_be_read_is_wrong_use(
    why: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.toml").write_text(FILE, encoding="utf-8")
    assert main(["policy", str(tmp_path / "policy.toml"), "--why", *why]) == 2
    err = capsys.readouterr().err
    assert err.startswith("--why: ")
    assert told in err


TYPES = "order types LIMIT, MARKET, STOPLIMIT, STOPMARKET"


def test_a_change_is_told_by_who_gains_who_loses_and_which_rule_went_or_came() -> None:
    trades, reads = Grant(1100, frozenset({"place", "close"}), ("Sim*",), ("ES",), 2), Grant(1101, frozenset({"positions"}))
    before = Policy((trades, reads), limits=(Limit(("*",), ("*",), max_position=3),))
    after = Policy((replace(trades, commands=frozenset({"place"}), max_quantity=5),), approvals=(Approval(("Sim*",), 1101, 3),))
    assert differences(before, before) == []
    assert differences(before, after) == [
        "Role 1100 loses close.",
        "Role 1101 loses positions.",
        "− Who has several roles has all their grants, and one of these must allow the whole order, too.",
        "− For “*” in “*”: position at most 3, seconds until a quote is stale 10.",
        "+ On “Sim*” from 3 on, somebody else of role 1101 approves.",
        f"− Role 1100 may use close, place on “Sim*” in “ES”, at most 2 per order; {TYPES}.",
        f"− Role 1101 may use positions; {TYPES}.",
        f"+ Role 1100 may use place on “Sim*” in “ES”, at most 5 per order; {TYPES}.",
    ]
    assert differences(after, before)[0] == "Role 1100 gains close."


def test_a_change_of_very_much_is_told_in_part() -> None:
    many = tuple(Grant(role, frozenset({"help"})) for role in range(1, 30))
    told = differences(Policy(()), Policy(many))
    assert (len(told), told[-1]) == (13, "… and 47 more; python -m bot policy says all that holds.")
