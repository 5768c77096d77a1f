"""The figures of a run as text for people, and each mutant that nobody found."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.mutation.judge import Verdict
from benchmarks.mutation.tree import Mutant

# A mutant and what became of it.
Judged = tuple[Mutant, Verdict]
FOUND = (Verdict.KILLED, Verdict.ENDLESS)


def report(judged: Sequence[Judged], seconds: float) -> str:
    """The whole report."""
    return "\n".join(_lines(judged, seconds))


def share_found(judged: Sequence[Judged]) -> float:
    """Mutants found, of a hundred."""
    return 100 * sum(verdict in FOUND for _, verdict in judged) / len(judged)


def _lines(judged: Sequence[Judged], seconds: float) -> Iterator[str]:
    for mutant, verdict in judged:
        if verdict not in FOUND:
            yield f"{mutant.module} {mutant.name}: {verdict}"
            yield from (f"    {line}" for line in mutant.change.splitlines())
    yield ""
    yield f"{'module':16}{'mutants':>9}{'killed':>9}{'endless':>9}{'survived':>9}{'untested':>9}{'found':>9}"
    for module in sorted({mutant.module for mutant, _ in judged}):
        yield _row(module, [one for one in judged if one[0].module == module])
    yield _row("all", judged)
    yield f"in {seconds / 60:.0f} minutes"


def _row(name: str, judged: Sequence[Judged]) -> str:
    counts: Mapping[Verdict, int] = Counter(verdict for _, verdict in judged)
    return f"{name:16}{len(judged):9}" + "".join(f"{counts[verdict]:9}" for verdict in Verdict) + f"{share_found(judged):8.1f}%"
