"""The chain Discord, bot, CrossTrade, NinjaTrader, broker: what the readings of each link mean, and what to do. Pure.

Gathering the readings, and telling people, is the desk's work; when an outage must be told is in ``outages``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.errors import MOST_UNREAD, NO_JOURNAL
from bot.trading.health.spending import spending_words
from bot.trading.health.vitals import ChatVitals, Reach, StreamState, Vitals
from bot.trading.market.facts import Account
from bot.trading.risk.halts import Switches, plain
from bot.trading.words import quoted, verbatim

SLOW_DISCORD = 1.0
SLOW_COMMIT = 0.25
LATE_NEWS = 30.0
# So old may the last good answer be while all is well: when nothing hangs on it, CrossTrade is asked every 15 seconds.
QUIET_CROSSTRADE = 30.0
# Nothing was read for so long although answers come: then it isn't one odd answer.
UNREADABLE_CROSSTRADE = 15.0
_ANY = datetime(2000, 1, 1, tzinfo=UTC)
OLD_PRICE = 10.0
LOW_BUDGET = 5
# One answer that came too late is an everyday matter; so many in a minute are somebody else's work.
RIVAL_ANSWERS = 3
TRIED = "Entries are refused, exits are tried."


class Grade(StrEnum):
    """The grade of a link."""

    GOOD = "good"
    SLOW = "slow"
    DOWN = "down"


class LinkName(StrEnum):
    """The links, and the kill switch among them, in the order in which an order meets them."""

    DISCORD = "Discord"
    CLOCK = "Clock"
    SWITCH = "Kill switch"
    JOURNAL = "Journal"
    NEWS = "News"
    CROSSTRADE = "CrossTrade"
    NINJATRADER = "NinjaTrader"
    STREAM = "Stream"
    BROKER = "Broker"
    PRICES = "Prices"
    BUDGET = "Requests"
    ORDERS = "Orders"


@dataclass(frozen=True, slots=True)
class Commit:
    """The result of the journal's last write.

    Attributes:
        seconds: how long it took.
        failed: why it failed; empty if it didn't.
        at: when it ended; of failures in a row, the first one's moment.
    """

    at: datetime
    seconds: float = 0.0
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything at one moment; ``None`` is what couldn't be read.

    Attributes:
        commit: the journal's last write; ``None`` before the first.
        waiting: news that Discord hasn't taken yet.
        oldest: since when the oldest of them waits.
        accounts: those that may be shown, as CrossTrade last listed them.
        in_flight: orders sent and not yet at their end.
        unknown: those among them whose outcome isn't known.
        switches: what is halted, or reducing.
    """

    now: datetime
    chat: ChatVitals = field(default_factory=ChatVitals)
    commit: Commit | None = None
    waiting: int | None = None
    oldest: datetime | None = None
    broker: Vitals = field(default_factory=Vitals)
    accounts: tuple[Account, ...] = ()
    in_flight: int | None = None
    unknown: int = 0
    switches: Switches = field(default_factory=Switches)


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The verdict on one link.

    Attributes:
        words: a few, of how it stands; plain text, for monospace.
        mend: what to do; empty where there is nothing to do.
        name: the account, of a link to a broker.
        is_rival: whether another program is on the link.
        detail: what it is made up of; empty where there is nothing to add.
    """

    part: LinkName
    grade: Grade
    words: str
    mend: str = ""
    name: str = ""
    is_rival: bool = False
    detail: str = ""


def chain(readings: Readings) -> tuple[LinkStatus, ...]:
    """The verdict on every link, in the order in which an order meets them."""
    return (
        _discord(readings.chat),
        clock_line(readings.chat.clock_ahead, readings.broker.clock_ahead),
        _switch(readings.switches),
        _journal(readings),
        _news(readings),
        _crosstrade(readings),
        _ninjatrader(readings),
        _stream(readings.broker),
        *_brokers(readings),
        _prices(readings),
        _budget(readings.broker),
        _orders(readings),
    )


def ago(now: datetime, at: datetime) -> str:
    """The time since a moment, short: ``4 s``, ``12 min``, ``3 h``; never negative."""
    seconds = max((now - at).total_seconds(), 0.0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _discord(chat: ChatVitals) -> LinkStatus:
    if chat.rivals >= RIVAL_ANSWERS:
        mend = "Another program answers with this Discord token; stop it, or make a new token in the Developer Portal."
        return LinkStatus(LinkName.DISCORD, Grade.DOWN, "shared token", mend, is_rival=True)
    if not chat.up:
        mend = "The gateway of Discord is lost; the bot keeps trying. Trade in NinjaTrader itself until it is back."
        return LinkStatus(LinkName.DISCORD, Grade.DOWN, "no gateway", mend)
    if chat.latency is None:
        return LinkStatus(LinkName.DISCORD, Grade.GOOD, "connected")
    words = f"{chat.latency * 1000:.0f} ms"
    if chat.latency > SLOW_DISCORD:
        return LinkStatus(
            LinkName.DISCORD, Grade.SLOW, words, "Discord is slow; presses may come too late and do nothing then. Press again."
        )
    return LinkStatus(LinkName.DISCORD, Grade.GOOD, words)


SET_THE_CLOCK = "Set it by a time server (NTP)."


def clock_line(discord: timedelta | None, crosstrade: timedelta | None) -> LinkStatus:
    """The host's clock against those of others, who stamp what people read and what the desk decides on."""
    told = {"Discord": discord, "CrossTrade": crosstrade}
    off = {name: ahead for name, ahead in told.items() if ahead}
    if not off:
        known = [name for name, ahead in told.items() if ahead is not None]
        return LinkStatus(LinkName.CLOCK, Grade.GOOD, f"as {' and '.join(known)}" if known else "not compared")
    words = ", ".join(f"{ahead_words(ahead)} {name}" for name, ahead in off.items())
    those = " and ".join(f"{ahead_words(ahead)} that of {name}" for name, ahead in off.items())
    mend = f"The clock of the bot's machine is {those}. {SET_THE_CLOCK}"
    return LinkStatus(LinkName.CLOCK, Grade.SLOW, words, mend)


def ahead_words(ahead: timedelta) -> str:
    """The offset of one clock from another, short: ``60 s ahead of``, ``6 h behind``."""
    by = ago(_ANY + abs(ahead), _ANY)
    return f"{by} ahead of" if ahead > timedelta() else f"{by} behind"


def _switch(switches: Switches) -> LinkStatus:
    standing = switches.by_weight()
    if not standing:
        return LinkStatus(LinkName.SWITCH, Grade.GOOD, "all active")
    first, others = standing[0], len(standing) - 1
    more = f" /policy shows {'one' if others == 1 else others} more." if others else ""
    words = f"{plain(first)} {first.state}{f', +{others}' if others else ''}"
    return LinkStatus(LinkName.SWITCH, Grade.SLOW, words, f"{first.sentence}{more}")


def _journal(readings: Readings) -> LinkStatus:
    commit = readings.commit
    if commit is not None and commit.failed:
        mend = f"The journal can't be written ({quoted(commit.failed)}): look at its disk or database. {NO_JOURNAL}"
        return LinkStatus(LinkName.JOURNAL, Grade.DOWN, f"not for {ago(readings.now, commit.at)}", mend)
    if readings.in_flight is None:
        mend = f"The journal can't be read: look at its disk or database. {NO_JOURNAL}"
        return LinkStatus(LinkName.JOURNAL, Grade.DOWN, "unreadable", mend)
    if commit is None:
        return LinkStatus(LinkName.JOURNAL, Grade.GOOD, "readable")
    words = f"{commit.seconds * 1000:.0f} ms, {ago(readings.now, commit.at)} ago"
    if commit.seconds > SLOW_COMMIT:
        return LinkStatus(
            LinkName.JOURNAL, Grade.SLOW, words, "The journal is slow, and every order waits for it; look at its disk."
        )
    return LinkStatus(LinkName.JOURNAL, Grade.GOOD, words)


def _news(readings: Readings) -> LinkStatus:
    if readings.waiting is None:
        return LinkStatus(LinkName.NEWS, Grade.SLOW, "not read")
    if not readings.waiting or readings.oldest is None:
        return LinkStatus(LinkName.NEWS, Grade.GOOD, "all told")
    words = f"{readings.waiting} wait, {ago(readings.now, readings.oldest)}"
    if (readings.now - readings.oldest).total_seconds() > LATE_NEWS:
        mend = "Discord doesn't take the bot's news; see that it may post in its channels. Nothing is lost, only late."
        return LinkStatus(LinkName.NEWS, Grade.SLOW, words, mend)
    return LinkStatus(LinkName.NEWS, Grade.GOOD, words)


def _meanwhile(readings: Readings) -> str:
    """The words for what the bot does while a link is down; without its journal it does nothing at all."""
    return NO_JOURNAL if _journal(readings).grade is Grade.DOWN else TRIED


def _crosstrade(readings: Readings) -> LinkStatus:
    broker, now = readings.broker, readings.now
    last = "never" if broker.good_at is None else f"{ago(now, broker.good_at)} ago"
    match broker.reach:
        case Reach.NOT_ASKED:
            return LinkStatus(LinkName.CROSSTRADE, Grade.SLOW, "not asked yet", "Ask again in some seconds.")
        case Reach.REFUSED:
            return LinkStatus(LinkName.CROSSTRADE, Grade.DOWN, "token refused", quoted(broker.why))
        case Reach.NOWHERE:
            mend = f"{quoted(broker.why)} {_meanwhile(readings)} Trade in NinjaTrader itself until it is back."
            return LinkStatus(LinkName.CROSSTRADE, Grade.DOWN, f"good {last}", mend)
        case Reach.AWAY:
            return LinkStatus(LinkName.CROSSTRADE, Grade.GOOD, "answers")
    if broker.garbled:
        return _unreadable(readings)
    if broker.unread:
        named = ", ".join(quoted(text, 60) for text in list(broker.unread)[:MOST_UNREAD])
        mend = (
            f"CrossTrade's answers hold rows that can't be read ({named}); what they are about counts as unread. See NinjaTrader."
        )
        return LinkStatus(LinkName.CROSSTRADE, Grade.SLOW, f"{sum(broker.unread.values())} rows unread", mend)
    if broker.good_at is not None and (now - broker.good_at).total_seconds() > QUIET_CROSSTRADE:
        return LinkStatus(
            LinkName.CROSSTRADE, Grade.SLOW, f"good {last}", "Nothing came from CrossTrade for a while; it is being asked."
        )
    return LinkStatus(LinkName.CROSSTRADE, Grade.GOOD, f"good {last}")


def _unreadable(readings: Readings) -> LinkStatus:
    """The verdict on answers that nobody can read: of some calls, or, where nothing could be read for a while, of all."""
    garbled, good_at = readings.broker.garbled, readings.broker.good_at
    is_all = good_at is None or (readings.now - good_at).total_seconds() > UNREADABLE_CROSSTRADE
    mend = (
        f"CrossTrade's answers can't be read ({', '.join(garbled)}). {_meanwhile(readings)} Look in NinjaTrader, "
        "and see that its CrossTrade add-on is up to date."
    )
    return LinkStatus(LinkName.CROSSTRADE, Grade.DOWN if is_all else Grade.SLOW, f"{sum(garbled.values())} unreadable", mend)


def _ninjatrader(readings: Readings) -> LinkStatus:
    broker = readings.broker
    match broker.reach:
        case Reach.GOOD:
            return LinkStatus(LinkName.NINJATRADER, Grade.GOOD, "add-on answers")
        case Reach.AWAY:
            mend = f"Start NinjaTrader and connect its CrossTrade add-on ({quoted(broker.why)}). {_meanwhile(readings)}"
            return LinkStatus(LinkName.NINJATRADER, Grade.DOWN, "add-on is away", mend)
        case Reach.GARBLED:
            return LinkStatus(LinkName.NINJATRADER, Grade.SLOW, "can't be read")
    return LinkStatus(LinkName.NINJATRADER, Grade.SLOW, "can't be asked")


def _stream(broker: Vitals) -> LinkStatus:
    bad = Grade.DOWN if broker.entries_by_stream else Grade.SLOW
    match broker.stream:
        case StreamState.OPEN:
            return LinkStatus(LinkName.STREAM, Grade.GOOD, "open")
        case StreamState.UNUSED:
            return LinkStatus(LinkName.STREAM, Grade.GOOD, "not used")
        case StreamState.TAKEN:
            mend = f"Another program took CrossTrade's stream with this token. {_without_stream(broker)}"
            mend = f"{mend} Stop the other program, then restart the bot."
            return LinkStatus(LinkName.STREAM, bad, "taken by another", mend, is_rival=True)
    mend = _without_stream(broker)
    return LinkStatus(LinkName.STREAM, bad, "closed", f"{quoted(broker.stream_why)} {mend}")


def _without_stream(broker: Vitals) -> str:
    """The words for how orders and prices travel while the stream is away."""
    if not broker.entries_by_stream:
        return "REST serves instead."
    return "Ways out go by REST; no entry leaves until it is open again, unless the policy file says entries_fall_back = true."


def _brokers(readings: Readings) -> Iterator[LinkStatus]:
    for account in readings.accounts:
        name = verbatim(account.name, 40)
        if account.connected is False:
            mend = f"Connect {quoted(account.name)} to its broker in NinjaTrader; entries there are refused, exits are tried."
            if _journal(readings).grade is Grade.DOWN:
                mend = f"Connect {quoted(account.name)} to its broker in NinjaTrader. {NO_JOURNAL}"
            yield LinkStatus(LinkName.BROKER, Grade.DOWN, "not connected", mend, name)
        elif account.connected is None:
            yield LinkStatus(LinkName.BROKER, Grade.GOOD, "listed", "", name)
        else:
            yield LinkStatus(LinkName.BROKER, Grade.GOOD, "connected", "", name)


def _prices(readings: Readings) -> LinkStatus:
    at = readings.broker.priced_at
    if at is None:
        return LinkStatus(LinkName.PRICES, Grade.GOOD, "none asked for")
    words = f"{ago(readings.now, at)} old"
    if (readings.now - at).total_seconds() > OLD_PRICE:
        # Nobody wants any just now, or a market is closed: neither is anybody's fault, and a card reads its own.
        return LinkStatus(LinkName.PRICES, Grade.GOOD, f"{words}, read anew")
    return LinkStatus(LinkName.PRICES, Grade.GOOD, words)


def _budget(broker: Vitals) -> LinkStatus:
    words, spent = f"{broker.budget} at once", spending_words(broker.spending)
    if broker.reach is not Reach.NOT_ASKED and broker.budget < LOW_BUDGET:
        mend = "CrossTrade's request budget is nearly used up; exits go first, the rest waits."
        return LinkStatus(LinkName.BUDGET, Grade.SLOW, words, mend, detail=spent)
    return LinkStatus(LinkName.BUDGET, Grade.GOOD, words, detail=spent)


def _orders(readings: Readings) -> LinkStatus:
    if readings.in_flight is None:
        return LinkStatus(LinkName.ORDERS, Grade.SLOW, "not read")
    words = f"{readings.in_flight} on the way"
    if readings.unknown:
        mend = "Don't send it again: the bot looks for what became of it. Look in NinjaTrader too; no entries there meanwhile."
        return LinkStatus(LinkName.ORDERS, Grade.SLOW, f"{words}, {readings.unknown} unknown", mend)
    return LinkStatus(LinkName.ORDERS, Grade.GOOD, words)
