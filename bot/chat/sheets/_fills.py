"""``/executions``: fills, newest first, with what was bought and sold of each contract."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from itertools import groupby

from bot.chat.figures import clock_time, finest, number, price
from bot.chat.markdown import code
from bot.chat.sheets._shared import minute, moment, name, read_at
from bot.chat.tables import Section, grid, messages, pair, wrapped
from bot.desk.reads.reports import Fills, OneFill
from bot.trading.exits.leftover import named_some
from bot.trading.market.facts import Execution, OtherFill
from bot.trading.orders.terms import Side

KEPT = "-# The desk reads fills every 5 minutes and keeps them, as CrossTrade forgets them after 15."
UNWATCHED = "⚠ Nobody was watching then, so fills may be missing (UTC):"

# About as many as ten messages hold.
MOST_FILLS = 300


def executions(sheet: Fills) -> list[str]:
    """``/executions``."""
    return messages([_last_minutes(sheet), *_earlier(sheet), *_unwatched(sheet)], KEPT, read_at([sheet]))


def execution(sheet: OneFill) -> list[str]:
    """``/executions`` of one fill."""
    heading = name(sheet)
    if sheet.fill is not None:
        note = "From the desk's own record, as CrossTrade doesn't tell it any more." if sheet.is_kept else ""
        return messages([Section(heading, tuple(_fill(sheet.fill)), (note,) if note else ())], read_at([sheet]))
    if sheet.why:
        note = f"⚠ CrossTrade could not be asked for it ({sheet.why}), and the desk's own record doesn't have it."
    else:
        note = "Neither CrossTrade nor the desk's own record has a fill with this id in this account."
    return messages([Section(heading, (), (note,))], read_at([sheet]))


def fill_lines(fills: Sequence[Execution], most: int = MOST_FILLS) -> list[str]:
    """A table of fills, each day by itself: the newest, no more than ``most``, and totals of all."""
    newest = sorted(fills, key=lambda fill: fill.at, reverse=True)
    days = [(day, list(group)) for day, group in groupby(newest, key=lambda fill: fill.at.astimezone(UTC).date())]
    lines = []
    for day, group in days:
        lines += [*([f"{day:%m-%d}"] if len(days) > 1 else []), *_day(group, most)]
        most = max(most - len(group), 0)
    return lines


def left_out(count: int, most: int = MOST_FILLS) -> tuple[str, ...]:
    """Number of fills that are shown, of so many, and how to see any other; nothing where all are."""
    if count <= most:
        return ()
    shown = f"the newest {most:,} of {count:,} fills" if most else f"none of {count:,} fills"
    return (f"⚠ Shown are {shown}; the totals count all. `/executions execution:` shows any other by its id.",)


def _day(fills: Sequence[Execution], most: int) -> list[str]:
    step = finest(one.price for one in fills)
    rows = [
        (clock_time(one.at), f"{one.side.upper()} {one.quantity}", str(one.contract), price(one.price, step))
        for one in fills[:most]
    ]
    counted: Counter[tuple[str, Side]] = Counter()
    for one in fills:
        counted[str(one.contract), one.side] += one.quantity
    totals = [("total", f"{side.upper()} {quantity}", contract, "") for (contract, side), quantity in sorted(counted.items())]
    return grid(("UTC", "", "", "price"), rows, totals if len(fills) > 1 else [])


def _last_minutes(sheet: Fills) -> Section:
    if sheet.rows is None:
        return Section(name(sheet), (), (f"⚠ The fills could not be read ({sheet.why}); there may be some.",))
    if not sheet.rows:
        futures = " of futures" if sheet.others else ""
        return Section(f"{name(sheet)} · no fills{futures} in the last 15 minutes", (), _others(sheet.others))
    notes = (*left_out(len(sheet.rows)), *_others(sheet.others))
    return Section(f"{name(sheet)} · the last 15 minutes", tuple(fill_lines(sheet.rows)), notes)


def _others(fills: Sequence[OtherFill]) -> tuple[str, ...]:
    if not fills:
        return ()
    count = "1 fill" if len(fills) == 1 else f"{len(fills)} fills"
    return (f"⚠ {count} of what is no future: {named_some(map(_other, fills))}. The desk keeps no record of such.",)


def _other(fill: OtherFill) -> str:
    side = "?" if fill.side is None else fill.side.upper()
    size = "?" if fill.quantity is None else fill.quantity
    return f"{code(fill.instrument, 40)} {side} {size}" + ("" if fill.price is None else f" at {number(fill.price)}")


def _earlier(sheet: Fills) -> Iterator[Section]:
    hours = round((sheet.at - sheet.since) / timedelta(hours=1))
    if sheet.earlier is None:
        yield Section(f"⚠ The desk's own record could not be read ({sheet.earlier_why}).")
    elif not sheet.earlier:
        yield Section(f"No others in the desk's own record of the last {hours} h")
    else:
        most = max(MOST_FILLS - len(sheet.rows or ()), 0)
        lines, notes = tuple(fill_lines(sheet.earlier, most)), left_out(len(sheet.earlier), most)
        yield Section(f"**Before that**, from the desk's own record of the last {hours} h", lines, notes)


def _unwatched(sheet: Fills) -> Iterator[Section]:
    if sheet.unwatched:
        yield Section(UNWATCHED, tuple(line for span in sheet.unwatched for line in pair(minute(span.start), minute(span.end))))


def _fill(fill: Execution) -> list[str]:
    return [
        *pair(f"{fill.side.upper()} {fill.quantity} {fill.contract}", f"at {number(fill.price)}"),
        *pair("UTC", moment(fill.at)),
        *wrapped(f"order {fill.order_id or 'not told'}"),
        *wrapped(f"id {fill.id}"),
    ]
