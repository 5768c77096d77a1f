"""Alarms about a link that is down while money hangs on it, and who reads them: the ``[[notify]]`` routes, by account."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.desk.outbox.notices import about, tone_of
from bot.desk.ports import EventName, Notice
from bot.trading.health.chain import ago
from bot.trading.market.facts import Account, Position
from bot.trading.orders.tickets import Ticket
from bot.trading.risk.policy import Policy, Route
from bot.trading.words import quoted

NEVER_READ = "What is open could not be read since the bot started: look in NinjaTrader."
MOST_NAMED = 12
Write = Callable[[tuple[Route, ...]], str | None]
MEANWHILE = "NinjaTrader goes on without the bot: look there."


@dataclass(frozen=True, slots=True)
class Held:
    """The positions of an account, and when they were asked for."""

    positions: tuple[Position, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Stakes:
    """Positions and tickets that hang on a link, as last known.

    Attributes:
        held: by account; only what was read.
        in_flight: tickets sent whose end isn't known.
        accounts: as last listed.
        is_read: whether positions were ever read.
    """

    held: Mapping[str, Held]
    in_flight: tuple[Ticket, ...]
    accounts: Mapping[str, Account]
    is_read: bool

    def of(self, account: str | None) -> "Stakes":
        """The part of it that is about one account, or all of it."""
        if account is None:
            return self
        held = {name: one for name, one in self.held.items() if name == account}
        return Stakes(held, tuple(t for t in self.in_flight if account in t.intent.accounts), self.accounts, self.is_read)

    def seen_by(self, routes: Iterable[Route], event: str) -> "Stakes":
        """The part of it that these routes carry."""
        routes = tuple(routes)

        def carries(account: str) -> bool:
            return any(route.carries(event, account) for route in routes)

        held = {name: one for name, one in self.held.items() if carries(name)}
        flying = tuple(t for t in self.in_flight if any(map(carries, t.intent.accounts)))
        return Stakes(held, flying, self.accounts, self.is_read)

    @property
    def open(self) -> tuple[tuple[Position, datetime], ...]:
        """The open positions with the moment at which they were asked for."""
        return tuple((each, one.at) for one in self.held.values() for each in one.positions if each.quantity)

    @property
    def any(self) -> bool:
        """True while anything hangs on it; what was never read may be open."""
        return bool(self.open or self.in_flight) or not self.is_read

    def lines(self, now: datetime, policy: Policy) -> list[str]:
        """The things that hang on it, one line each; LIVE and SIM are said as on cards."""
        lines = [] if self.is_read else [NEVER_READ]
        for position, at in self.open:
            side = "LONG" if position.quantity > 0 else "SHORT"
            kind = "LIVE" if policy.is_live(position.account, self.accounts.get(position.account)) else "SIM"
            where = f"{quoted(position.account)} ({kind}) · {position.contract}"
            lines.append(f"{where} · {side} {abs(position.quantity)}, read {ago(now, at)} ago")
        for ticket in self.in_flight:
            kind = "LIVE" if ticket.shown.live else "SIM"
            lines.append(f"{about(ticket.intent, kind)} · {ticket.state}, ticket {ticket.id}")
        rest = len(lines) - MOST_NAMED
        return lines if rest <= 0 else [*lines[:MOST_NAMED], f"… and {rest} more"]


def down_notices(policy: Policy, what: str, mend: str, stakes: Stakes | None, now: datetime) -> tuple[Notice, ...]:
    """The alarm, for each channel that wants it, with what it may read of accounts.

    Args:
        policy: whose routes say which channel reads what.
        what: which link is down, and since when.
        mend: what to do.
        stakes: what hangs on it; ``None`` where that makes no difference, and every channel that wants such news reads it.
        now: for how old the readings are.
    """
    head = f"Link down · {what}"
    if stakes is None:
        return _told(policy, EventName.LINK_DOWN, lambda _routes: f"{head}\n{mend}")

    def text(routes: tuple[Route, ...]) -> str | None:
        seen = stakes.seen_by(routes, EventName.LINK_DOWN)
        return "\n".join([head, *seen.lines(now, policy), mend, MEANWHILE]) if seen.any else None

    return _told(policy, EventName.LINK_DOWN, text)


def up_notices(policy: Policy, what: str, account: str | None) -> tuple[Notice, ...]:
    """Notices that it is back, for each channel that wants to read that, of an account where it is about one."""

    def text(routes: tuple[Route, ...]) -> str | None:
        carried = account is None or any(route.carries(EventName.LINK_UP, account) for route in routes)
        return f"Link up · {what}" if carried else None

    return _told(policy, EventName.LINK_UP, text)


def _told(policy: Policy, event: EventName, text: Write) -> tuple[Notice, ...]:
    """One notice for each channel, loud where one of its routes is."""
    found = []
    for channel in dict.fromkeys(route.channel for route in policy.routes if route.wants(event)):
        routes = tuple(route for route in policy.routes if route.channel == channel and route.wants(event))
        said = text(routes)
        if said is not None:
            found.append(Notice(channel, said, all(route.is_silent(event) for route in routes), tone_of(event)))
    return tuple(found)
