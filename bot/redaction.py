"""Secrets taken out of text, for logs and for whatever of other people's words is shown: one set of rules for both.

What was told to be a secret is found in every usual spelling; what nobody told of, by its shape or by its name before it.
"""

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[secret]"
# Shorter ones would be found in ordinary words.
SHORTEST_SECRET = 4

# The counts are bounded so that no text takes long.
_SHAPES = (
    (
        re.compile(r"(authorization[\"']?\s*[:=]\s*)[\"']?(?:(?:bearer|basic|token)\s+)?[^\s\"',;}]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # "a bearer token is missing" is prose, "Bearer abc" isn't.
    (re.compile(r"\b(bearer(?:\s|%20|\+)+)(?!token\b|auth)[^\s\"'<>,;}]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(r"\b((?:api[_-]?)?key|token|secret|password)([\"']?\s*=\s*|[\"']\s*:\s*)[\"']?[^\s\"',;&}]+", re.IGNORECASE),
        rf"\1\2{HIDDEN}",
    ),
    # A bot token: base64 of the bot's id, a time and a signature.
    (re.compile(r"(?<![\w-])[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,64}", re.ASCII), HIDDEN),
    # Whoever has the token of an interaction or a webhook speaks as the bot.
    (re.compile(r"(/(?:webhooks|interactions)/\d{1,20}/)[\w.%-]+", re.ASCII), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s:/@\"']{0,128}:)[^\s\"'<>]{1,512}@"), rf"\1{HIDDEN}@"),
)
# A repr within a repr doubles the backslashes, so a run of them is one.
_BACKSLASH = r"(?:\\{1,8}|%5[Cc])"


class Redactor:
    """Takes secrets out of a text: those it was given, in every usual spelling, and those that show by their shape.

    Spellings are what ``repr``, JSON, URLs and HTML make of a secret, in either case, also when they follow on one another.

    Args:
        secrets: such as a token; one of less than four characters is no secret.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join("".join(map(_spellings, secret)) for secret in longest_first), re.IGNORECASE)
        self._knows_any = bool(longest_first)

    def __call__(self, text: str) -> str:
        """Return the text with a mark in place of each secret."""
        if self._knows_any:
            text = self._secrets.sub(HIDDEN, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text


def _spellings(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    if letter == "\\":
        return _BACKSLASH
    raw = letter.encode("utf-8", "surrogatepass")
    forms = {
        letter,
        ascii(letter)[1:-1],
        repr(raw)[2:-1],
        json.dumps(letter)[1:-1],
        quote(raw, safe=""),
        quote_plus(raw, safe=""),
        html.escape(letter),
    }
    if letter in "'\"/":
        forms.add(f"\\{letter}")
    patterns = [re.escape(form).replace(r"\\", _BACKSLASH) for form in sorted(forms, key=len, reverse=True)]
    return f"(?:{'|'.join(patterns)})"
