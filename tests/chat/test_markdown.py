"""Markdown: whatever a stranger wrote stands in our line as letters, and what the desk marks is drawn as what it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.markdown import code, harmless, markdown, person
from bot.trading.words import LONGEST_FOREIGN_TEXT, quoted
from bot.trading.words import person as named
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


def test_half_a_character_is_mended_in_all_that_is_shown() -> None:
    assert harmless("a\ud83d") == code("a\ud83d").strip("`") == markdown("a\ud83d") == "a\ufffd"


def test_people_are_told_apart_by_who_they_are() -> None:
    assert person("Tess\u200b", 301) == markdown(named("Tess\u200b", 301)) == "Tess (<@301>)"


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_known_tricks_stay_in_the_quotes_of_the_desk(text: str) -> None:
    check_code(markdown(quoted(text)), LONGEST_FOREIGN_TEXT)
    check_harmless(markdown(named(text, 7)).removesuffix(" (<@7>)").replace("` `", ""), 40)


@MODEST
@given(text=some_text | st.text(st.sampled_from("“”()` member12role")), longest=st.integers(1, 60))
def test_whatever_was_quoted_is_code_and_nothing_else(text: str, longest: int) -> None:
    check_code(markdown(quoted(text, longest)), longest)
    drawn = markdown(named(text, 7))
    assert drawn.endswith(" (<@7>)")
    assert "<@" not in drawn.removesuffix(" (<@7>)").replace("\\<@", "")


NAMES = st.lists(
    st.sampled_from(["role 12", "channel 21", "Role 7", "`", "\\", "“x”", "(member 7)", "*", " ", "a"]), max_size=5
).map("".join)


@MODEST
@given(text=some_text | NAMES)
def test_what_was_drawn_once_is_drawn_the_same_again(text: str) -> None:
    drawn = markdown(f"{named(text, 7)} flattens {quoted(text)}, told to role 12 in channel 21: {quoted(text)} is flat.")
    assert drawn.count("<@&12> in <#21>") == 1
    assert markdown(drawn) == drawn


@pytest.mark.parametrize(
    ("told", "drawn"),
    [
        ("“Sim101” is flat", "`Sim101` is flat"),
        ("“A_nn” (member 42) asked", "A\\_nn (<@42>) asked"),
        ("Ann (member 42) asked", "Ann (member 42) asked"),
        ("“x (member 42)” (member 7)", "x (member 42) (<@7>)"),
        ("it needs role 1101", "it needs <@&1101>"),
        ("roles 1101", "roles 1101"),
        ("meant for channel 2001, where", "meant for <#2001>, where"),
        # What an older version has stored.
        ("`Sim101` asked by Ann (<@42>), `“role 1”`", "`Sim101` asked by Ann (<@42>), `“role 1”`"),
        ("```\n“Sim101” role 1\n```", "```\n“Sim101” role 1\n```"),
    ],
)
def test_marks_of_the_desk_are_drawn_and_old_markdown_is_kept(told: str, drawn: str) -> None:
    assert markdown(told) == drawn
