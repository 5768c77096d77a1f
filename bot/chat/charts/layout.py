"""Layout of a chart: the place of everything on it, and what is written there. Nothing is painted, and matplotlib is not known.

Heights are shares of the room for prices, 0 at its lower end and 1 at its upper. The panel with the bars takes all of it but for
the strips in which marks beyond its edges are named. Along the time axis bars stand side by side, whatever lies between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.chat.charts.marks import Mark, MarkKind, last_price, marks_of, tick_of
from bot.chat.charts.scales import Scale, TimeTick, breaks_of, round_prices, scale_of, times_of
from bot.chat.figures import price
from bot.desk.reads.charts import Charted
from bot.trading.market.bars import Bar, Bars
from bot.trading.orders.tickets import side_word

# What a line of writing takes of the room.
LABEL = 0.088
MOST_LABELS = 8
MOST_AT_AN_EDGE = 2
LONGEST_ACCOUNT = 22
# The last letter of Latin Extended-B: up to it the font has them all.
LAST_LETTER = 0x24F


@dataclass(frozen=True, slots=True)
class Stroke:
    """A marked price within the panel.

    Attributes:
        y: where its line lies.
        label_y: where the middle of its label lies, clear of others; ``None`` where there is no room for one.
    """

    mark: Mark
    y: float
    label_y: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Text in a strip: a mark that lies beyond the panel's edge, or how many more do."""

    text: str
    y: float
    kind: MarkKind | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole chart.

    Attributes:
        title: instrument and period.
        last: the newest price, as written.
        account: LIVE or SIM and its name; ``None`` where no account was asked for.
        holding: its position in words, also when there is none or it is not known.
        floor, ceiling: where the panel begins and ends.
        prices: prices along the edge, with their heights.
        breaks: the bars before which a long time without bars is marked.
        tag: the last price within the panel.
        lines: the other marked prices within it.
        notes: what lies beyond its edges.
    """

    title: str
    last: str
    account: str | None
    live: bool
    holding: str
    bars: tuple[Bar, ...]
    scale: Scale
    floor: float
    ceiling: float
    prices: tuple[tuple[float, str], ...]
    times: tuple[TimeTick, ...]
    breaks: tuple[int, ...]
    tag: Stroke | None
    lines: tuple[Stroke, ...]
    notes: tuple[Note, ...]

    @property
    def unlabelled(self) -> int:
        """Number of lines without a label."""
        return sum(line.label_y is None for line in self.lines)


def lay_out(charted: Charted, bars: Bars) -> Layout:
    """Lay out what was read.

    Args:
        charted: everything around the bars.
        bars: its bars, at least one.
    """
    tick, last = tick_of(charted), last_price(charted)
    marks = marks_of(charted)
    scale = scale_of(bars.rows, marks, tick)
    above = sorted((mark for mark in marks if mark.price > scale.high), key=lambda mark: mark.price)
    below = sorted((mark for mark in marks if mark.price < scale.low), key=lambda mark: -mark.price)
    notes = (*_stacked(above, "▲", 1.0, -LABEL), *_stacked(below, "▼", 0.0, LABEL))
    floor, ceiling = LABEL * min(len(below), MOST_AT_AN_EDGE), 1 - LABEL * min(len(above), MOST_AT_AN_EDGE)

    def height(of: Decimal) -> float:
        return floor + scale.at(of) * (ceiling - floor)

    within = [Stroke(mark, height(mark.price)) for mark in marks if scale.holds(mark.price)]
    tag = next((line for line in within if line.mark.kind is MarkKind.LAST), None)
    return Layout(
        title=f"{bars.contract} · {bars.period.words}",
        last="" if last is None else price(last, tick),
        account=_account(charted),
        live=charted.positions is not None and charted.positions.live,
        holding=_holding(charted),
        bars=bars.rows,
        scale=scale,
        floor=floor,
        ceiling=ceiling,
        prices=tuple((height(one), price(one, tick)) for one in round_prices(scale, tick)),
        times=times_of(bars.rows, bars.period),
        breaks=breaks_of(bars.rows, bars.period),
        tag=tag,
        lines=_labelled([line for line in within if line is not tag], floor, ceiling, MOST_LABELS - len(notes)),
        notes=notes,
    )


def spread(wanted: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    """Move places, given in rising order, as far apart as the gap and no further than needed, within the room if it is enough."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, low + gap / 2, places[-1] + gap if places else low))
    ceiling = high - gap / 2
    for index in reversed(range(len(places))):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    return places


def _labelled(lines: Sequence[Stroke], low: float, high: float, most: int) -> tuple[Stroke, ...]:
    """The lines with places for their labels; of too many, the first ones, which are the most important."""
    fitting = min(most, int((high - low) / LABEL))
    rising = sorted(lines[:fitting], key=lambda line: line.y)
    places = spread([line.y for line in rising], low, high, LABEL)
    labelled = [replace(line, label_y=place) for line, place in zip(rising, places, strict=True)]
    return (*labelled, *lines[fitting:])


def _stacked(marks: Sequence[Mark], arrow: str, edge: float, step: float) -> Iterator[Note]:
    shown = marks if len(marks) <= MOST_AT_AN_EDGE else marks[: MOST_AT_AN_EDGE - 1]
    for number, mark in enumerate(shown):
        name = "last " if mark.kind is MarkKind.LAST else ""
        yield Note(f"{arrow} {name}{mark.text}", edge + step * (number + 0.5), mark.kind)
    if len(shown) < len(marks):
        yield Note(f"{arrow} {len(marks) - len(shown)} more", edge + step * (len(shown) + 0.5))


def _account(charted: Charted) -> str | None:
    if charted.positions is None:
        return None
    name = "".join(letter if letter.isprintable() and ord(letter) <= LAST_LETTER else "?" for letter in charted.positions.account)
    return name if len(name) <= LONGEST_ACCOUNT else f"{name[: LONGEST_ACCOUNT - 1]}…"


def _holding(charted: Charted) -> str:
    """The position in words; one that could not be read is never "flat"."""
    if charted.positions is None:
        return ""
    if charted.positions.rows is None:
        return "position not read"
    position = charted.position
    return side_word(position.quantity if position else 0)
