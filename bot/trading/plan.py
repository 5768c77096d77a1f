"""What would happen: the facts of a card worked out from what was read, and whether they still hold at the press."""

from datetime import datetime

from bot.trading.facts import Facts
from bot.trading.orders import OrderType, Side
from bot.trading.policy import Policy
from bot.trading.tickets import Reverse, Shown, closing_side, side_word


def plan(intent: Reverse, facts: Facts, policy: Policy, now: datetime) -> Shown:
    """The facts to show, from facts that have passed the limits.

    Raises:
        ValueError: a fact is missing; limits must have said so before.
    """
    position, quote, account = facts.position(intent.contract), facts.quote, facts.account
    if position is None or quote is None or account is None or quote.at is None:
        raise ValueError("a plan needs an account, a position and a quote")
    if quote.bid is None or quote.ask is None or quote.last is None:
        raise ValueError("a plan needs a bid, an ask and a last price")
    working = sum(1 for order in facts.orders or () if order.contract == intent.contract and order.remaining)
    return Shown(
        live=not account.is_simulation or policy.names_live(intent.account),
        position=position.quantity,
        average_price=position.average_price,
        after=intent.terms.quantity * intent.terms.side.sign,
        bid=quote.bid,
        ask=quote.ask,
        last=quote.last,
        quoted_at=quote.at,
        tick_size=quote.tick_size,
        tick_value=quote.tick_value,
        point_value=quote.point_value,
        warnings=tuple(_warnings(intent, position.quantity, facts, now)),
        approver_roles=policy.approver_roles(intent.account, intent.terms.quantity),
        working_orders=working,
    )


def steps(intent: Reverse, shown: Shown) -> tuple[str, ...]:
    """What will be sent, step by step, in plain words."""
    terms, size = intent.terms, abs(shown.position)
    prices = "".join(f" {name} {price}" for name, price in (("limit", terms.limit), ("stop", terms.stop)) if price is not None)
    close = f"close {side_word(shown.position)} ({closing_side(shown.position)} {size} at market)"
    entry = f"then {terms.side.upper()} {terms.quantity} {terms.type}{prices} → {side_word(shown.after)}"
    return (close, entry if terms.type is OrderType.MARKET else f"{entry} once filled")


def no_longer_true(before: Shown, after: Shown, tolerance_ticks: int, order_type: OrderType) -> str | None:
    """Say what has changed so much that the person must look again; ``None`` when the card still tells the truth."""
    if after.position != before.position:
        return f"the position is now {side_word(after.position)}, not {side_word(before.position)}"
    if after.live != before.live:
        return "the account changed between SIM and LIVE"
    if after.approver_roles - before.approver_roles:
        return "the policy now asks for another person's approval"
    moved = abs(after.last - before.last)
    # A limit order carries its own price; the others fill wherever the market has gone.
    if order_type is not OrderType.LIMIT and moved > tolerance_ticks * after.tick_size:
        return f"the price moved from {before.last} to {after.last}"
    return None


def _warnings(intent: Reverse, position: int, facts: Facts, now: datetime) -> list[str]:
    terms, found = intent.terms, []
    if intent.contract.is_past(now.date()):
        found.append(f"{intent.contract} is past by the calendar; the broker may refuse it")
    if (terms.side is Side.BUY) == (position > 0):
        again = side_word(terms.quantity * terms.side.sign)
        found.append(f"{terms.side} doesn't oppose {side_word(position)}: it closes and opens {again} again")
    quote = facts.quote
    if quote is not None and terms.limit is not None and terms.type is OrderType.LIMIT:
        crosses = (terms.side is Side.BUY and quote.ask is not None and terms.limit >= quote.ask) or (
            terms.side is Side.SELL and quote.bid is not None and terms.limit <= quote.bid
        )
        if crosses:
            found.append(f"a {terms.side} limit at {terms.limit} fills at once")
    if quote is not None and quote.market_open is False:
        found.append("the market is closed")
    return found
