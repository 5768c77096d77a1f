"""Text of CrossTrade's that leaves this package, fit to be shown: it may echo what we sent."""

import re

from bot.redaction import Redactor

LONGEST_TEXT = 400
_LONGEST_SEARCHED = 16_384
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Excerpt:
    """Makes text fit to be shown: secrets and control characters are gone, and it is short.

    Args:
        token: the bearer token.
    """

    def __init__(self, token: str) -> None:
        self._known, self._redacted = Redactor((token,)), Redactor(())

    def __call__(self, text: str) -> str:
        """Give the text without secrets, on one line, of at most 400 characters."""
        # The token goes before anything is cut, as half a token would not be found any more.
        text = self._redacted(self._known(text)[:_LONGEST_SEARCHED])
        text = " ".join(_CONTROL.sub(" ", text).split())
        return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
