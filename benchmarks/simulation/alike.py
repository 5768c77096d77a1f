"""Proof that a session comes to the same each time: played by processes of their own, whose sets are in different orders."""

from collections import deque
from collections.abc import Iterator

from benchmarks.simulation.apart import Apart
from benchmarks.simulation.plan import Session


def digests(one: Session, times: int, side_by_side: int) -> Iterator[str]:
    """Digests of so many processes."""
    under_way = deque[Apart]()
    for hash_seed in range(1, times + 1):
        under_way.append(Apart(one, hash_seed=hash_seed))
        if len(under_way) == side_by_side:
            yield under_way.popleft().result().digest
    while under_way:
        yield under_way.popleft().result().digest
