"""Words of a mass action's card: its scope, each account and instrument before and now, each call and its end."""

from collections.abc import Iterable, Iterator

from bot.chat import figures
from bot.chat.markdown import code
from bot.chat.wording import LONGEST_LINE, clip, size
from bot.trading.exits.leftover import left_of, may_open
from bot.trading.exits.rules import done_words, steps, undone_words
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, target_of
from bot.trading.orders.progress import ExitRow, Step, StepState
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, TicketState, side_word

# What is left is told before what is done, so that a long list loses the less important part.
MOST_LINES = 24
MOST_STEPS = 8
_MARKS = {
    StepState.ACCEPTED: "✓",
    StepState.REJECTED: "✗",
    StepState.NOT_SENT: "✗",
    StepState.UNKNOWN: "?",
    StepState.SENDING: "…",
}


def title(ticket: Ticket, mass_action: MassAction) -> str | None:
    """The words of an end that is a mass action's own; ``None`` where the usual ones do."""
    if ticket.state is not TicketState.ACCEPTED:
        return None
    if is_short_of_it(ticket):
        return f"accepted · {undone_words(mass_action)}"
    return f"accepted · {done_words(mass_action)}{took(ticket)}"


def took(ticket: Ticket) -> str:
    """The time from the first byte to the reading that proved it."""
    done_at = ticket.progress.done_at
    return "" if done_at is None or ticket.sent_at is None else f" in {(done_at - ticket.sent_at).total_seconds():.1f} s"


def is_short_of_it(ticket: Ticket) -> bool:
    """Tell whether it ended with something left."""
    # What is left may be of no row, as orders of what is no future are.
    is_left = ticket.order_state is OrderState.CANCELLED or not all(line.is_done for line in ticket.progress.rows)
    return ticket.state is TicketState.ACCEPTED and is_left


def about_left(ticket: Ticket) -> Iterator[str]:
    """Key to the rows of what ended with something left."""
    if left_of(ticket.progress.rows):
        yield "✗ marks what is left."
    if any(None in {line.now, line.orders_now} for line in ticket.progress.rows):
        yield "Unread: may be open or working."


def alarms(ticket: Ticket, mass_action: MassAction) -> Iterator[str]:
    """Warnings that must not be overlooked while it goes on: what went out unseen, and orders that outlive the position."""
    if ticket.state is not TicketState.SENDING:
        return
    if ticket.progress.went_unseen:
        yield "⚠ Sent unseen: the lists could not be read. It is read back as soon as they can be."
    if isinstance(mass_action, Flatten) and ticket.progress.last_close is not None:
        yield from (f"⚠ {text}." for text in may_open(ticket.progress.rows))


def order(ticket: Ticket, mass_action: MassAction) -> Iterator[str]:
    """Scope of the mass action."""
    verb = "CANCEL" if isinstance(mass_action, CancelWorking) else "FLATTEN"
    only = f" {mass_action.only} positions" if isinstance(mass_action, Flatten) and mass_action.only else ""
    what = "everything" if mass_action.scope.everything else code(target_of(mass_action), 80)
    yield f"{figures.mark(live=ticket.shown.live)} · **{verb}{only}** · {what}"


def lines(ticket: Ticket, mass_action: MassAction, room: int) -> list[str]:
    """A row for each account and instrument, as many as there is room for; what isn't done first."""
    made = sorted(ticket.progress.rows, key=lambda line: line.is_done)
    several = len(mass_action.scope.accounts) > 1 or ticket.progress.rows[:1] == ()
    wanted = (_line(line, ticket, mass_action, several=several) for line in made[:MOST_LINES])
    kept = _fitting(wanted, room - len("\n… and 9999 more"))
    return kept if len(kept) == len(made) else [*kept, f"… and {len(made) - len(kept)} more"]


def plan(ticket: Ticket, mass_action: MassAction) -> Iterator[str]:
    """Steps that will be done."""
    yield from (f"{number}. {step}" for number, step in enumerate(steps(mass_action, ticket.progress.rows), start=1))


def calls(ticket: Ticket, room: int) -> list[str]:
    """Each call and its end; of many the last ones, as there is room."""
    return _fitting((_step(step, ticket) for step in ticket.progress.steps[: -MOST_STEPS - 1 : -1]), room)[::-1]


def _step(step: Step, ticket: Ticket) -> str:
    # What was on its way when the process ended is in doubt.
    state = StepState.UNKNOWN if step.state is StepState.SENDING and ticket.state is not TicketState.SENDING else step.state
    accounts = ticket.intent.accounts
    # Where all of it is about one account, the card has named it.
    what = step.words_in(accounts[0] if len(accounts) == 1 else None)
    return f"-# {_MARKS[state]} {what}{'' if step.text is None else f': {step.text}'}"


def _fitting(wanted: Iterable[str], room: int) -> list[str]:
    """As many of the lines, cut to length, as there is room for."""
    kept: list[str] = []
    for line in wanted:
        cut = clip(line, LONGEST_LINE)
        room -= size(cut) + 1
        if room < 0:
            break
        kept.append(cut)
    return kept


_BEFORE_READING = frozenset(
    {TicketState.OFFERED, TicketState.SENDING, TicketState.CANCELLED, TicketState.EXPIRED, TicketState.VOID, TicketState.DENIED}
)


def _is_unbegun(ticket: Ticket) -> bool:
    """Tell whether nothing has been read since the card was made; what can't be read is something else."""
    nothing_read = all(line.now is None and line.orders_now is None for line in ticket.progress.rows)
    return nothing_read and not ticket.progress.steps and ticket.state in _BEFORE_READING


def _where(line: ExitRow, *, several: bool) -> str:
    account = code(line.account, 40)
    if line.contract is None:
        return account
    return f"{account} {line.contract}" if several else str(line.contract)


def _line(line: ExitRow, ticket: Ticket, mass_action: MassAction, *, several: bool) -> str:
    where = _where(line, several=several)
    if _is_unbegun(ticket):
        return f"{where} · {_planned(line, mass_action)}"
    undone = "…" if ticket.state in IN_FLIGHT else "✗"
    return f"{'✓' if line.is_done else undone} {where} · {_runner(line, mass_action)}"


def _planned(line: ExitRow, mass_action: MassAction) -> str:
    if line.before is None:
        return "could not be read"
    working = f"{line.orders_before} working" if line.orders_before else ""
    return working if isinstance(mass_action, CancelWorking) else _joined(side_word(line.before), working)


def _runner(line: ExitRow, mass_action: MassAction) -> str:
    """State of a row before and now, short enough for one line of a phone."""
    if isinstance(mass_action, CancelWorking) or line.before == line.now == 0:
        return _course_of_orders(line)
    match mass_action:
        case Flatten(only=Holding() as only) if line.is_done and line.contract is None:
            # Of the other side, as of what isn't the strategy's, nothing was asked and nothing is known.
            return f"no {only} position"
        case FlattenStrategy() if line.is_done and line.contract is None:
            return "nothing of it is left"
        case _:
            return _joined(_course_of_position(line), _orders_beside(line))


def _course_of_orders(line: ExitRow) -> str:
    before = f"{line.orders_before} working" if line.orders_before else ""
    if line.orders_now is None:
        return f"{before} → unread" if before else "orders unread"
    if line.orders_now == line.orders_before or not before:
        return f"{line.orders_now} working" if line.orders_now else "nothing works"
    return f"{before} → {line.orders_now or 'none'}"


def _course_of_position(line: ExitRow) -> str:
    before, now = line.before, line.now
    if before is None or before == now:
        return "unread" if now is None else side_word(now)
    if now is None:
        return f"{side_word(before)} → unread"
    return f"{side_word(before)} → {abs(now) if before * now > 0 else side_word(now)}"


def _orders_beside(line: ExitRow) -> str:
    """The orders beside a position: not a word where a flat row ends without any, as that is what it was for."""
    if line.orders_now is None:
        return "" if line.now is None else "orders unread"
    if line.orders_now:
        return f"{line.orders_now} working"
    # What protected a position that is still open, or may be, has gone; and of what nobody could read, both are news.
    is_news = not line.is_done and (line.now is None or line.orders_before)
    return "nothing works" if is_news or line.before is None else ""


def _joined(position: str, orders: str) -> str:
    return f"{position}, {orders}" if orders else position
