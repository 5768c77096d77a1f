"""Answers to questions about names, worked out once for each name. Pure."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
# Names may be typed by anybody.
MOST_KEPT = 4096


class ByName(Generic[Key, Found]):
    """What a question comes to, by the names in it; what it holds has a bound, beyond which it begins anew."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Key, Found] = {}

    def get(self, names: Key, work_out: Callable[[], Found]) -> Found:
        """The answer for these names."""
        if names in self._found:
            return self._found[names]
        if len(self._found) >= MOST_KEPT:
            self._found.clear()
        answer = self._found[names] = work_out()
        return answer
