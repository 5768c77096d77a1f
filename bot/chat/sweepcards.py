"""What a card says of a sweep: what it goes over, each account and instrument before and now, each call and its end."""

from collections.abc import Iterable, Iterator

from bot.chat import figures
from bot.chat.wording import LONGEST_LINE, clip, size
from bot.trading.progress import Leg, LegState, Line
from bot.trading.sweeping import done_words, steps, undone_words
from bot.trading.sweeps import CancelWorking, Flatten, Sweep, target_of
from bot.trading.tickets import Ticket, TicketState, side_word
from bot.trading.words import code

# What is left is told before what is done, so that a long list loses the less important part.
MOST_LINES = 24
MOST_LEGS = 8
_MARKS = {LegState.ACCEPTED: "✓", LegState.REJECTED: "✗", LegState.NOT_SENT: "✗", LegState.UNKNOWN: "?", LegState.SENDING: "…"}


def title(ticket: Ticket, sweep: Sweep) -> str | None:
    """The words of an end that is a sweep's own; ``None`` where the usual ones do."""
    if ticket.state is not TicketState.ACCEPTED:
        return None
    if all(line.is_done for line in ticket.progress.lines):
        return f"accepted · {done_words(sweep)}{took(ticket)}"
    return f"accepted · {undone_words(sweep)}"


def took(ticket: Ticket) -> str:
    """The time from the first byte to the reading that proved it."""
    done_at = ticket.progress.done_at
    return "" if done_at is None or ticket.sent_at is None else f" in {(done_at - ticket.sent_at).total_seconds():.1f} s"


def is_short_of_it(ticket: Ticket) -> bool:
    """Tell whether it ended with something left."""
    over = ticket.state is TicketState.ACCEPTED
    return over and not all(line.is_done for line in ticket.progress.lines)


def order(ticket: Ticket, sweep: Sweep) -> Iterator[str]:
    """What it goes over."""
    verb = "CANCEL" if isinstance(sweep, CancelWorking) else "FLATTEN"
    only = f" {sweep.only} positions" if isinstance(sweep, Flatten) and sweep.only else ""
    what = "everything" if sweep.scope.everything else code(target_of(sweep), 80)
    yield f"{figures.mark(live=ticket.shown.live)} · **{verb}{only}** · {what}"


def lines(ticket: Ticket, sweep: Sweep, room: int) -> list[str]:
    """A line for each account and instrument, as many as there is room for; what isn't done first."""
    made = sorted(ticket.progress.lines, key=lambda line: line.is_done)
    told = _planned if _is_unbegun(ticket) else _now
    several = len(sweep.scope.accounts) > 1 or ticket.progress.lines[:1] == ()
    wanted = (f"{_where(line, several=several)} · {told(line, sweep)}" for line in made[:MOST_LINES])
    kept = _fitting(wanted, room - len("\n… and 9999 more"))
    return kept if len(kept) == len(made) else [*kept, f"… and {len(made) - len(kept)} more"]


def plan(ticket: Ticket, sweep: Sweep) -> Iterator[str]:
    """What will be done."""
    yield from (f"{number}. {step}" for number, step in enumerate(steps(sweep, ticket.progress.lines), start=1))


def legs(ticket: Ticket, room: int) -> list[str]:
    """Each call and its end; of many the last ones, as there is room."""
    return _fitting((_leg(leg, ticket) for leg in ticket.progress.legs[: -MOST_LEGS - 1 : -1]), room)[::-1]


def _leg(leg: Leg, ticket: Ticket) -> str:
    # What was on its way when the process ended is in doubt.
    state = LegState.UNKNOWN if leg.state is LegState.SENDING and ticket.state is not TicketState.SENDING else leg.state
    return f"-# {_MARKS[state]} {leg.what}{'' if leg.text is None else f': {leg.text}'}"


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
    nothing_read = all(line.now is None and line.orders_now is None for line in ticket.progress.lines)
    return nothing_read and not ticket.progress.legs and ticket.state in _BEFORE_READING


def _where(line: Line, *, several: bool) -> str:
    account = code(line.account, 40)
    if line.contract is None:
        return account
    return f"{account} {line.contract}" if several else str(line.contract)


def _planned(line: Line, sweep: Sweep) -> str:
    if line.before is None:
        return "could not be read"
    working = f"{line.orders_before} working" if line.orders_before else "nothing works"
    return working if isinstance(sweep, CancelWorking) else f"{side_word(line.before)}, {working}"


def _now(line: Line, sweep: Sweep) -> str:
    mark = "✓" if line.is_done else "…"
    orders = "orders unread" if line.orders_now is None else f"{line.orders_now} working" if line.orders_now else "nothing works"
    if isinstance(sweep, CancelWorking):
        return f"{mark} {orders}"
    before = "" if line.before is None else f"{side_word(line.before)} → "
    return f"{mark} {before}{'unread' if line.now is None else side_word(line.now)}, {orders}"
