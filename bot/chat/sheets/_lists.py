"""``/positions``, ``/orders`` and ``/strategies``."""

from collections.abc import Sequence

from bot.chat.figures import finest, number, price
from bot.chat.markdown import code
from bot.chat.sheets._shared import NOT_TOLD, between, missing, moment, money, name, read_at, total
from bot.chat.tables import Section, grid, messages, pair, wrapped
from bot.desk.reads.reports import Listed, StrategyReport
from bot.trading.exits.leftover import named_some, other_order_words
from bot.trading.market.facts import Order, OtherOrder, OtherPosition, Position, Strategy
from bot.trading.orders.tickets import side_word


def positions(sheets: Sequence[Listed[Position]]) -> list[str]:
    """``/positions``."""
    return messages([_positions(sheet) for sheet in sheets], read_at(sheets))


def orders(sheets: Sequence[Listed[Order]]) -> list[str]:
    """``/orders``."""
    return messages([_orders(sheet) for sheet in sheets], read_at(sheets))


def strategies(report: StrategyReport) -> list[str]:
    """``/strategies``."""
    return messages([_strategies(report.running), _templates(report)], read_at([report.running]))


def order_lines(order: Order) -> list[str]:
    """One order whole, all its ids included."""
    kind = NOT_TOLD if order.type is None else order.type.value
    prices = " / ".join(number(value) for value in (order.stop, order.limit) if value is not None)
    average = "" if order.average_fill_price is None else f" at {number(order.average_fill_price)}"
    return [
        *pair(f"{order.side.upper()} {order.quantity} {order.contract}", f"{kind} {prices}".strip()),
        *pair(order.state.value, f"filled {order.filled}/{order.quantity}{average}"),
        *([] if order.at is None else pair("since (UTC)", moment(order.at))),
        *([] if order.oco is None else pair("oco", order.oco)),
        *(line for order_id in order.ids for line in wrapped(f"id {order_id}")),
    ]


def _positions(sheet: Listed[Position]) -> Section:
    doubts = (*_doubts(sheet), *map(_other, sheet.others))
    if sheet.rows is None:
        section = missing(sheet, "The positions could not be read", "it may not be flat")
        return Section(section.heading, (), (*section.notes, *doubts))
    if not sheet.rows and sheet.others:
        return Section(f"{name(sheet)} · no futures held", (), doubts)
    if not sheet.rows:
        return Section(f"{name(sheet)} · flat{_in(sheet)}{' in the list' if doubts else ''}", (), doubts)
    step = finest(one.average_price for one in sheet.rows)
    rows = [
        (
            str(one.contract),
            side_word(one.quantity),
            NOT_TOLD if one.average_price is None else price(one.average_price, step),
            money(one.unrealised),
        )
        for one in sheet.rows
    ]
    totals = [("total", "", "", total(one.unrealised for one in sheet.rows))] if len(rows) > 1 else []
    alone = f" · {sheet.about} alone" if sheet.about else ""
    return Section(f"{name(sheet)}{alone}", tuple(grid(("", "held", "price", "open"), rows, totals)), doubts)


def _orders(sheet: Listed[Order]) -> Section:
    if sheet.rows is None:
        section = missing(sheet, "The orders could not be read", "there may be some")
        return Section(section.heading, (), (*section.notes, *_other_orders(sheet.other_orders)))
    doubts = (*_doubts(sheet), *_other_orders(sheet.other_orders))
    if not sheet.rows:
        futures = " futures" if sheet.other_orders else ""
        return Section(f"{name(sheet)} · no working{futures} orders{_in(sheet)}", (), doubts)
    lines = tuple(between(map(order_lines, sheet.rows)))
    return Section(f"{name(sheet)} · {len(sheet.rows)} working{_in(sheet)}", lines, doubts)


def _doubts(sheet: Listed[object]) -> tuple[str, ...]:
    return (f"⚠ {sheet.doubt[0].upper()}{sheet.doubt[1:]}; look at NinjaTrader.",) if sheet.doubt else ()


def _other(one: OtherPosition) -> str:
    held = "of a size that can't be read" if one.quantity is None else side_word(one.quantity)
    return f"⚠ {code(one.instrument, 40)} {held}: no future ({code(one.kind, 20)}); a flatten of the whole account closes it."


def _other_orders(orders: Sequence[OtherOrder]) -> tuple[str, ...]:
    if not orders:
        return ()
    count = "1 order" if len(orders) == 1 else f"{len(orders)} orders"
    named = named_some(map(other_order_words, orders))
    return (f"⚠ {count} of what is no future: {named}. The desk can't trade it; `/cancel scope:account` cancels it.",)


def _in(sheet: Listed[object]) -> str:
    return f" in {sheet.about}" if sheet.about else ""


def _strategies(sheet: Listed[Strategy]) -> Section:
    if sheet.rows is None:
        return missing(sheet, "The strategies could not be read", "some may be running")
    if not sheet.rows:
        return Section(f"{name(sheet)} · no strategies running")
    return Section(f"{name(sheet)} · {len(sheet.rows)} running", tuple(between(map(_strategy, sheet.rows))))


def _strategy(one: Strategy) -> list[str]:
    return [
        *pair(one.label or one.name or "strategy", NOT_TOLD if one.quantity is None else side_word(one.quantity)),
        *([] if one.contract is None else pair("in", str(one.contract))),
        *([] if one.average_price is None else pair("price", number(one.average_price))),
        *pair("open", money(one.unrealised)),
        *wrapped(f"id {one.id}"),
    ]


def _templates(report: StrategyReport) -> Section:
    if report.templates is None:
        return Section(f"⚠ The ATM templates could not be read ({report.templates_why}); there may be some.")
    if not report.templates:
        return Section("No ATM templates are saved in NinjaTrader")
    return Section("**ATM templates in NinjaTrader**", tuple(line for each in sorted(report.templates) for line in wrapped(each)))
