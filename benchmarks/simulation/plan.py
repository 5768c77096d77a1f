"""The plan: sessions of one desk, in which people come, go and hesitate, and things go wrong. Pure, all of it by a seed."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from benchmarks.chaos.plan import Run, a_run, is_private
from benchmarks.simulation.faults import FAULTS, Fault
from benchmarks.simulation.ways import Way

RUNS_PER_SESSION = 40
HOUR = 3600.0
TRADER, ADMINISTRATOR = "trader", "administrator"
# Seconds of quiet before people come again, and how often each kind comes. Long ones are rare, as a quiet hour takes as long to
# play as twenty orders, and what is frozen for hours gives hours enough.
_PAUSES, _PAUSE_WEIGHTS = ((1.0, 8.0), (8.0, 45.0), (45.0, 450.0), (HOUR, 3 * HOUR)), (70, 28, 1.9, 0.1)
# Seconds from the card to the press; some come only when the card's life is over. What an open card's decision needs is read anew
# all the while, so that a hesitation of a minute takes as long to play as ten orders; few do.
_HESITATIONS, _HESITATION_WEIGHTS = ((0.2, 1.0), (1.0, 4.0), (4.0, 12.0), (16.0, 60.0)), (40, 37, 20, 3)
# How many people come at once; what the bot does by itself meanwhile is done once for all of them.
_SIZES, _SIZE_WEIGHTS = (1, 2, 3, 5, 8, 12), (12, 13, 20, 22, 20, 13)
# Of what goes wrong in an episode, how many things there are.
_STRIKES, _STRIKE_WEIGHTS = (0, 1, 2, 3), (18, 44, 27, 11)


@dataclass(frozen=True, slots=True)
class Errand:
    """A run, and when its member acts: seconds from the episode's start to the command, and from the card to the press."""

    run: Run
    begins: float
    hesitates: float


@dataclass(frozen=True, slots=True)
class Strike:
    """Something goes wrong.

    Attributes:
        number: within the session, from 0.
        fault: its name in ``faults``.
        way: the step of the victim at which it begins.
        victim: the run's number.
        call: the call that it is laid upon, where it is laid upon one.
        after: seconds behind that step.
        lasts: seconds until it ends, where it has an end.
    """

    number: int
    fault: str
    way: Way
    victim: int
    call: str
    after: float
    lasts: float


@dataclass(frozen=True, slots=True)
class Episode:
    """Some people at work side by side, after a pause.

    Attributes:
        waits: whether they wait until all is known that was in doubt; a desk that isn't sure takes no new orders.
    """

    pause: float
    errands: tuple[Errand, ...]
    strikes: tuple[Strike, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Session:
    """One life of a journal."""

    seed: int
    index: int
    transport: str
    episodes: tuple[Episode, ...] = field(repr=False)

    @property
    def ends_with(self) -> tuple[str, str] | None:
        """In every second session, who goes over every account at the end, one after the other or by one call, and how."""
        return (None, (TRADER, "flatten"), None, (ADMINISTRATOR, "flatten"), None, (ADMINISTRATOR, "cancel"))[self.index % 6]

    @property
    def name(self) -> str:
        """Tells it from all others."""
        return f"{self.seed} {self.index}"

    @property
    def is_private(self) -> bool:
        """True where only their members see the cards."""
        return is_private(self.index)

    @property
    def runs(self) -> Iterator[Run]:
        """All of them, in their order."""
        return (errand.run for episode in self.episodes for errand in episode.errands)

    @property
    def least_seconds(self) -> float:
        """Its least length in virtual time."""
        return sum(
            episode.pause + max(errand.begins + errand.hesitates for errand in episode.errands) for episode in self.episodes
        )

    @property
    def strikes(self) -> Iterator[Strike]:
        """All of them, in their order."""
        return (strike for episode in self.episodes for strike in episode.strikes)

    def only(self, runs: Collection[int], strikes: Collection[int]) -> "Session":
        """The same with these runs and strikes alone."""
        return replace(self, episodes=tuple(_kept(self.episodes, frozenset(runs), frozenset(strikes))))


def _kept(episodes: Sequence[Episode], runs: frozenset[int], strikes: frozenset[int]) -> Iterator[Episode]:
    for episode in episodes:
        errands = tuple(errand for errand in episode.errands if errand.run.number in runs)
        left = {errand.run.number for errand in errands}
        struck = tuple(strike for strike in episode.strikes if strike.number in strikes and strike.victim in left)
        if errands:
            yield replace(episode, errands=errands, strikes=struck)


def session(seed: int, index: int, runs: int = RUNS_PER_SESSION) -> Session:
    """One session of a seed's plan; each is drawn by itself."""
    dice = random.Random(f"{seed} {index} plan")  # noqa: S311 - a plan is no secret
    transport = "websocket" if index % 2 else "rest"
    episodes, first, numbers = list[Episode](), 0, count()
    pairs, waiting = _pairs(seed, index), list[tuple[Fault, Way]]()
    while first < runs:
        size = min(dice.choices(_SIZES, _SIZE_WEIGHTS)[0], runs - first)
        made = tuple(replace(a_run(dice, at, transport), trouble=None, trouble_call="") for at in range(first, first + size))
        errands = tuple(_errand(dice, run) for run in made)
        strikes = _strikes(dice, made, transport, _Due(pairs, waiting), numbers)
        episodes.append(Episode(_pause(dice), errands, strikes, dice.random() < 0.85))
        first += size
    return Session(seed, index, transport, tuple(episodes))


def _pause(dice: random.Random) -> float:
    least, most = dice.choices(_PAUSES, _PAUSE_WEIGHTS)[0]
    return dice.uniform(least, most)


def _errand(dice: random.Random, run: Run) -> Errand:
    hesitates = dice.uniform(*dice.choices(_HESITATIONS, _HESITATION_WEIGHTS)[0])
    return Errand(run, dice.uniform(0.0, 3.0), hesitates)


# About as many as the episodes of a session take.
STRIKES_PER_SESSION = 10


def pairs() -> tuple[tuple[Fault, Way], ...]:
    """Each fault at each of its steps."""
    return tuple((fault, way) for fault in FAULTS.values() for way in fault.ways)


def a_round() -> tuple[tuple[Fault, Way], ...]:
    """The same, each as often as it strikes."""
    return tuple(pair for pair in pairs() for _ in range(pair[0].often))


def _pairs(seed: int, index: int) -> Iterator[tuple[Fault, Way]]:
    """Round after round, each in an order of its own; a session goes on where the one before will have ended."""
    turn, first = divmod(index * STRIKES_PER_SESSION, len(a_round()))
    for number in count(turn):
        every = list(a_round())
        random.Random(f"{seed} {number} strikes").shuffle(every)  # noqa: S311 - as above
        yield from every[first if number == turn else 0 :]


@dataclass(frozen=True, slots=True)
class _Due:
    """The faults that are due.

    Attributes:
        pairs: goes on for ever.
        waiting: what fitted no run so far.
    """

    pairs: Iterator[tuple[Fault, Way]]
    waiting: list[tuple[Fault, Way]]

    def take(self, runs: Sequence[Run], transport: str) -> tuple[Fault, Way, list[Run]] | None:
        """The next that fits one of these runs, with those that it fits."""
        # Of presses that lead to something, or there would be no such step.
        runs = [run for run in runs if run.leads_out]
        for fault, way in (*self.waiting, next(self.pairs)):
            fit = [run for run in runs if fault.fits(run, transport)]
            if fit:
                if (fault, way) in self.waiting:
                    self.waiting.remove((fault, way))
                return fault, way, fit
            if (fault, way) not in self.waiting:
                self.waiting.append((fault, way))
        return None


def _strikes(dice: random.Random, runs: tuple[Run, ...], transport: str, due: _Due, numbers: Iterator[int]) -> tuple[Strike, ...]:
    drawn = [due.take(runs, transport) for _ in range(dice.choices(_STRIKES, _STRIKE_WEIGHTS)[0])]
    return tuple(_strike(dice, *one, next(numbers)) for one in drawn if one is not None)


def _strike(dice: random.Random, fault: Fault, way: Way, fit: Sequence[Run], number: int) -> Strike:
    victim = dice.choice(fit)
    call = dice.choice(fault.calls or victim.act.calls)
    after = dice.choice((0.0, 0.0, dice.uniform(0.0, 0.1)))
    return Strike(number, fault.name, way, victim.number, call, after, dice.choice(fault.lasts))
