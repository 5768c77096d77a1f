"""``python -m tests.journal.upgrade NAME``: write journals with the code that is here, and keep them below that name."""

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.desk.requests import SwitchRequest
from bot.sandbox.virtual import VirtualLoop
from tests.desk.conftest import HERE, TRADER
from tests.journal.upgrade.keeping import KEPT, write
from tests.journal.upgrade.next import LATER, what_comes
from tests.journal.upgrade.scenes import CUT_SHORT, KINDS, LIVE, Kind, Scene
from tests.journal.upgrade.stage import Stage, staged


async def taken_through(stage: Stage, kind: Kind, scenes: Iterable[Scene]) -> None:
    """Take a ticket of that kind through each scene, in an account of its own."""
    for number, scene in enumerate(scenes, start=1):
        stage.enter(number, live=scene in LIVE, held=kind.held, rests=kind.rests)
        ticket = await scene(stage)
        stage.fates[ticket.id] = scene.__name__.replace("_", " ")
        now = await stage.room.now(ticket.id)
        sys.stdout.write(f"  {scene.__name__:32} {now.state.value:14} {now.outcome}\n")


async def as_left(file: Path, kind: Kind) -> dict[str, Any]:
    """The journal of a process that is killed just then, having sent nothing to Discord yet."""
    async with staged(file, kind.ask) as stage:
        await taken_through(stage, kind, kind.scenes)
        return await stage.kept()


async def after_a_crash(file: Path, kind: Kind) -> tuple[dict[str, Any], dict[str, Any]]:
    """The journal right after the start that followed a crash, and again when that has settled what it could."""
    async with staged(file, kind.ask) as stage:
        await stage.desk.start()
        await taken_through(stage, kind, [scene for scene in kind.scenes if scene in CUT_SHORT])
        halt = SwitchRequest("halt", "account", stage.account, reason="CPI")
        said = await stage.desk.halt(TRADER, HERE, halt)
        assert isinstance(said, str), said
        await stage.desk.abandon()
        second = stage.room.again()
        await second.start()
        early = await stage.kept()
        await stage.room.passes(LATER)
        late = await stage.kept()
        await second.abandon()
        return early, late


async def written(folder: Path, into: Path) -> None:
    """Write all of them."""
    for name, kind in KINDS.items():
        sys.stdout.write(f"{name}\n")
        found = {name: await as_left(folder / f"{name}.db", kind)}
        if kind.is_cut_short:
            found |= zip(
                (f"{name}-crashed", f"{name}-settled"), await after_a_crash(folder / f"{name} again.db", kind), strict=True
            )
        for title, kept in found.items():
            kept["next"] = await what_comes(kept)
            write(into / f"{title}.json", kept)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(written(Path(made), KEPT / sys.argv[1]))
