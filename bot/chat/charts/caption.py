"""The words beside a chart: what it shows, when it was read, and every gap in it; and what is told where there is no picture."""

from collections.abc import Iterator
from datetime import UTC

from discord.utils import format_dt

from bot.chat.charts.layout import Layout
from bot.chat.charts.marks import holding, last_price, order_words, tick_of, without_price
from bot.chat.figures import age, clock_time, mark, price
from bot.chat.markdown import code
from bot.chat.wording import clip, pages
from bot.desk.reads.charts import Charted
from bot.desk.reads.reports import Listed
from bot.trading.market.bars import Bars
from bot.trading.market.expiry import BY_CALENDAR
from bot.trading.market.facts import Position
from bot.trading.orders.tickets import side_word

# Discord's limit for a picture's description is 1,024 characters.
LONGEST_DESCRIPTION = 1000


def caption(charted: Charted, bars: Bars, layout: Layout) -> list[str]:
    """Text beside the picture: a line about it, one about the account, and every gap."""
    lines = [_headline(charted, bars)]
    if charted.positions is not None:
        lines.append(_account(charted, charted.positions))
    return list(pages([*lines, *_gaps(charted), *_left_out(charted, bars, layout)]))


def description(charted: Charted, bars: Bars) -> str:
    """The picture in words, for those who can't see it."""
    newest = bars.rows[-1]
    until = f"{newest.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    parts = [f"Candlestick chart of {bars.contract}, bars of {bars.period.words}, {len(bars.rows)} until {until}"]
    lowest, highest = min(bar.low for bar in bars.rows), max(bar.high for bar in bars.rows)
    tick, last = tick_of(charted), last_price(charted)
    parts.append(f"from {price(lowest, tick)} to {price(highest, tick)}")
    if last is not None:
        parts.append(f"last {price(last, tick)}")
    if charted.positions is not None:
        parts += [f"account {charted.positions.account}", _position(charted)]
        parts += [order_words(order, order.remaining, tick) for order in charted.working] or [_orders(charted)]
    return clip(", ".join(parts), LONGEST_DESCRIPTION)


def nothing_to_draw(charted: Charted) -> str:
    """Reason why there is no picture."""
    asked = code(str(charted.contract or charted.asked))
    if charted.bars is None:
        return f"⚠ The bars of {asked} could not be read ({charted.bars_why}); try again shortly."
    period = charted.period
    return f"NinjaTrader has no bars of {asked} for {period.words}; try a longer period, or a month that is traded now."


def _headline(charted: Charted, bars: Bars) -> str:
    read = f"read {clock_time(charted.at)} UTC, {format_dt(charted.at, 'R')}"
    return f"**{bars.contract}** · {bars.period.words} · {_last(charted, bars)} · {read}"


def _last(charted: Charted, bars: Bars) -> str:
    tick, quote = tick_of(charted), charted.quoted.quote
    if quote is None or quote.last is None:
        newest = bars.rows[-1]
        return f"last bar closed {price(newest.close, tick)} at {newest.at.astimezone(UTC):%H:%M} UTC"
    seconds = quote.age(charted.quoted.at)
    old = "" if seconds is None else f", {age(seconds)} old"
    closed = ", market closed" if quote.market_open is False else ""
    return f"last {price(quote.last, tick)}{old}{closed}"


def _account(charted: Charted, positions: Listed[Position]) -> str:
    return f"{mark(live=positions.live)} · {code(positions.account)} · {_position(charted)} · {_orders(charted)}"


def _position(charted: Charted) -> str:
    """The position; only a list that was read can say that there is none."""
    if charted.positions is None or charted.positions.rows is None:
        return "position not read"
    return side_word(0) if charted.position is None else holding(charted.position, tick_of(charted))


def _orders(charted: Charted) -> str:
    if charted.orders is None or charted.orders.rows is None:
        return "orders not read"
    count = len(charted.working)
    return f"{count or 'no'} working order{'' if count == 1 else 's'}"


def _gaps(charted: Charted) -> Iterator[str]:
    """Parts that could not be read, and so aren't drawn."""
    if charted.guessed:
        yield f"⚠ {charted.quoted.asked} {BY_CALENDAR}."
    if charted.positions is not None and charted.positions.rows is None:
        yield f"⚠ The position could not be read ({charted.positions.why}), so none is drawn; it may not be flat."
    if charted.orders is not None and charted.orders.rows is None:
        yield f"⚠ The working orders could not be read ({charted.orders.why}), so none are drawn; there may be some."
    if charted.quoted.quote is None:
        yield f"⚠ The quote could not be read ({charted.quoted.why}), so the last price is that of the newest bar."


def _left_out(charted: Charted, bars: Bars, layout: Layout) -> Iterator[str]:
    """Parts that were read and have no place in the picture."""
    position = charted.position
    if position is not None and position.average_price is None:
        yield "The position's average price wasn't told, so it isn't drawn."
    for held in charted.other_months:
        yield f"Also held, and not in this picture: {side_word(held.quantity)} {held.contract}."
    for order in without_price(charted):
        yield f"Without a price to draw it at: {order_words(order, order.remaining, tick_of(charted))}."
    if layout.unlabelled:
        yield f"{layout.unlabelled} of the lines had no room for a label; /orders lists every order."
    if all(bar.volume is None for bar in bars.rows):
        yield "CrossTrade told no volumes."
