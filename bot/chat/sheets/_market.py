"""``/quote`` and ``/market``."""

from collections.abc import Iterator, Sequence

from discord.utils import format_dt

from bot.chat.figures import age, lasting, price
from bot.chat.markdown import code
from bot.chat.sheets._shared import NOT_TOLD, minute, read_at
from bot.chat.tables import Section, grid, messages, pair
from bot.desk.reads.reports import Quoted, Traded
from bot.trading.market.expiry import BY_CALENDAR
from bot.trading.market.facts import Quote
from bot.trading.market.session import Session

USUAL_STATES = frozenset({"open", "closed"})


def quotes(quoted: Sequence[Quoted]) -> list[str]:
    """``/quote``."""
    found = [(one, one.quote) for one in quoted if one.quote is not None]
    rows = [_quote(one, quote) for one, quote in found]
    notes = [f"⚠ {quote.contract}: the market is closed" for _, quote in found if quote.market_open is False]
    notes += [f"⚠ {quote.contract}: {_age_unknown(quote)}" for _, quote in found if quote.at is None]
    notes += [f"⚠ {quote.contract} {BY_CALENDAR}" for one, quote in found if one.guessed]
    notes += [f"⚠ {code(str(one.asked))}: the quote could not be read ({one.why})" for one in quoted if one.quote is None]
    lines = grid(("", "bid", "ask", "last", "age"), rows) if rows else []
    account = next((one.account for one in quoted if one.account is not None), None)
    heading = "**Quotes**" if account is None else f"**Quotes** of {code(account)}'s own feed"
    return messages([Section(heading, tuple(lines), tuple(notes))], read_at(quoted))


def _age_unknown(quote: Quote) -> str:
    if quote.ahead is None:
        return "how old it is was not told"
    return f"stamped {quote.ahead.total_seconds():.0f} s ahead of now, so nobody can say how old it is"


def market(traded: Sequence[Traded]) -> list[str]:
    """``/market``."""
    return messages([_market(one) for one in traded], read_at(traded))


def _quote(one: Quoted, quote: Quote) -> tuple[str, ...]:
    told = (NOT_TOLD if value is None else price(value, quote.tick_size) for value in (quote.bid, quote.ask, quote.last))
    seconds = quote.age(one.at)
    return (str(quote.contract), *told, NOT_TOLD if seconds is None else age(seconds))


def _market(one: Traded) -> Section:
    session = one.session
    if session is None:
        return Section(f"⚠ {code(str(one.asked))}: whether it trades could not be read ({one.why}).")
    word, turns = ("open", "closes") if session.is_open else ("closed", "opens")
    state = "" if session.state.casefold() in USUAL_STATES else f" ({code(session.state)})"
    when = "" if session.turns_at is None else f", {turns} {format_dt(session.turns_at, 'R')}"
    notes = (f"⚠ {session.contract} {BY_CALENDAR}",) if one.guessed else ()
    return Section(f"**{session.contract}** · the market is {word}{state}{when}", tuple(_times(session, turns)), notes)


def _times(session: Session, turns: str) -> Iterator[str]:
    if session.turns_at is None:
        yield from pair(turns, NOT_TOLD)
    else:
        yield from pair(f"{turns} in", lasting((session.turns_at - session.at).total_seconds()))
    yield from pair("session (UTC)" if session.is_open else "next session (UTC)", f"{minute(session.span.start)} to")
    yield from pair("", minute(session.span.end))
    if session.upcoming is not None and session.upcoming != session.span:
        yield from pair("then", f"{minute(session.upcoming.start)} to")
        yield from pair("", minute(session.upcoming.end))
