"""Words: whatever a stranger wrote stands in our line as letters, and numbers read as traders read them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.words import (
    LONGEST_FOREIGN_TEXT,
    code,
    disguise,
    harmless,
    lateness,
    money,
    number,
    person,
    price,
    verbatim,
)
from tests.rules.strategies import MODEST

ZERO_WIDTH = "\u200b"
NASTY = [
    "@everyone",
    "@here",
    "<@1>",
    "<@&1100>",
    "<#2001>",
    "</reverse:1>",
    "<:emoji:1>",
    "<t:0:R>",
    "**bold** __under__ ~~gone~~ ||spoiler||",
    "[text](https://example.com)",
    "https://example.com/_x_",
    "HTTPS://EXAMPLE.COM",
    "discord://x",
    "<https://example.com>",
    "`code` ```block```",
    "back\\slash\\`",
    "one\ntwo\r\nthree\u2028four\x85five\x0bsix",
    "# title",
    "-# small",
    "> quote",
    ">>> quote",
    "- item",
    "+ item",
    "1. item",
    "\x00\x1b[31m\x7f\x9b",
    "\u202edesrever\u2066x\u2069",
    "x" * 4000,
    "@" * 4000,
    "`" * 4000,
    "\n" * 4000,
    "*" * 4000,
    "",
    "   ",
]
# What Discord would read as a beginning of something, in a text from which every escaped character has been taken.
MARKDOWN = re.compile(r"[\\`*_~|\[\]<]")
BLOCK = re.compile(r"^(?:#+|-#|>+|[-+*]|\d+[.)])(?:\s|$)")
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
some_text = st.text(max_size=400) | st.text(st.sampled_from("@<>`*_~|[]()#-+.1:/\\ \nhHtTpPs\u200b\u202e\x00é😀"), max_size=400)


def unescaped(text: str) -> str:
    return re.sub(r"\\([^0-9A-Za-z\s])", "", text)


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text).replace(ZERO_WIDTH, "")


def check_harmless(result: str, longest: int) -> None:
    assert len(result.splitlines()) <= 1
    assert not MARKDOWN.search(unescaped(result))
    assert not BLOCK.search(result)
    assert not UNSEEN.search(result)
    assert not re.search("@(?!\u200b)", result)
    assert "://" not in result
    assert len(plain(result)) <= longest


def check_code(result: str, longest: int) -> None:
    assert result.count("`") == 2
    assert (result[0], result[-1]) == ("`", "`")
    assert len(result.splitlines()) == 1
    assert not UNSEEN.search(result)
    assert 1 <= len(result) - 2 <= longest


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_known_tricks_come_out_as_letters_on_one_line(text: str) -> None:
    check_harmless(harmless(text), LONGEST_FOREIGN_TEXT)
    check_code(code(text), LONGEST_FOREIGN_TEXT)


@MODEST
@given(text=some_text, longest=st.integers(1, 60))
def test_whatever_was_written_comes_out_as_letters_on_one_line(text: str, longest: int) -> None:
    check_harmless(harmless(text, longest), longest)
    check_code(code(text, longest), longest)


@MODEST
@given(text=st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=60))
def test_an_ordinary_name_is_left_as_it_is(text: str) -> None:
    line = " ".join(text.split())
    assert harmless(text) == line
    assert code(text) == f"`{line or ' '}`"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada", "Ada"),
        ("Apex-1 (Ada)", "Apex-1 (Ada)"),
        ("Ada  Lovelace\n", "Ada Lovelace"),
        ("👩\u200d💻 Ada", "👩\u200d💻 Ada"),
        ("a_b", "a\\_b"),
        ("a*b", "a\\*b"),
        ("@everyone", "@\u200beveryone"),
        ("<@1>", "\\<@\u200b1>"),
        ("https://x.io", "https:\u200b//x.io"),
        ("# Boss", "\\# Boss"),
        ("-1", "-1"),
        ("#", "\\#"),
        ("2. Boss", "2\\. Boss"),
        ("3.5 lots", "3.5 lots"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_a_name_reads_as_it_was_written(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sim101", "`Sim101`"),
        ("**x** _y_ <@1> @everyone", "`**x** _y_ <@1> @everyone`"),
        ("a`b", "`aˋb`"),
        ("", "` `"),
        ("\x00", "` `"),
        ("x" * 61, "`" + "x" * 59 + "…`"),
    ],
)
def test_code_shows_foreign_text_to_the_letter(text: str, shown: str) -> None:
    assert code(text, 60) == shown


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


def test_half_a_character_is_mended_in_all_that_is_shown() -> None:
    assert harmless("a\ud83d") == code("a\ud83d").strip("`") == "a\ufffd"


def test_people_are_told_apart_by_who_they_are() -> None:
    assert person("Tess\u200b", 301) == "Tess (<@301>)"
