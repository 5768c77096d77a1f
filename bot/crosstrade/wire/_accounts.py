"""Accounts, what they hold, and their money."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

from bot.crosstrade.wire._values import (
    Count,
    InstrumentRow,
    MaybeText,
    Number,
    Row,
    ShownCount,
    ShownNumber,
    ShownText,
    Text,
    check_account,
    futures,
    is_no_future,
    reading,
    row_of,
    rows_of,
    thing_of,
)
from bot.errors import BrokerGarbled, BrokerPartly, InstrumentError
from bot.trading.market.facts import Account, OtherPosition, Position, Strategy
from bot.trading.market.funds import Funds, Margin, Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.orders.instruments import Contract, read_contract

_SIGNS = {"long": 1, "short": -1, "flat": 0}
_NOTHING = Funds()


class _AccountItem(Row):
    cash_value: Number | None = None
    realized_profit_loss: Number | None = None
    unrealized_profit_loss: Number | None = None
    net_liquidation: ShownNumber = None
    buying_power: ShownNumber = None
    initial_margin: ShownNumber = None
    excess_initial_margin: ShownNumber = None
    intraday_margin: ShownNumber = None
    excess_intraday_margin: ShownNumber = None
    maintenance_margin: ShownNumber = None
    excess_maintenance_margin: ShownNumber = None
    position_margin: ShownNumber = None
    excess_position_margin: ShownNumber = None


class _AccountRow(Row):
    name: Text
    provider: MaybeText = None
    connection_status: MaybeText = None
    item: _AccountItem | None = None


class _PositionRow(InstrumentRow):
    market_position: Text
    quantity: Count
    average_price: Number | None = None
    unrealized_profit_loss: Number | None = None


class _OtherPositionRow(Row):
    account: MaybeText = None
    instrument: ShownText = None
    instrument_type: Text
    market_position: ShownText = None
    quantity: ShownCount = None


class _StandingRow(Row):
    account: Mapping[str, object]
    positions: list[object]


class _IsFlatRow(Row):
    is_account_flat: bool | None = None


class _StrategyRow(Row):
    id: Text
    account: MaybeText = None
    instrument: ShownText = None
    strategy_name: ShownText = None
    display_name: ShownText = None
    position: ShownText = None
    quantity: ShownCount = None
    average_price: ShownNumber = None
    unrealized_pnl: ShownNumber = None


class _HighsRow(Row):
    pnlhigh: Number | None = None
    netliqhigh: Number | None = None
    unrealhigh: Number | None = None


class _WatermarksRow(Row):
    account: MaybeText = None
    watermarks: _HighsRow


def read_accounts(body: object) -> tuple[Account, ...]:
    """Read GET List accounts: ``accounts``, whose items are presumably those of GET Get account (inferred).

    Plain names count too.
    """
    return tuple(
        Account(item.strip()) if isinstance(item, str) and item.strip() else _account(item) for item in rows_of(body, "accounts")
    )


def read_account(body: object, name: str) -> Account:
    """Read GET Get account (docs, mid): ``name``, ``provider``, ``connectionStatus``, and money in its currency under ``item``.

    Of that ``cashValue``, ``realizedProfitLoss`` and ``unrealizedProfitLoss``, a loss negative; and, as only people look at them,
    ``netLiquidation``, ``buyingPower`` and four margins, each with what is left of it: ``initialMargin`` and
    ``excessInitialMargin``, ``intradayMargin`` and ``excessIntradayMargin``, ``maintenanceMargin`` and
    ``excessMaintenanceMargin``, ``positionMargin`` and ``excessPositionMargin``. ``denomination`` is not read.
    """
    account = _account(thing_of(body, "account"))
    check_account(account.name, name)
    return account


def read_snapshot(body: object, today: date) -> tuple[AccountSummary, ...]:
    """Read GET Accounts summary: pairs of ``account``, with ``isAccountFlat``, and ``positions`` (docs, old to mid).

    The sample has no ``success``. The time of the whole, ``epoch`` in milliseconds, is not read.
    """
    return tuple(reading("snapshot", partial(_standing, today), item) for item in rows_of(body, "accounts"))


def read_positions(body: object, account: str, today: date) -> tuple[Position, ...]:
    """Read GET List positions (docs, mid): ``account``, ``instrument``, ``marketPosition``, ``quantity`` and money.

    ``quantity`` has no sign here: the direction is in ``marketPosition``. ``averagePrice`` is in price units,
    ``unrealizedProfitLoss`` in the account's currency. Rows that say that they are no futures are left out, and so are flat
    ones.
    """
    return _open(rows_of(body, "positions"), partial(_position, today, account))


def read_all_positions(body: object, today: date) -> tuple[Position, ...]:
    """Read GET All positions: rows of every account, each with its name, and their ``count`` (docs, mid)."""
    rows = rows_of(body, "positions")
    inner = thing_of(body)
    counted = inner.get("count") if isinstance(inner, Mapping) else None
    # A list that was cut short would make the accounts at its end look flat.
    if counted is not None and counted != len(rows):
        raise BrokerGarbled("CrossTrade's list of all positions is not as long as it says.")
    return _open(rows, partial(_position, today, None))


def read_others(body: object, account: str | None) -> tuple[OtherPosition, ...]:
    """Read GET List positions and GET All positions for what says that it is no future, such as a share (docs, mid).

    ``account``, ``instrument``, ``instrumentType``, ``marketPosition`` and ``quantity``; a size that can't be read isn't told.
    """
    rows = (row for row in rows_of(body, "positions") if is_no_future(row))
    return tuple(one for one in (_other(row, account) for row in rows) if one.quantity != 0)


def read_position(body: object, account: str, contract: Contract, today: date) -> Position | None:
    """Read GET Get position: one row flat beside ``success`` (docs, old to mid); a flat one is ``None`` (shape inferred)."""
    position = reading("position", partial(_position, today, account), thing_of(body, "position"))
    if position.contract != contract:
        raise BrokerGarbled(f"CrossTrade answered with a position in {position.contract} instead of {contract}.")
    return position if position.quantity else None


def read_strategies(body: object, account: str, today: date) -> tuple[Strategy, ...]:
    """Read GET List strategies (seen in the code of others, unverified); one without an ``id`` can't be read.

    ``strategyName``, ``displayName``, ``instrument``, ``position`` (the direction), ``quantity`` without a sign,
    ``averagePrice`` in price units, a price of 0 being none, and ``unrealizedPnl`` in the account's currency are read where
    they are told.
    """
    return tuple(reading("strategy", partial(_strategy, today, account), item) for item in rows_of(body, "strategies"))


def read_watermarks(body: object, account: str) -> Watermarks:
    """Read GET Watermarks: of ``data`` the ``watermarks`` in the account's currency (docs, old to mid).

    Their keys are all lower case: ``pnlhigh``, ``netliqhigh``, ``unrealhigh``; there are none where nothing is kept. ``stats``
    beside them are not read, as GET Get account tells the same of now.
    """
    row = reading("watermarks", _WatermarksRow.model_validate, thing_of(body))
    check_account(row.account, account)
    highs = row.watermarks
    return Watermarks(row.account or account, highs.pnlhigh, highs.netliqhigh, highs.unrealhigh)


def _open(rows: list[object], read: Callable[[object], Position]) -> tuple[Position, ...]:
    try:
        found = futures(rows, "position", read)
    except BrokerPartly as error:
        held = [row for row in error.rows if isinstance(row, Position) and row.quantity]
        raise BrokerPartly(held, error.unread, error.accounts) from None
    return tuple(position for position in found if position.quantity)


def _other(item: object, account: str | None) -> OtherPosition:
    row = reading("position", _OtherPositionRow.model_validate, item)
    sign = _SIGNS.get((row.market_position or "").casefold())
    quantity = None if sign is None or row.quantity is None else sign * row.quantity
    return OtherPosition(row.account or account or "", row.instrument or "?", row.instrument_type, quantity)


def _account(item: object) -> Account:
    row = reading("account", _AccountRow.model_validate, item)
    money = row.item or _AccountItem()
    connected = None if row.connection_status is None else row.connection_status.casefold() == "connected"
    account = Account(
        row.name, row.provider, connected, money.realized_profit_loss, money.unrealized_profit_loss, money.cash_value
    )
    funds = _funds(money)
    return account if funds == _NOTHING else replace(account, funds=funds)


def _funds(money: _AccountItem) -> Funds:
    return Funds(
        net_liquidation=money.net_liquidation,
        buying_power=money.buying_power,
        initial=Margin(money.initial_margin, money.excess_initial_margin),
        intraday=Margin(money.intraday_margin, money.excess_intraday_margin),
        maintenance=Margin(money.maintenance_margin, money.excess_maintenance_margin),
        position=Margin(money.position_margin, money.excess_position_margin),
    )


def _standing(today: date, item: object) -> AccountSummary:
    row = _StandingRow.model_validate(item)
    account = _account(row.account)
    held = tuple(one for one in futures(row.positions, "position", partial(_position, today, account.name)) if one.quantity)
    return AccountSummary(account, held, _IsFlatRow.model_validate(row.account).is_account_flat)


def _position(today: date, account: str | None, item: object) -> Position:
    row = row_of(_PositionRow, item, account)
    sign = _SIGNS[row.market_position.casefold()]
    if not sign and row.quantity:
        raise ValueError("flat with a quantity")
    return Position(
        account=row.account or account or "",
        contract=read_contract(row.instrument, today),
        quantity=sign * row.quantity,
        average_price=row.average_price,
        unrealised=row.unrealized_profit_loss,
    )


def _strategy(today: date, account: str, item: object) -> Strategy:
    row = _StrategyRow.model_validate(item)
    check_account(row.account, account)
    sign = _SIGNS.get((row.position or "").casefold())
    return Strategy(
        id=row.id,
        account=row.account or account,
        name=row.strategy_name,
        label=row.display_name,
        contract=_contract(row.instrument, today),
        quantity=None if sign is None or row.quantity is None else sign * row.quantity,
        average_price=row.average_price or None,
        unrealised=row.unrealized_pnl,
    )


def _contract(name: str | None, today: date) -> Contract | None:
    try:
        return None if name is None else read_contract(name, today)
    except InstrumentError:
        return None
