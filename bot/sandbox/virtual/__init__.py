"""Programs in one event loop whose time is virtual: several parties, a network between them, clocks that can be set.

Time jumps to the next timer, so that an hour takes as long as what happens in it. Nothing here knows what the parties are for.
"""

from .choices import Choice, Delayed, Shuffled
from .clock import HostClock
from .loop import Deadlock, Standstill, VirtualLoop, loop_factories, run
from .network import Network
from .parties import Party, party_now
from .seams import foreign_seams

__all__ = [
    "Choice",
    "Deadlock",
    "Delayed",
    "HostClock",
    "Network",
    "Party",
    "Shuffled",
    "Standstill",
    "VirtualLoop",
    "foreign_seams",
    "loop_factories",
    "party_now",
    "run",
]
