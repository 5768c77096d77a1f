"""Charts: bars as candles with volume, the average price and working orders drawn in, as a PNG; and the words beside it.

``marks`` says what is marked, ``scales`` and ``layout`` where it goes, ``paint`` puts it into pixels and ``caption`` into words.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.desk.reads.charts import Charted
from bot.trading.market.bars import Bars

# Charts are drawn one after the other, as matplotlib's fonts are shared, and away from the threads that look up addresses.
_DRAWER = ThreadPoolExecutor(1, thread_name_prefix="charts")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, ready to post.

    Attributes:
        png: the picture, 1200 by 1000 pixels.
        texts: what stands beside it, as messages.
        description: the picture in words, for those who can't see it.
    """

    png: bytes
    texts: list[str]
    description: str


async def drawn(charted: Charted, bars: Bars) -> Drawing:
    """Draw a chart, in a thread, so that nothing else has to wait.

    Args:
        charted: what was read.
        bars: its bars, at least one.
    """
    return await asyncio.get_running_loop().run_in_executor(_DRAWER, draw, charted, bars)


def draw(charted: Charted, bars: Bars) -> Drawing:
    """Draw a chart here and now."""
    # Importing matplotlib takes half a second, and most runs never draw a chart.
    from bot.chat.charts.caption import caption, description  # noqa: PLC0415
    from bot.chat.charts.layout import lay_out  # noqa: PLC0415
    from bot.chat.charts.paint import paint  # noqa: PLC0415

    layout = lay_out(charted, bars)
    return Drawing(paint(layout), caption(charted, bars, layout), description(charted, bars))
