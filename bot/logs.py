"""Log lines on stderr, as text or JSON, from which every secret is taken out before anybody can read it.

What a secret is stands in ``bot.redaction``. What is logged, and when, is decided where it happens.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import TextIO

from bot.redaction import Redactor

_log = logging.getLogger(__name__)

# Their chatter holds whole payloads or every statement; the level that is asked for counts for our own lines.
_FOREIGN = {
    "aiohttp": logging.INFO,
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "asyncio": logging.INFO,
    "discord": logging.INFO,
    "sqlalchemy": logging.WARNING,
}

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=MappingProxyType({}))


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Add ids, such as ``ticket`` and ``member``, to every line that is logged within; ``None`` adds nothing."""
    token = _bound.set({**_bound.get(), **{name: value for name, value in ids.items() if value is not None}})
    try:
        yield
    finally:
        _bound.reset(token)


def configure(level: str, layout: str, secrets: Iterable[str], stream: TextIO | None = None) -> None:
    """Send everything that is logged anywhere in the process to one place, redacted; earlier handlers go.

    Exceptions that nobody caught, in the main thread, other threads and tasks, are logged there too.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        layout: ``text`` or ``json``.
        secrets: values that must never show.
        stream: standard error, unless told otherwise.
    """
    redact = Redactor(secrets)
    handler = _Handler(stream or sys.stderr, redact)
    handler.setFormatter(_JsonLines(redact) if layout == "json" else _TextLines(redact))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _FOREIGN.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(root.level, least))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread_end
    sys.unraisablehook = _log_unraisable


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; the standard one prints message and arguments bare when they don't fit each other."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        super().__init__(stream)
        self._redact = redact

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name is logging's
        """Say that a line is lost, and where it was to come from, without its arguments."""
        kind = sys.exc_info()[0]
        what = self._redact(f"{record.name}: a log line could not be written ({kind and kind.__name__})")
        # Nobody is left to tell when standard error is closed.
        with suppress(OSError, ValueError):
            self.stream.write(f"{what}: {record.pathname}:{record.lineno}\n")


class _Lines(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  the name is logging's
        """Give the record's time as UTC to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).strftime(datefmt or "%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def _exception(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else record.exc_text or ""


class _TextLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        ids = "".join(f" {name}={value}" for name, value in _bound.get().items())
        head = f"{self.formatTime(record)} {record.levelname} {record.name}{ids}: {record.getMessage()}"
        parts = [head, self._exception(record), record.stack_info or ""]
        text = self._redact("\n".join(part for part in parts if part))
        # Indented, no foreign text can pass for a line of its own.
        return text.translate(_CONTROLS).replace("\n", "\n    ")


class _JsonLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            **_bound.get(),
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "exception": self._exception(record),
            "stack": record.stack_info,
        }
        texts = {name: str(value) for name, value in fields.items() if value is not None}
        return json.dumps({name: self._redact(text) for name, text in texts.items() if text})


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("Nobody caught this error; the program ends.", exc_info=(kind, error, trace))


def _log_thread_end(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    _log.error("The thread %s ended with an error.", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _log_unraisable(args: "sys.UnraisableHookArgs") -> None:
    error = args.exc_value or args.exc_type()
    _log.error(
        "%s: %r", args.err_msg or "An error was ignored in", args.object, exc_info=(args.exc_type, error, args.exc_traceback)
    )
