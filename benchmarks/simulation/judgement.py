"""The result of a session, judged, as plain text and counts: what comes back from the process that played it."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from benchmarks.chaos.books import Case
from benchmarks.chaos.compare import Breach, Violation, violations
from benchmarks.simulation.faults import ENTRIES
from benchmarks.simulation.session import EVIDENCE_SECONDS, Played
from benchmarks.simulation.stage import TIMING

LOOKING = timedelta(seconds=EVIDENCE_SECONDS)


class Fall(StrEnum):
    """Breaches that must not happen to the bot, whatever happens to its orders."""

    UNCAUGHT = "exceptions that nobody caught"
    CRASHED = "lives that ended without a sentence"
    STUCK = "bots that didn't stop when told to"
    FORGED = "journals whose chain is broken"
    LEAKED = "secrets that people can read"
    HALTED = "orders that left although they were halted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that was broken, with what shows it."""

    what: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One session, judged.

    Attributes:
        orders: requests about orders that came in at NinjaTrader.
        kinds: how many of each command were sent.
        met, missed: as ``Played`` has them.
        seconds: of virtual time.
        processor: seconds that it took a processor.
    """

    seed: int
    index: int
    runs: int
    orders: int
    kinds: Counter[str]
    ends: Counter[str]
    denials: Counter[str]
    met: Counter[tuple[str, str]]
    missed: Counter[tuple[str, str]]
    starts: int
    ended: Counter[str]
    seconds: float
    digest: str
    processor: float
    findings: tuple[Finding, ...] = ()
    timeline: tuple[str, ...] = field(default=(), repr=False)


def judged(played: Played) -> Judged:
    """Judge a session."""
    cases = played.cases
    return Judged(
        played.session.seed,
        played.session.index,
        len(cases),
        sum(bool(case.sent) for case in cases),
        Counter(case.run.act.name for case in cases if case.sent),
        Counter(str(case.end) for case in cases if case.story.card is not None),
        Counter(_reason(case) for case in cases if case.story.card is None),
        played.met,
        played.missed,
        played.starts,
        Counter(words[:100] for words in played.ended),
        played.seconds,
        played.digest,
        time.process_time(),
        tuple(_findings(played)),
        played.timeline,
    )


def _reason(case: Case) -> str:
    """The code of a denial, or the first words of what else was answered."""
    words = [word.strip("`*·:") for word in case.story.answer.split()]
    return next((word for word in words if "_" in word and word.isupper()), " ".join(words[:6]) or "no card in time")


def _findings(played: Played) -> Iterator[Finding]:
    for case in played.cases:
        for violation in violations(case):
            if violation.breach is not Breach.UNSETTLED or not _was_hidden(case, played):
                yield Finding(violation.breach, tuple(_shown(violation)))
    for sent in played.strays:
        yield Finding(Breach.UNPRESSED, (f"{sent.call} in {sent.account} {sent.instrument}, which is no run's",))
    yield from (Finding(Fall.UNCAUGHT, (text,)) for text in played.uncaught)
    yield from (Finding(Fall.CRASHED, (text,)) for text in played.crashed)
    yield from (Finding(Breach.CALLED, (text,)) for text in played.left)
    yield from (Finding(Fall.LEAKED, (text,)) for text in played.leaked)
    for case in played.cases:
        if case.ticket in played.sent_while_halted and case.run.act.command in ENTRIES:
            yield Finding(Fall.HALTED, (f"ticket {case.ticket} in {case.run.account}",))
    if played.exit is None:
        yield Finding(Fall.STUCK, ())
    if played.forged is not None:
        yield Finding(Fall.FORGED, (played.forged,))


def _was_hidden(case: Case, played: Played) -> bool:
    """Tell whether NinjaTrader had dropped the order from its lists before the bot could look for it."""
    since = max((sent.at for sent in case.sent), default=case.pressed_at)
    gone = timedelta(seconds=TIMING.prune - EVIDENCE_SECONDS)
    return since is not None and any(start - since < LOOKING and end - since > gone for start, end in played.blind)


def _shown(violation: Violation) -> Iterator[str]:
    case, run = violation.case, violation.case.run
    yield violation.why
    yield f"run {run.number}, ticket {case.ticket}: /{run.act.command} {dict(run.options)}, held {run.held}, now {case.position}"
    yield f"pressed: {run.press} by {run.member} at {case.pressed_at}"
    yield f"the card: {' | '.join(case.story.text.splitlines()[:4]) if case.story.card else case.story.answer}"
    for sent in case.sent:
        yield f"request: {sent.call} at {sent.at:%H:%M:%S.%f}, done {sent.had_effect}, answered {sent.status}, {dict(sent.body)}"
    yield from (f"order: {order}" for spot in case.spots for order in spot.orders)
