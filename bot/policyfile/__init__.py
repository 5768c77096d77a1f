"""The policy file: read, checked as a whole, translated to ``bot.trading.risk.policy``, and watched while the bot runs.

What the rules mean is decided there, not here. A place in the file is named as in ``grant[2].max_quantity``: the second
``[[grant]]`` from the top.
"""

from bot.policyfile._changes import Counted, changes, in_numbers
from bot.policyfile._model import EVENTS
from bot.policyfile._reading import LARGEST_FILE, parse_policy, read_policy
from bot.policyfile._schema import policy_schema, schema_text
from bot.policyfile._watch import PolicyWatch

__all__ = [
    "EVENTS",
    "LARGEST_FILE",
    "Counted",
    "PolicyWatch",
    "changes",
    "in_numbers",
    "parse_policy",
    "policy_schema",
    "read_policy",
    "schema_text",
]
