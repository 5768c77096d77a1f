"""The rules of mass actions: what is in the way of one, what it would do, and how far it has come. Pure.

A mass action gets people out, so no limit, price or size stands in its way. What can't be read is told as such, never as flat.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.trading.exits.leftover import named_some, other_order_words, working_in
from bot.trading.market.facts import Facts, net
from bot.trading.market.session import CLOSES_AT_THE_OPEN
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Cancel, Change, Close
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, MassAction, Scope, target_of
from bot.trading.orders.progress import ExitRow
from bot.trading.orders.tickets import IN_FLIGHT, Preview, Ticket, TicketState, side_word
from bot.trading.risk.closing import CloseTimings
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import Denial, DenialCode, Policy
from bot.trading.risk.underway import is_just_closed
from bot.trading.words import quoted

Books = Mapping[str, Facts]


def as_listed(mass_action: MassAction, listed: frozenset[str] | None) -> MassAction:
    """The mass action as long as it is of everything: no more where an account has come since, or where they can't be read.

    CrossTrade's calls over everything would reach that account too, which nobody was asked about.
    """
    if not mass_action.scope.everything or (listed is not None and listed <= set(mass_action.scope.accounts)):
        return mass_action
    left_out = tuple(sorted((listed or frozenset()) - set(mass_action.scope.accounts)))
    return replace(mass_action, scope=Scope(mass_action.scope.accounts, left_out=left_out))


def reasons(mass_action: MassAction, books: Books, recent: OwnOrders) -> tuple[Denial, ...]:
    """Every reason against it; empty means allowed. That money is real, and that nobody has named it as live, is none."""
    return tuple(_about_running(mass_action, recent)) or tuple(_about_nothing(mass_action, books))


def lines(mass_action: MassAction, books: Books, policy: Policy) -> tuple[ExitRow, ...]:
    """Every contract that it is about, as it stands; an account that could not be read is a row of its own."""
    return tuple(line for name in mass_action.scope.accounts for line in _lines(mass_action, name, books[name], policy))


def plan(mass_action: MassAction, made: tuple[ExitRow, ...], *more: str) -> Preview:
    """The facts to show, and more warnings; prices have no say in getting out."""
    return Preview(
        live=any(line.live for line in made),
        position=0,
        average_price=None,
        after=0,
        bid=None,
        ask=None,
        last=None,
        quoted_at=None,
        tick_size=None,
        tick_value=None,
        point_value=None,
        warnings=(*_warnings(mass_action, made), *more),
        working_orders=sum(line.orders_before or 0 for line in made),
    )


def others_too(mass_action: MassAction, books: Books) -> tuple[str, ...]:
    """Sentences about what is no future in each account: closed and cancelled too, or left by a flatten of one side."""
    if isinstance(mass_action, Flatten) and mass_action.only is not None:
        what = f"is no future, and a flatten of the {mass_action.only} side doesn't close it (one of the whole account does)"
        return tuple(f"{quoted(name, 60)} {what}: {_held(facts)}" for name, facts in books.items() if facts.others)
    held = (
        f"{quoted(name, 60)} holds what is no future, and CrossTrade closes it with the account: {_held(facts)}"
        for name, facts in books.items()
        if facts.others
    )
    working = (
        f"{quoted(name, 60)} has orders of what is no future, and they are cancelled with the account's: "
        + named_some(map(other_order_words, facts.other_orders))
        for name, facts in books.items()
        if facts.other_orders
    )
    return (*held, *working)


def others_left(books: Books) -> tuple[str, ...]:
    """Orders of what is no future that still work after a mass action that was to cancel them, in plain words."""
    return tuple(
        f"{quoted(name, 60)}: {named_some(map(other_order_words, facts.other_orders))} still working, no future"
        for name, facts in books.items()
        if facts.other_orders
    )


def _held(facts: Facts) -> str:
    return named_some(
        f"{quoted(one.instrument, 40)} {'?' if one.quantity is None else side_word(one.quantity)}" for one in facts.others
    )


def to_close(mass_action: MassAction, made: Iterable[ExitRow]) -> tuple[Contract, ...]:
    """The contracts in which a mass action closes something, as far as was read."""
    if not mass_action.closes:
        return ()
    return tuple(sorted({line.contract for line in made if line.contract is not None and line.before}))


def with_shut(shown: Preview, shut: Iterable[Contract]) -> Preview:
    """The facts to show, with a warning of each market that is shut."""
    told = tuple(f"{contract}: {CLOSES_AT_THE_OPEN}" for contract in shut)
    return replace(shown, warnings=(*told, *shown.warnings))


def steps(mass_action: MassAction, made: tuple[ExitRow, ...]) -> tuple[str, ...]:
    """The steps that will be taken, in plain words."""
    read_back = f"read back until {done_words(mass_action)}"
    if isinstance(mass_action, FlattenStrategy):
        return ("have CrossTrade close what it holds at market, and cancel its orders", read_back)
    working = sum(line.orders_before or 0 for line in made)
    cancelled = f"cancel {working} working {'order' if working == 1 else 'orders'}" if working else "cancel what works by then"
    if isinstance(mass_action, CancelWorking):
        return (cancelled, read_back)
    open_now = sum(1 for line in made if line.before)
    what = f"{open_now} {'position' if open_now == 1 else 'positions'}" if open_now else "what is open by then"
    return ("take no new order there meanwhile", cancelled, f"close {what} at market", read_back)


def followed(mass_action: MassAction, made: tuple[ExitRow, ...], account: str, facts: Facts) -> tuple[ExitRow, ...]:
    """The rows of one account as just read, with what has come up meanwhile; what could not be read is ``None``."""
    own = [line for line in made if line.account == account]
    if not _is_read(mass_action, facts):
        # That nothing was there when it was read before doesn't prove it now.
        unread = ExitRow(account, live=True, contract=mass_action.scope.contract, before=0, orders_before=0)
        return tuple(_now(mass_action, line, facts) for line in own or [unread])
    known = [line for line in own if line.contract is not None]
    lines = [*known, *_come_up(mass_action, own, account, facts)]
    if lines:
        return tuple(_now(mass_action, line, facts) for line in lines)
    # An account that could not be read at first, and in which there is nothing.
    return tuple(replace(line, now=0, orders_now=0) for line in own)


def _come_up(mass_action: MassAction, own: list[ExitRow], account: str, facts: Facts) -> list[ExitRow]:
    """A row for each contract that has none yet."""
    # Of an account that could not be read at first, nobody knows what was there before.
    before = next((line.before for line in own if line.contract is None), 0)
    # Whether it may be real money isn't read again; where nobody has said so, it may.
    live = own[0].live if own else True
    seen = {line.contract for line in _lines(mass_action, account, facts, _NO_POLICY)} - {line.contract for line in own}
    return [ExitRow(account, live, contract, before, before) for contract in sorted(filter(None, seen))]


def _now(mass_action: MassAction, line: ExitRow, facts: Facts) -> ExitRow:
    if line.contract is None:
        return replace(line, now=None, orders_now=None, working=())
    held = None if facts.positions is None else net(facts.positions, line.contract)
    working = None if facts.orders is None else len(facts.working(line.contract))
    named = working_in(facts, line.contract)
    return replace(line, now=0 if isinstance(mass_action, CancelWorking) else held, orders_now=working, working=named)


def _is_read(mass_action: MassAction, facts: Facts) -> bool:
    """Tell whether all was read that the mass action is about."""
    return facts.orders is not None and (facts.positions is not None or isinstance(mass_action, CancelWorking))


def in_flight_elsewhere(ticket: Ticket, recent: OwnOrders) -> list[Ticket]:
    """Other tickets on their way, or of unknown outcome, that may still change what this mass action goes over."""
    return [each for each in recent.tickets if each.state in IN_FLIGHT and _meets(each, ticket)]


def closing_elsewhere(ticket: Ticket, recent: OwnOrders) -> list[Ticket]:
    """Other tickets that may still close something there: in flight, or with a close that was taken and isn't seen over."""
    closers = [each for each in recent.tickets if each.intent.closes and _meets(each, ticket)]
    return [each for each in closers if each.state in IN_FLIGHT or _has_closed(each)]


def _has_closed(ticket: Ticket) -> bool:
    if isinstance(ticket.intent, Close):
        return ticket.is_followed
    return ticket.progress.last_close is not None and ticket.progress.done_at is None


def may_close_still(ticket: Ticket, now: datetime, patience: CloseTimings, *, is_read: bool) -> bool:
    """Tell whether one of these may still be closing, given whether the lists there were read.

    A list that was read shows what works, after its longest lag. Where none was, what went out isn't over for being old.
    """
    if ticket.state is TicketState.SENDING or not is_read:
        return True
    if ticket.state is TicketState.UNKNOWN:
        return ticket.last_sent_at is not None and now - ticket.last_sent_at < timedelta(seconds=patience.grace)
    return is_just_closed(ticket, now, timedelta(seconds=patience.lag))


def _meets(other: Ticket, ticket: Ticket) -> bool:
    """Tell whether another ticket may change what a flatten goes over; a cancellation waits for nobody."""
    mass_action = ticket.intent
    return isinstance(mass_action, Flatten) and other.id != ticket.id and _reaches(other, mass_action.scope)


def done_words(mass_action: MassAction) -> str:
    """The words for it once all of it is done; of one side, nothing is said of the other."""
    if isinstance(mass_action, CancelWorking):
        return "nothing works"
    if isinstance(mass_action, FlattenStrategy):
        return "the strategy is closed"
    return "flat" if mass_action.only is None else f"no {mass_action.only} futures position left"


def undone_words(mass_action: MassAction) -> str:
    """The loud word for one after which something is left."""
    if isinstance(mass_action, CancelWorking):
        return "NOT ALL CANCELLED"
    return "STRATEGY NOT CLOSED" if isinstance(mass_action, FlattenStrategy) else "NOT FLAT"


def not_running(account: str, strategy_id: str) -> str:
    """The words for a strategy that there isn't, or in which there is nothing."""
    return (
        f"No strategy {quoted(strategy_id, 64)} holds or orders anything in {quoted(account)}; /strategies shows those that run."
    )


def _reaches(other: Ticket, scope: Scope) -> bool:
    its = other.intent
    if isinstance(its, MassAction):
        return its.closes and scope.meets(its.scope)
    return not isinstance(its, Cancel | Change) and scope.covers(its.account, its.contract)


def _lines(mass_action: MassAction, name: str, facts: Facts, policy: Policy) -> list[ExitRow]:
    live = policy.is_live(name, facts.account)
    if not _is_read(mass_action, facts):
        return [ExitRow(name, live, mass_action.scope.contract, None, None)]
    held = {p.contract: p.quantity for p in facts.positions or () if p.quantity and mass_action.scope.covers(name, p.contract)}
    working = {o.contract for o in facts.orders or () if o.remaining and mass_action.scope.covers(name, o.contract)}
    if isinstance(mass_action, CancelWorking):
        contracts = working
    elif isinstance(mass_action, Flatten) and mass_action.only is not None:
        contracts = {contract for contract, quantity in held.items() if mass_action.only.is_of(quantity)}
    else:
        contracts = held.keys() | working
    return [ExitRow(name, live, contract, held.get(contract, 0), len(facts.working(contract))) for contract in sorted(contracts)]


def _about_running(mass_action: MassAction, recent: OwnOrders) -> Iterable[Denial]:
    """One flatten at a time: two could close the same position. A strategy's one call can't wait for other closes either."""
    for ticket in recent.tickets:
        its = ticket.intent
        if isinstance(mass_action, CancelWorking) or not _reaches(ticket, mass_action.scope):
            continue
        if isinstance(its, MassAction) and its.closes and ticket.state is TicketState.SENDING and _is_alone(mass_action, its):
            yield Denial(
                DenialCode.FLATTENING,
                f"{ticket.requester.named} is flattening {quoted(target_of(its))} already (ticket {ticket.id}); "
                "its card says how far it is.",
                f"ticket={ticket.id}",
            )
        elif isinstance(mass_action, FlattenStrategy) and (ticket.is_closing or _may_close(ticket)):
            yield Denial(
                DenialCode.OUTCOME_UNKNOWN,
                f"The outcome of ticket {ticket.id} there is not known yet; wait until its card says what became of it.",
                f"ticket={ticket.id} state={ticket.state}",
            )


def _is_alone(mass_action: MassAction, underway: MassAction) -> bool:
    """Tell whether one must not begin beside the other; a flatten waits by itself for a strategy that is being closed."""
    return isinstance(mass_action, FlattenStrategy) or isinstance(underway, Flatten)


def _may_close(ticket: Ticket) -> bool:
    return ticket.intent.closes and ticket.state in IN_FLIGHT


def _about_nothing(mass_action: MassAction, books: Books) -> Iterable[Denial]:
    read = all(_is_read(mass_action, facts) for facts in books.values())
    if not read or any(
        books[name].other_orders or _lines(mass_action, name, books[name], _NO_POLICY) for name in mass_action.scope.accounts
    ):
        return
    if isinstance(mass_action, FlattenStrategy):
        yield Denial(
            DenialCode.NO_SUCH_STRATEGY,
            not_running(mass_action.account, mass_action.strategy_id),
            f"strategy={mass_action.strategy_id}",
        )
    elif isinstance(mass_action, CancelWorking):
        sentence = f"Nothing works in {quoted(str(mass_action.scope))}, so there is nothing to cancel."
        yield Denial(DenialCode.NO_SUCH_ORDER, sentence, f"scope={mass_action.scope}")
    else:
        side, where = f" {mass_action.only} futures" if mass_action.only else "", quoted(str(mass_action.scope))
        sentence = f"No{side} position is open and no order works in {where}, so there is nothing to flatten."
        told = " ".join((sentence, *(f"{one[0].upper()}{one[1:]}." for one in others_too(mass_action, books))))
        yield Denial(DenialCode.NO_POSITION, told, f"scope={mass_action.scope}")


def _warnings(mass_action: MassAction, made: tuple[ExitRow, ...]) -> Iterable[str]:
    if mass_action.scope.left_out:
        names = ", ".join(quoted(name, 40) for name in mass_action.scope.left_out)
        yield f"not among these (no grant, or not there when this was asked): {names}"
    yield from (
        f"{quoted(line.account, 60)} could not be read; it is gone over all the same" for line in made if line.before is None
    )


_NO_POLICY = Policy(grants=())
