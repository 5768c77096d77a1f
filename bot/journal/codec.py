"""Translation between what the desk knows and rows: tickets, events, fills, outbox. No SQL lives here; JSON is of ``shapes``."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Row

from bot.desk.ports import Delivery, Event, EventName, Notice, Tone
from bot.errors import InstrumentError, JournalError
from bot.journal.schema import NOTICE
from bot.journal.shapes import APPROVALS, INTENT, PROGRESS, PROTECTION, SHOWN, TERMS, written
from bot.trading.market.facts import Execution
from bot.trading.orders.instruments import parse_dated
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import NO_PROGRESS, Member, Origin, Ticket, TicketState, Told, Visibility

_read = json.loads
# A look-up here takes a tenth of an enumeration's own.
_VISIBILITIES = {each.value: each for each in Visibility}
_STATES = {each.value: each for each in TicketState}
_ORDER_STATES = {each.value: each for each in OrderState}

AnyRow = Row[*tuple[Any, ...]]
Values = dict[str, object]
_Read = TypeVar("_Read")


def ticket_values(ticket: Ticket) -> Values:
    """Every column of a ticket but the two that say where its message is, which have a life of their own."""
    return {
        "id": ticket.id,
        "version": ticket.version,
        "state": ticket.state,
        "revision": ticket.revision,
        "account": ticket.intent.account,
        "contract": _market(ticket),
        "intent": INTENT.write(ticket.intent),
        "requester": ticket.requester.id,
        "requester_name": ticket.requester.name,
        "requester_roles": written(sorted(ticket.requester.roles)),
        "guild": ticket.origin.guild,
        "channel": ticket.origin.channel,
        "visibility": ticket.visibility,
        "shown": SHOWN.write(ticket.shown),
        "created_at": ticket.created_at,
        "expires_at": ticket.expires_at,
        "confirmed_at": ticket.confirmed_at,
        "approvals": APPROVALS.write(ticket.approvals),
        "sent_at": ticket.sent_at,
        "ended_at": ticket.ended_at,
        "ended_by": ticket.ended_by,
        "outcome": ticket.outcome,
        "order_ids": written(ticket.order_ids),
        "order_state": ticket.order_state,
        "filled": ticket.filled,
        "average_fill_price": None if ticket.average_fill_price is None else str(ticket.average_fill_price),
        "orders_before": written(ticket.orders_before),
        "absent_since": ticket.absent_since,
        "progress": PROGRESS.write(ticket.progress) if ticket.progress != NO_PROGRESS else None,
        "order_terms": None if ticket.order_terms is None else TERMS.write(ticket.order_terms),
        "retired_at": ticket.retired_at,
        "protection": None if ticket.protection is None else PROTECTION.write(ticket.protection),
        # Nothing where it is not, so that the index holds the few of which it is asked.
        "guarded": ticket.is_guarded or None,
        "told": ticket.told,
        "ended_by_id": ticket.ended_by_id,
    }


def _market(ticket: Ticket) -> str:
    """The contract, for whoever looks into the database; of a mass action its scope."""
    return str(ticket.intent.scope) if isinstance(ticket.intent, MassAction) else str(ticket.intent.contract)


def event_data(event: Event) -> str:
    """The data of an event, beside its columns, as JSON."""
    return written(dict(event.data))


def fill_values(account: str, fill: Execution) -> Values:
    """The columns of one fill."""
    return {
        "account": account,
        "at": fill.at,
        "id": fill.id,
        "order_id": fill.order_id,
        "contract": str(fill.contract),
        "side": fill.side,
        "quantity": fill.quantity,
        "price": str(fill.price),
    }


def tickets_of(rows: Iterable[AnyRow]) -> list[Ticket]:
    """Rows of the tickets table as tickets."""
    return _each(_ticket, rows)


def events_of(rows: Iterable[AnyRow]) -> list[Event]:
    """Rows of the events table as events."""
    return _each(_event, rows)


def deliveries_of(rows: Iterable[AnyRow]) -> list[Delivery]:
    """Rows of the outbox table as deliveries."""
    return _each(_delivery, rows)


def fills_of(rows: Iterable[AnyRow]) -> list[Execution]:
    """Rows of the fills table as executions."""
    return _each(_fill, rows)


def _each(build: Callable[[AnyRow], _Read], rows: Iterable[AnyRow]) -> list[_Read]:
    try:
        return [build(row) for row in rows]
    except (ValueError, TypeError, KeyError, ArithmeticError, InstrumentError) as error:
        raise JournalError(
            "The journal holds a record that this version of the bot can't read; restore the file from a backup."
        ) from error


def _ticket(row: AnyRow) -> Ticket:
    # In the order of the table, as one unpacking costs a fraction of thirty look-ups by name; this is read while a trader waits.
    (
        id_, version, state, revision, _account, _contract, intent, requester, requester_name, requester_roles, guild,
        channel, visibility, shown, created_at, expires_at, message, _message_channel, confirmed_at, approvals, sent_at,
        ended_at, ended_by, outcome, order_ids, order_state, filled, average_fill_price, orders_before, *rest,
    ) = row  # fmt: skip
    return Ticket(
        id=id_,
        intent=INTENT.read(intent),
        requester=Member(requester, requester_name, frozenset(_read(requester_roles))),
        origin=Origin(guild, channel),
        visibility=_VISIBILITIES[visibility],
        shown=SHOWN.read(shown),
        created_at=created_at,
        expires_at=expires_at,
        state=_STATES[state],
        revision=revision,
        version=version,
        message=message,
        confirmed_at=confirmed_at,
        approvals=APPROVALS.read(approvals),
        sent_at=sent_at,
        ended_at=ended_at,
        ended_by=ended_by,
        outcome=outcome,
        order_ids=tuple(_read(order_ids)),
        order_state=None if order_state is None else _ORDER_STATES[order_state],
        filled=filled,
        average_fill_price=None if average_fill_price is None else Decimal(average_fill_price),
        orders_before=tuple(_read(orders_before)),
        **_rest(*rest),
    )


def _rest(
    absent_since: datetime | None,
    progress: str | None,
    order_terms: str | None,
    retired_at: datetime | None,
    protection: str | None,
    _guarded: bool | None,  # noqa: FBT001  the columns in their order
    told: str | None,
    ended_by_id: int | None,
) -> dict[str, Any]:
    return {
        "absent_since": absent_since,
        "progress": NO_PROGRESS if progress is None else PROGRESS.read(progress),
        "order_terms": None if order_terms is None else TERMS.read(order_terms),
        "retired_at": retired_at,
        "protection": None if protection is None else PROTECTION.read(protection),
        "told": None if told is None else Told(told),
        "ended_by_id": ended_by_id,
    }


def _event(row: AnyRow) -> Event:
    return Event(at=row.at, name=EventName(row.name), ticket=row.ticket, actor=row.actor, data=_read(row.data))


def _fill(row: AnyRow) -> Execution:
    return Execution(
        id=row.id,
        order_id=row.order_id,
        account=row.account,
        contract=parse_dated(row.contract),
        side=Side(row.side),
        quantity=row.quantity,
        price=Decimal(row.price),
        at=row.at,
    )


def _delivery(row: AnyRow) -> Delivery:
    notice = Notice(row.channel, row.text, row.silent, Tone(row.tone)) if row.kind == NOTICE else None
    return Delivery(row.id, row.ticket, notice, since=row.since, sequence=row.sequence, attempts=row.attempts)
