"""The policy file: what it may say, what is refused with which reason, and what each key becomes."""

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PolicyError
from bot.policyfile import EVENTS, LARGEST_FILE, parse_policy, policy_schema, read_policy, schema_text
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType
from bot.trading.orders.tickets import Visibility
from bot.trading.risk.policy import COMMANDS, READING_COMMANDS, AccountRule, Approval, Grant, Limit, Policy, Route

ROOT = Path(__file__).parents[2]
GRANT = """
[[grant]]
role = 1100
commands = ["reverse"]
accounts = ["Sim*"]
instruments = ["ES"]
max_quantity = 5
"""


def reasons(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text.encode(), "policy.toml")
    assert caught.value.file == "policy.toml"
    assert caught.value.__cause__ is None
    return list(caught.value.reasons)


def with_grant(line: str) -> str:
    key = line.partition(" = ")[0]
    return "\n".join([*(kept for kept in GRANT.splitlines() if not kept.startswith(f"{key} ")), line])


def test_every_key_becomes_what_the_desk_knows_by_that_name() -> None:
    text = """
        [desk]
        confirm_seconds = 60
        ticket_visibility = "private"
        price_tolerance_ticks = 4
        entries_fall_back = true
        fresh_ms = 250
        guard = false
        [[grant]]
        role = 1100
        commands = ["reverse", "help"]
        accounts = ["Sim*", "Apex-1"]
        instruments = ["ES", "M*"]
        max_quantity = 5
        order_types = ["market", "StopLimit"]
        [[grant]]
        role = 1102
        commands = ["policy"]
        [[limit]]
        accounts = ["Sim*"]
        instruments = ["ES"]
        max_position = 0
        orders_per_minute = 10
        duplicate_seconds = 0
        price_band_ticks = 200
        daily_loss = 1000.10
        stale_seconds = 3
        [[limit]]
        [[approval]]
        accounts = ["Apex*"]
        min_quantity = 3
        role = 1101
        [[approval]]
        role = 1103
        [[account]]
        name = "Apex-*"
        live = true
        [[notify]]
        channel = 2001
        events = ["accepted", "not sent"]
        accounts = ["Sim*"]
        silent = ["accepted"]
        [[notify]]
        channel = 2002
        events = "*"
        """
    assert parse_policy(text.encode(), "x") == Policy(
        grants=(
            Grant(
                role=1100,
                commands=frozenset({"reverse", "help"}),
                accounts=("Sim*", "Apex-1"),
                instruments=("ES", "M*"),
                max_quantity=5,
                order_types=frozenset({OrderType.MARKET, OrderType.STOPLIMIT}),
            ),
            Grant(role=1102, commands=frozenset({"policy"})),
        ),
        limits=(
            Limit(
                accounts=("Sim*",),
                instruments=("ES",),
                max_position=0,
                orders_per_minute=10,
                duplicate_seconds=0,
                price_band_ticks=200,
                daily_loss=Decimal("1000.10"),
                stale_seconds=3,
            ),
            Limit(accounts=("*",), instruments=("*",)),
        ),
        approvals=(Approval(accounts=("Apex*",), role=1101, min_quantity=3), Approval(accounts=("*",), role=1103)),
        accounts=(AccountRule(name="Apex-*", live=True),),
        routes=(
            Route(channel=2001, events=frozenset({"accepted", "not sent"}), accounts=("Sim*",), silent=frozenset({"accepted"})),
            Route(channel=2002, events=frozenset({"*"})),
        ),
        confirm_seconds=60,
        ticket_visibility=Visibility.PRIVATE,
        price_tolerance_ticks=4,
        entries_fall_back=True,
        fresh=timedelta(milliseconds=250),
        guard=False,
    )


def test_keys_left_out_take_the_defaults_of_the_desk() -> None:
    grant = Grant(1100, frozenset({"reverse"}), ("Sim*",), ("ES",), 5)
    assert parse_policy(GRANT.encode(), "x") == Policy(grants=(grant,))


@pytest.mark.parametrize("milliseconds", [0, 1, 1500, 5000])
def test_how_old_what_a_press_decides_on_may_be_is_written_in_milliseconds(milliseconds: int) -> None:
    policy = parse_policy(f"{GRANT}[desk]\nfresh_ms = {milliseconds}".encode(), "x")
    assert policy.fresh == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(("typed", "exact"), [("1000", "1000"), ("0.1", "0.1"), ("1_000.05", "1000.05"), ("1e3", "1E+3")])
def test_money_keeps_every_digit_as_typed(typed: str, exact: str) -> None:
    policy = parse_policy(f"{GRANT}[[limit]]\ndaily_loss = {typed}".encode(), "x")
    assert str(policy.limits[0].daily_loss) == exact


def test_a_lone_star_stands_for_a_list_of_it() -> None:
    text = '[[grant]]\nrole = 1\ncommands = "*"\naccounts = "*"\ninstruments = "*"\nmax_quantity = 1'
    assert parse_policy(text.encode(), "x").grants == (Grant(1, frozenset({"*"}), ("*",), ("*",), 1),)


WRONG = [
    (with_grant("role = 0"), ["grant[1].role: must be at least 1"]),
    (with_grant('role = "1100"'), ["grant[1].role: must be a whole number, without quotes and without a point"]),
    (with_grant("role = true"), ["grant[1].role: must be a whole number, without quotes and without a point"]),
    (with_grant("role = 9223372036854775808"), ["grant[1].role: must be at most 9223372036854775807"]),
    (with_grant("max_quantity = 0"), ["grant[1].max_quantity: must be at least 1"]),
    (with_grant("max_quantity = 5.0"), ["grant[1].max_quantity: must be a whole number, without quotes and without a point"]),
    (with_grant("max_quantity = 1000001"), ["grant[1].max_quantity: must be at most 1000000"]),
    (with_grant("commands = []"), ["grant[1].commands: must not be empty"]),
    (with_grant('commands = "reverse"'), ["grant[1].commands: must be a list in square brackets"]),
    (with_grant("commands = [1]"), ["grant[1].commands[1]: must be text in quotes"]),
    (with_grant("order_types = []"), ["grant[1].order_types: must not be empty"]),
    (
        with_grant('order_types = ["LIMIT", "STOP", 1]'),
        [f"grant[1].order_types[{place}]: must be one of MARKET, LIMIT, STOPMARKET, STOPLIMIT" for place in (2, 3)],
    ),
    (
        with_grant('instruments = ["ES 09-26", "ES1!", ""]'),
        [f'grant[1].instruments[{place}]: must be a root such as "ES", without a month, or "*"' for place in (1, 2, 3)],
    ),
    (
        with_grant('accounts = [" Sim", "", "Sim\\t1"]'),
        [
            f'grant[1].accounts[{place}]: must be an account name or a pattern such as "Sim*", without blanks around it'
            for place in (1, 2, 3)
        ],
    ),
    ("[[grant]]\nrole = 1100", ["grant[1].commands: is missing"]),
    ("[[grant]]", ["grant[1].role: is missing", "grant[1].commands: is missing"]),
    ("[grant]\nrole = 1100", ["grant: must be written [[grant]], with two brackets on each side"]),
    ("grant = [1]", ["grant[1]: must be a table of keys and values"]),
    (f"{GRANT}[desk]\nconfirm_seconds = 4", ["desk.confirm_seconds: must be at least 5"]),
    (f"{GRANT}[desk]\nconfirm_seconds = 301", ["desk.confirm_seconds: must be at most 300"]),
    (f"{GRANT}[desk]\nprice_tolerance_ticks = -1", ["desk.price_tolerance_ticks: must be at least 0"]),
    *((f"{GRANT}[desk]\nguard = {value}", ["desk.guard: must be true or false"]) for value in ('"flat"', '"false"', "0", "[]")),
    (f"{GRANT}[desk]\nfresh_ms = -1", ["desk.fresh_ms: must be at least 0"]),
    (f"{GRANT}[desk]\nfresh_ms = 5001", ["desk.fresh_ms: must be at most 5000"]),
    (f"{GRANT}[desk]\nfresh_ms = {10**9}", ["desk.fresh_ms: must be at most 5000"]),
    *(
        (f"{GRANT}[desk]\nfresh_ms = {value}", ["desk.fresh_ms: must be a whole number, without quotes and without a point"])
        for value in ('"1500"', "true", "1500.0", '"soon"')
    ),
    (f'{GRANT}[desk]\nticket_visibility = "secret"', ["desk.ticket_visibility: must be one of channel, private"]),
    (f"{GRANT}[[desk]]", ["desk: must be a table of keys and values"]),
    (f"{GRANT}[[limit]]\nmax_position = -1", ["limit[1].max_position: must be at least 0"]),
    (f"{GRANT}[[limit]]\nduplicate_seconds = -1", ["limit[1].duplicate_seconds: must be at least 0"]),
    (f"{GRANT}[[limit]]\norders_per_minute = 0", ["limit[1].orders_per_minute: must be at least 1"]),
    (f"{GRANT}[[limit]]\nprice_band_ticks = 0", ["limit[1].price_band_ticks: must be at least 1"]),
    (f"{GRANT}[[limit]]\nstale_seconds = 0", ["limit[1].stale_seconds: must be at least 1"]),
    (f"{GRANT}[[limit]]\ndaily_loss = 0", ["limit[1].daily_loss: must be above 0"]),
    (f"{GRANT}[[limit]]\ndaily_loss = -0.5", ["limit[1].daily_loss: must be above 0"]),
    (f"{GRANT}[[limit]]\ndaily_loss = inf", ["limit[1].daily_loss: must be a number"]),
    (f"{GRANT}[[limit]]\ndaily_loss = nan", ["limit[1].daily_loss: must be a number"]),
    (f"{GRANT}[[limit]]\ndaily_loss = true", ["limit[1].daily_loss: must be a number"]),
    (f'{GRANT}[[limit]]\ndaily_loss = "5"', ["limit[1].daily_loss: must be a number"]),
    (f"{GRANT}[[limit]]\naccounts = []", ["limit[1].accounts: must not be empty"]),
    (f"{GRANT}[[limit]]\ninstruments = []", ["limit[1].instruments: must not be empty"]),
    (f"{GRANT}[[approval]]\nmin_quantity = 0", ["approval[1].role: is missing", "approval[1].min_quantity: must be at least 1"]),
    (f"{GRANT}[[approval]]\nrole = 1\naccounts = []", ["approval[1].accounts: must not be empty"]),
    (f'{GRANT}[[account]]\nname = "A"', ["account[1].live: is missing"]),
    (f'{GRANT}[[account]]\nname = "A"\nlive = "yes"', ["account[1].live: must be true or false"]),
    (f"{GRANT}[[account]]\nlive = true", ["account[1].name: is missing"]),
    (f'{GRANT}[[notify]]\nchannel = -5\nevents = ["filled"]', ["notify[1].channel: must be at least 1"]),
    (f"{GRANT}[[notify]]\nchannel = 1", ["notify[1].events: is missing"]),
    (f"{GRANT}[[notify]]\nchannel = 1\nevents = []", ["notify[1].events: must not be empty"]),
    ('grant.role = "x"', ["grant: must be written [[grant]], with two brackets on each side"]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_what_is_wrong_is_told_by_key_and_reason(text: str, expected: list[str]) -> None:
    assert reasons(text) == expected


@pytest.mark.parametrize("command", ["*", *sorted(TRADING_COMMANDS)])
def test_a_command_that_trades_must_say_where_and_how_much(command: str) -> None:
    why = f"is required where a command that trades is granted ({command})"
    assert reasons(f'[[grant]]\nrole = 1\ncommands = ["help", "{command}"]') == [
        f"grant[1].accounts: {why}",
        f"grant[1].instruments: {why}",
        f"grant[1].max_quantity: {why}",
    ]
    assert reasons(f'[[grant]]\nrole = 1\ncommands = ["{command}"]\naccounts = []\ninstruments = ["ES"]\nmax_quantity = 1') == [
        f"grant[1].accounts: {why}"
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = """
        surprise = 1
        [desk]
        confirm_seconds = 1
        [[grant]]
        role = "x"
        commands = ["reverse", "revrse"]
        [[grant]]
        role = 1
        commands = ["reverse"]
        max_quantity = 0
        max_quantty = 1
        [[notify]]
        channel = 1
        events = ["exploded"]
        """
    told = reasons(text)
    assert [reason.split(": ")[0] for reason in told] == [
        "desk.confirm_seconds",
        "grant[1].role",
        "grant[1].commands[2]",
        "grant[2].accounts",
        "grant[2].instruments",
        "grant[2].max_quantity",
        "grant[2].max_quantty",
        "notify[1].events[1]",
        "surprise",
    ]


def test_an_unknown_key_is_told_with_those_that_are_known() -> None:
    known = "role, commands, accounts, instruments, max_quantity, order_types"
    assert reasons(f"{GRANT}max_quantty = 1") == [
        f"grant[1].max_quantty: is not a known key; did you mean max_quantity? known are {known}"
    ]
    assert reasons(f"{GRANT}[grants]\nx = 1") == [
        "grants: is not a known key; did you mean grant? known are desk, grant, limit, approval, account, notify, end"
    ]
    assert reasons(f'"a b\\n" = 1\n{GRANT}') == [
        '"a b\\n": is not a known key; known are desk, grant, limit, approval, account, notify, end'
    ]


def test_an_unknown_command_is_told_with_those_that_are_known() -> None:
    known = ", ".join(sorted(COMMANDS))
    for typed, guess in (("/reverse", 'did you mean "reverse"? '), ("Reverse", 'did you mean "reverse"? '), ("{x}%s", "")):
        assert reasons(with_grant(f'commands = ["{typed}"]')) == [
            f'grant[1].commands[1]: "{typed}" is not known; {guess}known are {known} and *'
        ]


def test_a_long_foreign_text_is_cut_in_the_reason() -> None:
    (reason,) = reasons(with_grant(f'commands = ["{"x" * 4000}"]'))
    assert len(reason) < 400


def test_an_unknown_event_is_told_with_those_that_are_known() -> None:
    (reason,) = reasons(f'{GRANT}[[notify]]\nchannel = 1\nevents = ["*"]\nsilent = ["filed"]')
    assert reason.startswith('notify[1].silent[1]: "filed" is not known; did you mean "filled"? known are ')
    assert all(event in reason for event in EVENTS)


@pytest.mark.parametrize("text", [f"[[grant]]\nrole = 1\ncommands = {json.dumps(sorted(READING_COMMANDS))}", "[desk]"])
def test_no_role_that_may_trade_is_refused(text: str) -> None:
    (reason,) = reasons(text)
    assert reason.startswith("grant: no role may trade; add a [[grant]] with a command that trades (")


@pytest.mark.parametrize("text", ["", " \n", "# only a remark\n", "\ufeff"])
def test_an_empty_file_is_refused_as_such(text: str) -> None:
    assert reasons(text) == ["it is empty, so no role may trade; policy.example.toml shows what belongs in it"]


def test_broken_toml_is_refused_with_its_line() -> None:
    (reason,) = reasons(f"{GRANT}role = \n")
    assert reason.startswith("it is not valid TOML: ")
    assert "line 8" in reason


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, "1e99999999999999999999"])
def test_what_is_beyond_any_size_is_refused_in_one_reason(value: str) -> None:
    assert reasons(f"x = {value}") == ["it is not valid TOML: a number is too large or brackets are nested too deeply"]


def refusal(path: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policy(path)
    assert caught.value.file == str(path)
    return list(caught.value.reasons)


def test_a_missing_file_a_folder_a_pipe_a_huge_and_a_foreign_file_have_one_clear_reason_each(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.toml") == ["there is no such file; begin with a copy of policy.example.toml"]
    assert refusal(tmp_path) == ["it is a folder; name a file"]
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (LARGEST_FILE + 1))
    assert refusal(huge) == [f"it is larger than {LARGEST_FILE} bytes"]
    foreign = tmp_path / "foreign.toml"
    foreign.write_bytes("# für\n".encode("latin-1"))
    assert refusal(foreign) == ["it is not UTF-8 text; save it as UTF-8"]
    (reason,) = refusal(foreign / "below")
    assert reason.startswith("it can't be read (")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    assert refusal(pipe) == ["it is not an ordinary file"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GRANT.replace("\n", "\r\n").encode())
    assert read_policy(path) == parse_policy(GRANT.encode(), "x")


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: f"{GRANT}\n{text}".encode()))
def test_whatever_the_bytes_the_answer_is_a_policy_or_a_refusal(data: bytes) -> None:
    try:
        assert parse_policy(data, "x").grants
    except PolicyError as error:
        assert error.reasons  # noqa: PT017  either end is good
        assert all(error.reasons)  # noqa: PT017


values = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=5) | st.sampled_from(["*", "reverse", "filled", "Sim*"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
keys = st.sampled_from(["role", "commands", "accounts", "max_quantity", "live", "name", "channel", "events", "x"])


@given(st.dictionaries(st.sampled_from(["desk", "grant", "limit", "notify", "x"]), st.dictionaries(keys, values), max_size=4))
def test_whatever_the_keys_hold_the_answer_is_a_policy_or_a_refusal(tables: Mapping[str, Mapping[str, object]]) -> None:
    lines = [GRANT]
    for name, table in tables.items():
        lines += [f"[[{name}]]" if name != "desk" else "[desk]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    try:
        assert parse_policy("\n".join(lines).encode(), "x").grants
    except PolicyError as error:
        assert not any("Traceback" in reason or "Input should" in reason for reason in error.reasons)  # noqa: PT017


def test_the_example_loads_and_shows_every_table_and_key() -> None:
    path = ROOT / "policy.example.toml"
    assert read_policy(path).grants
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema docs/policy.schema.json\n")
    shown = tomllib.loads(
        text.replace("\n# [[account]]\n# name = ", "\n[[account]]\nname = ")
        .replace("\n# live", "\nlive")
        .replace("\n# [end]\n# complete", "\n[end]\ncomplete")
    )
    definitions = policy_schema()["$defs"]
    assert isinstance(definitions, dict)
    for table, content in shown.items():
        first = content if isinstance(content, dict) else content[0]
        assert set(first) == set(definitions[f"{table.title()}Table"]["properties"]), table
    assert set(shown) == set(dict(policy_schema())["properties"])  # type: ignore[call-overload]  # a schema is a table


def test_the_schema_in_the_docs_is_the_one_that_the_model_makes() -> None:
    stored = (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")
    assert stored == schema_text(), (
        'write it anew: python -c "import bot.policyfile as p; print(p.schema_text(), end=str())" > docs/policy.schema.json'
    )


END = "\n[end]\ncomplete = true\n"
ASKS = "[desk]\nend_required = true\n"


@pytest.mark.parametrize(
    "end", [END, "\n[end] # the end\r\n\r\n\tcomplete=true # yes\r\n\r\n# bye", "\n[ end ]\ncomplete = true"]
)
def test_a_file_that_must_have_an_end_comes_into_force_with_it(end: str) -> None:
    assert parse_policy((ASKS + GRANT + end).encode(), "x") == parse_policy(GRANT.encode(), "x")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ASKS + GRANT, "it doesn't end with [end] and complete = true"),
        (ASKS + GRANT + "\n# [end]\n# complete = true", "it doesn't end with [end]"),
        (GRANT + END + "[[limit]]\nmax_position = 1\n", "end: must be the last table"),
        ("end = {complete = true}\n" + GRANT, "end: must be the last table"),
        (GRANT + "\n[end]\n", "end.complete: is missing"),
        (GRANT + "\n[end]\ncomplete = false\n", "end.complete: must be true"),
        (GRANT + "\n[end]\ncomplete = tru", "it is not valid TOML"),
    ],
)
def test_a_file_that_lacks_its_end_is_refused(text: str, told: str) -> None:
    assert any(reason.startswith(told) for reason in reasons(text)), reasons(text)


@given(st.integers(0, len(ASKS + GRANT + "[[limit]]\nmax_position = 1\n" + END) - 2))
def test_no_beginning_of_a_file_that_must_have_an_end_comes_into_force(cut: int) -> None:
    text = (ASKS + GRANT + "[[limit]]\nmax_position = 1\n" + END)[:cut]
    with pytest.raises(PolicyError):
        parse_policy(text.encode(), "x")
