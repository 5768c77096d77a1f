"""A copy of the tree in which each function of the rules has its mutants beside it."""

import difflib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path

import libcst as cst
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline_templates import trampoline_imports

ROOT = Path(__file__).parents[2]
RULES = Path("bot/trading")
COPIED = ("benchmarks", "bot", "cogs", "tests", "pyproject.toml")
OUR_SWITCH = "from benchmarks.mutation.switch import of_mutants as _mutmut_mutated\nMutantDict = dict\n"
# Examples are the same in each run, and a mutant that is found needs no smallest example.
SAME_EXAMPLES = """\
from hypothesis import Phase, settings

settings.register_profile("same", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("same")
"""


class MutationError(Exception):
    """Something that mutmut writes otherwise than expected; its version is pinned for that."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault that was put in.

    Attributes:
        module: its dotted name in the rules, "orders.terms".
        function: dotted name of the function in its module's namespace, as the switch knows it.
        name: what mutmut calls it; the same as long as the module stays as it is.
        change: the lines taken away and put in, as a diff has them.
    """

    module: str
    function: str
    name: str
    change: str


class _Opened(cst.CSTTransformer):
    """Mutmut leaves decorated functions out: a property is made behind its function instead.

    A cache is taken off, or what a function gave before it was changed would be given again.
    """

    def leave_FunctionDef(  # noqa: N802 - libcst finds it by this name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        plain = updated_node.with_changes(decorators=())
        match updated_node.decorators:
            case [cst.Decorator(decorator=cst.Name(value="property"))]:
                name = updated_node.name.value
                return cst.FlattenSentinel([plain, cst.parse_statement(f"{name} = property({name})\n")])
            case [cst.Decorator(decorator=cst.Name(value="cache"))]:
                return plain
        return original_node


def opened(source: str) -> str:
    """The same module with no decorator on its properties and no cache."""
    return cst.parse_module(source).visit(_Opened()).code


def make(folder: Path, modules: Sequence[str] = ()) -> list[Mutant]:
    """Copy the tree and put the mutants in; all modules of the rules by default."""
    folder.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / "conftest.py").write_text(SAME_EXAMPLES, encoding="utf-8")
    files = {
        ".".join(file.relative_to(ROOT / RULES).with_suffix("").parts): file for file in sorted((ROOT / RULES).rglob("*.py"))
    }
    chosen = [(module, file) for module, file in files.items() if not modules or module in modules]
    return [mutant for module, file in chosen for mutant in _mutated(module, file, folder / file.relative_to(ROOT))]


def _mutated(module: str, file: Path, copy: Path) -> Iterator[Mutant]:
    source = opened(file.read_text(encoding="utf-8"))
    with chdir(ROOT):  # mutmut reads its settings in pyproject.toml there
        mutated = mutate_file_contents(str(file.relative_to(ROOT)), source)
    if mutated.mutant_names and trampoline_imports not in mutated.code:
        raise MutationError(f"{file.name}: mutmut's import isn't where it was")
    copy.write_text(mutated.code.replace(trampoline_imports, OUR_SWITCH), encoding="utf-8")
    yield from mutants(module, mutated)


def mutants(module: str, mutated: MutatedFile) -> Iterator[Mutant]:
    """Mutants that mutmut made of a module, one by one."""
    lines = mutated.code.splitlines()
    for name in mutated.mutant_names:
        base = name.partition("__mutmut_")[0]
        written, changed = (
            [line.replace(name, base).replace(f"{base}__mutmut_orig", base) for line in lines[span.start - 1 : span.end]]
            for span in (mutated.line_span_by_function_name[each] for each in (f"{base}__mutmut_orig", name))
        )
        change = [line for line in difflib.unified_diff(written, changed, n=0, lineterm="") if line[:3] not in {"---", "+++"}]
        yield Mutant(module, _function(module, base), name, "\n".join(line for line in change if line[0] in "+-"))


def _function(module: str, base: str) -> str:
    plain = base.removeprefix("x_") if base.startswith("x_") else base.removeprefix("xǁ").replace("ǁ", ".")
    return f"{'.'.join(RULES.parts)}.{module}.{plain}"


def write_plan(file: Path, chosen: Sequence[Mutant]) -> None:
    """Tell the judge, who runs in the copy, which mutants to try."""
    file.write_text(json.dumps([asdict(mutant) for mutant in chosen]), encoding="utf-8")
