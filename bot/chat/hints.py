"""What to do about CrossTrade's own error texts, in plain words. The texts themselves are shown to the letter beside it.

The phrases are those that the vendor's pages show (POST Reverse Position; errors; rate limits), matched without case.
"""

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
_ELSE = "Mend what it names, then ask again with the command; this ticket is over."


def hint(text: str | None) -> str:
    """A sentence about a rejection's text that says what to do."""
    return known_hint(text or "") or _ELSE


def known_hint(text: str) -> str | None:
    """What to do about a text in which CrossTrade's own words stand, if they are among those that are known."""
    folded = text.casefold()
    return next((sentence for phrases, sentence in _HINTS if any(phrase in folded for phrase in phrases)), None)
