"""One session: people come and go, things go wrong; then all is mended, and it waits until all is told."""

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.chaos.books import Case, End, Sent, Story, as_told, cases, is_over, strays
from benchmarks.chaos.channel import Card
from benchmarks.chaos.compare import settled_by
from benchmarks.chaos.plan import Approver, Press, Run
from benchmarks.chaos.stage import CONFIRM_SECONDS, accounts_of, begin_strategies, options_of, policy_of, town_of, watch_private
from benchmarks.simulation.beside import lists_lag, move_position
from benchmarks.simulation.everything import over_everything
from benchmarks.simulation.faults import FAULTS
from benchmarks.simulation.plan import Episode, Errand, Session, Strike
from benchmarks.simulation.stage import World, staged
from benchmarks.simulation.timeline import timeline
from benchmarks.simulation.ways import Walk, Way
from bot.desk.ports import EventName
from bot.journal.auditing import audited, verified
from bot.sandbox.discord import NotPossibleError
from bot.sandbox.ninjatrader.faults import Kind, Rule
from bot.sandbox.virtual import VirtualLoop

START_SECONDS = 60.0
CARD_SECONDS = 20.0
STEP_SECONDS = 40.0
# As in the chaos bench: a card's life, and thirty seconds and a second look for what was lost.
TOLD_SECONDS = 100.0
EVIDENCE_SECONDS = 65.0
# What makes a step last long enough for something to begin in it.
HELD_UP = 0.4
APPROVER = "approver"
# A trader, too: the card alone says whose it is.
STRANGERS = {"trader": "second", "second": "trader"}
# Of how many presses the position is moved right before.
BY_HAND = 0.07
# Until an event is there that tells of something.
HEARD_SECONDS = 0.5
# Longer than what was read before may be decided on.
SETTLED_SECONDS = 2.5


@dataclass(slots=True)
class Played:
    """The result of a session.

    Attributes:
        cases: every run in all three books.
        strays: requests that are about no run.
        met: how often each fault struck at each step.
        missed: how often each fault came to no such step, or struck nothing there.
        starts: lives of the bot.
        ended: what lives that ended by themselves said last.
        crashed: what ended those that had no sentence for people.
        forged: what is wrong with the journal's chain, if anything.
        uncaught: exceptions that nobody caught.
        leaked: what people could read that holds a secret.
        left: what is wrong with how the session's last command ended, which goes over everything.
        sent_while_halted: ids of tickets that were claimed after a halt of their account was in the journal.
        exit: the exit code of the last life, ``None`` where it had to be killed.
        seconds: of virtual time.
        blind: when the bot could see nothing, from when to when.
        digest: of the journal, Discord's messages and NinjaTrader's book.
        timeline: what happened last, where somebody wants to know.
    """

    session: Session
    cases: tuple[Case, ...] = ()
    strays: tuple[Sent, ...] = ()
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    starts: int = 0
    ended: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    forged: str | None = None
    uncaught: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    left: tuple[str, ...] = ()
    sent_while_halted: frozenset[str] = frozenset()
    exit: int | None = 0
    seconds: float = 0.0
    blind: list[tuple[datetime, datetime]] = field(default_factory=list)
    digest: str = ""
    timeline: tuple[str, ...] = ()


def played(session: Session, folder: Path, lines: int = 0) -> Played:
    """Play one session to its end, in a loop of its own.

    Args:
        session: what is played.
        folder: for the bot's files.
        lines: how many of the timeline are wanted.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play(session, folder, lines))


async def _play(session: Session, folder: Path, lines: int) -> Played:
    result, loop = Played(session), asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TypeError("a session is played in virtual time")
    began = loop.time()
    name, accounts = session.name, accounts_of(session)
    policy, town = policy_of(session), town_of(session)
    async with staged(loop, name, accounts, session.transport, folder, policy=policy, town=town) as world:
        begin_strategies(world.simulator, session)
        if session.is_private:
            watch_private(world.channel, world.discord)
        player = _Player(world, session, result)
        for episode in session.episodes:
            await player.episode(episode)
        await player.finish()
        result.cases, result.strays = as_told(player.cases()), strays(session, world.simulator.book())
        if session.ends_with is not None and result.cases:
            result.left = await over_everything(world, *session.ends_with)
        result.exit = await world.bot.stop()
        result.ended, result.starts, result.uncaught = world.bot.ended, world.bot.starts, world.uncaught
        result.crashed, result.leaked = world.bot.crashed, world.leaked
        result.sent_while_halted = _sent_while_halted(world)
        result.forged = (await audited(world.bot_url, lambda journal: verified(journal, ()))).wrong
        result.timeline = timeline(world, lines) if lines else ()
        result.seconds = loop.time() - began
        journal = tuple(_journal(world))
        for line in journal:
            world.read(line)
        result.digest = _digest(world, journal)
    return result


@dataclass(slots=True)
class _Player:
    world: World
    session: Session
    result: Played
    stories: dict[int, Story] = field(default_factory=dict)
    walks: dict[int, Walk] = field(default_factory=dict)
    _is_in_doubt: bool = False

    async def episode(self, episode: Episode) -> None:
        """Let people come after a pause, act, and be disturbed."""
        await asyncio.sleep(episode.pause)
        await self._up()
        if episode.waits and self._is_in_doubt:
            # What a kill left unknown keeps the desk from new orders, and many denials prove little.
            await self._until_known(EVIDENCE_SECONDS)
        self._is_in_doubt = bool(episode.strikes)
        for errand in episode.errands:
            self.walks[errand.run.number] = Walk(errand.run, self.world)
        disturbed = any(strike.fault == "kill" for strike in episode.strikes)
        strikes = [asyncio.create_task(self._strike(strike)) for strike in episode.strikes]
        await asyncio.gather(*(self._errand(errand, disturbed=disturbed) for errand in episode.errands))
        await asyncio.gather(*strikes)
        self._mend()

    async def finish(self) -> None:
        """Wait until every card has come to an end that is none in doubt, or the time for it is over."""
        self._mend()
        await self._up()
        if not await self._until_known(EVIDENCE_SECONDS) and not self._is_clear():
            await self._until_known(TOLD_SECONDS - EVIDENCE_SECONDS)

    def _mend(self) -> None:
        self.world.simulator.faults.clear()
        self.world.discord.heal()

    async def _up(self) -> None:
        """Have the bot up and connected, as a supervisor would; a restart may take it more than one attempt."""
        self.world.bot.begin()
        discord = self.world.discord
        await self._until(lambda: discord.gateway.connected > 0 and bool(discord.commands()), START_SECONDS)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        return await self.world.lookout.until(condition, seconds)

    async def _until_known(self, seconds: float) -> bool:
        told = self.world.channel.told
        return await self._until(self.world.when_changed(lambda: all(map(is_over, told()))), seconds)

    def cases(self) -> tuple[Case, ...]:
        """Every run that was asked for, as the books have it now."""
        for number, story in self.stories.items():
            story.ends_at = _end_of(number, story, self.world)
            self.world.read(story.answer)
            story.others = self.world.channel.others_of(story.card) if story.card else ()
        return cases(self.session, self.world.simulator.book(), self.stories)

    def _is_clear(self) -> bool:
        """Tell whether all that is left open is unknown for good: two stories fit, and waiting won't change it."""
        waiting = [case for case in self.cases() if case.story.card is not None and not is_over(case.story.text)]
        return bool(waiting) and all(case.end is End.UNKNOWN and settled_by(case) is None for case in waiting)

    # What people do

    async def _errand(self, errand: Errand, *, disturbed: bool) -> None:
        run = errand.run
        story = self.stories[run.number] = Story(disturbed=disturbed)
        await asyncio.sleep(errand.begins)
        await self._ask(run, story)
        await asyncio.sleep(errand.hesitates)
        await self._press(run, story)

    async def _ask(self, run: Run, story: Story) -> None:
        options = options_of(self.world.simulator, run)
        walk = self.walks[run.number]
        walk.asked = True
        discord = self.world.discord
        try:
            asked = await discord.slash(run.member, "desk", run.act.command, options)
        except NotPossibleError as error:
            story.answer = str(error)
            return

        def answered() -> bool:
            return walk.looks[Way.CARD]() or "denied" in discord.interaction(asked.id).text.casefold()

        await self._until(self.world.when_changed(answered), CARD_SECONDS)
        story.card, story.answer = walk.card, discord.interaction(asked.id).text

    async def _press(self, run: Run, story: Story) -> None:
        # One whose card came late finds it now.
        card = story.card = story.card or self.world.card_of(run)
        # A card that was posted only after its end has nothing to press.
        if card is None or "Confirm" not in card.buttons or run.press is Press.NEVER:
            return
        if card.is_private and run.press is Press.STRANGER:
            # Nobody else sees it.
            return
        if run.number in self.world.moving or self._is_moved(run):
            order = move_position(self.world, run)
            await self._until(lambda: order.state.is_done, SETTLED_SECONDS)
        if run.number in self.world.moved:
            await asyncio.sleep(HEARD_SECONDS if run.number in self.world.told else SETTLED_SECONDS)
            if lists_lag(self.world):
                # What the bot would decide on isn't so any more, and nobody could tell it.
                return
        member = STRANGERS.get(run.member, "trader") if run.press is Press.STRANGER else run.member
        labels = {Press.TWICE: ("Confirm", "Confirm"), Press.BOTH: ("Confirm", "Cancel"), Press.CANCEL: ("Cancel",)}
        approving = asyncio.create_task(self._approve(run, story, card))
        await asyncio.sleep(max(0.0, -run.approve_after) if "Approve" in card.buttons else 0.0)
        story.pressed_at, story.pressed_ns = self.world.true(), self.world.nanoseconds()
        presses = (self._click(member, card, label) for label in labels.get(run.press, ("Confirm",)))
        story.handed = any(await asyncio.gather(*presses))
        await approving

    def _is_moved(self, run: Run) -> bool:
        """Tell whether somebody happens to trade there in NinjaTrader itself, right before the press."""
        chance = random.Random(f"{self.session.name} {run.number} by hand").random()  # noqa: S311 - a plan is no secret
        return chance < BY_HAND and run.act.command not in {"flatten", "cancel"}

    async def _approve(self, run: Run, story: Story, card: Card) -> None:
        """Press Approve where the card has it, in front of Confirm or behind it."""
        if "Approve" not in card.buttons or run.approver is Approver.NOBODY:
            return
        await asyncio.sleep(max(0.0, run.approve_after))
        if run.approver is Approver.REQUESTER:
            await self._click(run.member, card, "Approve")
            return
        story.approved_at, story.pressed_ns = self.world.true(), self.world.nanoseconds()
        await self._click(APPROVER, card, "Approve")

    async def _click(self, member: str, card: Card, label: str) -> bool:
        """Press a button as it was first shown, whatever has become of the card; whether the bot got the press."""
        view = await self.world.discord.press_anyway(member, card.message, card.buttons[label])
        return view.handed is not None

    # What goes wrong

    async def _strike(self, strike: Strike) -> None:
        fault, walk, world = FAULTS[strike.fault], self.walks[strike.victim], self.world
        self._hold_up(strike, walk.run)
        begun: list[object] = []

        def begin() -> None:
            if strike.after:
                world.loop.call_later(strike.after, act)
            else:
                act()

        def act() -> None:
            world.say("fault", f"{strike.fault} at {strike.way} of run {strike.victim}, {strike.call}, for {strike.lasts} s")
            begun.append(fault.begin(world, walk.run, strike.call))
            if fault.blinds:
                self.result.blind.append((world.true(), world.true() + timedelta(seconds=strike.lasts)))

        forget = world.lookout.when(walk.looks[strike.way], begin)
        came = await self._until(lambda: bool(begun), STEP_SECONDS)
        forget()
        if came:
            await asyncio.sleep(strike.lasts)
            fault.end(world)
        struck = begun[0] if begun else None
        if came and callable(struck):
            came = await self._until(struck, STEP_SECONDS)
        (self.result.met if came else self.result.missed)[strike.fault, strike.way] += 1

    def _hold_up(self, strike: Strike, run: Run) -> None:
        """Make the moment at NinjaTrader long enough for something to begin in it."""
        if strike.way in {Way.SEEN, Way.DONE}:
            effect = strike.way is Way.DONE
            rule = Rule(Kind.DELAY, run.act.calls[-1], count=1, seconds=HELD_UP, effect=effect)
            self.world.simulator.faults.rules.append(rule)


def _end_of(number: int, story: Story, world: World) -> datetime | None:
    """When a card came to its end: its life is over, the bot was started again, or the position isn't the one that it shows."""
    if story.card is None:
        return None
    posted, births = story.card.texts[0][0], (int(birth * 1e9) for birth in world.bot.births)
    ends = [world.when(posted) + timedelta(seconds=CONFIRM_SECONDS)]
    ends += [world.when(birth) for birth in births if birth > posted]
    ends += [world.moved[number]] if number in world.moved else []
    return min(ends)


def _sent_while_halted(world: World) -> frozenset[str]:
    """Tickets that were claimed after a halt of their account was in the journal, and before it was lifted."""
    halted, found = set[str](), set[str]()
    with closing(world.reading()) as journal:
        rows = journal.execute(
            "SELECT events.name, ticket, account, data FROM events LEFT JOIN tickets ON tickets.id = ticket ORDER BY seq"
        )
        for name, ticket, account, data in rows:
            match name:
                case EventName.HALTED:
                    halted.add(json.loads(data)["account"])
                case EventName.RESUMED:
                    halted.discard(json.loads(data)["account"])
                case EventName.SENDING if account in halted:
                    found.add(ticket)
                case _:
                    pass
    return frozenset(found)


def _journal(world: World) -> Iterator[str]:
    """The whole journal, line by line."""
    with closing(world.reading()) as database:
        yield from database.iterdump()


def _digest(world: World, journal: Sequence[str]) -> str:
    """The digest of all that must be the same each time that the same seed is played."""
    sum_ = hashlib.sha256()
    for line in journal:
        sum_.update(line.encode())
    for card in world.channel.cards.values():
        sum_.update(repr((card.message, card.ticket, card.texts)).encode())
    # News in other channels and in threads, and what one member alone was answered.
    for said in (*world.discord.every_message(), *world.discord.interactions()):
        sum_.update(repr(said).encode())
    sum_.update(repr(world.simulator.book()).encode())
    return sum_.hexdigest()
