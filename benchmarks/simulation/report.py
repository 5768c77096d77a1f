"""The result as text for people; each broken promise with the command that plays it again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.chaos.compare import Breach
from benchmarks.simulation.faults import FAULTS
from benchmarks.simulation.judgement import Fall, Judged
from benchmarks.simulation.plan import STRIKES_PER_SESSION, Session, a_round, pairs
from benchmarks.simulation.ways import Way

T = TypeVar("T")

COMMAND = "python -m benchmarks simulate"
# Each fault at each step is planned that often before one that never came is a failure.
ROUNDS = 8
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Again:
    """A failing session, as small as it could be made.

    Attributes:
        session: what is left of it.
        judged: of that.
    """

    session: Session
    judged: Judged


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told."""

    seed: int
    sessions: Sequence[Judged]
    again: Sequence[Again]
    took: float

    @property
    def never_met(self) -> list[tuple[str, str]]:
        """Faults at steps at which none ever struck."""
        met = _summed(one.met for one in self.sessions)
        return [(fault.name, way) for fault, way in pairs() if not met[fault.name, way]]

    @property
    def is_long(self) -> bool:
        """Tell whether all of it should have been met."""
        return len(self.sessions) * STRIKES_PER_SESSION >= ROUNDS * len(a_round())

    @property
    def is_good(self) -> bool:
        """Tell whether every promise was kept, and everything met."""
        return not any(one.findings for one in self.sessions) and not (self.is_long and self.never_met)


def report(of: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(of))


def _lines(of: Report) -> Iterator[str]:
    hours, orders = sum(one.seconds for one in of.sessions) / HOUR, sum(one.orders for one in of.sessions)
    minutes, busy = of.took / 60, sum(one.processor for one in of.sessions) / 60
    runs, starts = sum(one.runs for one in of.sessions), sum(one.starts for one in of.sessions)
    yield f"Simulated: seed {of.seed}, {len(of.sessions)} sessions, {hours:.1f} hours"
    yield f"  {runs} commands, {orders} orders, {starts} starts of the bot"
    yield f"Took {minutes:.1f} minutes: {hours / minutes:.0f} hours and {orders / minutes:.0f} orders a minute"
    yield f"  and {busy:.1f} minutes of one processor: {hours / busy:.0f} hours and {orders / busy:.0f} orders a minute"
    yield ""
    found = Counter(finding.what for one in of.sessions for finding in one.findings)
    yield from (f"{what:44}{found[what]:6}" for what in (*Breach, *Fall))
    yield ""
    yield f"Orders: {_listed(_summed(one.kinds for one in of.sessions))}"
    yield f"Ends: {_listed(_summed(one.ends for one in of.sessions))}"
    yield f"No card: {_listed(_summed(one.denials for one in of.sessions)) or 'none'}"
    yield f"Lives that ended by themselves: {_listed(_summed(one.ended for one in of.sessions)) or 'none'}"
    yield ""
    yield from _faults(of)
    for again in of.again:
        yield ""
        yield from _again(again)


def _faults(of: Report) -> Iterator[str]:
    met = _summed(one.met for one in of.sessions)
    possible = {(fault.name, str(way)) for fault, way in pairs()}
    missed = _summed(one.missed for one in of.sessions)
    yield f"{'Struck at step':28}{''.join(f'{way[0]:>6}' for way in Way)}{'missed':>8}"
    for name in FAULTS:
        cells = (f"{met[name, way]:6}" if (name, way) in possible else f"{'·':>6}" for way in Way)
        yield f"  {name:26}{''.join(cells)}{sum(count for (fault, _), count in missed.items() if fault == name):8}"
    yield f"  steps: {', '.join(Way)}"
    never = [f"{name} at {way}" for name, way in of.never_met]
    if never and of.is_long:
        yield f"NEVER MET: {'; '.join(never)}"
    elif never:
        yield f"A slice: {len(never)} of {len(possible)} pairs of a fault and a step were not met"


def _again(again: Again) -> Iterator[str]:
    session, judged = again.session, again.judged
    for finding in judged.findings:
        yield f"BROKEN: {finding.what}"
        yield from (f"  {line}" for line in finding.lines)
    yield f"Seed {session.seed}, session {session.index} ({session.transport}); play it again by:"
    yield f"  {COMMAND} {played_by(session)}"
    yield from (f"  {line}" for line in judged.timeline)


def played_by(session: Session) -> str:
    """The options that play what is left of a session."""
    runs = " ".join(str(run.number) for run in session.runs)
    strikes = " ".join(str(strike.number) for strike in session.strikes)
    return f"--seed {session.seed} --session {session.index} --runs {runs} --strikes {strikes}".strip()


def _summed(counters: Iterable[Counter[T]]) -> Counter[T]:
    every: Counter[T] = Counter()
    for one in counters:
        every.update(one)
    return every


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
