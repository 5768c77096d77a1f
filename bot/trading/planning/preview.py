"""The preview of an order: the facts on its card, worked out from what was read, and whether they still hold at the press."""

from dataclasses import replace
from datetime import date

from bot.trading.market import session as market
from bot.trading.market.brackets import stop_price, target_price
from bot.trading.market.expiry import BY_CALENDAR, warnings_about
from bot.trading.market.facts import Facts, Quote, terms_of
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    VerifiedReverse,
    closing_side,
    closing_terms,
)
from bot.trading.orders.terms import OrderType, Side, words_of
from bot.trading.orders.tickets import Preview, side_word
from bot.trading.reconciliation.replacing import BEING_CANCELLED, BOTH
from bot.trading.risk.policy import Policy
from bot.trading.words import price, quoted

# CrossTrade's list of them is known from one client alone.
UNCHECKED_TEMPLATE = "CrossTrade has no list of ATM templates that can be read: nobody can check that NinjaTrader has {name}"


def plan(intent: OrderIntent, facts: Facts, policy: Policy, today: date) -> Preview:
    """The facts to show, from facts that have passed the limits.

    Raises:
        ValueError: a fact is missing; limits must have said so before.
    """
    account, quote = facts.account, facts.quote
    if account is None and not intent.is_exit:
        raise ValueError("a plan of an entry needs an account")
    if not intent.is_exit and (quote is None or None in {quote.bid, quote.ask, quote.last, quote.at}):
        raise ValueError("a plan of an entry needs a quote with a bid, an ask, a last price and its time")
    position = facts.position(intent.contract)
    if position is None and intent.needs_position:
        raise ValueError("a plan of a close needs a position")
    held = 0 if position is None else position.quantity
    return Preview(
        live=policy.is_live(intent.account, account),
        position=held,
        average_price=None if position is None else position.average_price,
        after=_after(intent, held, facts),
        bid=None if quote is None else quote.bid,
        ask=None if quote is None else quote.ask,
        last=None if quote is None else quote.last,
        quoted_at=None if quote is None else quote.at,
        tick_size=None if quote is None else quote.tick_size,
        tick_value=None if quote is None else quote.tick_value,
        point_value=None if quote is None else quote.point_value,
        warnings=tuple(_warnings(intent, held, facts, today)),
        approver_roles=_approvers(intent, policy),
        working_orders=_others_working(intent, facts),
        position_read=facts.positions is not None,
    )


def refreshed(intent: OrderIntent, facts: Facts) -> OrderIntent:
    """The intent with what it says of the position, or of the order, as they are now."""
    position = facts.position(intent.contract)
    if isinstance(intent, Close) and position is not None:
        return replace(intent, terms=closing_terms(position.quantity, intent.quantity, intent.fraction))
    if isinstance(intent, Bracket) and position is not None:
        return replace(intent, terms=replace(intent.terms, side=closing_side(position.quantity)))
    order = facts.order(intent.target_id or "")
    if isinstance(intent, Change | Replace) and order is not None:
        return replace(intent, before=terms_of(order))
    return intent


def steps(intent: OrderIntent, shown: Preview) -> tuple[str, ...]:
    """The steps that will be sent, in their order and in plain words."""
    terms, tick = intent.terms, shown.tick_size
    match intent:
        case Close():
            closed = f"close {terms.quantity} of {side_word(shown.position)} ({terms.side} at market)"
            return (f"{closed} → {side_word(shown.after)}",)
        case Cancel():
            return (f"cancel {words_of(terms, tick)}",)
        case Change():
            return (f"change {words_of(intent.before, tick)} to {words_of(terms, tick)}",)
        case Bracket():
            count = shown.working_orders
            cancelled = (
                f"cancel {count} working {'order' if count == 1 else 'orders'} there" if count else "nothing to cancel there"
            )
            # Their prices are the first thing that the card says.
            placed = (("target", "LIMIT", target_price(intent)), ("stop", "STOPMARKET", stop_price(intent)))
            return (cancelled, *(f"{name} {_leg(intent, kind)}" for name, kind, at in placed if at is not None))
        case Invert():
            return (f"turn {side_word(shown.position)} into {side_word(shown.after)} at market",)
        case _:
            return _steps_to_entry(intent, shown)


def _steps_to_entry(intent: OrderIntent, shown: Preview) -> tuple[str, ...]:
    terms = intent.terms
    entry = f"{words_of(terms, shown.tick_size)} → {side_word(shown.after)}" + (
        "" if terms.type is OrderType.MARKET else " once filled"
    )
    if isinstance(intent, PlaceOrder):
        return (entry,)
    if isinstance(intent, Replace):
        return (f"cancel {words_of(intent.before, shown.tick_size)}", f"then {entry}")
    if not shown.position:
        return ("nothing to close", entry)
    closing = f"close {side_word(shown.position)} ({closing_side(shown.position)} {abs(shown.position)} at market)"
    if isinstance(intent, VerifiedReverse):
        return (closing, "read back until flat, cancel what the close leaves working; never flat: stop here", f"then {entry}")
    return (closing, f"then {entry}")


def _leg(intent: Bracket, kind: str) -> str:
    return f"{intent.terms.side.upper()} {intent.terms.quantity} {kind}"


def no_longer_true(intent: OrderIntent, fresh: OrderIntent, before: Preview, after: Preview, tolerance_ticks: int) -> str | None:
    """Say what has changed so much that the person must look again; ``None`` when the card still tells the truth.

    Args:
        intent: as the card shows it.
        fresh: the same as of now.
        before: the facts that the card shows.
        after: the same as of now.
        tolerance_ticks: how far the last price may have moved.
    """
    if after.position != before.position and not isinstance(intent, Cancel):
        return f"the position is now {side_word(after.position)}, not {side_word(before.position)}"
    if after.live != before.live:
        return "the account changed between SIM and LIVE"
    if after.approver_roles - before.approver_roles:
        return "the policy now asks for another person's approval"
    if isinstance(intent, Change | Replace) and isinstance(fresh, Change | Replace) and fresh.before != intent.before:
        return f"the order is now {words_of(fresh.before, after.tick_size)}"
    # A limit order carries its own price, a way out is wanted at any; the others fill wherever the market has gone.
    return None if intent.is_exit or intent.terms.type is OrderType.LIMIT else _moved(before, after, tolerance_ticks)


def _moved(before: Preview, after: Preview, tolerance_ticks: int) -> str | None:
    if before.last is None or after.last is None or after.tick_size is None:
        return "the price can't be compared"
    tick = after.tick_size
    far = abs(after.last - before.last) > tolerance_ticks * tick
    return f"the price moved from {price(before.last, tick)} to {price(after.last, tick)}" if far else None


def _after(intent: OrderIntent, held: int, facts: Facts) -> int:
    """The position once everything has filled."""
    moves = intent.terms.quantity * intent.terms.side.sign
    if isinstance(intent, Cancel | Bracket):
        return held
    if isinstance(intent, Change):
        order = facts.order(intent.order_id)
        return held + moves - (order.filled * intent.terms.side.sign if order else 0)
    return moves if intent.closes and intent.places else held + moves


def _approvers(intent: OrderIntent, policy: Policy) -> frozenset[int]:
    """Getting out waits for nobody."""
    return frozenset() if intent.is_exit else policy.approver_roles(intent.account, intent.terms.quantity)


def _others_working(intent: OrderIntent, facts: Facts) -> int:
    its = intent.target_id
    return sum(1 for order in facts.working(intent.contract) if its not in order.ids)


def _warnings(intent: OrderIntent, position: int, facts: Facts, today: date) -> list[str]:
    terms = intent.terms
    found = list(warnings_about(intent.contract, today, facts.front, leaving=intent.is_exit))
    if facts.guessed == intent.contract:
        found.append(f"{intent.contract} {BY_CALENDAR}")
    if intent.closes and intent.places and position and (terms.side is Side.BUY) == (position > 0):
        again = side_word(terms.quantity * terms.side.sign)
        found.append(f"{terms.side} doesn't oppose {side_word(position)}: it closes and opens {again} again")
    if isinstance(intent, Close) and not intent.is_whole and (working := _others_working(intent, facts)):
        found.append(f"a partial close leaves stops and targets working: {working} there")
    if isinstance(intent, Replace) and (old := facts.order(intent.order_id)) is not None and old.state in BEING_CANCELLED:
        found.append(f"order {quoted(intent.order_id, 64)} is {old.state.value} already and may not go; {BOTH}")
    if isinstance(intent, Bracket) and stop_price(intent) is None:
        found.append(f"there is no stop with it: {side_word(position)} stays unprotected")
    if facts.quote is not None:
        found += _about_market(intent, facts.quote)
        found += _about_one_side(intent, facts.quote)
    if terms.strategy in facts.unchecked:
        found.append(UNCHECKED_TEMPLATE.format(name=quoted(terms.strategy or "", 64)))
    return found


def _about_one_side(intent: OrderIntent, quote: Quote) -> list[str]:
    """The warning that a bracket's prices can't be checked, as nobody quotes the side on which its orders would fill."""
    if not isinstance(intent, Bracket):
        return []
    name, price_there = ("bid", quote.bid) if intent.terms.side is Side.SELL else ("ask", quote.ask)
    return [f"there is no {name} to check these prices by: one may be refused, or fill at once"] if price_there is None else []


def _about_market(intent: OrderIntent, quote: Quote) -> list[str]:
    found, terms = [], intent.terms
    if terms.limit is not None and terms.type is OrderType.LIMIT and not intent.is_exit:
        crosses = (terms.side is Side.BUY and quote.ask is not None and terms.limit >= quote.ask) or (
            terms.side is Side.SELL and quote.bid is not None and terms.limit <= quote.bid
        )
        if crosses:
            found.append(f"a {terms.side} limit at {price(terms.limit, quote.tick_size)} fills at once")
    if quote.market_open is False:
        found.append(market.CLOSES_AT_THE_OPEN if isinstance(intent, Close) else market.SHUT)
    return found
