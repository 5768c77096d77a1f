"""The random runs in batches, so that workers share them out and each batch is large enough to hold every kind of end."""

import pytest

BATCH = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    runs = metafunc.config.getoption("random_runs")
    batches = [range(start, min(start + BATCH, runs)) for start in range(0, runs, BATCH)]
    metafunc.parametrize("seeds", batches, ids=[f"{batch.start} to {batch.stop - 1}" for batch in batches])
