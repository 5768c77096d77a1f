"""The rules once more, obvious and slow, as docs/policy.md, policy.example.toml and docs/guarantees.md tell them.

Nothing here looks at how the desk decides: each rule is written out by itself, tries everything there is to try, and names the
sentence that it comes from. It shares the desk's data, and none of its questions about them.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.trading.market.facts import Facts, Order
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.halts import Switches, SwitchState
from bot.trading.risk.policy import Grant, Limit, Policy

COMMANDS = {
    Reverse: "reverse",
    VerifiedReverse: "reverse",
    Invert: "reverse",
    PlaceOrder: "place",
    FlatPlace: "flatplace",
    Close: "close",
    Cancel: "cancel",
    Change: "modify",
    Replace: "replace",
    Bracket: "bracket",
}
WAYS_OUT = (Close, Cancel, Bracket)
# They close what is open before they place.
CLOSE_FIRST = (Reverse, VerifiedReverse, Invert, FlatPlace)
OVER = {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.GONE}
# Where one of these is among the reasons, what else is told is nobody's promise; that it is a no, is.
UNSURE = {"FACTS_MISSING", "NO_SUCH_ORDER", "ORDER_FINISHED"}


@dataclass(frozen=True)
class Case:
    """All that one decision is made on."""

    intent: OrderIntent
    member: int
    roles: frozenset[int]
    policy: Policy
    facts: Facts
    tickets: tuple[Ticket, ...]
    switches: Switches
    now: datetime


def verdict(case: Case) -> set[str]:
    """The codes of every reason against it; empty means that it goes."""
    found = {*_grants(case)}
    if isinstance(case.intent, WAYS_OUT):
        return found | {*_way_out(case)}
    found |= {*_halts(case), *_under_way(case)}
    facts = case.facts
    if facts.account is None or facts.positions is None or facts.orders is None or facts.quote is None:
        return found | {"FACTS_MISSING"}
    found |= {*_account(case), *_position(case), *_target(case), *_prices(case)}
    for limit in case.policy.limits:
        if _fits(case.intent.account, limit.accounts) and _fits(case.intent.contract.root, limit.instruments):
            found |= {*_limit(case, limit)}
    return found


def approvers(case: Case) -> set[int]:
    """Docs: "From this quantity on, somebody else who holds the role presses Approve"; a way out waits for no second person."""
    if isinstance(case.intent, WAYS_OUT):
        return set()
    rules = case.policy.approvals
    return {
        rule.role
        for rule in rules
        if _fits(case.intent.account, rule.accounts) and case.intent.terms.quantity >= rule.min_quantity
    }


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    """``*`` is any run, ``?`` is one character; letter case doesn't matter."""

    def fits(name: str, pattern: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(fits(name[begin:], pattern[1:]) for begin in range(len(name) + 1))
        return bool(name) and pattern[0] in {"?", name[0]} and fits(name[1:], pattern[1:])

    return any(fits(name.lower(), pattern.lower()) for pattern in patterns)


def _grants(case: Case) -> Iterator[str]:
    """Docs: "One grant must allow the whole of an order"; how much somebody gets out of is nobody's to limit."""
    intent = case.intent
    command = COMMANDS[type(intent)]
    asked: list[tuple[str, Callable[[Grant], bool]]] = [
        ("NO_GRANT", lambda grant: grant.role in case.roles and ("*" in grant.commands or command in grant.commands)),
        ("ACCOUNT_NOT_GRANTED", lambda grant: _fits(intent.account, grant.accounts)),
        ("INSTRUMENT_NOT_GRANTED", lambda grant: _fits(intent.contract.root, grant.instruments)),
    ]
    if not isinstance(intent, WAYS_OUT):
        asked += [
            ("ORDER_TYPE_NOT_GRANTED", lambda grant: intent.terms.type in grant.order_types),
            ("QUANTITY_OVER_GRANT", lambda grant: intent.terms.quantity <= (grant.max_quantity or 0)),
        ]
    left: list[Grant] = list(case.policy.grants)
    for code, allows in asked:
        left = [grant for grant in left if allows(grant)]
        if not left:
            yield code
            return


def _halts(case: Case) -> Iterator[str]:
    """The table of "Halting": nothing new, and in ``reducing`` only a change that can't make a position larger."""
    there = [
        switch.state
        for switch in case.switches.all
        if switch.account.lower() in {"*", case.intent.account.lower()} and switch.root in {"*", case.intent.contract.root}
    ]
    if SwitchState.HALTED in there:
        yield "HALTED"
    elif SwitchState.REDUCING in there and not _only_lessens(case):
        yield "REDUCING"


def _only_lessens(case: Case) -> bool:
    """Docs: "/modify that only takes contracts away", or that moves the prices of one that closes what is open, no larger."""
    intent = case.intent
    if not isinstance(intent, Change) or intent.terms.quantity > intent.before.quantity:
        return False
    held = _held(case, intent.contract)
    closes = held != 0 and (held > 0) is (intent.terms.side is Side.SELL) and intent.terms.quantity <= abs(held)
    return closes or (intent.terms.limit, intent.terms.stop) == (intent.before.limit, intent.before.stop)


def _under_way(case: Case) -> Iterator[str]:
    """Docs: "An order on its way bars entries in its contract, one of unknown outcome in every month of its root"."""
    intent = case.intent
    for ticket in case.tickets:
        its = ticket.intent
        if isinstance(its, Cancel | CancelWorking):
            continue
        if isinstance(its, Flatten):
            contract = its.scope.contract
            accounts, months, roots = its.scope.accounts, {contract or intent.contract}, {(contract or intent.contract).root}
        elif isinstance(its, OrderIntent):
            accounts, months, roots = (its.account,), {its.contract}, {its.contract.root}
        if intent.account not in accounts:
            continue
        on_its_way = ticket.state is TicketState.SENDING and intent.contract in months
        unknown = ticket.state is TicketState.UNKNOWN and intent.contract.root in roots
        if on_its_way or unknown:
            yield "FLATTENING" if isinstance(its, Flatten) else "OUTCOME_UNKNOWN"
        elif isinstance(intent, CLOSE_FIRST) and intent.contract in months and _was_just_closed(case, ticket):
            yield "OUTCOME_UNKNOWN"
    yield from _closing_orders(case)


def _closing_orders(case: Case) -> Iterator[str]:
    intent = case.intent
    if isinstance(intent, CLOSE_FIRST):
        for order in _working(case, intent.contract):
            # Of one without a price and a type that is told nobody knows that it isn't at market.
            at_market = order.type is OrderType.MARKET or (order.type is None and order.limit is None and order.stop is None)
            if at_market and _closes(case, order):
                yield "CLOSING"


def _was_just_closed(case: Case, ticket: Ticket) -> bool:
    """Docs: "A second close waits until the first one is seen done": it was taken less than 10 s ago."""
    taken = ticket.ended_at or ticket.sent_at
    return (
        isinstance(ticket.intent, Close)
        and ticket.state is TicketState.ACCEPTED
        and (ticket.order_state is None or ticket.order_state not in OVER)
        and ticket.told is None
        and taken is not None
        and case.now - taken < timedelta(seconds=10)
    )


def _account(case: Case) -> Iterator[str]:
    """Docs: "Live accounts must be named", and an account must be told to be connected."""
    account, name = case.facts.account, case.intent.account
    assert account is not None
    said = {rule.live for rule in case.policy.accounts if _fits(name, (rule.name,))}
    if account.provider != "Simulator" and (True not in said or False in said):
        yield "LIVE_NOT_NAMED"
    if not account.connected:
        yield "ACCOUNT_DISCONNECTED"


def _held(case: Case, contract: Contract) -> int:
    return sum(position.quantity for position in case.facts.positions or () if position.contract == contract)


def _remaining(order: Order) -> int:
    return 0 if order.state in OVER else max(order.quantity - order.filled, 0)


def _working(case: Case, contract: Contract) -> list[Order]:
    return [order for order in case.facts.orders or () if order.contract == contract and _remaining(order)]


def _closes(case: Case, order: Order) -> bool:
    held = _held(case, order.contract)
    return held != 0 and (held > 0) is (order.side is Side.SELL)


def _position(case: Case) -> Iterator[str]:
    intent = case.intent
    held = _held(case, intent.contract)
    if isinstance(intent, Reverse | VerifiedReverse | Invert) and not held:
        yield "NO_POSITION"
    elif isinstance(intent, Invert):
        opposes = (held > 0) is (intent.terms.side is Side.SELL)
        if not opposes or intent.terms.quantity != abs(held):
            yield "BAD_REQUEST"
    if isinstance(intent, PlaceOrder | Replace):
        now = "long" if held > 0 else "short" if held < 0 else "flat"
        if intent.require and now not in intent.require:
            yield "POSITION_NOT_AS_REQUIRED"
    most = intent.max_positions if isinstance(intent, PlaceOrder) else None
    # "open a new position only while fewer are open"
    if most is not None and not held and len([each for each in case.facts.positions or () if each.quantity]) >= most:
        yield "POSITION_NOT_AS_REQUIRED"


def _row(case: Case) -> Order | None:
    wanted = case.intent.order_id if isinstance(case.intent, Change | Replace | Cancel) else None
    return next((order for order in case.facts.orders or () if wanted in order.ids), None)


def _target(case: Case) -> Iterator[str]:
    if isinstance(case.intent, Change | Replace | Cancel):
        row = _row(case)
        if row is None:
            yield "NO_SUCH_ORDER"
        elif row.state in OVER:
            yield "ORDER_FINISHED"


def _oldest(case: Case) -> timedelta:
    """Docs: "quotes older than this count as missing; 10 at most"."""
    there = [
        limit.stale_seconds
        for limit in case.policy.limits
        if _fits(case.intent.account, limit.accounts) and _fits(case.intent.contract.root, limit.instruments)
    ]
    return timedelta(seconds=min([10, *there]))


def _is_old(case: Case) -> bool:
    quote = case.facts.quote
    return quote is None or quote.at is None or case.now - quote.at > _oldest(case)


def _prices(case: Case) -> Iterator[str]:
    """No usable price, or one that is too old; prices on the tick, and a stop beyond the market."""
    quote = case.facts.quote
    assert quote is not None
    if quote.bid is None or quote.ask is None or quote.last is None or quote.bid > quote.ask:
        yield "QUOTE_MISSING"
    if _is_old(case):
        yield "QUOTE_STALE"
    if not _lie_well(case.intent.terms, quote.tick_size, quote.bid, quote.ask):
        yield "BAD_PRICE"


def _lie_well(terms: Terms, tick: Decimal, bid: Decimal | None, ask: Decimal | None) -> bool:
    on_tick = all(price is None or price % tick == 0 for price in (terms.limit, terms.stop))
    if terms.stop is None:
        return on_tick
    beyond = (ask is None or terms.stop > ask) if terms.side is Side.BUY else (bid is None or terms.stop < bid)
    return on_tick and beyond


def _way_out(case: Case) -> Iterator[str]:
    """Docs: "/close, /bracket and /cancel ask for a grant, a position or order that is there and one close at a time"."""
    intent, facts = case.intent, case.facts
    if facts.orders is None or (facts.positions is None and not isinstance(intent, Cancel)):
        yield "FACTS_MISSING"
        return
    yield from _target(case)
    if isinstance(intent, Cancel):
        return
    yield from _closes_under_way(case)
    held = _held(case, intent.contract)
    if not held:
        yield "NO_POSITION"
        return
    if intent.terms.quantity > abs(held):
        yield "BAD_REQUEST"
    if isinstance(intent, Bracket):
        yield from _bracket(case, intent)


def _closes_under_way(case: Case) -> Iterator[str]:
    intent = case.intent
    for ticket in case.tickets:
        its = ticket.intent
        if isinstance(its, Flatten):
            contract = its.scope.contract
            if intent.account not in its.scope.accounts or contract not in {None, intent.contract}:
                continue
            # "a flatten that hasn't closed anything after 6 s keeps nobody from closing"
            began = ticket.sent_at or case.now
            late = isinstance(intent, Close) and case.now - began >= timedelta(seconds=6)
            if ticket.state is TicketState.UNKNOWN or (ticket.state is TicketState.SENDING and not late):
                yield "FLATTENING"
            continue
        if not isinstance(its, (*CLOSE_FIRST, Close)) or (its.account, its.contract) != (intent.account, intent.contract):
            continue
        in_flight = ticket.state in {TicketState.SENDING, TicketState.UNKNOWN}
        if in_flight or (isinstance(intent, Close) and _was_just_closed(case, ticket)):
            yield "OUTCOME_UNKNOWN"
    if isinstance(intent, Close):
        for order in _working(case, intent.contract):
            if order.type is OrderType.MARKET and _closes(case, order):
                yield "CLOSING"


def _bracket(case: Case, intent: Bracket) -> Iterator[str]:
    """It takes the tick; "a price that is old, or missing on a side, keeps nobody from protecting what is open"."""
    quote = case.facts.quote
    if quote is None:
        yield "FACTS_MISSING"
        return
    bid, ask = (None, None) if _is_old(case) else (quote.bid, quote.ask)
    target = intent.target if intent.terms.stop is not None else intent.terms.limit
    off_tick = target is not None and target % quote.tick_size != 0
    market = bid if intent.terms.side is Side.SELL else ask
    beyond = target is None or market is None or (target > market if intent.terms.side is Side.SELL else target < market)
    if not _lie_well(intent.terms, quote.tick_size, bid, ask) or off_tick or not beyond:
        yield "BAD_PRICE"


def _limit(case: Case, limit: Limit) -> Iterator[str]:
    intent, quote, account = case.intent, case.facts.quote, case.facts.account
    assert quote is not None
    assert account is not None
    if limit.price_band_ticks is not None and quote.last is not None:
        reach = limit.price_band_ticks * quote.tick_size
        if any(price is not None and abs(price - quote.last) > reach for price in (intent.terms.limit, intent.terms.stop)):
            yield "PRICE_BAND"
    if limit.orders_per_minute is not None and _sent_in_the_last_minute(case) >= limit.orders_per_minute:
        yield "ORDERS_PER_MINUTE"
    if limit.duplicate_seconds is not None and _has_twin(case, timedelta(seconds=limit.duplicate_seconds)):
        yield "DUPLICATE"
    if limit.daily_loss is not None and not _only_lessens(case):
        day = None if account.realised is None or account.unrealised is None else account.realised + account.unrealised
        if day is None or day < -limit.daily_loss:
            yield "DAILY_LOSS"
    if limit.max_position is not None and _is_too_much(case, limit.max_position):
        yield "MAX_POSITION"


def _may_have_reached_the_market(ticket: Ticket) -> bool:
    return ticket.state in {TicketState.SENDING, TicketState.UNKNOWN, TicketState.ACCEPTED}


def _sent_in_the_last_minute(case: Case) -> int:
    """Docs: "every order of the member's that was sent and not refused, in any account; cancellations and flattens are none"."""
    return len(
        [
            ticket
            for ticket in case.tickets
            if _may_have_reached_the_market(ticket)
            and ticket.requester.id == case.member
            and not isinstance(ticket.intent, Cancel | CancelWorking | Flatten)
            and ticket.sent_at is not None
            and case.now - ticket.sent_at <= timedelta(minutes=1)
        ]
    )


def _has_twin(case: Case, within: timedelta) -> bool:
    """Docs: "same account, instrument, side, quantity and type, also across members"; only what places a new order has any."""
    intent = case.intent
    if isinstance(intent, Change):
        return False
    for ticket in case.tickets:
        its = ticket.intent
        if not _may_have_reached_the_market(ticket) or ticket.sent_at is None or case.now - ticket.sent_at > within:
            continue
        if isinstance(its, Cancel | CancelWorking | Flatten | Close | Change | Bracket) or not isinstance(its, OrderIntent):
            continue
        shape = (intent.account, intent.contract, intent.terms.side, intent.terms.quantity, intent.terms.type)
        if (its.account, its.contract, its.terms.side, its.terms.quantity, its.terms.type) == shape:
            return True
    return False


def _is_too_much(case: Case, most: int) -> bool:
    """Docs: "after the fill, working and in-flight orders counted", each side by itself; who is over it may take away."""
    after, before = _could_hold(case, sent=True), _could_hold(case, sent=False)
    closes_first = isinstance(case.intent, CLOSE_FIRST)
    return any(after[side] > most and (closes_first or after[side] > before[side]) for side in Side)


def _could_hold(case: Case, *, sent: bool) -> dict[Side, int]:
    """The most that could be held, by the side that the order's own month is on: every way in which things could go is tried."""
    intent, row = case.intent, _row(case)
    root = intent.contract.root
    fills: list[tuple[Contract, int]] = []
    for order in case.facts.orders or ():
        is_its_own = row is not None and order is row and sent
        if order.contract.root == root and not is_its_own:
            fills.append((order.contract, order.side.sign * _remaining(order)))
    if sent:
        filled = row.filled if row is not None and isinstance(intent, Change) else 0
        fills.append((intent.contract, intent.terms.side.sign * max(intent.terms.quantity - filled, 0)))
    may_close_first = []
    for contract, signed, closes in _on_their_way(case):
        fills.append((contract, signed))
        may_close_first += [contract] if closes else []
    held = Counter({p.contract: p.quantity for p in case.facts.positions or () if p.contract.root == root})
    if sent and isinstance(intent, CLOSE_FIRST):
        held[intent.contract] = 0
    worst = dict.fromkeys(Side, 0)
    for closed in _subsets(sorted(set(may_close_first))):
        begin = Counter({contract: 0 if contract in closed else quantity for contract, quantity in held.items()})
        for done in _subsets([fill for fill in fills if fill[1]]):
            end = Counter(begin)
            for contract, signed in done:
                end[contract] += signed
            elsewhere = sum(abs(quantity) for contract, quantity in end.items() if contract != intent.contract)
            for side in Side:
                worst[side] = max(worst[side], elsewhere + max(side.sign * end[intent.contract], 0))
    return worst


def _on_their_way(case: Case) -> Iterator[tuple[Contract, int, bool]]:
    """What the desk's own orders may fill that no list shows yet: contract, signed contracts, whether a close comes first."""
    listed = {each: order for order in case.facts.orders or () for each in order.ids}
    for ticket in case.tickets:
        its = ticket.intent
        if not isinstance(its, OrderIntent) or isinstance(its, Cancel | Bracket):
            continue
        if (its.account, its.contract.root) != (case.intent.account, case.intent.contract.root):
            continue
        unseen = ticket.order_state is None or (not isinstance(its, Change) and ticket.order_state not in OVER)
        if ticket.state not in {TicketState.SENDING, TicketState.UNKNOWN} and not (
            ticket.state is TicketState.ACCEPTED and unseen
        ):
            continue
        if isinstance(its, Change):
            row = listed.get(its.order_id)
            if isinstance(case.intent, Change | Replace) and case.intent.order_id == its.order_id:
                continue
            size = its.before.quantity if row is None else max(row.quantity, row.filled)
            more = 0 if row is not None and row.state in OVER else max(its.terms.quantity - size, 0)
            yield its.contract, its.terms.side.sign * more, False
        elif not any(each in listed for each in ticket.order_ids):
            yield its.contract, its.terms.side.sign * max(its.terms.quantity - ticket.filled, 0), isinstance(its, CLOSE_FIRST)


def _subsets(things: list) -> Iterator[tuple]:  # type: ignore[type-arg]  # of anything
    return itertools.chain.from_iterable(itertools.combinations(things, size) for size in range(len(things) + 1))
