"""Words that several sheets share: whose it is, what was not told, what could not be read, and when all of it was."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from discord.utils import format_dt

from bot.chat.figures import amount, clock_time, mark
from bot.chat.markdown import code
from bot.chat.tables import Section
from bot.desk.reads.reports import Listed

NOT_TOLD = "?"


class OfAccount(Protocol):
    """Anything of one account's."""

    @property
    def account(self) -> str:
        """Its name."""

    @property
    def live(self) -> bool:
        """Tell whether it may be real money."""


class Read(Protocol):
    """Anything that was read at some time."""

    @property
    def at(self) -> datetime:
        """Time of the reading."""


def name(of: OfAccount) -> str:
    """An account, marked as LIVE or SIM."""
    return titled(of.account, live=of.live)


def titled(account: str, *, live: bool) -> str:
    """An account's name, marked as LIVE or SIM."""
    return f"{mark(live=live)} · {code(account)}"


def money(value: Decimal | None) -> str:
    """An amount, or that it was not told."""
    return NOT_TOLD if value is None else amount(value)


def total(values: Iterable[Decimal | None]) -> str:
    """The sum, if every part of it was told."""
    parts = list(values)
    told = [value for value in parts if value is not None]
    return amount(sum(told, Decimal())) if len(told) == len(parts) else NOT_TOLD


def missing(sheet: Listed[object], sentence: str, warning: str) -> Section:
    """A list that could not be read."""
    return Section(name(sheet), (), (f"⚠ {sentence} ({sheet.why}); {warning}.",))


def between(groups: Iterable[list[str]]) -> list[str]:
    """Groups of lines with an empty one between."""
    return [line for number, group in enumerate(groups) for line in ([""] if number else []) + group]


def moment(at: datetime) -> str:
    """Day and time in UTC."""
    return f"{at.astimezone(UTC):%m-%d} {clock_time(at)}"


def minute(at: datetime) -> str:
    """Day and time in UTC, to the minute."""
    return f"{at.astimezone(UTC):%m-%d %H:%M}"


def read_at(read: Sequence[Read]) -> str:
    """Time at which the oldest part was read."""
    oldest = min(one.at for one in read)
    return f"-# read {clock_time(oldest)} UTC, {format_dt(oldest, 'R')}"
