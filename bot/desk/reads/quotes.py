"""Quotes and sessions, which belong to no account; and an account's own quotes, which do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.desk.lookup.fronts import Front
from bot.desk.lookup.names import RequestRefused, instrument
from bot.desk.reads.reader import Reader, asks_in_vain, tried
from bot.desk.reads.reports import Quoted, Traded
from bot.errors import BrokerError
from bot.trading.market.expiry import front_by_calendar
from bot.trading.market.facts import Quote
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery
from bot.trading.words import quoted

MOST_QUOTES = 10
# Each costs a request.
MOST_MARKETS = 5
USUAL_MARKET = "ES"

Asked = Sequence[Contract | Root]
Meant = Sequence[tuple[Contract | Root, Front]]
Ask = Callable[[Sequence[Contract]], Awaitable[Sequence[Quote]]]


async def quotes(reader: Reader, member: Member, typed: str, account: str | None) -> tuple[Quoted, ...]:
    """Quotes of one or several instruments, comma-separated: the market's, or an account's own."""
    if account is None:
        reader.naming.ask(member, PermissionQuery("quote"))
        return await _of_fronts(reader, _instruments(reader, typed, MOST_QUOTES), reader.broker.quotes, None)
    name = await reader.naming.account(member, "quote", account)

    async def own(asked: Sequence[Contract]) -> Sequence[Quote]:
        return await reader.broker.account_quotes(name, asked)

    return await _of_fronts(reader, _instruments(reader, typed, MOST_QUOTES), own, name)


async def market(reader: Reader, member: Member, typed: str | None) -> tuple[Traded, ...]:
    """The sessions of one or several markets: whether each trades, and when that changes."""
    reader.naming.ask(member, PermissionQuery("market"))

    async def traded(one: Contract | Root) -> Traded:
        session, why = await tried(reader.broker.session(one))
        guess = front_by_calendar(one.name, reader.clock.host().date()) if isinstance(one, Root) and session is None else None
        if guess is not None:
            session, why = await tried(reader.broker.session(guess))
        return Traded(one, session, why, reader.clock.host(), guessed=guess is not None)

    return tuple(await asyncio.gather(*map(traded, _instruments(reader, typed or USUAL_MARKET, MOST_MARKETS))))


async def _of_fronts(reader: Reader, asked: Asked, ask: Ask, account: str | None) -> tuple[Quoted, ...]:
    """The quotes, of a root that of its front month; what nobody can say stays where it was asked for."""
    fronts = await asyncio.gather(*(tried(reader.front(one)) for one in asked))
    meant = [(one, front) for one, (front, _) in zip(asked, fronts, strict=True) if front is not None]
    found = {quoted.asked: quoted for quoted in (await _quotes(reader, meant, ask, account) if meant else ())}
    now = reader.clock.host()
    return tuple(found.get(one) or Quoted(one, None, why, now, account) for one, (_, why) in zip(asked, fronts, strict=True))


async def _quotes(reader: Reader, asked: Meant, ask: Ask, account: str | None) -> tuple[Quoted, ...]:
    """All by one request; each by its own where that is refused, as one name among them may be wrong."""
    try:
        found = await ask([front.contract for _, front in asked])
    except BrokerError as error:
        if len(asked) > 1 and not asks_in_vain(error):
            return tuple(
                part for parts in await asyncio.gather(*(_quotes(reader, [one], ask, account) for one in asked)) for part in parts
            )
        return tuple(Quoted(one, None, quoted(str(error)), reader.clock.host(), account) for one, _ in asked)
    now = reader.clock.host()
    both = zip(asked, found, strict=True)
    return tuple(Quoted(one, reader.as_shown(quote), "", now, account, front.guessed) for (one, front), quote in both)


def _instruments(reader: Reader, typed: str, most: int) -> list[Contract | Root]:
    named = (instrument(part, reader.clock) for part in typed.split(",") if part.strip())
    asked = dict.fromkeys(named) or [instrument(typed, reader.clock)]
    if len(asked) > most:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, f"Ask for at most {most} instruments at once."))
    return list(asked)
