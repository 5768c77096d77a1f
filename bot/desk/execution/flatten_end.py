"""The end of a mass action: done, refused, not sent, gone out unseen, or with something left. Nothing is stored here."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from bot.desk.execution.steps import End, StepRunner
from bot.desk.ports import EventName
from bot.trading.exits.leftover import commands_for, in_words, left_of, named_some
from bot.trading.exits.steps import MOST_ALIKE, Market
from bot.trading.orders.mass_actions import CancelWorking, FlattenStrategy, MassAction
from bot.trading.orders.progress import ExitRow, StepState
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import TicketState, Told, move
from bot.trading.words import quoted

LOOK = "Look at NinjaTrader."
UNSEEN = "Sent unseen{where}, as the lists{there} could not be read; it is read back as soon as they can be."


@dataclass(frozen=True, slots=True)
class Left:
    """The state in which a mass action ends.

    Attributes:
        lines: each contract as last read.
        halted: why nothing more could be sent.
        others: ids of tickets there whose outcome is open.
        barred: where the broker has refused alike, and its words.
        unseen: accounts to which a call went out unseen.
        beside: orders of what is no future that still work, in plain words.
        idle: accounts in which nothing was done, and what was last answered to a call that went there unseen.
    """

    lines: tuple[ExitRow, ...]
    halted: str | None
    others: tuple[str, ...]
    barred: Mapping[Market, str | None]
    unseen: frozenset[str]
    beside: tuple[str, ...] = ()
    idle: Mapping[str, str | None] = field(default_factory=dict)


def end_of(runner: StepRunner, mass_action: MassAction, left: Left, now: datetime) -> End:
    """The end, to be stored."""
    ticket, progress, steps = runner.ticket, runner.progress, runner.progress.steps
    if not (left_of(left.lines) or left.beside):
        name = EventName.ORDER_CANCELLED if isinstance(mass_action, CancelWorking) else EventName.FLATTENED
        told = _about_others(left.others)
        changes = {"order_state": OrderState.FILLED, "outcome": told, "ended_at": now, "progress": progress}
        return name, move(ticket, TicketState.ACCEPTED, **changes)
    if steps and not left.barred and all(step.state is StepState.REJECTED for step in steps):
        return EventName.REJECTED, move(ticket, TicketState.REJECTED, ended_at=now, outcome=steps[-1].text, progress=progress)
    if all(step.state is StepState.NOT_SENT for step in steps):
        words = left.halted or (steps[-1].text if steps else _awaited(left.others))
        told = None if left.halted or steps else Told.REST
        return EventName.NOT_SENT, move(ticket, TicketState.NOT_SENT, ended_at=now, outcome=words, told=told, progress=progress)
    if unread := {line.account for line in left.lines if line.account in left.unseen and not _is_read(line)}:
        # Whatever it has done shows once somebody can read it, and then it is told.
        words = _unseen(mass_action, left, unread)
        return EventName.UNKNOWN, move(ticket, TicketState.UNKNOWN, ended_at=now, outcome=words, progress=progress)
    words = " ".join(filter(None, (in_words(left.beside), _rest(mass_action, left, left.lines))))
    changes = {"order_state": OrderState.CANCELLED, "outcome": words, "told": Told.REST, "ended_at": now, "progress": progress}
    return EventName.NOT_CLOSED, move(ticket, TicketState.ACCEPTED, **changes)


def _unseen(mass_action: MassAction, left: Left, unread: AbstractSet[str]) -> str:
    """The accounts to which it went unseen; of the others, where nothing was done and what is left."""
    are_all = unread >= set(mass_action.scope.accounts)
    names = named_some(quoted(name, 60) for name in sorted(unread))
    sent = UNSEEN.format(where="" if are_all else f" to {names}", there="" if are_all else " there")
    others = [line for line in left.lines if line.account not in unread]
    also = in_words([*left_of(others), *left.beside])
    if not (also or left.halted or left.barred):
        return sent
    found = (sent, _idle(mass_action, left.idle, others), f"Left: {also}" if also else "", _rest(mass_action, left, others))
    return " ".join(filter(None, found))


def _idle(mass_action: MassAction, idle: Mapping[str, str | None], others: Iterable[ExitRow]) -> str:
    names = sorted({line.account for line in others if line.account in idle and not line.is_done})
    named = named_some(f"{quoted(name, 60)}{f' ({idle[name]})' if idle[name] else ''}" for name in names)
    return f"Nothing was {'cancelled' if isinstance(mass_action, CancelWorking) else 'closed'} in {named}." if names else ""


def _rest(mass_action: MassAction, left: Left, lines: Iterable[ExitRow]) -> str:
    """The reason why nothing more was sent, and what to do about these rows."""
    return " ".join(filter(None, (left.halted, _refused(mass_action, left.barred), commands_for(mass_action, lines), LOOK)))


def _is_read(line: ExitRow) -> bool:
    return line.now is not None and line.orders_now is not None


def _refused(mass_action: MassAction, barred: Mapping[Market, str | None]) -> str:
    # A strategy's one call is never made again.
    what, how = ("the close", "") if isinstance(mass_action, FlattenStrategy) else (f"{MOST_ALIKE} closes", " alike")
    said = (
        f"NinjaTrader rejected {what} of {contract} in {quoted(account, 40)}{how}"
        f"{f' ({words})' if words else ''}, so nothing more was sent there."
        for (account, contract), words in barred.items()
    )
    return " ".join(said)


def _awaited(others: tuple[str, ...]) -> str:
    return f"Ticket {', '.join(others)} there may still close it, so nothing was sent beside it." if others else ""


def _about_others(others: tuple[str, ...]) -> str | None:
    """Flat for now; an order whose answer was lost may still turn up."""
    named = ", ".join(others)
    return f"Flat as read; the outcome of ticket {named} there is still unknown and may open a position." if others else None
