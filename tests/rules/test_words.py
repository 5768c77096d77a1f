"""Words: foreign text can't get out of its quotes, and numbers read as traders read them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.words import disguise, lateness, money, number, person, price, quoted, verbatim
from tests.rules.strategies import MODEST


@MODEST
@given(text=st.text(max_size=400) | st.text(st.sampled_from('“”"`\n\u202e\x00 a'), max_size=80), longest=st.integers(1, 60))
def test_what_is_quoted_is_one_line_that_ends_no_quote(text: str, longest: int) -> None:
    told = quoted(text, longest)
    assert (told[0], told[-1], told.count("“"), told.count("”")) == ("“", "”", 1, 1)
    assert len(told.splitlines()) == 1
    assert 1 <= len(told) - 2 <= longest


def test_a_quote_is_to_the_letter() -> None:
    assert quoted("**x** `y` <@1>") == "“**x** `y` <@1>”"
    assert quoted("he said “no”") == '“he said "no"”'


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00"),
        ("12.5", "12.50"),
        ("-1250", "-1,250.00"),
        ("1234567.891", "1,234,567.89"),
        ("1E+3", "1,000.00"),
        ("99999999999999999999.99", "99,999,999,999,999,999,999.99"),
    ],
)
def test_money_has_thousands_and_two_decimals(amount: str, shown: str) -> None:
    assert money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("value", "tick", "shown"),
    [
        ("5791.5", "0.25", "5791.50"),
        ("5791.500", "0.25", "5791.50"),
        ("5791.125", "0.25", "5791.125"),
        ("-5791", "0.25", "-5791.00"),
        ("5791", "1", "5791"),
        ("5791.5", "1", "5791.5"),
        ("5791.5", None, "5791.5"),
        ("1E+20", "0.25", "1e+20"),
        ("NaN", "0.25", "NaN"),
        ("Infinity", "0.25", "Infinity"),
    ],
)
def test_a_price_has_at_least_the_decimals_of_the_tick(value: str, tick: str | None, shown: str) -> None:
    assert price(Decimal(value), None if tick is None else Decimal(tick)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.50", "0.50"),
        ("1E+3", "1000"),
        ("1E-12", "0.000000000001"),
        ("1E-13", "1e-13"),
        ("1E+15", "1000000000000000"),
        ("1E+16", "1e+16"),
        ("NaN", "NaN"),
    ],
)
def test_a_number_beyond_what_any_market_quotes_is_told_short(value: str, shown: str) -> None:
    assert number(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, None),
        (0, None),
        (9.99, None),
        (10, "10 s late"),
        (119, "119 s late"),
        (120, "2 min late"),
        (240, "4 min late"),
        (7199, "120 min late"),
        (7200, "2 h late"),
        (32_400_000, "9000 h late"),
    ],
)
def test_lateness_is_told_once_it_is_worth_it(seconds: float, told: str | None) -> None:
    assert lateness(seconds) == told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("grp-9", None),
        ("two legs", None),
        ("Größe Ω", None),
        ("a\u00a0b", "U+00A0"),
        ("\u202eoco", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\u200db", "U+200D"),
        ("a\ufe0fb", "U+FE0F"),
        ("a\u3164b", "U+3164"),
        ("a\u2800b", "U+2800"),
        ("a\ud800b", "U+D800"),
        ("a\u02cbb", "U+02CB"),
        ("a  b", "two blanks in a row"),
    ],
)
def test_what_would_not_be_seen_as_it_is_is_found(text: str, found: str | None) -> None:
    assert disguise(text) == found
    # What is left is shown to the letter.
    assert found is not None or verbatim(text) == text


def test_people_are_told_apart_by_who_they_are() -> None:
    assert person("Tess\u200b", 301) == "“Tess” (member 301)"
