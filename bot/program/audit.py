"""``python -m bot audit``: say whether the log stands as it was written, or write it out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bot.errors import SettingsError
from bot.journal.auditing import audited, exported, verified
from bot.journal.export import Finding, Format, check, time_of
from bot.journal.heads import KeptHead, heads_file, kept_heads
from bot.settings import load_database_url
from bot.timings import USUAL, JournalTimings

GOOD, FAILED = 0, 1


async def verify(file: Path | None, heads: Path | None, timings: JournalTimings = USUAL.journal) -> int:
    """Print one line about the journal, or about an export; returns the exit code.

    Raises:
        SettingsError: a setting or an option can't be used.
        JournalError: the journal or its heads can't be read.
        ServiceUnreachable: the journal's server doesn't answer.
    """
    if file is not None:
        kept = _named(heads) if heads is not None else []
        found = _checked(file, kept)
    else:
        url = load_database_url()
        # Before the journal, which may grow meanwhile.
        kept = _named(heads) if heads is not None else kept_heads(heads_file(url))
        found = await audited(url, partial(verified, marks=[each.head for each in kept]), timings)
    sys.stdout.write(f"{found.wrong or _in_order(found, len(kept))}\n")
    return FAILED if found.wrong else GOOD


async def export(form: str, out: Path | None, timings: JournalTimings = USUAL.journal) -> int:
    """Write the log out; returns the exit code, which tells whether what was written stands as it once was.

    Raises:
        SettingsError, JournalError, ServiceUnreachable: as for ``verify``.
    """
    url = load_database_url()
    with _opened(out) as stream:

        def write(text: str) -> None:
            with _writing(out):
                stream.write(text.encode("ascii"))

        found = await audited(url, partial(exported, form=Format(form), write=write), timings)
        with _writing(out):
            stream.flush()
    if found.wrong:
        sys.stderr.write(f"It is written as it stands, but {found.wrong}.\n")
    return FAILED if found.wrong else GOOD


def _named(heads: Path) -> list[KeptHead]:
    if not heads.is_file():
        raise SettingsError("--heads", f"there is no file {heads}; name the one beside the journal.")
    return kept_heads(heads)


def _checked(file: Path, kept: list[KeptHead]) -> Finding:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise SettingsError("--file", f"{file} can't be read ({error.strerror}); name an export.") from error
    found = check(text, [each.head for each in kept])
    if found is None:
        raise SettingsError("--file", f"{file} is no export; write one by audit export.")
    return found


def _in_order(found: Finding, kept: int) -> str:
    head = found.last.head
    when = time_of(found.last.at)
    heads = f"{kept} kept heads fit" if kept else "no kept heads to compare with"
    return f"{head.seq} rows, unbroken; head {head.seq} {head.digest} ({when or 'nothing written yet'}); {heads}"


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """The stream to write to; a new file is taken away again when it can't be written to its end."""
    if out is None:
        yield sys.stdout.buffer
        return
    with _writing(out):
        # Never over a file that is there: a slip could cost the journal itself.
        stream = out.open("xb")
    try:
        with stream:
            yield stream
    except BaseException:
        out.unlink(missing_ok=True)
        raise


@contextmanager
def _writing(out: Path | None) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise SettingsError("--out", f"{out} is there already; name a new file.") from None
    except OSError as error:
        what = "standard output" if out is None else str(out)
        raise SettingsError("--out", f"{what} can't be written ({error.strerror}); name a file where there is room.") from error
