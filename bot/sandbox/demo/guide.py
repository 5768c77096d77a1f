"""Texts of the demo: what to type first, and Discord's texts as a terminal can show them. Only words, no doing."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.sandbox.discord import WORLD

NAMES: Mapping[str, str] = {person.name: person.display for person in WORLD.people}
FIRST_COMMAND = '/reverse account:Sim101 instrument:"ES 09-26" side:buy qty:1'
FLATTEN_COMMAND = "/flatten scope:account account:Sim104"
STRATEGY_COMMAND = "/place account:Sim103 instrument:NQ side:buy qty:1 strategy:Swing"
HALT_COMMAND = "/halt scope:desk reason:news"
MARGIN = "    "

_PEOPLE = {str(person.id): person.display for person in WORLD.people}
_ROLES = {str(number): name.title() for name, number in WORLD.roles.items()}
_COUNTDOWN = re.compile(r"<t:(\d+):R>")
_TIME = re.compile(r"<t:(\d+):T>")
_PERSON = re.compile(r"<@(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_BLOCK_MARKS = re.compile(r"^(?:#{1,3}|-#) ", re.MULTILINE)
_FENCE = re.compile(r"^```\n?", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*_~|\[\]<#>+.)-])")


def spoken(text: str, now: datetime) -> list[str]:
    """A text of Discord's as lines of a terminal: no Markdown, mentions by name, times from now."""
    text = _COUNTDOWN.sub(lambda found: _from_now(int(found[1]), now), text)
    text = _TIME.sub(lambda found: f"{datetime.fromtimestamp(int(found[1]), UTC):%H:%M:%S} UTC", text)
    text = _PERSON.sub(lambda found: f"@{_PEOPLE.get(found[1], found[1])}", text)
    text = _ROLE.sub(lambda found: f"@{_ROLES.get(found[1], found[1])}", text)
    text = _BLOCK_MARKS.sub("", _FENCE.sub("", text)).replace("**", "").replace("`", "")
    return _ESCAPED.sub(r"\1", text).splitlines()


def _from_now(moment: int, now: datetime) -> str:
    seconds = round((datetime.fromtimestamp(moment, UTC) - now).total_seconds())
    return f"in {seconds} s" if seconds > 0 else f"{-seconds} s ago"


def news(before: list[str], after: list[str]) -> list[str]:
    """The lines of a card that were not on it before."""
    return [line for line in after if line not in before]


def quoted(lines: list[str]) -> list[str]:
    """Lines as something that the bot says, set off from what people do."""
    return [f"{MARGIN}│ {line}" for line in lines]


def reverse_command(account: str, held: Mapping[str, int]) -> str:
    """The command that turns round the position of an account that holds one, into a single contract the other way."""
    [(instrument, quantity)] = held.items()
    side = "sell" if quantity > 0 else "buy"
    return f'/reverse account:{account} instrument:"{instrument}" side:{side} qty:1'


def page_guide(page: str, log: str, crosstrade: str, *, front: str, live: str, words: Sequence[str]) -> list[str]:
    """Guide to the page.

    Args:
        page: its address.
        log: where the bot's log is.
        crosstrade: address of the simulator.
        front: a command for the current front month.
        live: a command for the live account.
        words: what may be typed into the terminal; none where nobody can type.
    """
    typing = ["Type a word here to let things go wrong at NinjaTrader, and well again:", f"{MARGIN}{' · '.join(words)}"]
    trader, second, viewer, approver = (NAMES[name] for name in ("trader", "second", "viewer", "approver"))
    return [
        "The bot is up, between a Discord and a NinjaTrader that are only simulated. Nothing leaves this machine.",
        "",
        f"Open    {page}/        (the team's news: {page}/fills)",
        "",
        f"You are {trader}; “Viewing as”, at the top of the page, makes you somebody else.",
        "Paste a line into the box at the foot of the page and press Enter, or type /reverse and let the page ask.",
        "",
        f"1.  {FIRST_COMMAND}",
        f"{MARGIN}The card says what would happen. Press Confirm: it turns into the order id, and soon the fill.",
        "",
        f"2.  {front}",
        f"{MARGIN}The current front month. Confirm as {second}: refused, it is not their ticket. Cancel it, or let it expire.",
        "",
        f"3.  {live}",
        f"{MARGIN}A LIVE account, so two must agree: Confirm as {trader}, Approve as {approver}, in either order.",
        "",
        f"As {viewer}, paste the first line again: denied, with the reason. /positions works: it only reads.",
        "",
        f"More to try:  {FLATTEN_COMMAND}    (Sim104 and Sim105 hold several instruments, with orders that work)",
        f"              {STRATEGY_COMMAND}    (/flatten scope:strategy ends it)",
        f"              {HALT_COMMAND}    (nothing new is taken until /resume scope:desk)",
        *(typing if words else []),
        f"NinjaTrader's own levers, and its true book: {crosstrade}/control   (docs/simulator.md)",
        f"The bot's log, as long as the demo runs: {log}",
        "Stop with Ctrl-C.",
        "",
    ]
