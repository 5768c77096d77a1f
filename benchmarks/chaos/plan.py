"""The plan: sessions of waves of runs, all of it drawn from a seed. Pure: the same seed gives the same plan."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice
from typing import Any, Protocol, TypeVar

from benchmarks.chaos.levers import LEVERS, Lever
from benchmarks.chaos.troubles import AT, Trouble
from bot.sandbox.ninjatrader import Names

_T = TypeVar("_T")
MONTH = "09-26"
ROOTS = ("ES", "NQ", "YM", "RTY", "MES", "MNQ")
PAIRS_PER_ACCOUNT = 3
MOST_RUNS_PER_SESSION = 126
LEVERS_PER_SESSION = 7


class Kind(StrEnum):
    """The purpose of a wave."""

    KILLED = "the bot is killed"
    HINDERED = "something keeps people from getting out"
    CROWDED = "many act at once"


# A kill voids every card that is open, so that many are pressed in the waves without one.
WAVES = ((Kind.KILLED, 5), (Kind.HINDERED, 6), (Kind.KILLED, 5), (Kind.HINDERED, 6), (Kind.CROWDED, 16))


# How many waves somebody hammers reading commands in.
READERS = 0.3


class Database(StrEnum):
    """Where the journal is."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


class Press(StrEnum):
    """Actions of people with the card."""

    ONCE = "Confirm"
    TWICE = "Confirm twice"
    BOTH = "Confirm and Cancel at once"
    CANCEL = "Cancel"
    STRANGER = "Confirm by somebody else"
    NEVER = "nothing"


# The beginnings of accounts' names: usual ones, those where somebody else must approve, those of real money, those that one run
# has for itself, and those of a member who is granted nothing else, so that everything is just these.
USUAL, APPROVED, LIVE, ALONE, OWN = "CX", "CA", "CL", "CS", "CE"
_KINDS = (USUAL, APPROVED, USUAL, LIVE)


class Approver(StrEnum):
    """The member who presses Approve, where a card asks for it."""

    OTHER = "somebody else who may"
    REQUESTER = "the requester, which counts for nothing"
    NOBODY = "nobody"


# Presses that may lead to an order: Confirm, by who asked.
COUNTS = frozenset({Press.ONCE, Press.TWICE, Press.BOTH})


class Step(StrEnum):
    """When the bot is killed, or told to stop."""

    MOMENT = "0 at a random moment"
    CARD = "1 card posted, not pressed"
    HANDED = "2 press delivered, not acknowledged"
    DECIDED = "2 press being decided: SIGTERM"
    SENDING = "3 journal says sending"
    SEEN = "4 request at NinjaTrader, before its effect"
    DONE = "5 request at NinjaTrader, after its effect"
    ANSWERED = "6 answered, not journaled"
    JOURNALED = "7 end journaled, not shown"


class Jolt(StrEnum):
    """Troubles of the whole bot in a wave, beside its orders' own troubles."""

    GATEWAY_CLOSED = "gateway closed"
    GATEWAY_DROPPED = "gateway dropped"
    GATEWAY_FORGOT = "gateway session lost"
    GATEWAY_AWAY = "gateway away for three seconds"
    STREAM_DROPPED = "CrossTrade's socket dropped"
    OFFLINE = "add-on off for a second"
    NO_DISCORD = "Discord away for a second"
    CLOCK_AHEAD = "clock jumps ahead"
    CLOCK_BACK = "clock jumps back"
    DISK_FULL = "disk full for a second"
    DATABASE_CUT = "database connections cut"


JOLTS_OF = {
    Database.SQLITE: tuple(jolt for jolt in Jolt if jolt is not Jolt.DATABASE_CUT),
    Database.POSTGRESQL: tuple(jolt for jolt in Jolt if jolt is not Jolt.DISK_FULL),
}


@dataclass(frozen=True, slots=True)
class Act:
    """A kind of order.

    Attributes:
        name: as the report calls it.
        command: the slash command.
        weight: how often it comes, beside the others.
        calls: CrossTrade's calls that it may lead to; the last one is what is told as its order.
        held: whether there is a position before.
        rests: whether an order works there before.
        scope: of a command that goes over more than its account and instrument tell.
    """

    name: str
    command: str
    weight: int
    calls: tuple[str, ...]
    held: bool = False
    rests: bool = False
    scope: str = ""

    @property
    def reads_back(self) -> bool:
        """True where it reads back until nothing is left."""
        return self.scope in READ_BACK

    @property
    def is_alone(self) -> bool:
        """True where no other run may be about the same account."""
        return self.scope in {"strategy", "account", "everything"}


# The calls of a flatten, those of the last step last.
OUT = ("CancelOrders", "Flatten", "ClosePosition")
READ_BACK = frozenset({"strategy", "instrument", "account", "everything"})
ACTS = (
    Act("reverse", "reverse", 4, ("ReversePosition",), held=True),
    Act("reverse verified", "reverse", 3, ("ClosePosition", "CancelOrders", "PlaceOrder"), held=True),
    Act("reverse invert", "reverse", 2, ("Reverse",), held=True),
    Act("place", "place", 4, ("PlaceOrder",)),
    Act("place limit", "place", 2, ("PlaceOrder",)),
    Act("flatplace", "flatplace", 2, ("FlatPlace",), held=True),
    Act("close", "close", 3, ("ClosePosition",), held=True),
    Act("close part", "close", 2, ("ClosePosition",), held=True),
    Act("cancel", "cancel", 2, ("Cancel",), rests=True, scope="order"),
    Act("cancel instrument", "cancel", 1, ("CancelOrders",), rests=True, scope="instrument"),
    Act("cancel account", "cancel", 1, ("CancelOrders",), rests=True, scope="account"),
    Act("cancel everything", "cancel", 1, ("CancelOrders",), rests=True, scope="everything"),
    Act("modify", "modify", 2, ("Change",), rests=True),
    Act("replace", "replace", 2, ("CancelReplace",), rests=True),
    Act("bracket", "bracket", 2, ("CancelAndBracket",), held=True),
    Act("flatten strategy", "flatten", 1, ("CloseStrategy",), held=True, scope="strategy"),
    Act("flatten instrument", "flatten", 1, OUT, held=True, rests=True, scope="instrument"),
    Act("flatten account", "flatten", 1, OUT, held=True, rests=True, scope="account"),
    Act("flatten everything", "flatten", 1, OUT, held=True, rests=True, scope="everything"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """An instrument of an account, and what is there before.

    Attributes:
        held: signed contracts that are open.
        rests: signed contracts of the order that works, 0 without one.
    """

    account: str
    instrument: str
    held: int
    rests: int


@dataclass(frozen=True, slots=True)
class Run:
    """One order attempt. No other run of the session is about the same instrument of the same account.

    Attributes:
        number: within the session, from 0.
        held: signed contracts that are open before.
        rests: signed contracts of the order that works there before, 0 without one.
        side, quantity: of the order that is told; of one that is cancelled or changed, what it is or becomes.
        options: of the slash command, without the id of the order that works.
        after: seconds from the start of the wave's presses to this one.
        approver: who presses Approve, where the card has it.
        approve_after: seconds from the press to that one; below zero it comes first.
        beside: where else it goes, beside its own account and instrument.
    """

    number: int
    act: Act
    account: str
    instrument: str
    held: int
    rests: int
    side: str
    quantity: int
    options: Mapping[str, Any]
    member: str
    press: Press
    after: float
    trouble: Trouble | None
    trouble_call: str
    approver: Approver = Approver.OTHER
    approve_after: float = 0.0
    beside: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """All that it is about."""
        return (Place(self.account, self.instrument, self.held, self.rests), *self.beside)

    @property
    def named(self) -> tuple[str, str | None]:
        """The account and the instrument by which its card is known; an account of its own is enough."""
        return self.account, None if self.act.is_alone else self.instrument

    @property
    def counts(self) -> bool:
        """Tell whether its press may lead to an order."""
        return self.press in COUNTS

    @property
    def leads_out(self) -> bool:
        """Tell whether it goes out whoever must agree to it."""
        return self.press in {Press.ONCE, Press.TWICE} and (
            self.approver is Approver.OTHER or not self.account.startswith(APPROVED)
        )


class HasRuns(Protocol):
    """A session, as far as its books and its stage need it."""

    @property
    def name(self) -> str:
        """Tells it from all others; what is drawn by itself is drawn by it."""

    @property
    def is_private(self) -> bool:
        """True where only their members see the cards."""

    @property
    def runs(self) -> Iterator[Run]:
        """All of its runs, in their order."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill -9: at that step of that run; a random moment is ``after`` the start of the presses."""

    step: Step
    victim: int
    after: float


@dataclass(frozen=True, slots=True)
class Wave:
    """Runs that are asked for and pressed side by side, and what happens meanwhile.

    Attributes:
        readers: whether a member meanwhile asks for one thing after another, all of it only to be looked at.
        lever: what keeps people from getting out, from before the presses on; then all runs are of commands that it bears on.
    """

    runs: tuple[Run, ...]
    kill: Kill | None
    jolt: Jolt | None
    jolt_after: float
    readers: bool = False
    lever: Lever | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One life of a journal."""

    seed: int
    index: int
    database: Database
    transport: str
    waves: tuple[Wave, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Tells it from all others."""
        return f"{self.seed} {self.index}"

    @property
    def names(self) -> Names:
        """NinjaTrader's spelling of instruments."""
        return drawn_names(self.name)

    @property
    def wrong_by(self) -> float:
        """Seconds that the clock of the bot's host is ahead of everybody else's from the start."""
        return wrong_by(self.name)

    @property
    def is_private(self) -> bool:
        """True where only their members see the cards."""
        return is_private(self.index)

    @property
    def runs(self) -> Iterator[Run]:
        """All of them, in their order."""
        return (run for wave in self.waves for run in wave.runs)


def drawn_names(session: str) -> Names:
    """NinjaTrader's spelling of instruments in a session; drawn by itself, so that nothing else of a plan depends on it."""
    return random.Random(f"{session} names").choice(tuple(Names))  # noqa: S311 - a plan is no secret


# Seconds by which the clock of the bot's host is wrong from the start; every second one is right.
WRONG_BY = (0.0, 0.0, 0.0, 60.0, -60.0, 6 * 3600.0)


def wrong_by(session: str) -> float:
    """Seconds that the clock of the bot's host is ahead of everybody else's from the start, below zero behind."""
    return random.Random(f"{session} clock").choice(WRONG_BY)  # noqa: S311 - a plan is no secret


# How old, in milliseconds, what is decided on may be: the usual age, or none at all.
FRESH_MS = (1500, 1500, 0)


def fresh_ms(session: str) -> int:
    """The age that facts of a session's presses may have; drawn by itself, as its names are."""
    return random.Random(f"{session} fresh").choice(FRESH_MS)  # noqa: S311 - a plan is no secret


def tells_events(session: str) -> bool:
    """True where NinjaTrader's accounts have events on the stream in a session: nobody knows whether they do."""
    return random.Random(f"{session} events").random() < 0.7  # noqa: S311 - a plan is no secret


def is_private(index: int) -> bool:
    """Tell whether only their members see the cards of a session: of one in three, over both databases and transports."""
    return index % 3 == 1


def sessions(seed: int, runs: int, databases: tuple[Database, ...]) -> tuple[Session, ...]:
    """The whole plan: databases in turns, every second pair of sessions with orders over the WebSocket."""
    count = max(len(databases), -(-runs // MOST_RUNS_PER_SESSION))
    sizes = [runs // count + (index < runs % count) for index in range(count)]
    return tuple(_session(seed, index, databases[index % len(databases)], size) for index, size in enumerate(sizes))


def _session(seed: int, index: int, database: Database, runs: int) -> Session:
    dice = random.Random(f"{seed} {index}")  # noqa: S311 - a plan is no secret
    transport = "websocket" if index // 2 % 2 else "rest"
    kills, levers = cycle(_shuffled(dice, Step)), _levers(seed, index)
    waves, first = [], 0
    for kind, size in cycle(WAVES):
        lever = next(levers) if kind is Kind.HINDERED else None
        acts = ACTS if lever is None else tuple(act for act in ACTS if act.command in lever.commands)
        made = tuple(a_run(dice, at, transport, acts) for at in range(first, min(first + size, runs)))
        kill = _kill(dice, made, next(kills)) if made and kind is Kind.KILLED else None
        jolt = dice.choice(JOLTS_OF[database]) if dice.random() < (0.5 if kill else 0.35) else None
        waves.append(Wave(made, kill, jolt, dice.uniform(0, 0.8), dice.random() < READERS, lever))
        first += len(made)
        if first >= runs:
            break
    return Session(seed, index, database, transport, tuple(waves))


def _levers(seed: int, index: int) -> Iterator[Lever]:
    """All of them, in an order of the seed's, round after round; a session begins where the one before will have ended."""
    every = _shuffled(random.Random(f"{seed} levers"), LEVERS)  # noqa: S311 - as above
    return islice(cycle(every), index * LEVERS_PER_SESSION % len(every), None)


def _shuffled(dice: random.Random, some: Iterable[_T]) -> list[_T]:
    every = list(some)
    dice.shuffle(every)
    return every


def _kill(dice: random.Random, runs: tuple[Run, ...], step: Step) -> Kill:
    # Of presses that lead to something, or there would be no such step.
    fit = [run.number for run in runs if run.leads_out] or [runs[0].number]
    return Kill(step, dice.choice(fit), dice.uniform(0, 0.7))


def a_run(dice: random.Random, number: int, transport: str, acts: Sequence[Act] = ACTS) -> Run:
    """Draw a run of one of these kinds."""
    act = dice.choices(acts, [act.weight for act in acts])[0]
    sign = dice.choice((1, -1))
    held = sign * dice.choice((1, 1, 2, 3)) if act.held and not (act.name == "flatplace" and dice.random() < 0.3) else 0
    held = sign * 2 if act.name == "close part" else held
    rests = -sign * abs(held) if act.held and act.rests else sign * dice.choice((1, 2)) if act.rests else 0
    account, instrument = _place(number, act)
    side, quantity, options = _terms(dice, act, held, rests)
    return Run(
        number, act, account, instrument, held, rests, side, quantity,
        {**_where(act, account, instrument), **options},
        member_of(account) if act.scope == "everything" else dice.choice(("trader", "second")),
        dice.choices(tuple(Press), (72, 12, 4, 4, 4, 4))[0],
        dice.uniform(0, 0.6),
        *_trouble(dice, act, transport),
        dice.choices(tuple(Approver), (8, 1, 1))[0],
        dice.uniform(-0.4, 0.4),
        _beside(dice, number, act, account),
    )  # fmt: skip


def member_of(account: str) -> str:
    """The member who is granted that account and the ones beside it, and nothing else."""
    return f"owner{account.removeprefix(OWN)[:-1]}"


def _place(number: int, act: Act) -> tuple[str, str]:
    instrument = f"{ROOTS[number % len(ROOTS)]} {MONTH}"
    if act.scope == "everything":
        return f"{OWN}{number:04}A", instrument
    if act.is_alone:
        return f"{ALONE}{number:04}", instrument
    block = number // PAIRS_PER_ACCOUNT
    return f"{_KINDS[block % len(_KINDS)]}{block:04}", instrument


def _beside(dice: random.Random, number: int, act: Act, account: str) -> tuple[Place, ...]:
    """A second contract of the account, or of another account, where it goes over all of them."""
    if act.scope not in {"account", "everything"}:
        return ()
    signed = dice.choice((1, -1)) * dice.choice((1, 2, 3))
    where = account if act.scope == "account" else f"{account[:-1]}B"
    instrument = f"{ROOTS[(number + 1) % len(ROOTS)]} {MONTH}"
    return (Place(where, instrument, signed if act.held else 0, -signed),)


def _where(act: Act, account: str, instrument: str) -> dict[str, Any]:
    where: dict[str, Any] = {"scope": act.scope} if act.scope else {}
    if act.scope != "everything":
        where["account"] = account
    if act.scope in {"", "instrument"} and act.name not in {"modify", "replace"}:
        where["instrument"] = instrument
    return where


def _terms(dice: random.Random, act: Act, held: int, rests: int) -> tuple[str, int, dict[str, Any]]:
    """Side, quantity and the options that say so."""
    quantity, side = dice.choice((1, 1, 2, 3)), "sell" if held > 0 else "buy"
    match act.name:
        case "reverse" | "reverse verified":
            quantity = dice.choice((abs(held), quantity))
            mode = "verified" if act.name == "reverse verified" else "direct"
            return side, quantity, {"side": side, "qty": quantity, "mode": mode}
        case "reverse invert":
            return side, abs(held), {"side": side, "qty": abs(held), "mode": "invert"}
        case "place" | "flatplace":
            side = side if held else dice.choice(("buy", "sell"))
            return side, quantity, {"side": side, "qty": quantity}
        case "place limit":
            side = dice.choice(("buy", "sell"))
            limit = "-40t" if side == "buy" else "+40t"
            return side, quantity, {"side": side, "qty": quantity, "type": "limit", "limit": limit}
        case "close part":
            return side, 1, {"qty": 1}
        case "modify" | "replace":
            return "buy" if rests > 0 else "sell", abs(rests) + 1, {"qty": abs(rests) + 1}
        case "bracket":
            ends = ("+40t", "-40t") if held > 0 else ("-40t", "+40t")
            return side, abs(held), {"qty": abs(held), "target": ends[0], "stop": ends[1]}
        case _:
            return ("buy" if rests > 0 else "sell") if act.rests and not held else side, abs(held or rests), {}


def _trouble(dice: random.Random, act: Act, transport: str) -> tuple[Trouble | None, str]:
    at = dice.choices(("order", "read", "discord", None), (50, 8, 17, 25))[0]
    if at is None:
        return None, ""
    reads = ("ListOrders", "ListPositions", "GetAccount", "GetQuote", "ListExecutions")
    # An RPC has no status: its "no" would be a lie where the order was placed.
    fit = [each for each in AT[at] if transport == "rest" or each.name != "500 after"]
    return dice.choice(fit), dice.choice(reads if at == "read" else act.calls)
