"""Instruments: every documented spelling leads to the dated form, and nothing else leads anywhere."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import InstrumentError
from bot.trading.orders.instruments import (
    MONTH_CODES,
    MONTH_NAMES,
    QUARTERLY_ROOTS,
    Contract,
    Root,
    parse_dated,
    parse_instrument,
    read_contract,
)
from tests.rules.strategies import ES, MODEST, ROOTS, contracts, months_of, roots

TODAY = date(2026, 9, 15)


@pytest.mark.parametrize(
    "typed",
    [
        "ES 09-26",
        "ES 9-26",
        "es 09-26",
        "  ES   09-26  ",
        "ES\t09-26",
        "ES\u00a009-26",
        '"ES 09-26"',
        "'ES 09-26'",
        "`ES 09-26`",
        "“ES 09-26”",
        "‘es 09-26’",
        "„ES 09-26“",
        "«ES 09-26»",
        '"“ES 09-26”"',
        '"ES" 09-26',
        "ESU6",
        "esu6",
        '"ESU6"',
        "ESU26",
        "esu26",
        "ES SEP26",
        "es sep26",
        "ES  Sep26",
        "ES SEP 26",
        "“ES SEP26”",
        "ES" + " " * 4000 + "09-26",
    ],
)
def test_every_documented_spelling_leads_to_the_dated_form(typed: str) -> None:
    assert str(parse_instrument(typed, TODAY)) == "ES 09-26"


@pytest.mark.parametrize("typed", ["ES", "es", " ES ", '"ES"', "“es”", "ES1!", "es1!", "'ES1!'"])
def test_a_bare_root_and_the_continuous_form_stay_a_root(typed: str) -> None:
    named = parse_instrument(typed, TODAY)
    assert named == Root("ES")
    assert str(named) == "ES"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("6EU6", Contract("6E", 2026, 9)),
        ("M2KZ26", Contract("M2K", 2026, 12)),
        ("M2K", Root("M2K")),
        ("6E1!", Root("6E")),
        ("NGZ25", Contract("NG", 2025, 12)),
        ("CLF7", Contract("CL", 2027, 1)),
        ("GC FEB27", Contract("GC", 2027, 2)),
        ("ESH26", Contract("ES", 2026, 3)),
        ("ES MAR25", Contract("ES", 2025, 3)),
        ("ZN 12-99", Contract("ZN", 2099, 12)),
        ("ZN 01-00", Contract("ZN", 2000, 1)),
    ],
)
def test_roots_with_digits_and_other_cycles_are_read(typed: str, expected: Contract | Root) -> None:
    assert parse_instrument(typed, TODAY) == expected


def test_every_spelling_of_every_root_month_and_year_comes_back_as_it_went() -> None:
    for root in ROOTS:
        for month in months_of(root):
            for year in range(2000, 2100):
                contract = Contract(root, year, month)
                coded = f"{root}{MONTH_CODES[month - 1]}{year % 100:02d}"
                named = f"{root} {MONTH_NAMES[month - 1]}{year % 100:02d}"
                assert parse_dated(str(contract)) == contract
                assert [parse_instrument(typed, TODAY) for typed in (str(contract), coded, named)] == [contract] * 3


@MODEST
@given(contract=contracts, mark=st.sampled_from(['"{}"', "'{}'", "“{}”", "`{}`", "  {} "]), upper=st.booleans())
def test_quotes_case_and_blanks_never_change_what_is_meant(contract: Contract, mark: str, upper: bool) -> None:
    text = str(contract)
    assert parse_instrument(mark.format(text if upper else text.lower()), TODAY) == contract


# The year that is meant by each digit, 0 to 9, in a given year; two where both are five years away.
NEAREST = {
    2021: "2020 2021 2022 2023 2024 2025 2016/2026 2017 2018 2019",
    2024: "2020 2021 2022 2023 2024 2025 2026 2027 2028 2019/2029",
    2025: "2020/2030 2021 2022 2023 2024 2025 2026 2027 2028 2029",
    2026: "2030 2021/2031 2022 2023 2024 2025 2026 2027 2028 2029",
    2030: "2030 2031 2032 2033 2034 2025/2035 2026 2027 2028 2029",
}


@pytest.mark.parametrize(("year", "nearest"), NEAREST.items())
def test_a_one_digit_year_is_the_nearest_and_a_tie_is_refused_with_both(year: int, nearest: str) -> None:
    for digit, meant in enumerate(nearest.split()):
        fits = [f"ES 09-{each[2:]}" for each in meant.split("/")]
        assert what_fits(f"ESU{digit}", date(year, 6, 15)) == fits, digit


def test_a_tie_is_refused_in_a_sentence_with_both() -> None:
    told = "That fits ES 09-21 and ES 09-31; write the one you mean in that form"
    with pytest.raises(InstrumentError, match=told) as caught:
        parse_instrument("ESU1", TODAY)
    assert caught.value.typed == "ESU1"


@pytest.mark.parametrize("root", sorted(QUARTERLY_ROOTS))
def test_a_month_outside_the_cycle_is_refused_with_what_would_fit(root: str) -> None:
    for month in (1, 2, 4, 5, 7, 8, 10, 11):
        refused_with_quarters(root, month)


def refused_with_quarters(root: str, month: int) -> None:
    """The month is refused in every spelling, with the quarters of the year."""
    spellings = [f"{root} {month:02d}-26", f"{root}{MONTH_CODES[month - 1]}26", f"{root} {MONTH_NAMES[month - 1]}26"]
    for typed in [*spellings, f"{root}{MONTH_CODES[month - 1]}6"]:
        with pytest.raises(InstrumentError) as caught:
            parse_instrument(typed, TODAY)
        assert caught.value.fits == tuple(f"{root} {quarter:02d}-26" for quarter in (3, 6, 9, 12))
        assert caught.value.typed == typed
        assert f"{root} has no month {month:02d}; in that year there are {root} 03-26, {root} 06-26," in str(caught.value)


@MODEST
@given(
    typed=st.builds("{}{}{}".format, roots, st.sampled_from(MONTH_CODES), st.integers(0, 9)),
    year=st.integers(2021, 2035),
)
@example(typed="ESV1", year=2026)
def test_what_is_said_to_fit_does_fit(typed: str, year: int) -> None:
    today = date(year, 9, 15)
    fits = what_fits(typed, today)
    assert [str(parse_instrument(fit, today)) for fit in fits] == fits


def what_fits(typed: str, today: date) -> list[str]:
    """What is told to fit, or the one contract that does."""
    try:
        return [str(parse_instrument(typed, today))]
    except InstrumentError as error:
        return list(error.fits) or pytest.fail(f"{typed} is refused and nothing is said to fit")


@pytest.mark.parametrize("typed", ["ES 13-26", "ES 00-26", "ES 0-26", "CL 99-26"])
def test_a_month_that_no_year_has_is_refused(typed: str) -> None:
    with pytest.raises(InstrumentError, match="There is no month") as caught:
        parse_instrument(typed, TODAY)
    assert caught.value.typed == typed
    with pytest.raises(InstrumentError):
        parse_dated(typed)


GARBAGE = [
    "",
    "   ",
    '""',
    "“”",
    "09-26",
    "ES 09-2026",
    "ES 09/26",
    "ES-09-26",
    "ES 09 26",
    "ES 09-26 09-26",
    "ES2!",
    "ES!",
    "ES SEPT26",
    "ES XYZ26",
    "ES SEP2026",
    "ES U6",
    "E'S 09-26",
    "TOOLONGROOT",
    "@everyone",
    "<@1>",
    "**ES** 09-26",
    "[ES 09-26](http://x)",
    "||ES||",
    "ES; DROP TABLE",
    "../../x",
    "ES 09-26?x=1",
    "ES\x0009-26",
    "ES 09-26\x00",
    "\x1b[31mES",
    "ES\x7f",
    "ES\u200b",
    "ES ٠٩-٢٦",
    "ES 09-2６",
    "ESU٦",
    "ES 09\u201326",
    "\u0395S 09-26",
    "e\u017f 09-26",
    "\u0131B",
    "\ufb01",
    "ß",
    "\ud800",
    "E" * 4000,
    "ES 09-26 " * 400,
    "*" * 4000,
]


@pytest.mark.parametrize("typed", GARBAGE, ids=ascii)
def test_garbage_is_refused_with_a_sentence_that_says_how_to_write_it(typed: str) -> None:
    with pytest.raises(InstrumentError, match="write it like ES 09-26") as caught:
        parse_instrument(typed, TODAY)
    assert len(str(caught.value)) < 200
    assert caught.value.typed == typed


near_misses = st.text(st.sampled_from("ESNQ6109-26!UZ' \t\"“’٠９ſ\x00\x1c@*`"), max_size=12)


@MODEST
@given(typed=st.text(max_size=30) | near_misses | st.text(st.characters(max_codepoint=127), max_size=30))
def test_whatever_is_typed_gives_an_instrument_of_plain_letters_or_our_error(typed: str) -> None:
    try:
        named = parse_instrument(typed, TODAY)
    except InstrumentError:
        return
    assert str(named).isascii()
    assert parse_instrument(str(named), TODAY) == named
    if isinstance(named, Contract):
        assert named.month in months_of(named.root)


@MODEST
@given(name=st.text(max_size=20) | near_misses)
def test_whatever_crosstrade_calls_it_gives_a_dated_contract_or_our_error(name: str) -> None:
    try:
        contract = parse_dated(name)
    except InstrumentError:
        return
    assert str(contract).isascii()
    assert parse_dated(str(contract)) == contract


@pytest.mark.parametrize("name", ["ES 09-26", "es 9-26", " ES  09-26 "])
def test_the_dated_form_is_read_as_crosstrade_answers_it(name: str) -> None:
    assert parse_dated(name) == ES


def test_a_month_outside_our_cycle_is_believed_when_crosstrade_says_it() -> None:
    assert str(parse_dated("ES 10-26")) == "ES 10-26"


@pytest.mark.parametrize("name", ["ES", "ES1!", "ESU6", "ES SEP26", '"ES 09-26"', "ES ٠٩-٢٦", "e\u017f 09-26", "", "E" * 4000])
def test_crosstrade_answers_nothing_but_the_dated_form(name: str) -> None:
    with pytest.raises(InstrumentError) as caught:
        parse_dated(name)
    assert caught.value.typed == name


@pytest.mark.parametrize(
    ("today", "is_past"),
    [
        (date(2026, 8, 31), False),
        (date(2026, 9, 1), False),
        (date(2026, 9, 30), False),
        (date(2026, 10, 1), True),
        (date(2027, 1, 1), True),
    ],
)
def test_a_contract_is_past_from_the_first_day_of_the_next_month(today: date, is_past: bool) -> None:
    assert ES.is_past(today) is is_past


def test_contracts_sort_by_root_then_by_time() -> None:
    names = ["NQ 03-26", "ES 12-25", "ES 03-26"]
    assert [str(contract) for contract in sorted(map(parse_dated, names))] == ["ES 12-25", "ES 03-26", "NQ 03-26"]


@MODEST
@given(root=roots, month=st.integers(1, 12), year=st.integers(2000, 2099), ahead=st.integers(-4, 5), lower=st.booleans())
def test_an_answer_is_read_in_every_dated_spelling(root: str, month: int, year: int, ahead: int, lower: bool) -> None:
    contract, today = Contract(root, year, month), date(year - ahead, 6, 15)
    code, name, short = MONTH_CODES[month - 1], MONTH_NAMES[month - 1], f"{year % 100:02d}"
    dated = (str(contract), f"{root} {month}-{short}")
    for told in (*dated, f"{root}{code}{year % 10}", f"{root}{code}{short}", f"{root} {name}{short}", f"{root} {name} {short}"):
        assert read_contract(told.lower() if lower else told, today) == contract, told


@pytest.mark.parametrize("told", ["ES", "NQ1!", "", " ", "AAPL", "ES 13-26", "ES 00-26", "ESA6", "ES FOO26", "ES 09-26 x"])
def test_an_answer_that_names_no_month_is_not_read(told: str) -> None:
    with pytest.raises(InstrumentError):
        read_contract(told, TODAY)


def test_what_is_typed_may_be_spelt_as_answers_are() -> None:
    for typed in ("ESJUN26", "es jun 26", "ESM26", "ESM6"):
        assert parse_instrument(typed, TODAY) == Contract("ES", 2026, 6), typed
