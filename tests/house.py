"""The house's code as the tests of it read it: its modules, whom they import, and by what they wait."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("bot", "cogs")
WAITING_ROOMS = ("bot.desk", "bot.crosstrade", "bot.journal", "bot.chat", "bot.program", "bot.policyfile", "cogs")
# What waits -> where among its arguments it is said how long; where only a name says it, ``None``.
WAITS = {"sleep": 0, "timeout": 0, "timeout_at": 0, "wait": None, "wait_for": 1, "call_later": 0, "call_at": 0}


@cache
def modules() -> tuple[tuple[str, ast.Module, Path], ...]:
    """Every module of ours, parsed."""
    return tuple(_parsed(file) for top in OURS for file in sorted((ROOT / top).rglob("*.py")))


@cache
def benches() -> tuple[tuple[str, ast.Module, Path], ...]:
    """Every module of the benches, parsed."""
    return tuple(_parsed(file) for file in sorted((ROOT / "benchmarks").rglob("*.py")))


def _parsed(file: Path) -> tuple[str, ast.Module, Path]:
    parts = file.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return name, ast.parse(file.read_text(encoding="utf-8")), file


def imports(name: str, tree: ast.Module, file: Path) -> Iterator[str]:
    """Every module that a module imports, at any depth of its code."""
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, place: str) -> bool:
    """Tell whether a module is that place or below it."""
    return name == place or name.startswith(f"{place}.")


def attributes(tree: ast.AST) -> Iterator[str]:
    """Every name with a dot in it, as it is written."""
    return (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def rooms_that_wait() -> Iterator[tuple[str, ast.Module, Path]]:
    """The modules of the bot that wait for anything."""
    return ((name, tree, file) for name, tree, file in modules() if any(within(name, place) for place in WAITING_ROOMS))


def bound(statement: ast.stmt) -> list[ast.Name]:
    """The names that a statement gives something to."""
    if isinstance(statement, ast.Assign):
        return [part for target in statement.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return [statement.target] if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) else []


def spans_of(call: ast.Call) -> list[ast.expr]:
    """By what a call waits."""
    base, _, last = ast.unparse(call.func).rpartition(".")
    if last not in WAITS or not (base in {"", "asyncio"} or last.startswith("call_")):
        return []
    place = WAITS[last]
    named = [keyword.value for keyword in call.keywords if keyword.arg in {"delay", "timeout", "when"}]
    return [*([] if place is None else call.args[place : place + 1]), *named]


def is_fixed(span: ast.expr, own: set[str]) -> bool:
    """Tell whether a number, or a constant of a module, is part of it."""
    for part in ast.walk(span):
        if isinstance(part, ast.Constant) and type(part.value) in {int, float} and part.value:
            return True
        if isinstance(part, ast.Name) and (part.id in own or part.id.isupper()):
            return True
        if isinstance(part, ast.Attribute) and part.attr.isupper():
            return True
    return False


def spans_kept(tree: ast.Module) -> Iterator[str]:
    """The names of what may be spans of time in a module and its classes, and of functions that have such defaults."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            yield from [node.name] if any(_is_a_span(default) for default in defaults) else ()
        elif isinstance(node, ast.Module | ast.ClassDef):
            kept = (each for each in node.body if isinstance(each, ast.Assign | ast.AnnAssign) and _is_a_span(each.value))
            yield from (part.id for each in kept for part in bound(each))


def _is_a_span(value: ast.expr | None) -> bool:
    """Tell whether a value is a span of time, or a number that may be one."""
    parts = [] if value is None else list(ast.walk(value))
    is_number = any(isinstance(part, ast.Constant) and type(part.value) is float and part.value for part in parts)
    return is_number or any(isinstance(part, ast.Call) and ast.unparse(part.func) == "timedelta" for part in parts)


# What people are told of a ticket, of one of its calls, of a link or of a no; ``text`` and ``note`` belong to much else, too.
_SENTENCES = frozenset({"outcome", "what", "words", "sentence"})
_OF_A_CALL = re.compile(r"\bleg\.text$|\blegs\[.*\]\.text$")
_ENDS = frozenset({"startswith", "endswith", "removeprefix", "removesuffix"})
_SEARCHES = _ENDS | {"find", "rfind", "index", "count", "split", "rsplit", "partition", "rpartition", "replace"}
_PATTERNS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "split", "sub"})


def sentences_read(tree: ast.AST) -> Iterator[str]:
    """Where a sentence that people are told is compared, searched, or used as a key, as if it were a fact."""
    return (ast.unparse(node) for node in ast.walk(tree) if _reads_a_sentence(node))


def _reads_a_sentence(node: ast.AST) -> bool:
    match node:
        case ast.Compare():
            is_about_nothing = all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops)
            return not is_about_nothing and any(_is_sentence(side) for side in (node.left, *node.comparators))
        case ast.Match():
            return _is_sentence(node.subject)
        case ast.Subscript():
            return _is_sentence(node.slice)
        case ast.Call(func=ast.Attribute(value=asked, attr=name), args=args):
            searched = [asked] if name in _SEARCHES else []
            keys = args if name in _PATTERNS else args[:1] if name == "get" else []
            return any(_is_sentence(each) for each in (*searched, *keys))
        case _:
            return False


def _is_sentence(node: ast.AST) -> bool:
    """Tell whether it is one, or one in other letters, or what stands in its place where there is none."""
    match node:
        case ast.Attribute(attr=name):
            return name in _SENTENCES or _OF_A_CALL.search(ast.unparse(node)) is not None
        case ast.BoolOp(values=values):
            return any(_is_sentence(each) for each in values)
        case ast.IfExp(body=body, orelse=other):
            return _is_sentence(body) or _is_sentence(other)
        case ast.Call(func=ast.Attribute(value=asked)) | ast.Subscript(value=asked) | ast.FormattedValue(value=asked):
            return _is_sentence(asked)
        case ast.JoinedStr(values=values):
            return any(_is_sentence(each) for each in values)
        case _:
            return False
