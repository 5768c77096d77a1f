"""The switch in each function of the copy: it runs as it was written, or as the mutant that is chosen.

Mutmut has a switch of its own, which asks the environment at each call; in tests with hundreds of examples that takes long.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

AnyFunction = Callable[..., Any]

# The name that mutmut gives to what was written.
ORIGINAL = "_mutmut_orig"

# By module and function: what has run since somebody cleared it, and the mutant that is to run.
ran: set[str] = set()
chosen: dict[str, str] = {}


def of_mutants(mutants: dict[str, AnyFunction], *, is_classmethod: bool = False) -> Callable[[AnyFunction], AnyFunction]:
    """Switch between a function and its mutants; mutmut's signature, since mutmut writes the calls."""

    def switched(function: AnyFunction) -> AnyFunction:
        name = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        def switch(*given: Any, **named: Any) -> Any:
            ran.add(name)
            now = mutants[chosen.get(name, ORIGINAL)]
            if is_classmethod:
                # Looked up at the class, it is bound already; a subclass must stay one.
                return getattr(given[0], now.__name__)(*given[1:], **named)
            return now(*given, **named)

        return switch

    return switched
