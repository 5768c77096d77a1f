"""From a file to a policy, or to every reason why not, in words that name the place."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.errors import PolicyError
from bot.policyfile._model import TABLES, File, quoted
from bot.trading.risk.policy import Policy

LARGEST_FILE = 1_000_000
"""Bytes; a policy file beyond this is refused unread."""

NO_END = (
    "it doesn't end with [end] and complete = true, as desk.end_required asks for, so it may have been cut off; "
    "write them as the last two lines, or end_required = false under [desk]"
)
NOT_LAST = "end: must be the last table, with complete = true and nothing behind it; put the other tables in front of it"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")

_REASONS = {
    "missing": "is missing",
    "int_type": "must be a whole number, without quotes and without a point",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list in square brackets",
    "too_short": "must not be empty",
    "is_instance_of": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def parse_policy(data: bytes, file: str) -> Policy:
    """Read a policy from the bytes of a TOML file.

    Args:
        data: the bytes.
        file: the name to tell in an error.

    Raises:
        PolicyError: with every reason that can be told at once.
    """
    return parse_demanding(data, file, end_required=False)[0]


def parse_demanding(data: bytes, file: str, *, end_required: bool) -> tuple[Policy, bool]:
    """The policy, and whether its file must end with ``[end]`` from now on.

    Args:
        data: the bytes.
        file: the name to tell in an error.
        end_required: whether it must already, as the one before has asked for it; one that says no takes that back.

    Raises:
        PolicyError: with every reason that can be told at once.
    """
    document = _document(data, file)
    if not document:
        raise PolicyError(file, ["it is empty, so no role may trade; policy.example.toml shows what belongs in it"])
    try:
        found = File.model_validate(document)
    except ValidationError as error:
        raise PolicyError(file, [_reason(detail) for detail in error.errors(include_url=False)]) from None
    demanded = end_required if found.desk.end_required is None else found.desk.end_required
    if demanded and found.end is None:
        raise PolicyError(file, [NO_END])
    if found.end is not None and not _ends(data.decode("utf-8-sig")):
        raise PolicyError(file, [NOT_LAST])
    return found.build(), demanded


def _ends(text: str) -> bool:
    """Tell whether the last lines, comments aside, are those that a file which was cut off can't have."""
    said = [line.partition("#")[0].replace(" ", "").replace("\t", "").strip() for line in text.splitlines()]
    return [line for line in said if line][-2:] == ["[end]", "complete=true"]


def read_policy(path: Path) -> Policy:
    """Read the policy file.

    Raises:
        PolicyError: it can't be read, or with every reason that can be told at once.
    """
    return look(path).judge(str(path))[0]


def _document(data: bytes, file: str) -> dict[str, object]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError:
        raise PolicyError(file, ["it is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(file, [f"it is not valid TOML: {error}"]) from None
    except (ValueError, ArithmeticError, RecursionError):
        # What the parser lets through of numbers beyond any size and of brackets beyond any depth.
        raise PolicyError(file, ["it is not valid TOML: a number is too large or brackets are nested too deeply"]) from None


def _reason(detail: ErrorDetails) -> str:
    place, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return f"{_place(place)}: {_unknown_key(place)}"
    if kind == "list_type" and len(place) == 1:
        return f"{_place(place)}: must be written [[{place[0]}]], with two brackets on each side"
    if kind == "model_type":
        return f"{_place(place)}: must be a table of keys and values"
    if kind in _REASONS:
        return f"{_place(place)}: {_REASONS[kind].format_map(detail.get('ctx', {}))}"
    return f"{_place(place)}: {detail['msg']}"


def _place(place: tuple[int | str, ...]) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f"{'.' if text else ''}{part if _BARE_KEY.fullmatch(part) else quoted(part)}"
    return text


def _unknown_key(place: tuple[int | str, ...]) -> str:
    model = TABLES[str(place[0])] if len(place) > 1 else File
    keys = list(model.model_fields)
    near = get_close_matches(str(place[-1]).lower(), keys, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"is not a known key; {guess}known are {', '.join(keys)}"


@dataclass(frozen=True, slots=True)
class FileReading:
    """Findings of a look at the file; ``stamp`` tells an edit under way from a finished one."""

    stamp: tuple[int, int]
    digest: str
    data: bytes = b""
    reason: str = ""

    def judge(self, file: str, *, end_required: bool = False) -> tuple[Policy, bool]:
        """The policy that was found, and whether its file must end with ``[end]`` from now on; raises ``PolicyError``."""
        if self.reason:
            raise PolicyError(file, [self.reason])
        return parse_demanding(self.data, file, end_required=end_required)


def look(path: Path) -> FileReading:
    """Look at a file; whatever is wrong with it is among what was found."""
    try:
        state = path.stat()
        if not S_ISREG(state.st_mode):
            return _failed("it is a folder; name a file" if S_ISDIR(state.st_mode) else "it is not an ordinary file")
        if state.st_size > LARGEST_FILE:
            return _failed(f"it is larger than {LARGEST_FILE} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        return _failed("there is no such file; begin with a copy of policy.example.toml")
    except OSError as error:
        return _failed(f"it can't be read ({error.strerror})")
    return FileReading((state.st_mtime_ns, state.st_size), hashlib.sha256(data).hexdigest(), data)


def _failed(reason: str) -> FileReading:
    return FileReading((0, 0), reason, reason=reason)
