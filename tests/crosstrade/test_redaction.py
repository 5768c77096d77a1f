"""Secrets in foreign words."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade.redaction import LONGEST_TEXT, Excerpt
from bot.redaction import HIDDEN

TOKEN = 'Ab/9+"key"=x7'


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Invalid token {TOKEN}!",
        TOKEN.lower(),
        TOKEN.upper(),
        quote(TOKEN, safe=""),
        json.dumps({"got": TOKEN}),
        f"{'x' * 390}{TOKEN}",
        f"{'x' * 16380}{TOKEN}",
    ],
)
def test_the_token_is_gone_in_every_form(text: str) -> None:
    shown = Excerpt(TOKEN)(text)
    for form in (TOKEN, quote(TOKEN, safe=""), json.dumps(TOKEN)[1:-1]):
        assert form.casefold() not in shown.casefold()
        assert form.casefold()[:6] not in shown.casefold()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hidden123",
        "authorization: hidden123",
        "Authorization: Basic hidden123",
        '{"Authorization": "Bearer hidden123"}',
        "{'Authorization': 'Bearer hidden123'}",
        "sent Bearer hidden123 to us",
        "key=hidden123; command=PLACE;",
        "url?api_key=hidden123&x=1",
        '{"key":"hidden123"}',
        "token = hidden123",
        "password='hidden123'",
    ],
)
def test_what_looks_like_a_credential_is_gone(text: str) -> None:
    shown = Excerpt(TOKEN)(text)
    assert "hidden123" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "No position found for instrument 'ES 12-25' in account 'sim101'",
        "Check message format, missing required field: QTY",
        "Missing bearer token",
        "Authorization header missing",
        "keyboard=1 is a turkey",
    ],
)
def test_words_of_a_broker_stay_as_they_are(text: str) -> None:
    assert Excerpt(TOKEN)(text) == text


def test_text_is_one_short_line() -> None:
    shown = Excerpt(TOKEN)("a\x00b\r\n\tc\x1b[31m " + "d" * 1000)
    assert shown.startswith("a b c [31m d")
    assert len(shown) == LONGEST_TEXT
    assert shown.endswith("…")


def test_a_long_token_is_not_cut_before_it_is_found() -> None:
    token = "".join(chr(97 + number % 26) + str(number) for number in range(500))
    assert Excerpt(token)(f"{token} " * 12) == " ".join([HIDDEN] * 12)


def test_a_token_of_no_length_hides_nothing() -> None:
    assert Excerpt("")("latest news") == "latest news"
    assert Excerpt("est")("latest news") == "latest news"


@given(st.text(max_size=300), st.text(max_size=300), st.text("abcdefgh0123456789-_", min_size=8, max_size=40))
def test_a_token_never_survives(before: str, after: str, token: str) -> None:
    assert token not in Excerpt(token)(f"{before}{token}{after}").replace(HIDDEN, "")
