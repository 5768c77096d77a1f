"""Spelling of instruments in whatever NinjaTrader answers and pushes; it depends on its version or settings (inferred)."""

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from .products import MONTH_CODES, MONTH_NAMES, UnknownInstrumentError, find_contract

KEYS = frozenset({"instrument", "instruments"})


class Names(StrEnum):
    """The spellings of others' installations: `ES 12-26` (the vendor's samples), `ESZ6`, `ES DEC26`."""

    DATED = "dated"
    CODE = "code"
    WORD = "word"


def respelt(body: Any, names: Names, today: date) -> Any:
    """Give an answer with its instruments in another spelling; what is no contract here stays as it is."""
    if names is Names.DATED:
        return body
    if isinstance(body, dict):
        return {key: _respelt(key, value, names, today) for key, value in body.items()}
    return [respelt(one, names, today) for one in body] if isinstance(body, list) else body


def _respelt(key: object, value: Any, names: Names, today: date) -> Any:
    if key in KEYS:
        return _names(value, names, today)
    # Most of a row is plain values, and each answer goes through here.
    return respelt(value, names, today) if isinstance(value, dict | list) else value


def _names(value: Any, names: Names, today: date) -> Any:
    if isinstance(value, list):
        return [_names(one, names, today) for one in value]
    return _name(value, names, today) if isinstance(value, str) and " " in value else value


# The same few again and again.
@lru_cache(maxsize=256)
def _name(value: str, names: Names, today: date) -> str:
    try:
        contract = find_contract(value, today)
    except UnknownInstrumentError:
        return value
    root, year = contract.product.root, contract.year % 100
    if names is Names.CODE:
        return f"{root}{MONTH_CODES[contract.month - 1]}{year % 10}"
    return f"{root} {MONTH_NAMES[contract.month - 1]}{year:02d}"
