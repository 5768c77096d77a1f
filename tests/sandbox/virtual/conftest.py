"""Every asynchronous test here runs in virtual time."""

import pytest

from bot.sandbox.virtual import loop_factories


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> object:
    return loop_factories(config, item)
