"""A laid-out chart as a PNG. The only module that knows matplotlib, so it is imported when the first chart is asked for.

matplotlib's objects are used directly: pyplot would keep figures for the whole process. Sizes are for a phone, on which a picture
is about 390 points wide, a third of what is painted here.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bot.chat.charts.layout import LABEL, Layout
from bot.chat.charts.marks import MarkKind
from bot.chat.charts.scales import LEAST_BARS

WIDTH, HEIGHT = 1200, 1000
DPI = 200
USUAL, LARGE = 12.5, 18.0

# Discord's dark theme, so that the picture's rim doesn't shine.
GROUND, PANEL, GRID, WORDS, FAINT = "#1e1f22", "#232428", "#3a3c43", "#f2f3f5", "#b5bac1"
# Told apart without colours too: a rising bar is hollow and lighter, a falling one filled and darker.
UP, DOWN = "#5ee0b5", "#f2504b"
COLOURS = {MarkKind.LAST: WORDS, MarkKind.AVERAGE: "#ffd43b", MarkKind.BUY: "#74c0fc", MarkKind.SELL: "#ffa94d"}
STROKES: dict[MarkKind, Any] = {
    MarkKind.LAST: (0, (1, 2)),
    MarkKind.AVERAGE: "solid",
    MarkKind.BUY: (0, (6, 3)),
    MarkKind.SELL: (0, (6, 3)),
}
LIVE, SIM = "#e03131", "#1971c2"

# Shares of the picture.
LEFT, RIM = 0.012, 0.988
TITLE_Y, ACCOUNT_Y = 0.945, 0.872
FLOOR, CEILING, CEILING_WITHOUT_ACCOUNT = 0.26, 0.835, 0.9
VOLUMES = (0.105, 0.24)
LETTER, MARGIN = 0.0187, 0.016
LABEL_X = 0.04
UNDER: dict[str, Any] = {"va": "top", "linespacing": 1.1}
# Of a bar's place, its body takes this much.
BODY = 0.72


def paint(layout: Layout) -> bytes:
    """Paint a chart of 1200 by 1000 pixels."""
    # Whatever a matplotlibrc on this machine says, charts look the same.
    with mpl.rc_context():
        mpl.rcdefaults()
        return _Painter(layout).picture()


class _Painter:
    """One picture in the making."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
        FigureCanvasAgg(self.figure)
        # To the right of the panels prices are written.
        longest = max(len(text) for text in (layout.last, *(text for _, text in layout.prices)))
        self.right = RIM - LETTER * longest - MARGIN
        self.ceiling = CEILING_WITHOUT_ACCOUNT if layout.account is None else CEILING
        self.first = min(len(layout.bars) - LEAST_BARS, 0)
        self.prices = self._panel(self._height(layout.floor), self._height(layout.ceiling))
        self.prices.set_ylim(float(layout.scale.low), float(layout.scale.high))
        self.volumes = self._panel(*VOLUMES)
        # Narrow bars have thin strokes, so that hollow ones stay hollow as long as can be.
        self.stroke = max(min(110 / max(len(layout.bars), LEAST_BARS), 1.6), 0.5)

    def picture(self) -> bytes:
        """Everything, as PNG."""
        self._header()
        self._candles()
        self._volumes()
        self._price_edge()
        self._time_edge()
        self._marks()
        picture = BytesIO()
        self.figure.savefig(picture, format="png", dpi=DPI, facecolor=GROUND, metadata={"Software": None})
        return picture.getvalue()

    def _panel(self, low: float, high: float) -> Axes:
        panel = self.figure.add_axes((LEFT, low, self.right - LEFT, high - low), facecolor=PANEL)
        panel.set_xlim(self.first - 0.5, len(self.layout.bars) + 0.5)
        panel.set_xticks([])
        panel.set_yticks([])
        panel.spines[:].set_visible(False)
        return panel

    def _write(self, x: float, y: float, text: str, colour: str, size: float = USUAL, **how: Any) -> None:
        """Write a text; a ``$`` in a name starts no formula."""
        how = {"va": "center_baseline", **how}
        self.figure.text(x, y, text, color=colour, fontsize=size, parse_math=False, **how)

    def _header(self) -> None:
        layout = self.layout
        self._write(LEFT, TITLE_Y, layout.title, WORDS, LARGE, weight="bold")
        self._write(RIM, TITLE_Y, layout.last, WORDS, LARGE, weight="bold", ha="right")
        if layout.account is not None:
            kind, colour = ("LIVE", LIVE) if layout.live else ("SIM", SIM)
            self._write(LEFT + 0.01, ACCOUNT_Y, kind, WORDS, weight="bold", bbox=_box(colour, colour))
            self._write(LEFT + 0.035 + 0.021 * len(kind), ACCOUNT_Y, layout.account, WORDS)
            self._write(RIM, ACCOUNT_Y, layout.holding, COLOURS[MarkKind.AVERAGE], weight="bold", ha="right")

    def _candles(self) -> None:
        for up, colour in ((True, UP), (False, DOWN)):
            rows = [(index, bar) for index, bar in enumerate(self.layout.bars) if bar.is_up is up]
            bodies = [(index, float(min(bar.open, bar.close)), float(max(bar.open, bar.close))) for index, bar in rows]
            # A wick ends where the body begins, which is hollow.
            wicks = [
                part
                for (index, bar), (_, low, high) in zip(rows, bodies, strict=True)
                for part in (((index, float(bar.low)), (index, low)), ((index, high), (index, float(bar.high))))
            ]
            self.prices.add_collection(LineCollection(wicks, colors=colour, linewidths=self.stroke), autolim=False)
            self.prices.add_collection(self._boxes(bodies, colour, hollow=up), autolim=False)

    def _volumes(self) -> None:
        bars = self.layout.bars
        most = max(bar.volume or 0 for bar in bars)
        self.volumes.set_ylim(0, max(most, 1) * 1.05)
        for up, colour in ((True, UP), (False, DOWN)):
            boxes = [(index, 0.0, float(bar.volume)) for index, bar in enumerate(bars) if bar.is_up is up and bar.volume]
            self.volumes.add_collection(self._boxes(boxes, colour, hollow=up), autolim=False)
        words = "?" if all(bar.volume is None for bar in bars) else _short(most)
        self._write(self._edge, VOLUMES[1], f"vol\n{words}", FAINT, **UNDER)

    def _boxes(self, boxes: Sequence[tuple[int, float, float]], colour: str, *, hollow: bool) -> PolyCollection:
        half = BODY / 2
        corners = [((x - half, low), (x + half, low), (x + half, high), (x - half, high)) for x, low, high in boxes]
        return PolyCollection(corners, facecolors=PANEL if hollow else colour, edgecolors=colour, linewidths=self.stroke)

    @property
    def _edge(self) -> float:
        return self.right + 0.012

    def _height(self, y: float) -> float:
        """Height in the picture of a height of the layout."""
        return FLOOR + y * (self.ceiling - FLOOR)

    def _price_edge(self) -> None:
        tag = self.layout.tag
        for y, text in self.layout.prices:
            self._across(y, color=GRID, linewidth=0.6, zorder=0)
            if tag is None or abs(tag.y - y) > LABEL * 0.8:
                self._write(self._edge, self._height(y), text, FAINT)
        if tag is not None:
            self._across(tag.y, color=WORDS, linewidth=1.0, linestyle=STROKES[MarkKind.LAST])
            self._write(self._edge, self._height(tag.y), tag.mark.text, GROUND, weight="bold", bbox=_box(WORDS, WORDS))

    def _time_edge(self) -> None:
        for panel in (self.prices, self.volumes):
            for index in self.layout.breaks:
                panel.axvline(index - 0.5, color=FAINT, linewidth=0.7, linestyle=(0, (2, 3)), zorder=0)
            for time in self.layout.times:
                panel.axvline(time.index, color=GRID, linewidth=0.6, zorder=0)
        for time in self.layout.times:
            x = self._across_x(time.index)
            self._write(x, VOLUMES[0] - 0.012, f"{time.upper}\n{time.lower}", FAINT, ha="left" if x < 0.07 else "center", **UNDER)
        self._write(RIM, VOLUMES[0] - 0.012, "UTC", FAINT, ha="right", **UNDER)

    def _across_x(self, index: int) -> float:
        span = len(self.layout.bars) - self.first + 1
        return LEFT + (self.right - LEFT) * (index - self.first + 0.5) / span

    def _marks(self) -> None:
        for line in self.layout.lines:
            colour = COLOURS[line.mark.kind]
            self._across(line.y, color=colour, linewidth=1.3, linestyle=STROKES[line.mark.kind])
            if line.label_y is not None:
                ends = (LEFT, LABEL_X), (self._height(line.y), self._height(line.label_y))
                self.figure.add_artist(Line2D(*ends, color=colour, linewidth=1.3))
                self._label(line.label_y, line.mark.text, colour)
        for note in self.layout.notes:
            self._label(note.y, note.text, FAINT if note.kind is None else COLOURS[note.kind])

    def _across(self, y: float, **how: Any) -> None:
        """Draw a line through the panel."""
        share = (y - self.layout.floor) / (self.layout.ceiling - self.layout.floor)
        self.prices.plot((0, 1), (share, share), transform=self.prices.transAxes, **how)

    def _label(self, y: float, text: str, colour: str) -> None:
        self._write(LABEL_X, self._height(y), text, colour, weight="bold", bbox=_box(GROUND, colour, alpha=0.85, linewidth=0.8))


def _box(face: str, edge: str, **more: Any) -> dict[str, Any]:
    return {"boxstyle": "square,pad=0.22", "facecolor": face, "edgecolor": edge, **more}


def _short(volume: int) -> str:
    """A volume in few letters: 870, 4.2k, 1.3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if volume >= size:
            return f"{volume / size:.1f}{letter}" if volume < 100 * size else f"{volume / size:.0f}{letter}"
    return str(volume)
