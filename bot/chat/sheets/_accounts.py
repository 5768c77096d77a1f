"""``/accounts``, ``/account`` and ``/pnl``."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from bot.chat.figures import mark
from bot.chat.markdown import code
from bot.chat.sheets._shared import NOT_TOLD, money, read_at, titled, total
from bot.chat.tables import Section, grid, messages, pair
from bot.desk.reads.reports import AccountReport, Balance
from bot.trading.market.facts import Account
from bot.trading.market.funds import Funds, Margin

OWN_CURRENCY = "-# Each account in its own currency; day = realised + open."
MARKS_FROM_WHEN = "-# CrossTrade's watermarks; from when on they count is not documented."


def accounts(balances: Sequence[Balance]) -> list[str]:
    """``/accounts``."""
    rows = [
        (one.account.name, "LIVE" if one.live else "SIM", _link(one.account), money(one.account.cash), _open(one))
        for one in balances
    ]
    lines = tuple(grid(("account", "", "link", "cash", "open"), rows))
    return messages([Section("**Accounts**", lines, tuple(_unread(balances)))], read_at(balances))


def account(report: AccountReport) -> list[str]:
    """``/account``."""
    balance = report.balance
    facts, funds = balance.account, balance.account.funds or Funds()
    parts = (
        ("provider", facts.provider or NOT_TOLD),
        ("link", _link(facts)),
        ("cash", money(facts.cash)),
        ("net liquidation", money(funds.net_liquidation)),
        ("buying power", money(funds.buying_power)),
        ("realised today", money(facts.realised)),
        ("open", money(facts.unrealised)),
        ("day", money(facts.day_result)),
    )
    lines = tuple(line for name, value in parts for line in pair(name, value))
    heading = titled(facts.name, live=balance.live)
    sections = [Section(heading, lines, tuple(_unread([balance]))), *_margins(funds), _watermarks(report)]
    return messages(sections, read_at([balance]))


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
    return messages(sections, OWN_CURRENCY, read_at(balances))


def _margins(funds: Funds) -> Iterator[Section]:
    margins = (
        ("initial", funds.initial),
        ("intraday", funds.intraday),
        ("maintenance", funds.maintenance),
        ("position", funds.position),
    )
    rows = [(name, money(margin.used), money(margin.left)) for name, margin in margins if margin != Margin()]
    if rows:
        yield Section("**Margins**", tuple(grid(("", "used", "left"), rows)))


def _watermarks(report: AccountReport) -> Section:
    marks = report.marks
    if marks is None:
        return Section(f"⚠ The watermarks could not be read ({report.marks_why}).")
    if marks.is_empty:
        return Section("No watermarks: CrossTrade doesn't monitor it, or it has had no result yet")
    parts = (("profit and loss", marks.result), ("net liquidation", marks.net_liquidation), ("open", marks.unrealised))
    lines = tuple(line for name, value in parts for line in pair(name, money(value)))
    return Section("**Highest so far**", lines, (MARKS_FROM_WHEN,))


def _results(heading: str, rows: list[tuple[str, ...]], totals: list[tuple[str, ...]]) -> Section:
    return Section(heading, tuple(grid(("account", "realised", "open", "day"), rows, totals)))


def _result(facts: Account) -> tuple[str, ...]:
    return money(facts.realised), money(facts.unrealised), money(facts.day_result)


def _sums(balances: Sequence[Balance]) -> tuple[str, ...]:
    """Totals of the accounts whose day was told whole; who is left out is said in ``_left_out``."""
    told = [one.account for one in balances if one.account.day_result is not None]
    parts: tuple[Callable[[Account], Decimal | None], ...] = (
        lambda one: one.realised,
        lambda one: one.unrealised,
        lambda one: one.day_result,
    )
    return tuple(total(part(one) for one in told) if told else NOT_TOLD for part in parts)


def _left_out(balances: Sequence[Balance]) -> list[str]:
    left = [one for one in balances if one.account.day_result is None]
    return [f"⚠ {code(one.account.name)} is not in the totals: {one.why or 'CrossTrade did not tell its day'}" for one in left]


def _unread(balances: Sequence[Balance]) -> list[str]:
    return [f"⚠ {code(one.account.name)} could not be read whole ({one.why})" for one in balances if one.why]


def _open(balance: Balance) -> str:
    if balance.open_count is None:
        return NOT_TOLD
    return str(balance.open_count) if balance.open_count else "flat"


def _link(facts: Account) -> str:
    return {True: "up", False: "down", None: NOT_TOLD}[facts.connected]
