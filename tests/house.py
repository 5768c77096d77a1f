"""The house's code as the tests of it read it: its modules, whom they import, and by what they wait."""

import ast
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


# What people are told of a ticket or of one of its calls; ``text`` belongs to many other things, too.
_SENTENCES = frozenset({"outcome", "what"})
_SEARCHES = frozenset(
    {
        "startswith",
        "endswith",
        "find",
        "index",
        "count",
        "split",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "replace",
    }
)


def sentences_read(tree: ast.AST) -> Iterator[str]:
    """Where a sentence that people are told is compared or searched, as if it were a fact."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            nothing = all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops)
            if not nothing and any(_is_sentence(side) for side in (node.left, *node.comparators)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SEARCHES:
            yield from (ast.unparse(node) for each in ast.walk(node.func.value) if _is_sentence(each))


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _SENTENCES
