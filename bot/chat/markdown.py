"""Discord's Markdown: foreign text made harmless, and the quotes, members, roles and channels of the desk's sentences in it.

The desk and its rules quote foreign text as “Sim101” and name people as “Ann” (member 42), roles as role 11 and channels as
channel 21; see ``bot.trading.words``. Text that an older version has stored is Markdown already and stays as it is.
"""

import re

from bot.trading.words import LONGEST_FOREIGN_TEXT, LONGEST_NAME, NO_BACKTICK, mended, verbatim

_MARKDOWN = re.compile(r"([\\`*_~|\[\]<])")
# Heading, quote, list and small print, where a line begins with them.
_BLOCK = re.compile(r"^(\d*)([#>+.)-]+)(?= |$)")
_ZERO_WIDTH = "\u200b"
_MARKS = re.compile("[`“”]")
# A name that reads like a role or a channel of the desk's words.
_LIKE_A_MARK = re.compile(r"\b([Rr]ole|[Cc]hannel) (?=[0-9])")
# Code is found first, as nothing in it means anything else. It begins with no backtick that is escaped.
_MARK = re.compile(
    r"(?P<code>```.*?```|(?<!\\)`[^`\n]*`)"
    r"|“(?P<quoted>[^“”\n]*)”(?: \(member (?P<member>[0-9]{1,20})\))?"
    r"|\b[Rr]ole (?P<role>[0-9]{1,20})\b"
    r"|\b[Cc]hannel (?P<channel>[0-9]{1,20})\b",
    re.DOTALL,
)


def harmless(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """A name of somebody else's, to stand inside a line of ours: no Markdown, no mention, no link, one line, capped."""
    escaped = _BLOCK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", verbatim(text, longest)))
    escaped = _LIKE_A_MARK.sub(rf"\1{_ZERO_WIDTH} ", escaped)
    return escaped.replace("@", "@" + _ZERO_WIDTH).replace("://", f":{_ZERO_WIDTH}//")


def code(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to the letter, as inline code, in which Discord reads neither Markdown nor mentions nor links."""
    return f"`{coded(text, longest) or ' '}`"


def coded(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    """Foreign text to stand inside code that others put the marks around: one line that can't end the code."""
    return verbatim(text, longest).replace("`", NO_BACKTICK)


def person(name: str, member: int) -> str:
    """Somebody as people read them: the name, and who that is, as anybody may take any name; nobody is pinged by it."""
    return f"{harmless(name, LONGEST_NAME)} (<@{member}>)"


def markdown(text: str) -> str:
    """Text of the desk's as Discord can take it and draws it; what is Markdown already stays as it is, drawn before or stored."""
    return _MARK.sub(_drawn, mended(text))


def bare(text: str) -> str:
    """Text of the desk's for a block of code, in which no mark means anything; Markdown that is stored loses its own, too."""
    return _MARKS.sub("", text)


def _drawn(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found["code"]
    if found["role"] is not None:
        return f"<@&{found['role']}>"
    if found["channel"] is not None:
        return f"<#{found['channel']}>"
    return code(found["quoted"]) if found["member"] is None else person(found["quoted"], int(found["member"]))
