"""A session in a process of its own, which leaves nothing behind."""

import gc
import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.simulation.judgement import Judged, judged
from benchmarks.simulation.plan import Session
from benchmarks.simulation.session import played

# What the first start of a bot loads for its new journal; here each session would load it again.
from bot.journal import upgrade as _upgrade  # noqa: F401

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the process's own is made in it
HASH_SEED = "PYTHONHASHSEED"


class SimulationError(Exception):
    """A session could not be played to its end."""


class Apart:
    """A session that is played by another process.

    Args:
        one: the session.
        lines: how many of the timeline are wanted.
        hash_seed: of a new interpreter; where it is left out the process begins as this one is, with everything imported.

    Attributes:
        session: what is played.
        receiving: is ready when the session is over.
    """

    def __init__(self, one: Session, lines: int = 0, hash_seed: int | None = None) -> None:
        self.session = one
        self.receiving, sending = multiprocessing.Pipe(duplex=False)
        if sys.platform == "win32" or hash_seed is not None:
            with _hashing_by(hash_seed):
                self._process: multiprocessing.process.BaseProcess = multiprocessing.get_context("spawn").Process(
                    target=_play, args=(one, lines, sending)
                )
                self._process.start()
        else:
            # There are no threads.
            self._process = multiprocessing.get_context("fork").Process(target=_play, args=(one, lines, sending))
            self._process.start()
        sending.close()

    def result(self) -> Judged:
        """The result.

        Raises:
            SimulationError: the process died, or the simulation itself is wrong.
        """
        try:
            result = self.receiving.recv()
        except EOFError:
            result = "the process died"
        self._process.join()
        self.receiving.close()
        if not isinstance(result, Judged):
            raise SimulationError(f"session {self.session.index} of seed {self.session.seed}: {result}")
        return result


@contextmanager
def _hashing_by(seed: int | None) -> Iterator[None]:
    """Let an interpreter that is started now put its sets in another order than this one."""
    before = os.environ.get(HASH_SEED)
    if seed is not None:
        os.environ[HASH_SEED] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(HASH_SEED, None)
        if before is not None:
            os.environ[HASH_SEED] = before


def _play(one: Session, lines: int, sending: Connection) -> None:
    # Nothing lives longer than a session; and when rubbish is collected would be chance.
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="crosstalk-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        try:
            sending.send(judged(played(one, Path(folder), lines)))
        except Exception as error:  # noqa: BLE001 - said by who started this process
            sending.send("".join(traceback.format_exception(error)))
