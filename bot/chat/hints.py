"""Advice on CrossTrade's own error texts, in plain words. The texts themselves are shown to the letter beside it.

The phrases are those that the vendor's pages show (POST Reverse Position; errors; rate limits), matched without case. What is
said of a position that isn't as an order requires is on no page.
"""

from bot.trading.orders.intents import Intent, PlaceOrder, Replace

_HINTS = (
    (("no position found", "no positions found"), "The position is gone; look at it in NinjaTrader before you ask again."),
    (("rate_limited", "rate limit"), "Too many requests at once; wait a few seconds, then ask again with the command."),
    (
        ("api_requires_pro", "unauthorized", "requires an elite"),
        "CrossTrade doesn't take the token or the plan; whoever runs the desk must check them.",
    ),
    (("invalid_account", "unknown_account"), "CrossTrade doesn't know the account; check its name in NinjaTrader."),
    (("unknown api command",), "The CrossTrade add-on in NinjaTrader is too old for this; update it."),
)
# Inferred: it names the position, or the field that asks for one.
_NOT_AS_REQUIRED = ("market position", "marketposition")
_ELSE = "Mend what it names, then ask again with the command; this ticket is over."


def hint(text: str | None) -> str:
    """A sentence about a rejection's text that says what to do."""
    return known_hint(text or "") or _ELSE


def refusal_hint(text: str, intent: Intent) -> str:
    """A sentence about CrossTrade's own refusal that says what to do; a condition on the position may be why."""
    if (condition := _condition(intent)) is None or known_hint(text) is not None:
        return hint(text)
    wanted, otherwise = condition
    if any(phrase in text.casefold() for phrase in _NOT_AS_REQUIRED):
        return f"The position is {otherwise}, so NinjaTrader refused the order; ask again with the command."
    return f"Mend what it names, then ask again with the command. It is for a position that is {wanted}; look at that, too."


def _condition(intent: Intent) -> tuple[str, str] | None:
    """The position that an order requires, and what it is when that doesn't hold; ``None`` where it requires none."""
    if not isinstance(intent, PlaceOrder | Replace):
        return None
    if intent.require:
        wanted = " or ".join(sorted(intent.require))
        return wanted, f"not {wanted}"
    guard = intent.guard if isinstance(intent, PlaceOrder) else None
    return None if guard is None else (f"still {guard}", f"no longer {guard}")


def known_hint(text: str) -> str | None:
    """Advice on a text in which CrossTrade's own words stand; ``None`` unless they are among those that are known."""
    folded = text.casefold()
    return next((sentence for phrases, sentence in _HINTS if any(phrase in folded for phrase in phrases)), None)
