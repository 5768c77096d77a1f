"""Taking secrets out of text that leaves this package: CrossTrade's words may echo what we sent it."""

import json
import re
from urllib.parse import quote

HIDDEN = "[secret]"
LONGEST_TEXT = 400

# Less than this is no secret, and would be found in ordinary words.
_SHORTEST_SECRET = 4
_LONGEST_SEARCHED = 16_384
_HEADER = re.compile(r"(authorization[\"']?\s*[:=]\s*)[\"']?(?:(?:bearer|basic|token)\s+)?[^\s\"',;}]+", re.IGNORECASE)
# "a bearer token is missing" is prose, "Bearer abc" isn't.
_BEARER = re.compile(r"\b(bearer\s+)(?!token\b|auth)[^\s\"',;}]+", re.IGNORECASE)
_NAMED = re.compile(r"\b((?:api[_-]?)?key|token|secret|password)([\"']?\s*=\s*|[\"']\s*:\s*)[\"']?[^\s\"',;&}]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Redactor:
    """Makes text fit to be shown: the token, whatever looks like a credential, and control characters are gone; it is short.

    Args:
        token: the bearer token; it is found in any case, and also URL-encoded or as JSON writes it.
    """

    def __init__(self, token: str) -> None:
        forms = {token, quote(token, safe=""), json.dumps(token)[1:-1]}
        escaped = [re.escape(form) for form in sorted(forms, key=len, reverse=True) if len(form) >= _SHORTEST_SECRET]
        self._token = re.compile("|".join(escaped), re.IGNORECASE) if escaped else None

    def __call__(self, text: str) -> str:
        """Give the text without secrets, on one line, of at most 400 characters."""
        # The token goes before anything is cut, as half a token would not be found any more.
        text = self._token.sub(HIDDEN, text) if self._token else text
        text = text[:_LONGEST_SEARCHED]
        text = _HEADER.sub(rf"\1{HIDDEN}", text)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        text = _NAMED.sub(rf"\1\2{HIDDEN}", text)
        text = " ".join(_CONTROL.sub(" ", text).split())
        return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
