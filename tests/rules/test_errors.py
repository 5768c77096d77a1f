"""The errors: the tree that is drawn is the tree that is there, and each says one sentence without a line break."""

import inspect
import re

import pytest

import bot.errors
from bot.errors import (
    BrokerError,
    BrokerGarbled,
    BrokerLacks,
    BrokerPartly,
    BrokerRefused,
    BrokerUnreachable,
    DeliveryDelayed,
    DeliveryError,
    DeliveryRefused,
    DeskError,
    Halted,
    InstrumentError,
    JournalError,
    JournalLocked,
    PolicyError,
    PriceError,
    ServiceUnreachable,
    SettingsError,
    UsageError,
)

LINE = re.compile(r"^ {4}(?P<trunk>[│ ]*)(?P<branch>[├└]── )?(?P<name>[A-Z]\w+)(?: {2,}\S.*)?$", re.MULTILINE)
SENTENCE = "Something went wrong; try again."
BUILT: list[tuple[DeskError, str]] = [
    (DeskError(SENTENCE), SENTENCE),
    (SettingsError("LOG_LEVEL", "write INFO or DEBUG."), "LOG_LEVEL: write INFO or DEBUG."),
    (
        PolicyError("policy.toml", ["desk: unknown key", "limit: not a number"]),
        "policy.toml: desk: unknown key; limit: not a number",
    ),
    (UsageError(SENTENCE), SENTENCE),
    (InstrumentError("ESV6", SENTENCE, ["ES 09-26"]), SENTENCE),
    (PriceError(SENTENCE), SENTENCE),
    (BrokerError(SENTENCE), SENTENCE),
    (BrokerUnreachable(SENTENCE), SENTENCE),
    (BrokerRefused(400, "No position found"), "No position found"),
    (BrokerLacks(404, "Unknown API command"), "Unknown API command"),
    (BrokerGarbled(SENTENCE), SENTENCE),
    (BrokerPartly((), ['position "ES ?"'], None), "CrossTrade's position \"ES ?\" can't be read."),
    (JournalError(SENTENCE), SENTENCE),
    (JournalLocked(SENTENCE), SENTENCE),
    (Halted("HALTED", SENTENCE), SENTENCE),
    (DeliveryError(SENTENCE), SENTENCE),
    (DeliveryDelayed(SENTENCE, 1.5), SENTENCE),
    (DeliveryRefused(SENTENCE), SENTENCE),
    (ServiceUnreachable(SENTENCE), SENTENCE),
]


def drawn() -> dict[str, str | None]:
    """Each name in the docstring's tree with the name that it hangs on."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in LINE.finditer(bot.errors.__doc__ or ""):
        depth = len(line["trunk"]) // 4 + (line["branch"] is not None)
        path[depth:] = [line["name"]]
        parents[line["name"]] = path[depth - 1] if depth else None
    return parents


def defined() -> dict[str, type]:
    classes: list[tuple[str, type]] = inspect.getmembers(bot.errors, inspect.isclass)
    return {name: found for name, found in classes if found.__module__ == bot.errors.__name__}


def test_the_drawn_tree_is_the_tree_of_classes() -> None:
    bases = {name: found.__base__ for name, found in defined().items()}
    there = {name: None if base is Exception else base and base.__name__ for name, base in bases.items()}
    assert drawn() == there
    assert there["DeskError"] is None


@pytest.mark.parametrize(("error", "said"), BUILT, ids=lambda value: type(value).__name__ if isinstance(value, DeskError) else "")
def test_each_error_says_one_sentence(error: DeskError, said: str) -> None:
    assert str(error) == said
    assert len(said.splitlines()) == 1
    assert isinstance(error, Exception)


def test_no_error_is_left_out_of_the_table() -> None:
    assert {type(error) for error, _ in BUILT} == set(defined().values())


def test_errors_keep_what_their_handlers_need() -> None:
    settings = SettingsError("LOG_LEVEL", "write INFO.")
    assert (settings.setting, settings.mend) == ("LOG_LEVEL", "write INFO.")
    policy = PolicyError("policy.toml", ["one", "two"])
    assert (policy.file, policy.reasons) == ("policy.toml", ("one", "two"))
    instrument = InstrumentError("ESV6", SENTENCE, ["ES 09-26", "ES 12-26"])
    assert (instrument.typed, instrument.fits) == ("ESV6", ("ES 09-26", "ES 12-26"))
    assert InstrumentError("?", SENTENCE).fits == ()
    refused = BrokerRefused(401, "api_requires_pro")
    assert (refused.status, refused.text) == (401, "api_requires_pro")
    assert DeliveryDelayed(SENTENCE, 1.5).retry_after == 1.5
    assert DeliveryDelayed(SENTENCE).retry_after is None


@pytest.mark.parametrize("kind", [BrokerUnreachable, BrokerGarbled])
def test_a_failed_read_is_no_usage_error_and_no_journal_error(kind: type[BrokerError]) -> None:
    assert not issubclass(kind, UsageError | JournalError | DeliveryError)
