"""Reading what a decision needs. A read that fails leaves a gap that the rules treat as a reason to say no."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from bot.desk.ports import Broker, Journal
from bot.errors import BrokerError, InstrumentError
from bot.trading.facts import Account, Facts, Order, Position, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.intents import Intent
from bot.trading.limits import Recent
from bot.trading.policy import Policy
from bot.trading.words import code

Read = TypeVar("Read")
Reads = asyncio.Future[tuple[Account | None, Sequence[Position] | None, Sequence[Order] | None, Quote | None]]


class Look:
    """One look at the world for one account and instrument; the reads run side by side.

    Args:
        broker: who is asked.
        front: the front month of a root, from memory.
    """

    def __init__(self, broker: Broker, front: Callable[[str], Contract | None] = lambda _root: None) -> None:
        self._broker = broker
        self._front = front

    def at(self, account: str, contract: Contract) -> Coroutine[None, None, Facts]:
        """Read the account, its positions, its orders and the contract's quote.

        The reads are begun here, not when the result is first waited for, and so go before whatever the caller begins next.
        """
        missing: list[str] = []
        return _facts(
            missing,
            self._front(contract.root),
            asyncio.gather(
                _try("account", self._broker.account(account), missing),
                _try("positions", self._broker.positions(account), missing),
                # Finished orders too: what is listed before sending can't be mistaken for ours afterwards.
                _try("orders", self._broker.orders(account, active_only=False), missing),
                _try("quote", self._broker.quote(contract), missing),
            ),
        )

    async def order(self, account: str, order_id: str) -> Order | None:
        """The order as the account's list has it, finished or not; asking for one by its id can miss a working order.

        Raises:
            BrokerError: the list can't be read.
        """
        orders = await self._broker.orders(account, active_only=False)
        return next((order for order in orders if order_id in order.ids), None)

    async def atm_templates(self) -> Sequence[str]:
        """The names of the ATM templates in NinjaTrader.

        Raises:
            BrokerError: they can't be read.
        """
        return await self._broker.atm_templates()

    async def month_of(self, account: str, root: Root) -> Contract:
        """The contract that a bare root means: the only one with a position or working order, else the front month.

        Raises:
            BrokerError: a read failed.
            InstrumentError: more than one month would fit.
        """
        positions, orders = await asyncio.gather(self._broker.positions(account), self._broker.orders(account, active_only=True))
        months = months_held(root, positions, orders)
        if len(months) > 1:
            fits = tuple(str(month) for month in months)
            sentence = f"{root} fits {' and '.join(fits)} in {code(account)}; write the one you mean in that form."
            raise InstrumentError(str(root), sentence, fits)
        return months[0] if months else (await self._broker.quote(root)).contract


async def survey(
    look: Look, journal: Journal, intent: Intent, policy: Callable[[], Policy], clock: Callable[[], datetime]
) -> tuple[Facts, Recent]:
    """Read what a decision needs: the world, and what is on its way to it.

    The journal is read while CrossTrade is: an order that fills meanwhile then counts as on its way, where read afterwards it
    would be neither on its way any more nor in the positions yet.

    Raises:
        JournalError: the journal can't be read.
    """
    while True:
        window = longest_window(policy())
        reading = look.at(intent.account, intent.contract)
        facts, recent = await asyncio.gather(reading, journal.recent(clock() - window))
        # A policy that came into force meanwhile may look further back.
        if longest_window(policy()) <= window:
            return facts, Recent(tuple(recent))


def longest_window(policy: Policy) -> timedelta:
    """How far back the limits look; orders on their way are found however old they are."""
    windows = [timedelta(seconds=limit.duplicate_seconds or 0) for limit in policy.limits]
    if any(limit.orders_per_minute is not None for limit in policy.limits):
        windows.append(timedelta(minutes=1))
    return max(windows, default=timedelta())


async def _facts(missing: list[str], front: Contract | None, reads: Reads) -> Facts:
    account, positions, orders, quote = await reads
    return Facts(
        account=account,
        positions=None if positions is None else tuple(positions),
        orders=None if orders is None else tuple(orders),
        quote=quote,
        missing=tuple(missing),
        front=front,
    )


def months_held(root: Root, positions: Sequence[Position], orders: Sequence[Order]) -> list[Contract]:
    """The months of a root in which there is a position or a working order."""
    held = {p.contract for p in positions if p.contract.root == root.name and p.quantity}
    worked = {o.contract for o in orders if o.contract.root == root.name and o.remaining}
    return sorted(held | worked)


async def _try(what: str, read: Awaitable[Read], missing: list[str]) -> Read | None:
    try:
        return await read
    except BrokerError as error:
        missing.append(f"{what}: {error}")
        return None
