"""A notice as a channel reads it: its headline bold, the rest below, and how late it is where that is worth saying."""

from bot.chat.markdown import markdown
from bot.trading.words import lateness

# What stands behind it belongs to the headline's line, and isn't bold.
_HEADLINE_ENDS = " · "
_BOLD = "**"


def drawn(text: str, late: float = 0.0) -> str:
    """Draw a notice.

    Args:
        text: as the desk has stored it; that of an older version has its headline in bold already.
        late: how many seconds ago the news happened.
    """
    told = markdown(text)
    if not told.startswith(_BOLD):
        line, *rest = told.split("\n")
        headline, *behind = line.partition(_HEADLINE_ENDS)
        told = "\n".join([f"{_BOLD}{headline}{_BOLD}{''.join(behind)}", *rest])
    stamp = lateness(late)
    return f"{told}\n-# {stamp}" if stamp else told
