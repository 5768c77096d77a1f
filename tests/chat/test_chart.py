"""``/chart`` through real discord.py: a picture for its asker alone, words beside it, and every gap told."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import discord
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from simcord import InteractionResult

from bot.chat.charts import Drawing, draw, drawn
from bot.chat.charts.caption import LONGEST_DESCRIPTION
from bot.chat.charts.paint import DOWN, HEIGHT, UP, WIDTH, paint
from bot.desk.reads.charts import Charted
from bot.desk.requests import Refused
from bot.trading.market.bars import PERIODS, Bars
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import Side
from bot.trading.risk.policy import Denial, DenialCode

from .charts import LONG, QUOTE, bar, charted, order, unread, walk
from .conftest import Stage, told
from .samples import ES, NOW
from .test_chart_layout import laid

ROOT = Path(__file__).parents[2]
DECEMBER = Contract("ES", 2026, 12)


def drawing(made: Charted) -> Drawing:
    assert made.bars is not None
    return draw(made, made.bars)


def said(made: Charted) -> str:
    return "\n".join(drawing(made).texts)


def pixels(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


async def ask(stage: Stage, made: Any, **options: Any) -> InteractionResult:
    stage.desk.reads.answers = {"chart": made}
    return await stage.trader.slash(stage.channel, "chart", **{"instrument": "ES"} | options)


# --- the command ---


async def test_a_chart_comes_as_a_picture_with_words_for_its_asker_alone(stage: Stage) -> None:
    result = await ask(stage, charted(positions=(LONG,)), instrument="ES", account="Sim101", period="15m", bars=120)
    assert stage.desk.reads.asked == [("chart", "ES", "Sim101", "15m", "120")]
    assert result.ephemeral
    assert "**ES 09-26** · 5 min · last 5800.00, 3 s old · read 12:00:00 UTC, <t:" in told(result)
    assert "🟦 **SIM** · `Sim101` · LONG 2 @ 5795.25 · +475.00 · no working orders" in told(result)
    (file,) = _files(result)
    assert file.filename == "ES-09-26-5m.png"
    assert file.description is not None
    assert "LONG 2 @ 5795.25" in file.description
    assert pixels(await file.read()).size == (WIDTH, HEIGHT)
    assert stage.posts() == []


async def test_what_is_left_out_has_its_usual_value(stage: Stage) -> None:
    await ask(stage, charted(account=None))
    assert stage.desk.reads.asked == [("chart", "ES", "5m", "80")]


async def test_an_instrument_without_bars_gets_one_sentence_and_no_picture(stage: Stage) -> None:
    result = await ask(stage, charted(()))
    assert told(result) == "NinjaTrader has no bars of `ES 09-26` for 5 min; try a longer period, or a month that is traded now."
    assert _files(result) == []
    assert result.ephemeral


async def test_bars_that_could_not_be_read_get_one_sentence_and_no_picture(stage: Stage) -> None:
    result = await ask(stage, replace(unread(charted()), asked=Root("ES")))
    assert told(result) == "⚠ The bars of `ES` could not be read (`no bars`); try again shortly."
    assert _files(result) == []


async def test_a_no_is_told(stage: Stage) -> None:
    result = await ask(stage, Refused((Denial(DenialCode.ACCOUNT_NOT_GRANTED, "Pick another account."),)))
    assert "**denied** · `ACCOUNT_NOT_GRANTED`\nPick another account." in told(result)
    assert _files(result) == []


async def test_more_words_than_one_message_takes_follow_it(stage: Stage) -> None:
    many = [order(Side.SELL, None, name=f"m{number}", quantity=number + 1) for number in range(90)]
    result = await ask(stage, charted(orders=many))
    assert all(f"SELL {number + 1} MARKET." in told(result) for number in range(90))
    assert len(result.followups) >= 1
    assert all(message.ephemeral for message in result.followups)


async def test_just_the_periods_that_there_are_can_be_picked(stage: Stage) -> None:
    command: Any = stage.client.tree.get_command("chart", guild=discord.Object(stage.guild.id))
    (period,) = (each for each in command.parameters if each.name == "period")
    assert [choice.value for choice in period.choices] == list(PERIODS)


@pytest.mark.parametrize(("option", "typed", "offered"), [("account", "139", ["Sim139"]), ("instrument", "nq", ["NQ 09-26"])])
async def test_accounts_and_instruments_are_offered(stage: Stage, option: str, typed: str, offered: list[str]) -> None:
    choices = await stage.trader.autocomplete(stage.channel, "chart", option, typed)
    assert [choice["value"] for choice in choices] == offered


# --- the words ---


def test_each_part_that_was_not_read_is_told_and_never_looks_flat() -> None:
    words = said(charted(positions=None, orders=None, quote=None))
    assert "position not read · orders not read" in words
    assert "The position could not be read (`no list`), so none is drawn; it may not be flat." in words
    assert "The working orders could not be read (`no list`), so none are drawn; there may be some." in words
    assert "The quote could not be read (`no quote`), so the last price is that of the newest bar." in words
    assert "last bar closed 5800.00 at 12:00 UTC" in words
    for empty in ("FLAT", "no working orders"):
        assert empty not in words
    alt = drawing(charted(positions=None, orders=None)).description
    assert "position not read, orders not read" in alt


def test_flat_and_no_orders_are_said_where_they_were_read() -> None:
    made = charted(live=True)
    assert "🟥 **LIVE** · `Sim101` · FLAT · no working orders" in said(made)
    assert "account Sim101, FLAT, no working orders" in drawing(made).description
    assert len(drawing(charted(account=None)).texts[0].splitlines()) == 1


def test_what_has_no_place_in_the_picture_is_told() -> None:
    many = [order(Side.BUY, str(5799 - number), name=f"b{number}") for number in range(12)]
    other = replace(LONG, contract=DECEMBER, quantity=-3)
    rows = tuple(replace(one, volume=None) for one in walk())
    words = said(
        charted(
            rows,
            positions=(replace(LONG, average_price=None), other),
            orders=(*many, order(Side.SELL, None)),
            quote=replace(QUOTE, market_open=False, at=None),
        )
    )
    assert "LONG 2 · +475.00 · 13 working orders" in words
    assert "The position's average price wasn't told" in words
    assert "Also held, and not in this picture: SHORT 3 ES 12-26." in words
    assert "Without a price to draw it at: SELL 1 MARKET." in words
    assert "4 of the lines had no room for a label; /orders lists every order." in words
    assert "CrossTrade told no volumes." in words
    assert "last 5800.00, market closed · read" in words


def test_the_picture_is_described_in_words_of_any_length() -> None:
    made = charted(orders=[order(Side.BUY, str(5700 + number), name=f"b{number}") for number in range(90)])
    alt = drawing(made).description
    assert alt.startswith(
        "Candlestick chart of ES 09-26, bars of 5 min, 40 until 2026-01-01 12:00 UTC, from 5799.75 to 5820.25, last"
    )
    assert "BUY 1 LIMIT 5700.00" in alt
    assert len(alt) <= LONGEST_DESCRIPTION


# --- the picture ---


def test_the_same_chart_is_the_same_picture_and_another_position_another_one() -> None:
    flat, held = drawing(charted()), drawing(charted(positions=(LONG,)))
    assert flat.png == drawing(charted()).png
    assert (
        len({flat.png, held.png, drawing(charted(positions=None)).png, drawing(charted(positions=(LONG,), live=True)).png}) == 4
    )


def test_a_rising_bar_is_hollow_and_a_falling_one_filled() -> None:
    rising, falling = (
        (bar(NOW, "5790", "5801", "5789", "5800"),),
        (bar(NOW, "5800", "5801", "5789", "5790"),),
    )
    assert _count(drawing(charted(rising, account=None)).png, UP) < _count(drawing(charted(falling, account=None)).png, DOWN) / 2


def test_a_long_time_without_bars_and_a_last_price_far_away_can_be_seen() -> None:
    rows = walk()
    gap = (*(replace(one, at=one.at - timedelta(hours=20)) for one in rows[:20]), *rows[20:])
    kinds = [charted(rows), charted(gap), charted(rows, quote=replace(QUOTE, last=Decimal(7000)))]
    assert len({drawing(made).png for made in kinds}) == len(kinds)
    assert len(laid(kinds[1]).breaks) == 1


def test_a_line_is_painted_where_its_price_lies() -> None:
    made = charted(positions=(LONG,))
    png = pixels(drawing(made).png)
    layout = laid(made)
    (average,) = layout.lines
    assert layout.tag is not None
    yellow = [y for y in range(HEIGHT) if png.getpixel((700, y)) == (0xFF, 0xD4, 0x3B)]
    share = [1 - y / HEIGHT for y in yellow]
    assert share
    # The room for prices is the share of the picture from 0.26 to 0.835.
    assert all(abs((one - 0.26) / (0.835 - 0.26) - average.y) < 0.01 for one in share)


@pytest.mark.parametrize(
    "rows",
    [walk(1), walk(2), walk(300), walk(40, still=True), tuple(replace(one, volume=0) for one in walk(20)), walk(300)[::20]],
    ids=["one", "two", "many", "still", "no trades", "gaps"],
)
def test_any_number_of_bars_can_be_drawn(rows: Sequence[Any]) -> None:
    many = [order(Side.SELL, str(5700 + number * 7), name=f"s{number}") for number in range(40)]
    for made in (charted(rows, account=None), charted(rows, positions=(LONG,), orders=many, quote=None)):
        assert pixels(drawing(made).png).size == (WIDTH, HEIGHT)


@settings(max_examples=10)
@example("$\\nonsense{$", "5m", Decimal(5800), 0)
@given(
    st.text(max_size=30),
    st.sampled_from(list(PERIODS)),
    st.decimals(min_value=-1000, max_value=100_000, places=4),
    st.integers(0, 5_000_000),
)
def test_no_name_price_or_volume_breaks_the_picture(account: str, period: str, price: Decimal, volume: int) -> None:
    rows = tuple(replace(one, open=price, close=price + 1, low=price - 1, high=price + 2, volume=volume) for one in walk(3))
    made = charted(rows, period=PERIODS[period], account=account, positions=(replace(LONG, average_price=price),), quote=None)
    assert pixels(drawing(made).png).size == (WIDTH, HEIGHT)


async def test_a_picture_is_painted_off_the_loop_which_goes_on_meanwhile() -> None:
    made = charted()
    assert made.bars is not None
    reading = asyncio.create_task(drawn(made, made.bars))
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 3
    assert (await reading).png == drawing(made).png


async def test_charts_asked_for_at_once_are_all_drawn() -> None:
    kinds = [charted(), charted(positions=(LONG,)), charted(account=None)] * 2
    made = await asyncio.gather(*(drawn(one, one.bars or Bars(ES, one.period, ())) for one in kinds))
    assert [one.png for one in made] == [drawing(one).png for one in kinds]


def test_the_settings_of_this_machine_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfont.size: 40\nlines.linewidth: 9\nsavefig.bbox: tight\n")
    program = (
        "import hashlib;"
        "from tests.chat.charts import charted; from bot.chat.charts import draw;"
        "made = charted(); print(hashlib.sha256(draw(made, made.bars).png).hexdigest())"
    )
    environment = os.environ | {"MPLCONFIGDIR": str(tmp_path), "MATPLOTLIBRC": str(tmp_path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603  our own
    assert done.stdout.strip() == hashlib.sha256(drawing(charted()).png).hexdigest()


def test_nothing_of_pyplot_is_used() -> None:
    paint(laid(charted()))
    assert "matplotlib.pyplot" not in sys.modules


def _files(result: InteractionResult) -> list[discord.Attachment]:
    message = result.response
    assert message is not None
    return list(message.attachments)


def _count(png: bytes, colour: str) -> int:
    wanted = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return sum(count for count, found in pixels(png).getcolors(1 << 24) or () if found == wanted)
