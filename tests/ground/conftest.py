"""The ground is the process itself: what a test changes of it is put back."""

import logging
import sys
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    root = logging.getLogger()
    names = ("discord", "discord.http", "aiohttp", "aiohttp.access", "asyncio", "aiosqlite", "alembic", "sqlalchemy")
    kept = [(logger, logger.level, logger.handlers[:]) for logger in (root, *map(logging.getLogger, names))]
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for logger, level, handlers in kept:
        logger.setLevel(level)
        logger.handlers[:] = handlers
