"""A simulated NinjaTrader 8 behind the CrossTrade API: the outside world, for the demo and the tests.

It speaks the documented wire forms and keeps its own books. Nothing here is shared with the client that is tested
against it; where the vendor's pages are silent, the choice made is marked "inferred" beside it.
"""

from .atm import AtmTemplate
from .book import AccountSpec, Holding, Resting
from .faults import Faults, Kind, Rule
from .names import Names
from .server import running, serve
from .simulator import Simulator
from .timing import Timing

__all__ = [
    "AccountSpec",
    "AtmTemplate",
    "Faults",
    "Holding",
    "Kind",
    "Names",
    "Resting",
    "Rule",
    "Simulator",
    "Timing",
    "running",
    "serve",
]
