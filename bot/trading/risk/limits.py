"""The limits: given the facts and what is in flight, every reason why an order may not be sent now.

Pure: time is an argument. Fails closed: whatever is missing, stale or unreadable is a reason of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.errors import PriceError
from bot.trading.market.brackets import fills_at_once, target_price
from bot.trading.market.facts import SINCE, Account, Facts, Quote
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Close,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    closing_side,
)
from bot.trading.orders.mass_actions import CANCEL_UNSEEN, FLATTEN_UNSEEN
from bot.trading.orders.terms import check_stop_side, check_ticks
from bot.trading.orders.tickets import SENT, Ticket, side_word
from bot.trading.risk.conditions import unmet
from bot.trading.risk.exposure import Exposure, exposures
from bot.trading.risk.halts import only_lessens
from bot.trading.risk.policy import Denial, DenialCode, Limit, Policy
from bot.trading.risk.underway import about_closes, about_tickets
from bot.trading.words import quoted


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """The desk's own orders that limits must know of.

    Attributes:
        tickets: every ticket sent in the last minutes, and every one still in flight or followed, of any account.
    """

    tickets: tuple[Ticket, ...] = ()


def check_order(
    intent: OrderIntent, member: int, facts: Facts, policy: Policy, recent: OwnOrders, now: datetime
) -> tuple[Denial, ...]:
    """Every reason against sending this order now; empty means allowed. The first is the one to tell first."""
    if intent.is_exit:
        return tuple(_about_exit(intent, facts, policy, recent, now))
    account, quote = facts.account, facts.quote
    if account is None or facts.positions is None or facts.orders is None or quote is None:
        # A list that was read and holds no position settles it, whatever else could not be read; but not while an order there
        # may just be changing it.
        known = () if facts.positions is None else _about_position(intent, facts)
        return (*about_tickets(intent, recent.tickets, now), *known, _missing(facts))
    found = [
        # First: until that is settled, nothing that is said of the position is sure.
        *about_tickets(intent, recent.tickets, now),
        *about_closes(intent, facts),
        *_about_account(intent, account, policy),
        *_about_connection(intent, account),
        *_about_position(intent, facts),
        *_about_order(intent, facts),
        *_about_quote(intent, quote, policy, now),
        *_about_prices(intent, quote.tick_size, quote.bid, quote.ask),
    ]
    there = policy.applying(intent.account, intent.contract.root)
    counted = _counted(intent, member, facts, recent, now) if there.all else None
    if counted is not None and any(_about_limit(there.strictest, counted)):
        for limit in there.all:
            found += _about_limit(limit, counted)
    return tuple(found)


def _about_exit(intent: OrderIntent, facts: Facts, policy: Policy, recent: OwnOrders, now: datetime) -> Iterable[Denial]:
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
        yield from _about_bracket(intent, facts.quote, policy, now)
    yield from _about_order(intent, facts)


def _missing(facts: Facts, way_out: str = "") -> Denial:
    why = "; ".join(map(quoted, facts.missing)) or "no answer"
    sentence = f"CrossTrade could not be read ({why}), so nothing is sent; try again shortly{way_out}."
    return Denial(DenialCode.FACTS_MISSING, sentence)


def _about_account(intent: OrderIntent, account: Account, policy: Policy) -> Iterable[Denial]:
    if not account.is_simulation and not policy.names_live(intent.account):
        yield Denial(
            DenialCode.LIVE_NOT_NAMED,
            f"{quoted(intent.account)} is not a simulation and the policy file doesn't name it as live; "
            "whoever runs the desk must add it under [[account]].",
            f"account={intent.account} provider={account.provider}",
        )


def _about_connection(intent: OrderIntent, account: Account) -> Iterable[Denial]:
    if account.connected is True:
        return
    told = (
        f"CrossTrade doesn't tell whether {quoted(intent.account)} is connected, so nothing new is sent there; "
        "look at it in NinjaTrader."
        if account.connected is None
        else f"NinjaTrader says that {quoted(intent.account)} is not connected; connect it there and try again."
    )
    yield Denial(DenialCode.ACCOUNT_DISCONNECTED, told, f"account={intent.account}")


def _about_position(intent: OrderIntent, facts: Facts) -> Iterable[Denial]:
    position = facts.position(intent.contract)
    if position is None and intent.needs_position:
        yield Denial(
            DenialCode.NO_POSITION,
            f"{quoted(intent.account)} has no position in {intent.contract}, so there is nothing to {intent.command}.",
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


def _about_bracket(intent: Bracket, quote: Quote | None, policy: Policy, now: datetime) -> Iterable[Denial]:
    """A target and a stop lie on the two sides of the market, or one of them would fill at once.

    That takes a price of this moment, and on the side where they would fill; without one nobody is kept from protecting what is
    open. The tick is needed, as NinjaTrader takes no price off it.
    """
    if quote is None:
        yield _missing(Facts(None, None, None, None, missing=("the tick of its prices",)))
        return
    fresh = is_fresh(quote, intent, policy, now)
    bid, ask = (quote.bid, quote.ask) if fresh else (None, None)
    yield from _about_prices(intent, quote.tick_size, bid, ask)
    target = target_price(intent)
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
    if (why := fills_at_once(intent, bid, ask)) is not None:
        yield Denial(DenialCode.BAD_PRICE, why, f"target={target} bid={bid} ask={ask}")


def _about_order(intent: OrderIntent, facts: Facts) -> Iterable[Denial]:
    """An order that is to be cancelled or changed must be listed and not be finished."""
    wanted = intent.target_id
    if wanted is None:
        return
    order = facts.order(wanted)
    if order is None:
        yield Denial(
            DenialCode.NO_SUCH_ORDER,
            f"NinjaTrader lists no order {quoted(wanted, 64)} in {quoted(intent.account)}; /orders shows those that work.",
            f"account={intent.account} order={wanted}",
        )
    elif order.state.is_done:
        yield Denial(
            DenialCode.ORDER_FINISHED,
            f"Order {quoted(wanted, 64)} is {order.state.value.lower()} already, so there is nothing to {intent.command}.",
            f"order={wanted} state={order.state.value}",
        )


def is_fresh(quote: Quote, intent: OrderIntent, policy: Policy, now: datetime) -> bool:
    """Tell whether a quote is young enough to decide on; of one without a time nobody knows."""
    age = quote.age(now)
    return age is not None and age <= policy.stale_seconds(intent.account, intent.contract.root)


def _about_quote(intent: OrderIntent, quote: Quote, policy: Policy, now: datetime) -> Iterable[Denial]:
    if quote.last is None or quote.bid is None or quote.ask is None or quote.bid > quote.ask:
        yield Denial(
            DenialCode.QUOTE_MISSING,
            f"There is no usable price for {intent.contract}; check the data feed in NinjaTrader and try again.",
            f"bid={quote.bid} ask={quote.ask} last={quote.last}",
        )
    if not is_fresh(quote, intent, policy, now):
        age, limit = quote.age(now), policy.stale_seconds(intent.account, intent.contract.root)
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


def _about_prices(intent: OrderIntent, tick_size: Decimal, bid: Decimal | None, ask: Decimal | None) -> Iterable[Denial]:
    try:
        check_ticks(intent.terms, tick_size)
        check_stop_side(intent.terms, bid, ask)
    except PriceError as error:
        yield Denial(DenialCode.BAD_PRICE, str(error), f"tick={tick_size}")


@dataclass(frozen=True, slots=True)
class _Counted:
    """The figures that limits are held against, counted once for all of them.

    Attributes:
        exposures: what could come to be held, on either side.
        sent: how many orders the member has sent in the last minute.
        twins: what was sent of the very same order, with how many seconds ago.
        lessens: whether it can only take away from what is at risk.
    """

    intent: OrderIntent
    quote: Quote | None
    account: Account | None
    exposures: tuple[Exposure, ...]
    sent: int
    twins: tuple[tuple[Ticket, float], ...]
    lessens: bool


def _counted(intent: OrderIntent, member: int, facts: Facts, recent: OwnOrders, now: datetime) -> _Counted:
    a_minute_ago, sent, twins = now - timedelta(minutes=1), 0, []
    for ticket in recent.tickets:
        at = ticket.sent_at
        # What was proved to have done nothing counts for nothing.
        if at is None or ticket.state not in SENT:
            continue
        if (
            at >= a_minute_ago
            and ticket.requester.id == member
            and not (ticket.intent.is_mass or isinstance(ticket.intent, Cancel))
        ):
            sent += 1
        if ticket.same_shape(intent):
            twins.append((ticket, (now - at).total_seconds()))
    position = facts.position(intent.contract)
    return _Counted(
        intent=intent,
        quote=facts.quote,
        account=facts.account,
        exposures=exposures(intent, facts, recent.tickets),
        sent=sent,
        twins=tuple(twins),
        lessens=only_lessens(intent, 0 if position is None else position.quantity),
    )


def _about_limit(limit: Limit, counted: _Counted) -> Iterable[Denial]:
    yield from _band(limit, counted.intent, counted.quote)
    yield from _position_cap(limit, counted.intent, counted.exposures)
    yield from _rate(limit, counted.sent)
    yield from _duplicate(limit, counted.twins)
    if not counted.lessens:
        yield from _loss(limit, counted.intent, counted.account)


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


def _position_cap(limit: Limit, intent: OrderIntent, counted: Iterable[Exposure]) -> Iterable[Denial]:
    if limit.max_position is None:
        return
    over = max((each for each in counted if each.exceeds(limit.max_position)), key=lambda each: each.worst, default=None)
    if over is not None:
        yield Denial(
            DenialCode.MAX_POSITION,
            f"With working orders and orders on their way {quoted(intent.account)} could hold {over.worst} "
            f"{intent.contract.root}, more than the {limit.max_position} allowed; lower the quantity or cancel working orders.",
            f"worst={over.worst} side={over.side} max_position={limit.max_position}",
        )


def _rate(limit: Limit, sent: int) -> Iterable[Denial]:
    if limit.orders_per_minute is not None and sent >= limit.orders_per_minute:
        yield Denial(
            DenialCode.ORDERS_PER_MINUTE,
            f"You have sent {sent} orders in the last minute and {limit.orders_per_minute} are allowed; wait a little.",
            f"sent={sent} orders_per_minute={limit.orders_per_minute}",
        )


def _duplicate(limit: Limit, twins: Iterable[tuple[Ticket, float]]) -> Iterable[Denial]:
    if limit.duplicate_seconds is None:
        return
    for twin, ago in twins:
        if ago <= limit.duplicate_seconds:
            yield Denial(
                DenialCode.DUPLICATE,
                f"{twin.requester.named} sent the same order {ago:.0f} s ago (ticket {twin.id}); "
                f"if a second one is meant, ask again after {limit.duplicate_seconds} s.",
                f"ticket={twin.id} duplicate_seconds={limit.duplicate_seconds}",
            )
            return


def _loss(limit: Limit, intent: OrderIntent, account: Account | None) -> Iterable[Denial]:
    if limit.daily_loss is None:
        return
    result = None if account is None else account.day_result
    if result is None or result < -limit.daily_loss:
        told = "can't be read" if result is None else f"is {result}"
        yield Denial(
            DenialCode.DAILY_LOSS,
            f"The day's result of {quoted(intent.account)}, {SINCE}, {told} and its limit is -{limit.daily_loss}: "
            "only what lessens the risk is allowed there now.",
            f"result={result} daily_loss={limit.daily_loss}",
        )
