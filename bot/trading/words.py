"""Words that several rooms use: foreign text in quotes, people as they are told, and numbers as traders read them.

Whoever draws them (``bot.chat.markdown``) finds a quote by its marks “ and ”, which no foreign text keeps, so that what
stands in a quote can neither end it nor be taken for a word of ours.
"""

import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

# What nobody sees: control characters, those that turn the direction of writing, after which our own figures would read
# backwards, and those without any width, by which two names differ that look the same.
_WIDTHLESS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2060-\u206f"
    "\u3164\ufeff\uffa0\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\\u202a-\\u202e{_WIDTHLESS}]")
# They join and colour emoji, in names that are to be read as they were written; in what is sent they would be unseen, too.
_JOINERS = re.compile("[\u200d\ufe00-\ufe0f]")
# Half of a character beyond the basic plane, as garbage holds some: neither Discord nor a database takes it.
_HALVES = re.compile("[\ud800-\udfff]")
# Shown like a plain blank, or as none.
_BLANKS = re.compile("  |[^\\S ]|\u2800")
# Whoever draws a text puts it in the place of a backtick.
NO_BACKTICK = "\u02cb"
_PLAIN_QUOTES = str.maketrans({"“": '"', "”": '"'})
LONGEST_FOREIGN_TEXT, LONGEST_NAME = 300, 40


# Names of accounts mostly, the same few at each look at a list.
@lru_cache(maxsize=1024)
def ascii_lower(text: str) -> str:
    """Fold A-Z only, as account names match ASCII-case-insensitively and nothing else does."""
    return text.translate(_ASCII_LOWER)


def quoted(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to the letter, in quotes: one line, capped."""
    return f"“{verbatim(text, longest) or ' '}”"


def verbatim(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to stand inside marks that others put around it: one line, capped, that can't end a quote."""
    line = " ".join(_UNSEEN.sub("", mended(text)).split()).translate(_PLAIN_QUOTES)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def person(name: str, member: int) -> str:
    """Somebody as people read them: the name, and Discord's id, as anybody may take any name."""
    return f"{quoted(name, LONGEST_NAME)} (member {member})"


def mended(text: str) -> str:
    """The text as Discord can take it."""
    return _HALVES.sub("\ufffd", text)


def disguise(text: str) -> str | None:
    """The code point of what isn't seen as it is, where a text is shown, or "two blanks in a row"; ``None`` if all is seen."""
    found = (
        _UNSEEN.search(text)
        or _JOINERS.search(text)
        or _BLANKS.search(text)
        or _HALVES.search(text)
        or re.search(NO_BACKTICK, text)
    )
    if found is None:
        return None
    return "two blanks in a row" if found[0] == "  " else f"U+{ord(found[0]):04X}"


def money(amount: Decimal) -> str:
    """An amount of money with thousands separators and two decimals: ``-1,250.00``."""
    return f"{amount:,.2f}"


def price(value: Decimal, tick_size: Decimal | None) -> str:
    """A price with at least the decimals of the tick, so that prices below each other line up: 6751.00 and 6751.25."""
    plain = number(value)
    if tick_size is None:
        return plain
    wanted = len(number(tick_size).partition(".")[2])
    whole, _, decimals = plain.partition(".")
    if not wanted or not plain.strip("-").replace(".", "").isdigit():
        return plain
    return f"{whole}.{decimals.rstrip('0').ljust(wanted, '0')}"


def number(value: Decimal) -> str:
    """A number as it is, without a tick to go by."""
    # Beyond what any market quotes, digits would only push the rest off the card.
    return f"{value:f}" if -12 <= value.adjusted() <= 15 and value.is_finite() else f"{value:.6g}"


def lateness(seconds: float) -> str | None:
    """Say how late news are, once that is worth saying: ``4 min late``; ``None`` below ten seconds."""
    if seconds < 10:
        return None
    if seconds < 120:
        return f"{seconds:.0f} s late"
    if seconds < timedelta(hours=2).total_seconds():
        return f"{seconds / 60:.0f} min late"
    return f"{seconds / 3600:.0f} h late"
