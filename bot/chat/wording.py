"""Texts for one person's eyes: denials, refusals, errors, pointers. What cards say is in ``bot.chat.cards``.

Sentences of the rules and the desk arrive with foreign words already made harmless; what else is foreign is made so here.
"""

from collections.abc import Iterable, Iterator, Sequence

from bot.chat.hints import known_hint
from bot.chat.markdown import harmless, markdown
from bot.errors import DeskError
from bot.trading.risk.policy import Denial, DenialCode

# Discord's limit for a message without components is 2,000 characters.
LONGEST_ANSWER = 1900
# Of one line of a card, as a phone shows it in two or three.
LONGEST_LINE = 130
MOST_DENIALS = 6
# What one command may post: nobody reads more, and Discord takes about one a second.
MOST_MESSAGES = 20

NOT_HERE = Denial(DenialCode.NOT_HERE, "The desk takes commands only in its own server, not here and not in direct messages.")
STARTING = Denial(DenialCode.DESK_DOWN, "The bot has not heard from this server since its start; try again in a few seconds.")
COMMANDS_CHANGED = (
    "This command has changed since your Discord loaded it, so nothing was done; reload Discord (Ctrl+R, or restart the app) "
    "and use it again."
)
NOT_TOLD = (
    "What you gave for {options} is a suggestion's text, which doesn't tell which one is meant; choose it from the list again."
)
CARD_CHANGED = "That button is not on the card any more, so nothing was done; look at the card as it stands now."
ALREADY_POSTED = "[Your ticket]({link}) is in the channel."
RESULT_POSTED = "[The result]({link}) is in the channel."
NOT_POSTABLE = (
    "The ticket could not be posted in this channel, so it is void and nothing was sent. {why} "
    "Check that the bot may view this channel and send messages in it, then ask again."
)
NOT_SHOWN = "Your ticket could not be shown, so it is void and nothing was sent. {why} Ask again with the command."
TOO_LONG = "⚠ {more} more messages of this are left out; narrow it by the command's options, where it has some."
UNSEEN = "Its card could not be shown in time, so nothing was sent; ask again with the command."


def clip(text: str, longest: int) -> str:
    """One line, cut to length without leaving inline code open."""
    return fit(" ".join(text.split()), longest)


def fit(text: str, longest: int) -> str:
    """Text of several lines that Discord can take, cut to length without leaving inline code open."""
    text = markdown(text)
    if not _ends_in_code(text) and len(text) <= longest:
        return text
    # One character for the ellipsis, one for a closing backtick.
    cut = text if len(text) < longest else text[: longest - 2] + "…"
    return f"{cut}`" if _ends_in_code(cut) else cut


def size(text: str) -> int:
    """Room that a text takes at Discord; a character beyond the basic plane counts twice there."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _ends_in_code(text: str) -> bool:
    """Tell whether inline code is open at the end. A backslash takes a backtick's meaning, but only outside of code."""
    inside = False
    characters = iter(text)
    for character in characters:
        if character == "`":
            inside = not inside
        elif character == "\\" and not inside:
            next(characters, None)
    return inside


def denied(denials: Iterable[Denial]) -> str:
    """Every reason for a no, the first one first: code, sentence with what to do."""
    lines = [f"**denied** · `{denial.code}`\n{clip(denial.sentence, 600)}{_hint(denial)}" for denial in denials]
    return next(pages(lines[:MOST_DENIALS]), "**denied**")


def _hint(denial: Denial) -> str:
    """Advice on a read of CrossTrade that failed: its words say why, but not what mends it."""
    found = known_hint(denial.sentence) if denial.code is DenialCode.FACTS_MISSING else None
    return f" {found}" if found else ""


def trouble(error: DeskError, reference: str) -> str:
    """One of our own errors, in its own sentence."""
    return f"{harmless(str(error), 600)} (reference `{reference}`)"


def broken(reference: str) -> str:
    """Anything that nobody expected."""
    return (
        "Something went wrong in the bot, and it is in its log. Look at the card or at NinjaTrader before you repeat anything. "
        f"(reference `{reference}`)"
    )


def bounded(parts: Sequence[str], *foot: str) -> list[str]:
    """Messages that Discord takes, in order, the foot in the last; what is beyond the most of them is said to be left out."""
    parts = [markdown(part) for part in parts]
    whole = list(pages([*parts, *foot]))
    if len(whole) <= MOST_MESSAGES:
        return whole
    shown = list(pages(parts))[: MOST_MESSAGES - 1]
    return [*shown, *pages([TOO_LONG.format(more=len(whole) - MOST_MESSAGES), *foot])]


def pages(lines: Iterable[str], longest: int = LONGEST_ANSWER) -> Iterator[str]:
    """Lines put together to messages that Discord takes; a single line that is too long is cut, none is lost."""
    page = ""
    for line in lines:
        fitting = line if len(line) <= longest else clip(line, longest)
        if page and len(page) + 1 + len(fitting) > longest:
            yield page
            page = ""
        page = f"{page}\n{fitting}" if page else fitting
    if page:
        yield page
