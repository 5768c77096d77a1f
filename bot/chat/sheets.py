"""What the reading commands say, from what the desk has read. Which member may see what was decided before.

Each function gives the messages of one answer. A part that could not be read is said so, and never looks empty.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from discord.utils import format_dt

from bot.chat.figures import age, amount, clock_time, finest, mark, number, price
from bot.chat.tables import Section, grid, messages, pair, wrapped
from bot.chat.wording import clip
from bot.desk.reads import STORY_LOOKS_BACK
from bot.desk.reports import Balance, Listed, OrderStory, Quoted
from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.orders import Side
from bot.trading.sweeps import CancelWorking, Flatten
from bot.trading.tickets import Ticket, side_word
from bot.trading.words import code, harmless

NOT_TOLD = "?"
LONGEST_OUTCOME = 700
LOOKS_BACK = "-# CrossTrade looks back 15 minutes; fills before that are not among these."
OWN_CURRENCY = "-# Each account in its own currency; day = realised + open."


def positions(sheets: Sequence[Listed[Position]]) -> list[str]:
    """``/positions``."""
    return messages([_positions(sheet) for sheet in sheets], _read_at(sheets))


def orders(sheet: Listed[Order]) -> list[str]:
    """``/orders``."""
    if sheet.rows is None:
        section = _missing(sheet, "The orders could not be read", "there may be some")
    elif not sheet.rows:
        section = Section(f"{_name(sheet)} · no working orders")
    else:
        section = Section(f"{_name(sheet)} · {len(sheet.rows)} working", tuple(_between(map(_order, sheet.rows))))
    return messages([section], _read_at([sheet]))


def accounts(balances: Sequence[Balance]) -> list[str]:
    """``/accounts``."""
    rows = [(one.account.name, "LIVE" if one.live else "SIM", _link(one.account), _money(one.account.cash)) for one in balances]
    section = Section("**Accounts**", tuple(grid(("account", "", "link", "cash"), rows)), tuple(_unread(balances)))
    return messages([section], _read_at(balances))


def account(balance: Balance) -> list[str]:
    """``/account``."""
    facts = balance.account
    parts = (
        ("provider", facts.provider or NOT_TOLD),
        ("link", _link(facts)),
        ("cash", _money(facts.cash)),
        ("realised today", _money(facts.realised)),
        ("open", _money(facts.unrealised)),
        ("day", _money(facts.day_result)),
    )
    lines = tuple(line for name, value in parts for line in pair(name, value))
    return messages([Section(_name(balance), lines, tuple(_unread([balance])))], _read_at([balance]))


def pnl(balances: Sequence[Balance]) -> list[str]:
    """``/pnl``: real money and simulation apart, then in all."""
    sections = []
    for live in (True, False):
        if group := [one for one in balances if one.live is live]:
            totals = [("total", *_sums(group))] if len(group) > 1 else []
            rows = [(one.account.name, *_result(one.account)) for one in group]
            sections.append(_results(mark(live=live), rows, totals))
    if len(sections) > 1:
        sections.append(_results("**In all**", [("LIVE + SIM", *_sums(balances))], []))
    sections.append(Section("", (), tuple(_left_out(balances))))
    return messages(sections, OWN_CURRENCY, _read_at(balances))


def executions(sheet: Listed[Execution]) -> list[str]:
    """``/executions``."""
    if sheet.rows is None:
        section = _missing(sheet, "The fills could not be read", "there may be some")
    elif not sheet.rows:
        section = Section(f"{_name(sheet)} · no fills in the last 15 minutes")
    else:
        section = Section(_name(sheet), tuple(_fills(sheet.rows)))
    return messages([section], LOOKS_BACK, _read_at([sheet]))


def quotes(quoted: Sequence[Quoted]) -> list[str]:
    """``/quote``."""
    found = [(one, one.quote) for one in quoted if one.quote is not None]
    rows = [_quote(one, quote) for one, quote in found]
    notes = [f"⚠ {quote.contract}: the market is closed" for _, quote in found if quote.market_open is False]
    notes += [f"⚠ {code(str(one.asked))}: the quote could not be read ({one.why})" for one in quoted if one.quote is None]
    lines = grid(("", "bid", "ask", "last", "age"), rows) if rows else []
    return messages([Section("**Quotes**", tuple(lines), tuple(notes))], _read_at(quoted))


def order(story: OrderStory) -> list[str]:
    """``/order``."""
    sections = [_status(story), _own_fills(story), _ticket(story)]
    return messages(sections, _read_at([story]))


def _positions(sheet: Listed[Position]) -> Section:
    if sheet.rows is None:
        return _missing(sheet, "The positions could not be read", "it may not be flat")
    if not sheet.rows:
        return Section(f"{_name(sheet)} · flat")
    step = finest(one.average_price for one in sheet.rows)
    rows = [
        (
            str(one.contract),
            side_word(one.quantity),
            NOT_TOLD if one.average_price is None else price(one.average_price, step),
            _money(one.unrealised),
        )
        for one in sheet.rows
    ]
    totals = [("total", "", "", _total(one.unrealised for one in sheet.rows))] if len(rows) > 1 else []
    return Section(_name(sheet), tuple(grid(("", "held", "price", "open"), rows, totals)))


def _order(order: Order) -> list[str]:
    kind = NOT_TOLD if order.type is None else order.type.value
    prices = " / ".join(number(value) for value in (order.stop, order.limit) if value is not None)
    average = "" if order.average_fill_price is None else f" at {number(order.average_fill_price)}"
    return [
        *pair(f"{order.side.upper()} {order.quantity} {order.contract}", f"{kind} {prices}".strip()),
        *pair(order.state.value, f"filled {order.filled}/{order.quantity}{average}"),
        *([] if order.at is None else pair("since (UTC)", _moment(order.at))),
        *([] if order.oco is None else pair("oco", order.oco)),
        *(line for order_id in order.ids for line in wrapped(f"id {order_id}")),
    ]


def _between(groups: Iterable[list[str]]) -> list[str]:
    """Groups of lines with an empty one between."""
    return [line for number, group in enumerate(groups) for line in ([""] if number else []) + group]


def _fills(fills: Sequence[Execution]) -> list[str]:
    step = finest(one.price for one in fills)
    newest = sorted(fills, key=lambda fill: fill.at, reverse=True)
    rows = [
        (clock_time(one.at), f"{one.side.upper()} {one.quantity}", str(one.contract), price(one.price, step)) for one in newest
    ]
    counted: Counter[tuple[str, Side]] = Counter()
    for one in fills:
        counted[str(one.contract), one.side] += one.quantity
    totals = [("total", f"{side.upper()} {quantity}", name, "") for (name, side), quantity in sorted(counted.items())]
    return grid(("UTC", "", "", "price"), rows, totals if len(rows) > 1 else [])


def _quote(one: Quoted, quote: Quote) -> tuple[str, ...]:
    told = (NOT_TOLD if value is None else price(value, quote.tick_size) for value in (quote.bid, quote.ask, quote.last))
    seconds = quote.age(one.at)
    return (str(quote.contract), *told, NOT_TOLD if seconds is None else age(seconds))


def _status(story: OrderStory) -> Section:
    heading = f"{_name(story)} · order {code(story.typed)}"
    if story.order is not None:
        return Section(heading, tuple(_order(story.order)))
    if story.order_why:
        return Section(heading, (), (f"⚠ The order could not be read ({story.order_why}); it may be working.",))
    note = "CrossTrade has no order with this id in this account; finished ones leave its list after some minutes."
    return Section(heading, (), (note,))


def _own_fills(story: OrderStory) -> Section:
    if story.fills is None:
        return Section(f"⚠ Its fills could not be read ({story.fills_why}); there may be some.")
    if not story.fills:
        return Section("No fills of it in the last 15 minutes")
    return Section("**Fills**", tuple(_fills(story.fills)), (LOOKS_BACK,))


def _ticket(story: OrderStory) -> Section:
    ticket = story.ticket
    if ticket is not None:
        log = [line for event in story.events for line in pair(event.name.value, _moment(event.at))]
        return Section(f"**Ticket {ticket.id}** · {ticket.state.value}", ("UTC", *log), tuple(_people(ticket)))
    if story.ticket_why:
        return Section(f"⚠ The desk's journal could not be read ({story.ticket_why}).")
    return Section(f"Not an order of the desk's tickets of the last {STORY_LOOKS_BACK.days} days")


def _people(ticket: Ticket) -> list[str]:
    state = ticket.order_state.value if ticket.order_state else "submitted"
    average = "" if ticket.average_fill_price is None else f" at {number(ticket.average_fill_price)}"
    return [
        f"Asked by {harmless(ticket.requester.name)}: {_asked(ticket)}",
        *(f"Approved by {harmless(approval.name)}" for approval in ticket.approvals),
        f"The desk last saw it {state}, filled {ticket.filled}{average}",
        *([clip(ticket.outcome, LONGEST_OUTCOME)] if ticket.outcome else []),
    ]


def _asked(ticket: Ticket) -> str:
    if isinstance(ticket.intent, Flatten | CancelWorking):
        return f"{ticket.intent.command} {code(str(ticket.intent.scope))}"
    terms = ticket.intent.terms
    return f"{terms.side.upper()} {terms.quantity} {ticket.intent.contract}"


def _results(heading: str, rows: list[tuple[str, ...]], totals: list[tuple[str, ...]]) -> Section:
    return Section(heading, tuple(grid(("account", "realised", "open", "day"), rows, totals)))


def _result(facts: Account) -> tuple[str, ...]:
    return _money(facts.realised), _money(facts.unrealised), _money(facts.day_result)


def _sums(balances: Sequence[Balance]) -> tuple[str, ...]:
    """Totals of the accounts whose day was told whole; who is left out is said in ``_left_out``."""
    told = [one.account for one in balances if one.account.day_result is not None]
    parts: tuple[Callable[[Account], Decimal | None], ...] = (
        lambda one: one.realised,
        lambda one: one.unrealised,
        lambda one: one.day_result,
    )
    return tuple(_total(part(one) for one in told) if told else NOT_TOLD for part in parts)


def _left_out(balances: Sequence[Balance]) -> list[str]:
    left = [one for one in balances if one.account.day_result is None]
    return [f"⚠ {code(one.account.name)} is not in the totals: {one.why or 'CrossTrade did not tell its day'}" for one in left]


def _unread(balances: Sequence[Balance]) -> list[str]:
    return [f"⚠ {code(one.account.name)} could not be read whole ({one.why})" for one in balances if one.why]


def _missing(sheet: Listed[object], sentence: str, warning: str) -> Section:
    return Section(_name(sheet), (), (f"⚠ {sentence} ({sheet.why}); {warning}.",))


def _name(of: Listed[object] | OrderStory | Balance) -> str:
    return f"{mark(live=of.live)} · {code(of.account.name if isinstance(of, Balance) else of.account)}"


def _link(facts: Account) -> str:
    return {True: "up", False: "down", None: NOT_TOLD}[facts.connected]


def _money(value: Decimal | None) -> str:
    return NOT_TOLD if value is None else amount(value)


def _total(values: Iterable[Decimal | None]) -> str:
    """The sum, if every part of it was told."""
    parts = list(values)
    told = [value for value in parts if value is not None]
    return amount(sum(told, Decimal())) if len(told) == len(parts) else NOT_TOLD


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%m-%d} {clock_time(at)}"


def _read_at(read: Sequence[Listed[object] | Balance | Quoted | OrderStory]) -> str:
    oldest = min(one.at for one in read)
    return f"-# read {clock_time(oldest)} UTC, {format_dt(oldest, 'R')}"
