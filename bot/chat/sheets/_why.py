"""``/why``: one ticket or denial: who, what the card said, what was sent, what came back, and how long each step took."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import groupby

from bot.chat.figures import clock_time, number, price, took
from bot.chat.markdown import bare, code, harmless
from bot.chat.mass_action_cards import order as mass_action_words
from bot.chat.sheets._shared import NOT_TOLD, moment, read_at, titled
from bot.chat.tables import Section, messages, pair, side_by_side, wrapped
from bot.chat.wording import clip
from bot.desk.ports import Event
from bot.desk.reads.reports import Explanation, StoryStep
from bot.trading.exits.leftover import outcome_of
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.progress import Step
from bot.trading.orders.terms import words_of
from bot.trading.orders.tickets import Ticket, side_word

LONGEST_OUTCOME = 700
CLOCK = "-# From the desk's journal, UTC by its own clock; beside each step the time since the one before."
NOTHING_SENT = "Nothing was sent."
# What of a line's data is told, and how it is called; the rest is for programs.
_TOLD = {
    "outcome": "",
    "why": "",
    "evidence": "shown by",
    "absent": "absent",
    "unclear": "",
    "denials": "",
    "order_state": "",
    "filled": "filled",
    "order": "now",
    "order_ids": "order",
    "left": "left:",
}


def why(explained: Explanation) -> list[str]:
    """``/why``."""
    if explained.denial is not None:
        return messages([_denied(explained.denial)], CLOCK, read_at([explained]))
    if explained.ticket is None:
        return messages([Section(NOTHING_SENT)], read_at([explained]))
    ticket = explained.ticket
    sections = [_head(ticket), _card(ticket), _sent(ticket), _came_back(ticket), _steps(explained.steps)]
    return messages(sections, CLOCK, read_at([explained]))


def _denied(event: Event) -> Section:
    """A no before there was a ticket: what was typed, and every rule that spoke against it."""
    data = event.data
    typed = [(name, value) for name, value in data.items() if name not in {"denials", "command", "channel"}]
    lines = [line for name, value in typed for line in pair(name, str(value))]
    heading = f"**denied** · /{harmless(str(data.get('command', '')), 40)} · {moment(event.at)} UTC"
    rules = [f"rule {code(str(denial))}" for denial in _items(data.get("denials"))]
    return Section(heading, tuple(lines), (*rules, NOTHING_SENT))


def _head(ticket: Ticket) -> Section:
    accounts = ticket.intent.accounts
    where = accounts[0] if len(accounts) == 1 else f"{len(accounts)} accounts"
    heading = f"{titled(where, live=ticket.shown.live)} · **ticket {ticket.id}** · {ticket.state}"
    return Section(heading, (), tuple(_people(ticket)))


def _people(ticket: Ticket) -> Iterator[str]:
    yield f"Asked by {ticket.requester.named}: /{ticket.intent.command}"
    if ticket.confirmed_at is not None:
        yield f"Confirmed by {ticket.requester.named}"
    yield from (f"Approved by {approval.named}" for approval in ticket.approvals)
    yield from (f"Needs approval by <@&{role}>" for role in sorted(ticket.missing_roles))
    if ticket.ender is not None:
        yield f"Ended by {ticket.ender}"


def _card(ticket: Ticket) -> Section:
    """The card that was shown for confirmation, as it was then."""
    shown, lines = ticket.shown, []
    if isinstance(ticket.intent, MassAction):
        lines += [
            line for each in ticket.progress.rows for line in pair(f"{each.account} {each.contract or ''}", _was(each.before))
        ]
    else:
        average = "" if shown.average_price is None else f" at {price(shown.average_price, shown.tick_size)}"
        held = f"{side_word(shown.position)}{average if shown.position else ''}" if shown.position_read else NOT_TOLD
        lines += pair("position", held)
        lines += pair("after it", side_word(shown.after)) if shown.position_read else []
    for name, value in (("bid", shown.bid), ("ask", shown.ask), ("last", shown.last)):
        lines += [] if value is None else pair(name, price(value, shown.tick_size))
    lines += [] if shown.quoted_at is None else pair("quoted", clock_time(shown.quoted_at))
    return Section("**The card said**", tuple(lines), tuple(f"⚠ {warning}" for warning in shown.warnings))


def _was(quantity: int | None) -> str:
    return NOT_TOLD if quantity is None else side_word(quantity)


def _sent(ticket: Ticket) -> Section:
    """The call, or the calls with their ends."""
    if ticket.sent_at is None:
        return Section(NOTHING_SENT)
    intent = ticket.intent
    if ticket.progress.steps:
        lines = [line for step in ticket.progress.steps for line in _step(step)]
        return Section("**Sent**, one call after the other", tuple(lines))
    if isinstance(intent, MassAction):
        return Section("**Sent**: no call of it began", (), tuple(mass_action_words(ticket, intent)))
    lines = [*pair(intent.command, str(intent.contract)), *wrapped(words_of(intent.terms, ticket.shown.tick_size))]
    named = (("our id", intent.client_order_id), ("about order", intent.target_id))
    lines += [line for name, value in named if value is not None for line in wrapped(f"{name} {value}")]
    return Section("**Sent**, once", tuple(lines))


def _step(step: Step) -> list[str]:
    lasted = "" if step.took is None else took(step.took)
    text = [] if step.text is None else side_by_side("  ", bare(step.text))
    return [*side_by_side(f"{clock_time(step.sent_at)} ", bare(step.words)), *pair(step.state, lasted), *text]


def _came_back(ticket: Ticket) -> Section:
    ids = tuple(line for order_id in ticket.order_ids for line in wrapped(f"order {order_id}"))
    state = [] if ticket.order_state is None else pair("order", ticket.order_state.value)
    average = "" if ticket.average_fill_price is None else f" at {number(ticket.average_fill_price)}"
    filled = pair("filled", f"{ticket.filled}{average}") if ticket.filled else []
    notes = (clip(told, LONGEST_OUTCOME),) if (told := outcome_of(ticket)) else ()
    return Section(f"**Came back**: {ticket.state}", (*ids, *state, *filled), notes)


def _steps(steps: Sequence[StoryStep]) -> Section:
    lines: list[str] = []
    for day, group in groupby(steps, key=lambda step: step.at.astimezone(UTC).date()):
        lines.append(f"{day:%m-%d}")
        for step in group:
            lines += pair(f"{clock_time(step.at)} {step.name}", "" if step.took is None else took(step.took))
            lines += [line for words in _details(step.event) for line in side_by_side("  ", words)]
    return Section("**Step by step**", tuple(lines))


def _details(event: Event | None) -> Iterator[str]:
    data = {} if event is None else event.data
    for key, name in _TOLD.items():
        yield from (bare(f"{name} {value}".strip()) for value in _items(data.get(key)))


def _items(value: object) -> list[object]:
    """One thing or several; nothing for what says nothing."""
    if isinstance(value, list | tuple):
        return list(value)
    return [value] if value else []
