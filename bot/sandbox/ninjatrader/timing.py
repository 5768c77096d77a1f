"""Durations in the simulated world; nothing here waits by itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Delays in seconds; `prune` is how long a finished order stays in the order list."""

    step: float = 0.02
    """From one order state to the next."""
    fill: float = 0.05
    """From Working to the first fill, and between partial fills."""
    reject: float = 1.0
    """From Submitted to Rejected: the answer was 200 long before."""
    close_wait: float = 5.0
    """Wait of reverseposition for flat, before it places the entry anyway (documented: about 5 s)."""
    tick: float = 0.25
    """Between price changes."""
    quotes: float = 1.0
    """Between marketData frames."""
    results: float = 0.1
    """Between pnlUpdate frames at least, however often they are asked for."""
    prune: float = 300.0
