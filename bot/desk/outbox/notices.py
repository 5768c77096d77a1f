"""Notices for the team's channels, and which channels read them: the ``[[notify]]`` routes of the policy."""

from dataclasses import replace

from bot.desk.outbox.startup_report import StartupReport
from bot.desk.ports import EventName, Notice, Tone
from bot.trading.exits.leftover import outcome_of
from bot.trading.exits.rules import done_words, undone_words
from bot.trading.orders.intents import Bracket, Cancel, Change, Close, OrderIntent, Replace
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, MassAction, target_of
from bot.trading.orders.protection import Part
from bot.trading.orders.tickets import Ticket, TicketState, side_word
from bot.trading.reconciliation.protection import cause_words, hit_words, left_words, short_words, turned_to, turned_words
from bot.trading.reconciliation.replacing import about_old
from bot.trading.risk.halts import Source, Switch
from bot.trading.risk.policy import EVERYTHING, RESUME, Policy, matches
from bot.trading.words import quoted

# Events that also travel under the name that a team would look for.
ROUTE_NAMES = {
    EventName.PART_FILLED: EventName.FILLED,
    EventName.FLATTENED: EventName.FILLED,
    EventName.STOPPED_OUT: EventName.FILLED,
    EventName.TARGET_HIT: EventName.FILLED,
    EventName.UNPROTECTED: EventName.REJECTED,
    # Whoever was alarmed must hear that it is over.
    EventName.PROTECTED: EventName.REJECTED,
    EventName.NEVER_ARRIVED: EventName.UNKNOWN,
    EventName.RESOLVED: EventName.UNKNOWN,
    EventName.NOT_CLOSED: EventName.REJECTED,
    EventName.NOT_CANCELLED: EventName.REJECTED,
    EventName.NOT_CHANGED: EventName.REJECTED,
    EventName.LOST_SIGHT: EventName.UNKNOWN,
}
ALARMS = frozenset(
    {
        EventName.REJECTED,
        EventName.NOT_CLOSED,
        EventName.NOT_CANCELLED,
        EventName.NOT_CHANGED,
        EventName.UNPROTECTED,
        EventName.LOST_SIGHT,
        EventName.UNKNOWN,
        EventName.NEVER_ARRIVED,
        EventName.HALTED,
        EventName.LINK_DOWN,
    }
)
AGAIN = "nothing was sent, ask again with the command"
SOUGHT = "the bot looks for the order, and nothing is sent again"
OUT_OF_REACH = "Neither the channel where this was asked nor its requester's direct messages can be reached."
MEANT_FOR = "Meant for channel {channel}, where the bot can't post: mend that channel, or [[notify]] in the policy file."
MOST_ROLES = 5
NOBODY_RESUMES = "No role is granted /resume; whoever runs the desk must add a grant to the policy file."
# What becomes of stops and targets; of an order that is none of ours to cancel, not cancelled are those left by a position.
_OF_PROTECTION = frozenset(
    {
        EventName.STOPPED_OUT,
        EventName.TARGET_HIT,
        EventName.UNPROTECTED,
        EventName.PROTECTED,
        EventName.NOT_CANCELLED,
        EventName.NOT_CLOSED,
    }
)
WHAT_TO_DO = "Press Bracket on its card, or use /bracket or /close."
# The card alone tells these; a channel would drown in them.
CARD_ONLY = frozenset(
    {
        EventName.OFFERED,
        EventName.REQUOTED,
        EventName.CONFIRMED,
        EventName.APPROVED,
        EventName.SENDING,
        EventName.STEP,
        EventName.SEEN,
    }
)


def tone_of(name: EventName) -> Tone:
    """The urgency of the news of an event."""
    return Tone.ALARM if name in ALARMS else Tone.ROUTINE


def notices_for(policy: Policy, name: EventName, ticket: Ticket) -> tuple[Notice, ...]:
    """One notice for each channel that wants to read of this event."""
    if name in CARD_ONLY:
        return ()
    routed = ROUTE_NAMES.get(name, name)
    text = headline(name, ticket)
    chosen: dict[int, Notice] = {}
    for route in policy.routes:
        if any(route.carries(each, account) for each in {name, routed} for account in ticket.intent.accounts):
            loud_before = route.channel in chosen and not chosen[route.channel].silent
            is_silent = route.is_silent(routed) or route.is_silent(name)
            chosen[route.channel] = Notice(route.channel, text, is_silent and not loud_before, tone_of(name))
    return tuple(chosen.values())


def last_resort(policy: Policy, ticket: Ticket) -> Notice | None:
    """The notice for a channel of the team's of a ticket that is out of its requester's reach, if none reads of it anyway.

    It is the first one that reads of all its accounts: nobody learns more of an account than the policy file lets them.
    """
    if ticket.state in {TicketState.OFFERED, TicketState.SENDING}:
        return None
    name, accounts = EventName(ticket.state.value), ticket.intent.accounts
    fit = [route.channel for route in policy.routes if all(matches(account, route.accounts) for account in accounts)]
    if not fit or notices_for(policy, name, ticket):
        return None
    return Notice(fit[0], f"{headline(name, ticket)}\n{OUT_OF_REACH}", tone=tone_of(name))


def detours(policy: Policy, notice: Notice) -> tuple[Notice, ...]:
    """The same notice for the team's other channels, with why it comes there; for those that read of every account."""
    text = f"{notice.text}\n{MEANT_FOR.format(channel=notice.channel)}"
    wide = [route.channel for route in policy.routes if EVERYTHING in route.accounts]
    others = dict.fromkeys(channel for channel in wide if channel != notice.channel)
    return tuple(replace(notice, channel=channel, text=text) for channel in others)


def notices_of_the_desk(
    policy: Policy, name: EventName, text: str, tone: Tone = Tone.ROUTINE, before: Policy | None = None
) -> tuple[Notice, ...]:
    """One notice for each channel that wants to read of an event of the desk itself.

    Args:
        policy: in force.
        name: of the event.
        text: harmless already.
        tone: an alarm goes to every channel that reads of any alarm, whether it wants this event or not.
        before: the policy of before, whose channels read it as well.
    """
    routes = (*policy.routes, *(before.routes if before is not None else ()))
    wanted = {name, *ALARMS} if tone is Tone.ALARM else {name}
    channels = dict.fromkeys(route.channel for route in routes if any(route.wants(each) for each in wanted))
    return tuple(Notice(channel, text, tone=tone) for channel in channels)


def notices_of_unstored(policy: Policy, ticket: Ticket, name: EventName, says: str) -> tuple[Notice, ...]:
    """Alarms about an order whose end the journal can't take: where it was asked, and wherever an unknown one is told."""
    lines = [
        f"The journal is behind: {quoted(name.value)}, and it {says}",
        about(ticket.intent, "LIVE" if ticket.shown.live else "SIM"),
        *([f"order {quoted(ticket.order_id)}"] if ticket.order_id is not None else []),
        *filter(None, [outcome_of(ticket)]),
        "Look at NinjaTrader, and don't send it again; the card may say something else.",
        f"asked by {ticket.requester.named} · ticket {ticket.id}",
    ]
    text = "\n".join(lines)
    routed = {notice.channel for notice in notices_for(policy, EventName.UNKNOWN, ticket)}
    return tuple(Notice(channel, text, tone=Tone.ALARM) for channel in sorted({ticket.origin.channel} | routed))


def notices_of_the_start(policy: Policy, found: StartupReport) -> tuple[Notice, ...]:
    """Notices of what a start found, for the channels where it was asked, and for those that want to read of every start."""
    told = {
        channel: Notice(channel, _of_the_start(found.expired_in[channel], found.unknown_in[channel], found.late_in[channel]))
        for channel in found.channels
    }
    everything = _of_the_start(found.expired, found.unknown, found.late)
    for route in policy.routes:
        if route.wants(EventName.STARTED):
            told[route.channel] = Notice(route.channel, everything, route.is_silent(EventName.STARTED))
    return tuple(told.values())


def _of_the_start(expired: int, unknown: int, late: int) -> str:
    counted = (
        (expired, "ticket" if expired == 1 else "tickets", f"expired by the restart: {AGAIN}"),
        (unknown, "outcome" if unknown == 1 else "outcomes", f"unknown: {SOUGHT}"),
        (late, "piece" if late == 1 else "pieces", "of news told late"),
    )
    lines = [f"{count} {what} {told}" for count, what, told in counted if count]
    return "\n".join(["The bot has started", *(lines or ["Nothing was left open."])])


def notices_of_switch(
    policy: Policy, name: EventName, switch: Switch, channel: int | None = None, still: Switch | None = None
) -> tuple[Notice, ...]:
    """One notice for each channel that wants to read of switches there, and for the one where it was asked."""
    text, wanted = switch_words(policy, name, switch, still), switch.account == EVERYTHING
    chosen = {} if channel is None else {channel: Notice(channel, text, tone=tone_of(name))}
    for route in policy.routes:
        if route.wants(name) if wanted else route.carries(name, switch.account):
            loud_before = route.channel in chosen and not chosen[route.channel].silent
            chosen[route.channel] = Notice(route.channel, text, route.is_silent(name) and not loud_before, tone_of(name))
    return tuple(chosen.values())


def switch_words(policy: Policy, name: EventName, switch: Switch, still: Switch | None = None) -> str:
    """Words on a switch that was set or lifted: what, who, why, and how it goes on; ``still`` is one that stays."""
    if name is EventName.RESUMED:
        told = f"Resumed · {switch.where}: {switch.lifted}."
        return told if still is None else f"{told}\nNot everything goes there yet. {still.sentence}"
    lines = [f"{switch.state.capitalize()} · {switch.sentence}"]
    roles = sorted({grant.role for grant in policy.grants if grant.has_command(RESUME)})
    if switch.source is Source.PERSON:
        named = " ".join(f"role {role}" for role in roles[:MOST_ROLES])
        lines.append(f"/resume is granted to {named}." if roles else NOBODY_RESUMES)
    return "\n".join(lines)


def headline(name: EventName, ticket: Ticket) -> str:
    """One event in a few lines that a phone can show: what, where, how many, who."""
    kind = "LIVE" if ticket.shown.live else "SIM"
    lines = [_what(name, ticket), about(ticket.intent, kind)]
    if ticket.order_id is not None:
        lines.append(f"order {quoted(ticket.order_id)}")
    if ticket.progress.old_told and (told := about_old(ticket)):
        lines.append(told)
    if ticket.protection is not None and name in _OF_PROTECTION:
        lines += _about_protection(name, ticket)
    elif name in ALARMS | {EventName.DENIED, EventName.NOT_SENT, EventName.VOID, EventName.RESOLVED}:
        lines += filter(None, [outcome_of(ticket)])
    lines.append(f"asked by {ticket.requester.named} · ticket {ticket.id}")
    return "\n".join(lines)


def about(intent: OrderIntent | MassAction, kind: str) -> str:
    """The subject of an order or a mass action, in one line."""
    if isinstance(intent, MassAction):
        side = f" {intent.only} only" if isinstance(intent, Flatten) and intent.only else ""
        what = target_of(intent) if isinstance(intent, FlattenStrategy) else str(intent.scope)
        return f"{quoted(what)} ({kind}) · {intent.command}{side}"
    terms = intent.terms
    verb = f"{intent.command} " if isinstance(intent, Close | Cancel | Change | Replace | Bracket) else ""
    return f"{quoted(intent.account)} ({kind}) · {intent.contract} · {verb}{terms.side.upper()} {terms.quantity} {terms.type}"


def _what(name: EventName, ticket: Ticket) -> str:
    if name is EventName.RESOLVED:
        return f"Resolved by a person: {ticket.state.value}"
    if isinstance(ticket.intent, MassAction):
        return _what_of_mass_action(name, ticket, ticket.intent)
    if ticket.protection is not None and name in _OF_PROTECTION:
        return _what_of_protection(name, ticket)
    if name is EventName.NOT_CLOSED and ticket.turned_to is not None:
        return f"Now {side_word(ticket.turned_to)}"
    return _what_of_order(name, ticket)


def _what_of_order(name: EventName, ticket: Ticket) -> str:
    quantity = ticket.terms.quantity
    price = "" if ticket.average_fill_price is None else f" at {ticket.average_fill_price}"
    done = "closed" if ticket.intent.shows_in_position else "filled"
    match name:
        case EventName.FILLED:
            return f"{done.capitalize()} {ticket.filled}{price}"
        case EventName.PART_FILLED:
            return f"Part {done} {ticket.filled}/{quantity}{price}"
        case EventName.ORDER_CANCELLED | EventName.LOST_SIGHT:
            what = "Order cancelled" if name is EventName.ORDER_CANCELLED else "Lost sight of the order"
            return f"{what}, {ticket.filled} of {quantity} filled{price if ticket.filled else ''}"
        case EventName.NOT_CANCELLED if isinstance(ticket.intent, Replace):
            return "The order that was replaced is still there"
        case EventName.UNKNOWN:
            return "Outcome unknown: don't send it again"
        case EventName.NOT_SENT | EventName.REJECTED if ticket.order_id is None and ticket.progress.went_out:
            return f"Close sent, new order {name}"
        case EventName.REJECTED if ticket.order_id is not None:
            return "Rejected by NinjaTrader"
        case _:
            return name.value.capitalize()


def _what_of_protection(name: EventName, ticket: Ticket) -> str:
    match name:
        case EventName.STOPPED_OUT:
            return hit_words(ticket, Part.STOP)
        case EventName.TARGET_HIT:
            return hit_words(ticket, Part.TARGET)
        case EventName.UNPROTECTED:
            return short_words(ticket)
        case EventName.PROTECTED:
            return "Protected again"
        case EventName.NOT_CLOSED:
            return f"Now {side_word(turned_to(ticket) or 0)}"
        case _:
            return "Closed, and not everything is cancelled"


def _about_protection(name: EventName, ticket: Ticket) -> list[str]:
    if name is EventName.UNPROTECTED:
        return [cause_words(ticket), WHAT_TO_DO]
    if name is EventName.NOT_CLOSED:
        return [turned_words(ticket)]
    return [left_words(ticket)] if name is EventName.NOT_CANCELLED else []


def _what_of_mass_action(name: EventName, ticket: Ticket, mass_action: MassAction) -> str:
    done_at = ticket.progress.done_at
    took = "" if done_at is None or ticket.sent_at is None else f" in {(done_at - ticket.sent_at).total_seconds():.1f} s"
    match name:
        case EventName.FLATTENED:
            rest = ", nothing works" if isinstance(mass_action, Flatten) and not mass_action.only else ""
            return f"{done_words(mass_action).capitalize()}{took}{rest}"
        case EventName.ORDER_CANCELLED:
            return f"Everything there is cancelled{took}"
        case EventName.NOT_CLOSED if ticket.turned_to is not None:
            return f"{undone_words(mass_action)}, now {side_word(ticket.turned_to)}"
        case EventName.NOT_CLOSED:
            return "Not everything is cancelled" if isinstance(mass_action, CancelWorking) else undone_words(mass_action)
        case EventName.UNKNOWN if ticket.progress.went_unseen:
            return "Sent unseen, not read back yet"
        case EventName.UNKNOWN:
            return "Outcome unknown: stopped in the middle"
        case _:
            return name.value.capitalize()
