"""Words that several rooms use: foreign text made harmless, and numbers as traders read them."""

import re
from datetime import timedelta
from decimal import Decimal

_MARKDOWN = re.compile(r"([\\`*_~|\[\]<])")
# Heading, quote, list and small print, where a line begins with them.
_BLOCK = re.compile(r"^(\d*)([#>+.)-]+)(?= |$)")
# Control characters, and those that turn the direction of writing: after them our own figures would read backwards.
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = "\u200b"
_NO_BACKTICK = "\u02cb"
LONGEST_FOREIGN_TEXT = 300


def harmless(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """A name of somebody else's, to stand inside a line of ours: no Markdown, no mention, no link, one line, capped."""
    escaped = _BLOCK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", _line(text, longest)))
    return escaped.replace("@", "@" + _ZERO_WIDTH).replace("://", f":{_ZERO_WIDTH}//")


def code(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to the letter, as inline code, in which Discord reads neither Markdown nor mentions nor links."""
    return f"`{verbatim(text, longest) or ' '}`"


def verbatim(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to stand inside code that others put the marks around: one line that can't end the code."""
    return _line(text, longest).replace("`", _NO_BACKTICK)


def _line(text: str, longest: int) -> str:
    line = " ".join(_UNSEEN.sub("", text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def money(amount: Decimal) -> str:
    """An amount of money with thousands separators and two decimals: ``-1,250.00``."""
    return f"{amount:,.2f}"


def lateness(seconds: float) -> str | None:
    """Say how late news are, once that is worth saying: ``4 min late``; ``None`` below ten seconds."""
    if seconds < 10:
        return None
    if seconds < 120:
        return f"{seconds:.0f} s late"
    if seconds < timedelta(hours=2).total_seconds():
        return f"{seconds / 60:.0f} min late"
    return f"{seconds / 3600:.0f} h late"
