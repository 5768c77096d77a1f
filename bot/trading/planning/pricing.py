"""Shorthand in an intent, worked out from the facts that its ticket is made of. Pure; how shorthand reads is in ``shorthand``.

An intent begins with what was typed in ``terms.typed`` and no price in its place. Once it is priced, the number is what the card
shows, the journal keeps and CrossTrade is sent; what was typed stays beside it for people to read, and is never looked at again.
"""

from dataclasses import replace
from decimal import Decimal

from bot.errors import UsageError
from bot.trading.market.facts import Facts
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Bracket, Change, OrderIntent, Replace
from bot.trading.orders.terms import Terms
from bot.trading.planning.shorthand import Base, Shorthand, read, resolve


def with_prices(terms: Terms, limit: str | None, stop: str | None) -> Terms:
    """The terms with prices as they were typed; one that was left out stays as it is.

    Raises:
        PriceError: one can't be read.
    """
    found = {"limit": read("limit", limit), "stop": read("stop", stop)}
    return replace(
        terms,
        limit=_number(found["limit"], terms.limit),
        stop=_number(found["stop"], terms.stop),
        typed=tuple((name, str(price)) for name, price in found.items() if isinstance(price, Shorthand)),
    )


def base_of(facts: Facts, contract: Contract, present: Decimal | None = None) -> Base | None:
    """The facts that prices in that contract are counted from; ``None`` while quote or positions could not be read.

    Args:
        facts: as they were read.
        contract: of the order.
        present: the price that the order has, where one is modified.
    """
    quote, position = facts.quote, facts.position(contract)
    if quote is None or facts.positions is None:
        return None
    return Base(
        tick_size=quote.tick_size,
        bid=quote.bid,
        ask=quote.ask,
        last=quote.last,
        position=0 if position is None else position.quantity,
        average_price=None if position is None else position.average_price,
        present=present,
    )


def priced(intent: OrderIntent, facts: Facts) -> OrderIntent:
    """The intent with every price as a number; as it is where a read failed, which ``limits.check_order`` then says.

    Raises:
        PriceError: shorthand can't be worked out.
        UsageError: it comes to what the order has already.
    """
    terms = intent.terms
    for name, text in terms.unpriced:
        present = intent.before.price(name) if isinstance(intent, Change | Replace) else None
        base = base_of(facts, intent.contract, present)
        if base is None:
            return intent
        price = resolve(name, text, terms.side, base)
        terms = replace(terms, limit=price) if name == "limit" else replace(terms, stop=price)
    if isinstance(intent, Change):
        check_changes(intent.before, terms)
    if isinstance(intent, Bracket):
        return replace(_targeted(intent, facts), terms=terms)
    return replace(intent, terms=terms)


def _targeted(bracket: Bracket, facts: Facts) -> Bracket:
    is_typed = bracket.target is None and bracket.target_typed is not None
    base = base_of(facts, bracket.contract) if is_typed else None
    if base is None:
        return bracket
    return replace(bracket, target=resolve("target", bracket.target_typed, bracket.terms.side, base))


def check_changes(before: Terms, terms: Terms) -> None:
    """Check that an order's new terms are not those that it has.

    Raises:
        UsageError: they are.
    """
    if terms == before:
        raise UsageError("That changes nothing: the order has that quantity and those prices already.")


def _number(typed: Decimal | Shorthand | None, before: Decimal | None) -> Decimal | None:
    if isinstance(typed, Shorthand):
        return None
    return before if typed is None else typed
