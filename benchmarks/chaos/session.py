"""One session: its waves are asked for, pressed, disturbed and killed; then all is mended, and it waits until all is told."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chaos.books import Case, End, Sent, Story, cases, is_over, strays
from benchmarks.chaos.channel import Card
from benchmarks.chaos.compare import settled_by
from benchmarks.chaos.jolts import jolt
from benchmarks.chaos.moments import HELD_UP, Moments
from benchmarks.chaos.plan import Approver, Press, Run, Session, Step, Wave
from benchmarks.chaos.readers import hammer
from benchmarks.chaos.stage import READER, Stage, options_of, staged
from benchmarks.chaos.troubles import fault, rule
from bot.sandbox.discord import NotPossibleError
from bot.sandbox.ninjatrader.faults import Rule

CARD_SECONDS = 5.0
LOOK_SECONDS = 0.5
# After the last press: a card's life, thirty seconds and a second look for what was lost, and what the clock was set back.
TOLD_SECONDS = 100.0
# After so long what isn't told will not be, where evidence leaves two stories open.
EVIDENCE_SECONDS = 65.0
STRANGER = APPROVER = "approver"


@dataclass(slots=True)
class Played:
    """The result of a session.

    Attributes:
        strays: requests that are about no run.
        kills: by step and by what the journal said of the victim just then; ``missed`` where the moment didn't come.
        jolts: how often each came.
        levers: how many runs each kept from getting out.
        ended: lives of the bot that ended by themselves, with their last words.
        notes: what could not be done here.
        exit: the exit code of the last life after SIGTERM.
        took: seconds in all.
    """

    session: Session
    cases: tuple[Case, ...] = ()
    strays: tuple[Sent, ...] = ()
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    jolts: Counter[str] = field(default_factory=Counter)
    levers: Counter[str] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    starts: int = 0
    exit: int | None = None
    took: float = 0.0


async def play(session: Session, folder: Path) -> Played:
    """Play one session to its end.

    Raises:
        BotError: the bot doesn't come up.
    """
    played, began = Played(session), time.monotonic()
    async with staged(session, folder) as stage:
        player = _Player(stage, played)
        for wave in session.waves:
            await player.wave(wave)
        await player.mend()
        await player.until_told()
        played.exit = await stage.bot.stop()
        played.cases, played.strays = player.cases(), strays(session, stage.simulator.book())
        played.ended, played.starts = stage.bot.ended, stage.bot.starts
    played.took = time.monotonic() - began
    return played


@dataclass(slots=True)
class _Player:
    stage: Stage
    played: Played
    stories: dict[int, Story] = field(default_factory=dict)
    _asked: "set[asyncio.Task[None]]" = field(default_factory=set)
    _was_killed: bool = False

    async def wave(self, wave: Wave) -> None:
        """Ask for all, then press all, with what goes wrong meanwhile."""
        await self.mend()
        if self._was_killed:
            # What it left unknown keeps the desk from new orders until that is settled, and a wave of denials proves little.
            await self._until_known()
        self._was_killed = wave.kill is not None
        reading = asyncio.create_task(hammer(self.stage.discord, READER.name)) if wave.readers else None
        moments = None if wave.kill is None else Moments(self.stage, self._run(wave, wave.kill.victim), wave.kill)
        early = moments is not None and moments.kill.step.name == "CARD"
        killing = asyncio.create_task(self._kill(moments)) if moments and early else None
        await asyncio.gather(*(self._ask(run) for run in wave.runs))
        if killing is not None:
            await killing
        self._lay(wave)
        if moments is not None and not early:
            moments.prepare()
            killing = asyncio.create_task(self._kill(moments))
        jolting, hindering = asyncio.create_task(self._jolt(wave)), asyncio.create_task(self._hinder(wave))
        await asyncio.gather(*(self._press(run, wave.kill is not None) for run in wave.runs))
        await asyncio.gather(jolting, hindering)
        if killing is not None:
            await killing
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def mend(self) -> None:
        """Let everything be well again, the bot running."""
        self.stage.simulator.faults.clear()
        self.stage.discord.heal()
        await self.stage.bot.up()

    async def until_told(self) -> None:
        """Wait until every card has come to an end that is none in doubt, or the time for it is over."""
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(TOLD_SECONDS):
                while not all(map(is_over, self.stage.channel.told())):
                    if time.monotonic() - began > EVIDENCE_SECONDS and self._is_clear():
                        return
                    await asyncio.sleep(LOOK_SECONDS)
                    # One that ended by itself is started again, as a supervisor would.
                    await self.stage.bot.up()

    async def _until_known(self) -> None:
        """Wait until all is told that a kill has left, as evidence finds it, or the time that it may take is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(EVIDENCE_SECONDS):
                while not all(map(is_over, self.stage.channel.told())):
                    await asyncio.sleep(LOOK_SECONDS)
                    await self.stage.bot.up()

    def cases(self) -> tuple[Case, ...]:
        """Every run that was asked for, as the books have it now."""
        for story in self.stories.values():
            story.others = self.stage.channel.others_of(story.card) if story.card else ()
        return cases(self.played.session, self.stage.simulator.book(), self.stories)

    def _is_clear(self) -> bool:
        """Tell whether all that is left open is unknown for good: two stories fit, and waiting won't change it."""
        waiting = [case for case in self.cases() if case.story.card is not None and not is_over(case.story.text)]
        return bool(waiting) and all(case.end is End.UNKNOWN and settled_by(case) is None for case in waiting)

    def _run(self, wave: Wave, number: int) -> Run:
        return next(run for run in wave.runs if run.number == number)

    async def _ask(self, run: Run) -> None:
        options = options_of(self.stage.simulator, run)
        story = self.stories[run.number] = Story()
        try:
            asked = await self.stage.discord.slash(run.member, "desk", run.act.command, options)
        except NotPossibleError as error:
            story.answer = str(error)
            return

        def answered() -> bool:
            story.card, story.answer = self._card(run), self.stage.discord.interaction(asked.id).text
            return story.card is not None or "denied" in story.answer.casefold()

        with suppress(TimeoutError):
            await self.stage.discord.until(answered, CARD_SECONDS)

    def _card(self, run: Run) -> Card | None:
        return self.stage.channel.card_of(*run.named)

    def _lay(self, wave: Wave) -> None:
        for run in wave.runs:
            if run.trouble is None:
                continue
            if run.trouble.at == "discord":
                self.stage.discord.fail(fault(run.trouble))
            else:
                self.stage.simulator.faults.rules.append(Rule.from_json(rule(run.trouble, run.trouble_call)))

    async def _jolt(self, wave: Wave) -> None:
        if wave.jolt is None:
            return
        await asyncio.sleep(wave.jolt_after)
        self.played.jolts[wave.jolt] += 1
        if note := await jolt(self.stage, wave.jolt):
            self.played.notes.add(note)

    async def _hinder(self, wave: Wave) -> None:
        if wave.lever is None:
            return
        self.played.levers[wave.lever.name] += len(wave.runs)
        wave.lever.begin(self.stage.simulator)
        await asyncio.sleep(wave.lever.seconds)
        wave.lever.end(self.stage.simulator)

    async def _kill(self, moments: Moments) -> None:
        came = await moments.come()
        if moments.kill.step is Step.DECIDED:
            await self._stop()
        else:
            self.stage.bot.kill()
        await self.stage.bot.gone()
        card = self._card(moments.run)
        state = await self.stage.journal.state(card.ticket) if card else None
        self.played.kills[moments.kill.step, str(state or "nothing") if came else "missed"] += 1
        self.stage.discord.heal()
        await self.stage.bot.up()

    async def _stop(self) -> None:
        """SIGTERM while a read holds a decision up; it must end well, and in time."""
        await asyncio.sleep(HELD_UP / 2)
        if (code := await self.stage.bot.stop()) != 0:
            self.stage.bot.ended.append(f"exit {code} at SIGTERM")

    async def _press(self, run: Run, disturbed: bool) -> None:  # noqa: FBT001 - a fact, no switch
        story = self.stories[run.number]
        # One whose card came late finds it now.
        card = story.card = story.card or self._card(run)
        story.disturbed = disturbed
        # A card that was posted only after its end has nothing to press.
        if card is None or "Confirm" not in card.buttons or run.press is Press.NEVER:
            return
        await asyncio.sleep(run.after)
        if card.is_private and run.press is Press.STRANGER:
            # Nobody else sees it.
            return
        member = STRANGER if run.press is Press.STRANGER else run.member
        labels = {Press.TWICE: ("Confirm", "Confirm"), Press.BOTH: ("Confirm", "Cancel"), Press.CANCEL: ("Cancel",)}
        approving = asyncio.create_task(self._approve(run, story, card))
        await asyncio.sleep(max(0.0, -run.approve_after) if "Approve" in card.buttons else 0.0)
        story.pressed_at, story.pressed_ns = datetime.now(UTC), time.monotonic_ns()
        presses = [self._click(member, card, label) for label in labels.get(run.press, ("Confirm",))]
        answers: list[Any] = await asyncio.gather(*presses)
        story.handed = any(answers)
        await approving

    async def _approve(self, run: Run, story: Story, card: Card) -> None:
        """Press Approve where the card has it, in front of Confirm or behind it."""
        if "Approve" not in card.buttons or run.approver is Approver.NOBODY:
            return
        await asyncio.sleep(max(0.0, run.approve_after))
        if run.approver is Approver.REQUESTER:
            await self._click(run.member, card, "Approve")
            return
        story.approved_at, story.pressed_ns = datetime.now(UTC), time.monotonic_ns()
        await self._click(APPROVER, card, "Approve")

    async def _click(self, member: str, card: Card, label: str) -> bool:
        """Press a button as it was first shown, whatever has become of the card; whether the bot got the press."""
        view = await self.stage.discord.press_anyway(member, card.message, card.buttons[label])
        return view.handed is not None
