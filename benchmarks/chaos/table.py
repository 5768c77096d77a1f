"""The result as text for people; each broken promise with all that it takes to look into it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.chaos.books import Case, End
from benchmarks.chaos.compare import Breach, Violation, settled_by
from benchmarks.chaos.plan import ACTS, Approver, Press, Step
from benchmarks.chaos.session import Played

PLAIN = "nothing"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told."""

    seed: int
    runs: int
    played: Sequence[Played]
    broken: Sequence[tuple[Played, Violation]]
    notes: Sequence[str]
    took: float

    @property
    def cases(self) -> list[Case]:
        """Of all sessions."""
        return [case for played in self.played for case in played.cases]

    @property
    def is_good(self) -> bool:
        """Tell whether every promise was kept."""
        return not self.broken


def table(report: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    by_database = Counter(played.session.database for played in report.played)
    databases = ", ".join(f"{count} on {database}" for database, count in by_database.items())
    yield f"Chaos: {report.runs} runs, seed {report.seed}, in {len(report.played)} sessions ({databases}), {report.took:.0f} s"
    yield from report.notes
    yield ""
    counts = Counter(violation.breach for _, violation in report.broken)
    yield from (f"{breach:44}{counts[breach]:6}" for breach in Breach)
    yield ""
    yield from _telling(report.cases)
    yield ""
    yield from _presses(report.cases)
    yield from _ends(report.cases)
    yield from _kills(report.played)
    yield from _troubles(report)
    yield from _unexpected(report.played)
    for played, violation in report.broken:
        yield ""
        yield from _shown(played, violation)


def _telling(cases: Sequence[Case]) -> Iterator[str]:
    yield f"{'Seconds from the press until the card':44}{'p50':>8}{'p99':>8}{'most':>8}{'presses':>9}"
    pressed = [case for case in cases if case.pressed_at is not None]
    for name, some in (
        ("", pressed),
        (", without a kill near it", [case for case in pressed if not case.story.disturbed]),
    ):
        yield _times(f"told an end{name}", [case.told_after for case in some])
        yield _times(f"told one that isn't in doubt{name}", [case.settled_after for case in some])


def _times(title: str, values: Sequence[float | None]) -> str:
    there = sorted(value for value in values if value is not None and value >= 0)
    if len(there) < 2:
        return f"  {title:42}{'-':>8}{'-':>8}{'-':>8}{len(there):>9}"
    cuts = quantiles(there, n=100, method="inclusive")
    return f"  {title:42}{cuts[49]:8.2f}{cuts[98]:8.2f}{there[-1]:8.2f}{len(there):>9}"


def _presses(cases: Sequence[Case]) -> Iterator[str]:
    asked, pressed, sent = Counter[str](), Counter[str](), Counter[str]()
    for case in cases:
        asked[case.run.act.name] += 1
        pressed[case.run.act.name] += case.pressed_at is not None
        sent[case.run.act.name] += bool(case.sent)
    yield f"{'Command':26}{'asked':>8}{'pressed':>9}{'sent':>7}"
    yield from (f"  {act.name:24}{asked[act.name]:8}{pressed[act.name]:9}{sent[act.name]:7}" for act in ACTS)
    yield f"  {'all':24}{asked.total():8}{pressed.total():9}{sent.total():7}"
    how = Counter(case.run.press for case in cases if case.story.pressed_at or case.run.press is Press.NEVER)
    yield f"Presses: {_listed({press: how[press] for press in Press})}"
    asked_for = [case for case in cases if case.story.card is not None and "Approve" in case.story.card.buttons]
    who = Counter(case.run.approver for case in asked_for if case.story.pressed_at)
    yield f"Approve, where it was asked for: {_listed({each: who[each] for each in Approver})}"
    yield f"Not offered: {_listed(Counter(_reason(case) for case in cases if case.story.card is None)) or 'none'}"


def _reason(case: Case) -> str:
    """The code of a denial, or the first words of what else was answered."""
    words = [word.strip("`*·:") for word in case.story.answer.split()]
    return next((word for word in words if "_" in word and word.isupper()), " ".join(words[:6]) or "no card")


def _ends(cases: Sequence[Case]) -> Iterator[str]:
    ends = Counter(case.end for case in cases if case.story.card is not None)
    yield f"Ends: {_listed({end: ends[end] for end in End if ends[end]})}"
    open_questions = [case for case in cases if case.end is End.UNKNOWN and settled_by(case) is None]
    if open_questions:
        yield f"Unknown, and rightly so: {_listed(Counter(case.run.act.name for case in open_questions))}"


def _kills(played: Sequence[Played]) -> Iterator[str]:
    kills: Counter[tuple[str, str]] = Counter()
    for one in played:
        kills += one.kills
    yield f"Kill -9: {kills.total()} times; beside each step, what the journal said of that ticket just then"
    for step in Step:
        said = {state: count for (at, state), count in sorted(kills.items()) if at == step}
        yield f"  {step:44}{sum(said.values()):4}   {_listed(said)}"


def _troubles(report: Report) -> Iterator[str]:
    laid = Counter(case.run.trouble.name if case.run.trouble else PLAIN for case in report.cases)
    yield f"Troubles of single runs: {_listed(dict(sorted(laid.items())))}"
    jolts: Counter[str] = Counter()
    for one in report.played:
        jolts += one.jolts
    yield f"Troubles of the whole bot: {_listed(dict(sorted(jolts.items())))}"
    levers = Counter[str]()
    for one in report.played:
        levers += one.levers
    yield f"Runs kept from getting out: {_listed(dict(sorted(levers.items())))}"


def _unexpected(played: Sequence[Played]) -> Iterator[str]:
    starts = sum(one.starts for one in played)
    ended = Counter(words for one in played for words in one.ended)
    exits = Counter(str(one.exit) for one in played)
    yield f"Starts: {starts}; lives that ended by themselves: {ended.total()}; exit codes after SIGTERM: {_listed(exits)}"
    yield from (f"  {count} × {words[:110]}" for words, count in ended.most_common(8))


def _shown(played: Played, violation: Violation) -> Iterator[str]:
    case, session = violation.case, played.session
    yield f"BROKEN: {violation.breach}: {violation.why}"
    yield f"  seed {session.seed}, session {session.index} ({session.database}, {session.transport}), run {case.run.number}"
    yield f"  ticket {case.ticket}: /{case.run.act.command} {dict(case.run.options)}, held {case.run.held}, now {case.position}"
    yield f"  pressed: {case.run.press} by {case.run.member} at {case.pressed_at}; trouble: {case.run.trouble}"
    wave = next(wave for wave in session.waves if case.run in wave.runs)
    yield f"  wave: {wave.kill}, {wave.jolt}, {wave.lever.name if wave.lever else 'no lever'}"
    yield f"  the card: {' | '.join(case.story.text.splitlines()[:4]) if case.story.card else case.story.answer}"
    yield from (
        f"  request: {sent.call} at {sent.at:%H:%M:%S.%f}, done {sent.had_effect}, answered {sent.status}, {dict(sent.body)}"
        for sent in case.sent
    )
    yield from (f"  order: {order}" for spot in case.spots for order in spot.orders)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
