"""``/chart``: bars as a picture, with what an account holds and works there. It only reads."""

from io import BytesIO
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import wording
from bot.chat.access import Host, admitted
from bot.chat.answers import say, show, thinking
from bot.chat.charts import drawn
from bot.chat.client import DeskClient
from bot.chat.offering import accounts_of, instruments_of
from bot.desk.reads.charts import ChartRequest
from bot.desk.requests import Refused
from bot.trading.market.bars import FEWEST_BARS, MOST_BARS


class Chart(commands.Cog):
    """The command that draws."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="chart", description="Candles with volume; with an account, its position and working orders too")
    @app_commands.describe(
        instrument="Contract, such as ES 09-26; a root such as ES means its front month",
        account="NinjaTrader account whose position and working orders are drawn in; none if left out",
        period="How long each bar is; 5m if left out",
        bars="How many bars; 80 if left out",
    )
    @app_commands.autocomplete(account=accounts_of("chart"), instrument=instruments_of("chart"))
    @app_commands.guild_only()
    async def chart(
        self,
        interaction: discord.Interaction[Host],
        instrument: str,
        account: str | None = None,
        period: Literal["1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"] = "5m",
        bars: app_commands.Range[int, FEWEST_BARS, MOST_BARS] = 80,
    ) -> None:
        """Show a chart, or say why there is none."""
        await thinking(interaction)
        charted = await self._desk.reads.chart(admitted(interaction), ChartRequest(instrument, account, period, bars))
        if isinstance(charted, Refused):
            await say(interaction, [wording.denied(charted.denials)])
        elif charted.bars is None or not charted.bars.rows:
            from bot.chat.charts.caption import nothing_to_draw  # noqa: PLC0415 - most runs never draw a chart

            await say(interaction, [nothing_to_draw(charted)])
        else:
            drawing = await drawn(charted, charted.bars)
            name = f"{charted.bars.contract}-{charted.period.name}.png".replace(" ", "-")
            picture = discord.File(BytesIO(drawing.png), name, description=drawing.description)
            await show(interaction, drawing.texts, picture)
