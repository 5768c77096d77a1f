"""The limits: given the facts and what is in flight, every reason why an order may not be sent now.

Pure: time is an argument. Fails closed: whatever is missing, stale or unreadable is a reason of its own.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.errors import PriceError
from bot.trading.brackets import fills_at_once, target_price
from bot.trading.conditions import unmet
from bot.trading.facts import Account, Facts, Quote
from bot.trading.instruments import Contract
from bot.trading.intents import (
    CLOSING,
    EXITS,
    REVERSING,
    SWEEPS,
    Bracket,
    Cancel,
    Change,
    Close,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    closing_side,
    target,
)
from bot.trading.orders import Side, check_stop_side, check_ticks
from bot.trading.policy import Denial, DenialCode, Limit, Policy
from bot.trading.sweeps import CANCEL_UNSEEN, FLATTEN_UNSEEN
from bot.trading.tickets import IN_FLIGHT, SENT, Ticket, side_word
from bot.trading.underway import about_closes, about_tickets
from bot.trading.words import code, harmless


@dataclass(frozen=True, slots=True)
class Recent:
    """The desk's own orders that limits must know of.

    Attributes:
        tickets: every ticket sent in the last minutes, and every one still in flight or followed, of any account.
    """

    tickets: tuple[Ticket, ...] = ()

    def sent_since(self, moment: datetime) -> Iterable[Ticket]:
        """Those sent at or after a moment and not proved to have done nothing."""
        return (t for t in self.tickets if t.state in SENT and t.sent_at is not None and t.sent_at >= moment)


def reasons(intent: OrderIntent, member: int, facts: Facts, policy: Policy, recent: Recent, now: datetime) -> tuple[Denial, ...]:
    """Every reason against sending this order now; empty means allowed. The first is the one to tell first."""
    if isinstance(intent, EXITS):
        return tuple(_about_exit(intent, facts, recent, now))
    account, quote = facts.account, facts.quote
    if account is None or facts.positions is None or facts.orders is None or quote is None:
        # A list that was read and holds no position settles it, whatever else could not be read; but not while an order there
        # may just be changing it.
        known = () if facts.positions is None else _about_position(intent, facts)
        return (*about_tickets(intent, recent.tickets, now), *known, _missing(facts))
    limits = policy.limits_for(intent.account, intent.contract.root)
    found = [
        # First: until that is settled, nothing that is said of the position is sure.
        *about_tickets(intent, recent.tickets, now),
        *about_closes(intent, facts),
        *_about_account(intent, account, policy),
        *_about_connection(intent, account),
        *_about_position(intent, facts),
        *_about_order(intent, facts),
        *_about_quote(intent, quote, policy, now),
        *_about_prices(intent, quote),
    ]
    for limit in limits:
        found += _about_limit(limit, intent, member, facts, recent, now)
    return tuple(found)


def _about_exit(intent: Close | Cancel | Bracket, facts: Facts, recent: Recent, now: datetime) -> Iterable[Denial]:
    """Neither a limit nor a stale price nor a link that looks down keeps anybody from getting out; what is impossible does.

    Nor does what the policy file says of real money, or a list that it doesn't act on.
    """
    if facts.orders is None or (facts.positions is None and not isinstance(intent, Cancel)):
        yield _missing(facts, {Close: FLATTEN_UNSEEN, Cancel: CANCEL_UNSEEN}.get(type(intent), ""))
        return
    yield from about_tickets(intent, recent.tickets, now)
    yield from about_closes(intent, facts)
    if isinstance(intent, Close | Bracket):
        yield from _about_position(intent, facts)
        yield from _about_size(intent, facts)
    if isinstance(intent, Bracket) and facts.position(intent.contract) is not None:
        yield from _about_bracket(intent, facts)
    yield from _about_order(intent, facts)


def _missing(facts: Facts, way_out: str = "") -> Denial:
    why = "; ".join(map(code, facts.missing)) or "no answer"
    sentence = f"CrossTrade could not be read ({why}), so nothing is sent; try again shortly{way_out}."
    return Denial(DenialCode.FACTS_MISSING, sentence)


def _about_account(intent: OrderIntent, account: Account, policy: Policy) -> Iterable[Denial]:
    if not account.is_simulation and not policy.names_live(intent.account):
        yield Denial(
            DenialCode.LIVE_NOT_NAMED,
            f"{code(intent.account)} is not a simulation and the policy file doesn't name it as live; "
            "whoever runs the desk must add it under [[account]].",
            f"account={intent.account} provider={account.provider}",
        )


def _about_connection(intent: OrderIntent, account: Account) -> Iterable[Denial]:
    if account.connected is False:
        yield Denial(
            DenialCode.ACCOUNT_DISCONNECTED,
            f"NinjaTrader says that {code(intent.account)} is not connected; connect it there and try again.",
            f"account={intent.account}",
        )


def _about_position(intent: OrderIntent, facts: Facts) -> Iterable[Denial]:
    position = facts.position(intent.contract)
    if position is None and isinstance(intent, (*REVERSING, Close, Bracket)):
        yield Denial(
            DenialCode.NO_POSITION,
            f"{code(intent.account)} has no position in {intent.contract}, so there is nothing to {intent.command}.",
            f"account={intent.account} instrument={intent.contract}",
        )
    if position is not None and isinstance(intent, Invert):
        yield from _about_inversion(intent, position.quantity)
    if isinstance(intent, PlaceOrder | Replace):
        yield from unmet(intent, facts)


def _about_inversion(intent: Invert, held: int) -> Iterable[Denial]:
    """CrossTrade turns the whole position at its own size; who asks must mean just that."""
    if (intent.terms.side, intent.terms.quantity) != (closing_side(held), abs(held)):
        yield Denial(
            DenialCode.BAD_REQUEST,
            f"mode:invert turns the whole of {side_word(held)} round, so it takes side:{closing_side(held)} qty:{abs(held)}; "
            "change these, or take another mode.",
            f"side={intent.terms.side} quantity={intent.terms.quantity} position={held}",
        )


def _about_size(intent: Close | Bracket, facts: Facts) -> Iterable[Denial]:
    position = facts.position(intent.contract)
    if position is not None and intent.terms.quantity > abs(position.quantity):
        mend = "lower qty" if isinstance(intent, Bracket) else "lower qty, or leave it out to close all"
        yield Denial(
            DenialCode.BAD_REQUEST,
            f"Only {abs(position.quantity)} of {intent.contract} are open, less than {intent.terms.quantity}; {mend}.",
            f"quantity={intent.terms.quantity} position={position.quantity}",
        )


def _about_bracket(intent: Bracket, facts: Facts) -> Iterable[Denial]:
    """A target and a stop lie on the two sides of the market, or one of them would fill at once."""
    quote, target = facts.quote, target_price(intent)
    if quote is None or quote.bid is None or quote.ask is None:
        yield _missing(facts)
        return
    yield from _about_prices(intent, quote)
    if target is None:
        # A stop alone; and why its shorthand can't be worked out is said where that was tried.
        return
    if intent.terms.type.has_stop and target % quote.tick_size:
        below = target - target % quote.tick_size
        yield Denial(
            DenialCode.BAD_PRICE,
            f"The target {target} is off the tick of {quote.tick_size}: the nearest are {below} and {below + quote.tick_size}.",
            f"tick={quote.tick_size}",
        )
    if (why := fills_at_once(intent, quote.bid, quote.ask)) is not None:
        yield Denial(DenialCode.BAD_PRICE, why, f"target={target} bid={quote.bid} ask={quote.ask}")


def _about_order(intent: OrderIntent, facts: Facts) -> Iterable[Denial]:
    """An order that is to be cancelled or changed must be listed and not be finished."""
    wanted = target(intent)
    if wanted is None:
        return
    order = facts.order(wanted)
    if order is None:
        yield Denial(
            DenialCode.NO_SUCH_ORDER,
            f"NinjaTrader lists no order {code(wanted, 64)} in {code(intent.account)}; /orders shows those that work.",
            f"account={intent.account} order={wanted}",
        )
    elif order.state.is_done:
        yield Denial(
            DenialCode.ORDER_FINISHED,
            f"Order {code(wanted, 64)} is {order.state.value.lower()} already, so there is nothing to {intent.command}.",
            f"order={wanted} state={order.state.value}",
        )


def _about_quote(intent: OrderIntent, quote: Quote, policy: Policy, now: datetime) -> Iterable[Denial]:
    if quote.last is None or quote.bid is None or quote.ask is None or quote.bid > quote.ask:
        yield Denial(
            DenialCode.QUOTE_MISSING,
            f"There is no usable price for {intent.contract}; check the data feed in NinjaTrader and try again.",
            f"bid={quote.bid} ask={quote.ask} last={quote.last}",
        )
    age, limit = quote.age(now), policy.stale_seconds(intent.account, intent.contract.root)
    if age is None or age > limit:
        closed = " The market is closed." if quote.market_open is False else ""
        sentence = f"The last price of {intent.contract} is too old to trade on; try again when prices move.{closed}"
        if quote.ahead is not None:
            sentence = (
                f"The last price of {intent.contract} is stamped {quote.ahead.total_seconds():.0f} s ahead of now, so how old it "
                "is isn't known; set the clocks of NinjaTrader's and the bot's machines by a time server."
            )
        yield Denial(
            DenialCode.QUOTE_STALE,
            sentence,
            f"age={'unknown' if age is None else f'{age:.0f}s'} stale_seconds={limit}",
        )


def _about_prices(intent: OrderIntent, quote: Quote) -> Iterable[Denial]:
    try:
        check_ticks(intent.terms, quote.tick_size)
        if quote.bid is not None and quote.ask is not None:
            check_stop_side(intent.terms, quote.bid, quote.ask)
    except PriceError as error:
        yield Denial(DenialCode.BAD_PRICE, str(error), f"tick={quote.tick_size}")


def _about_limit(limit: Limit, intent: OrderIntent, member: int, facts: Facts, recent: Recent, now: datetime) -> Iterable[Denial]:
    yield from _band(limit, intent, facts.quote)
    yield from _position_cap(limit, intent, facts, recent)
    yield from _rate(limit, member, recent, now)
    yield from _duplicate(limit, intent, recent, now)
    yield from _loss(limit, intent, facts.account)


def _band(limit: Limit, intent: OrderIntent, quote: Quote | None) -> Iterable[Denial]:
    if limit.price_band_ticks is None or quote is None or quote.last is None:
        return
    for name, price in (("limit", intent.terms.limit), ("stop", intent.terms.stop)):
        if price is not None and abs(price - quote.last) > limit.price_band_ticks * quote.tick_size:
            yield Denial(
                DenialCode.PRICE_BAND,
                f"The {name} price {price} lies more than {limit.price_band_ticks} ticks from the last price "
                f"{quote.last}; check it for a slip.",
                f"price={price} last={quote.last} ticks={limit.price_band_ticks}",
            )


def _position_cap(limit: Limit, intent: OrderIntent, facts: Facts, recent: Recent) -> Iterable[Denial]:
    if limit.max_position is None:
        return
    worst = worst_position(intent, facts, recent)
    if worst > max(limit.max_position, _worst_anyway(intent, facts, recent)):
        yield Denial(
            DenialCode.MAX_POSITION,
            f"With working orders and orders on their way {code(intent.account)} could hold {worst} {intent.contract.root}, "
            f"more than the {limit.max_position} allowed; lower the quantity or cancel working orders.",
            f"worst={worst} max_position={limit.max_position}",
        )


def _worst_anyway(intent: OrderIntent, facts: Facts, recent: Recent) -> int:
    """What could be held without this order too: who is over the limit already may still take away from it."""
    match intent:
        case PlaceOrder():
            without = replace(intent.terms, quantity=0)
        case Change():
            without = intent.before
        case Replace():
            old = facts.order(intent.order_id)
            without = replace(intent.before, quantity=0 if old is None else old.remaining)
        case _:
            return 0
    return worst_position(replace(intent, terms=without), facts, recent)


def worst_position(intent: OrderIntent, facts: Facts, recent: Recent) -> int:
    """The most contracts of the root, all months together, that could come of this order with all that works or is in flight.

    A close in front of the new order is taken as done (CrossTrade places the order after it), yet working orders are
    counted as if they stayed: that a full close cancels them is inferred, not documented. Months don't net each other.
    """
    reach = _reach(intent, facts, recent)
    for position in facts.positions or ():
        if position.contract.root == intent.contract.root and position.contract != intent.contract:
            reach[position.contract, Side.BUY if position.quantity > 0 else Side.SELL] += abs(position.quantity)
    held = Counter({intent.contract: _held(intent, facts)})
    months = {contract for contract, _ in reach} | set(held)
    # Either way: all buy orders fill and no sell order does, or the reverse.
    return sum(max(held[month] + reach[month, Side.BUY], reach[month, Side.SELL] - held[month]) for month in months)


def _held(intent: OrderIntent, facts: Facts) -> int:
    """What is open in the order's own month when it begins to work."""
    position = facts.position(intent.contract)
    return 0 if position is None or isinstance(intent, CLOSING) else position.quantity


def _reach(intent: OrderIntent, facts: Facts, recent: Recent) -> Counter[tuple[Contract, Side]]:
    """How far orders of the root may move each month either way: this one, the working ones and those on their way."""
    account, root, changed = intent.account, intent.contract.root, target(intent)
    listed = {order_id for order in facts.orders or () for order_id in order.ids}
    reach = Counter({(intent.contract, intent.terms.side): intent.terms.quantity})
    for order in facts.orders or ():
        # A changed order counts as it shall be, and what has filled of it is in the position; a replaced one goes.
        if changed in order.ids:
            reach[order.contract, order.side] -= order.filled if isinstance(intent, Change) else 0
        elif order.contract.root == root:
            reach[order.contract, order.side] += order.remaining
    for ticket in recent.tickets:
        its = ticket.intent
        if isinstance(its, (*SWEEPS, Cancel, Change, Bracket)):
            continue
        on_its_way = ticket.state in IN_FLIGHT or ticket.is_followed
        if on_its_way and (its.account, its.contract.root) == (account, root) and not listed & set(ticket.order_ids):
            # An overfilled order has nothing left; less than nothing would hide another one.
            reach[its.contract, its.terms.side] += max(ticket.terms.quantity - ticket.filled, 0)
    return reach


def _rate(limit: Limit, member: int, recent: Recent, now: datetime) -> Iterable[Denial]:
    if limit.orders_per_minute is None:
        return
    since = recent.sent_since(now - timedelta(minutes=1))
    sent = sum(1 for t in since if t.requester.id == member and not isinstance(t.intent, (*SWEEPS, Cancel)))
    if sent >= limit.orders_per_minute:
        yield Denial(
            DenialCode.ORDERS_PER_MINUTE,
            f"You have sent {sent} orders in the last minute and {limit.orders_per_minute} are allowed; wait a little.",
            f"sent={sent} orders_per_minute={limit.orders_per_minute}",
        )


def _duplicate(limit: Limit, intent: OrderIntent, recent: Recent, now: datetime) -> Iterable[Denial]:
    if limit.duplicate_seconds is None:
        return
    since = now - timedelta(seconds=limit.duplicate_seconds)
    twin = next((t for t in recent.sent_since(since) if t.same_shape(intent)), None)
    if twin is not None and twin.sent_at is not None:
        ago = (now - twin.sent_at).total_seconds()
        yield Denial(
            DenialCode.DUPLICATE,
            f"{harmless(twin.requester.name, 40)} sent the same order {ago:.0f} s ago (ticket {twin.id}); "
            f"if a second one is meant, ask again after {limit.duplicate_seconds} s.",
            f"ticket={twin.id} duplicate_seconds={limit.duplicate_seconds}",
        )


def _loss(limit: Limit, intent: OrderIntent, account: Account | None) -> Iterable[Denial]:
    if limit.daily_loss is None:
        return
    result = None if account is None else account.day_result
    if result is None or result < -limit.daily_loss:
        told = "can't be read" if result is None else f"is {result}"
        yield Denial(
            DenialCode.DAILY_LOSS,
            f"The day's result of {code(intent.account)} {told} and its limit is -{limit.daily_loss}: "
            "only closing is allowed there now.",
            f"result={result} daily_loss={limit.daily_loss}",
        )
