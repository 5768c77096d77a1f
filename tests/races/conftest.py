"""How far races are played out: some steps delayed one by one, or every pair by ``--delays 2 --every-step 1``."""

import pytest


@pytest.fixture
def delays(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("delays"))


@pytest.fixture
def every(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("every_step"))
