"""The house as docs/architecture.md draws it: who may import whom, how large a room may grow, and what is never written."""

import ast
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.conftest import LeftLoopback
from tests.house import (
    OURS,
    ROOT,
    attributes,
    benches,
    bound,
    imports,
    is_fixed,
    modules,
    rooms_that_wait,
    sentences_read,
    spans_kept,
    spans_of,
    within,
)

# What every room of the desk may import, and what those behind a press may.
GROUND = ("bot.trading", "bot.errors", "bot.clock", "bot.timings")
BEHIND = (*GROUND, "bot.desk.ports", "bot.desk.locks", "bot.desk.lookup", "bot.desk.outbox")
# Room -> what of ours it may import. The most specific name wins; a room may always import its own parts.
MAY = {
    "bot.errors": (),
    "bot.clock": (),
    "bot.dates": ("bot.clock",),
    # Some of what is waited for is taken by the rules, which say themselves what it is.
    "bot.timings": ("bot.trading",),
    "bot.settings": ("bot.errors", "bot.transport"),
    "bot.logs": ("bot.errors", "bot.redaction"),
    "bot.transport": (),
    "bot.redaction": (),
    "bot.trading": (),
    "bot.trading.words": ("bot.errors",),
    "bot.trading.orders": ("bot.trading.words", "bot.errors"),
    "bot.trading.market": ("bot.trading.orders", "bot.trading.words", "bot.errors"),
    "bot.trading.risk": ("bot.trading.market", "bot.trading.orders", "bot.trading.words", "bot.errors"),
    "bot.trading.exits": ("bot.trading.risk", "bot.trading.market", "bot.trading.orders", "bot.trading.words", "bot.errors"),
    "bot.trading.reconciliation": ("bot.trading.risk", "bot.trading.market", "bot.trading.orders", "bot.trading.words"),
    "bot.trading.planning": (
        "bot.trading.reconciliation",
        "bot.trading.risk",
        "bot.trading.market",
        "bot.trading.orders",
        "bot.trading.words",
        "bot.errors",
    ),
    "bot.trading.health": ("bot.trading.risk", "bot.trading.market", "bot.trading.words", "bot.errors"),
    # The policy file is an edge of its own: pydantic there, frozen rules behind it.
    "bot.policyfile": ("bot.trading", "bot.errors"),
    "bot.crosstrade": ("bot.trading", "bot.errors", "bot.clock", "bot.dates", "bot.timings", "bot.transport", "bot.redaction"),
    # The journal stores the desk's plain data; of the desk it knows nothing else.
    "bot.journal": ("bot.trading", "bot.errors", "bot.clock", "bot.timings", "bot.desk.ports"),
    "bot.desk": (),
    "bot.desk.ports": GROUND,
    "bot.desk.requests": GROUND,
    "bot.desk.locks": GROUND,
    "bot.desk.loops": GROUND,
    "bot.desk.outbox": (*GROUND, "bot.desk.ports", "bot.desk.locks"),
    "bot.desk.lookup": (*GROUND, "bot.desk.ports"),
    "bot.desk.health": (*GROUND, "bot.desk.ports", "bot.desk.lookup", "bot.desk.outbox"),
    "bot.desk.halts": (*GROUND, "bot.desk.ports", "bot.desk.requests", "bot.desk.lookup", "bot.desk.outbox"),
    "bot.desk.reads": (*GROUND, "bot.desk.ports", "bot.desk.requests", "bot.desk.lookup", "bot.desk.outbox"),
    "bot.desk.autocomplete": (*GROUND, "bot.desk.ports", "bot.desk.lookup", "bot.desk.reads"),
    "bot.desk.tracking": (*BEHIND, "bot.desk.requests", "bot.desk.health", "bot.desk.reads"),
    "bot.desk.execution": (*BEHIND, "bot.desk.tracking"),
    "bot.desk.tickets": (*BEHIND, "bot.desk.requests", "bot.desk.reads", "bot.desk.execution"),
    "bot.desk.desk": (*GROUND, "bot.desk"),
    "bot.chat": ("bot.desk", "bot.trading", "bot.errors", "bot.clock", "bot.dates", "bot.timings"),
    "cogs": ("bot.chat", "bot.desk", "bot.trading", "bot.errors"),
    "bot.sandbox.ninjatrader": (),
    "bot.sandbox.discord": (),
    "bot.sandbox.demo": ("bot.sandbox.ninjatrader", "bot.sandbox.discord", "bot.errors"),
    "bot.sandbox.virtual": ("bot.clock",),
    "bot.sandbox": (),
    "bot.program": ("bot", "cogs"),
    "bot.__main__": ("bot", "cogs"),
}
NEVER = {
    "bot.trading": {
        "asyncio",
        "aiohttp",
        "sqlalchemy",
        "discord",
        "time",
        "random",
        "secrets",
        "uuid",
        "os",
        "socket",
        "pydantic",
    },
    "bot.desk": {"aiohttp", "sqlalchemy", "discord", "aiosqlite", "pydantic", "random", "secrets", "uuid"},
    "bot.crosstrade": {"discord", "sqlalchemy"},
    "bot.journal": {"discord", "aiohttp"},
    "bot.chat": {"sqlalchemy"},
    "cogs": {"aiohttp", "sqlalchemy"},
    "bot.sandbox.ninjatrader": {"discord", "sqlalchemy", "pydantic", "simcord"},
}

# Spans that nobody waits by: how far is looked back, how far clocks differ, how old a price may be; and numbers of other things.
NO_WAITS = {
    "bot.chat.messenger.A_HEARTBEAT_AGO",
    "bot.chat.messenger.CLOCK_DIFFERENCE",
    "bot.chat.rivals.DISCORD_WAITS",
    "bot.chat.rivals.WINDOW",
    "bot.crosstrade.board.DAY_HOLDS",
    "bot.crosstrade.board.LEARNT_HOLDS",
    "bot.crosstrade.board.TICK_HOLDS",
    "bot.crosstrade.snapshot.SIDE_BY_SIDE",
    "bot.crosstrade.client.__init__",
    "bot.crosstrade.link.LOOK_BACK",
    "bot.desk.tracking.reconcile.LOOKS_BACK",
    "bot.desk.reads.fills.READS_BACK",
    "bot.desk.tracking.recovery.EVER",
    "bot.desk.tracking.resolve.LOOKS_BACK",
    "bot.desk.tracking.card_buttons.LOOKS_BACK",
    "bot.desk.tracking.card_buttons.OVERLAP",
    "bot.desk.reads.order.STORY_LOOKS_BACK",
    "bot.desk.reads.why.LOOKS_BACK",
    "bot.journal.rebase.NOTHING",
    "bot.journal.schema.MICROSECOND",
    "bot.program.metrics.GRADES",
}
# Modules by which others come into a room -> what of them takes timings, the usual ones if they are left out.
DOORS = {
    "bot.chat.client": ("DeskClient",),
    "bot.chat.messenger": ("DiscordMessenger",),
    "bot.crosstrade.client": ("CrossTrade",),
    "bot.desk.desk": ("Desk",),
    "bot.journal.auditing": ("audited",),
    "bot.journal.opening": ("opened", "standby"),
    "bot.program.audit": (),
    "bot.program.backup": (),
    "bot.program.check": (),
    "bot.program.run": ("lead",),
}


def room(name: str) -> str | None:
    """The room of the house that a module is in."""
    return max((each for each in MAY if name == each or name.startswith(f"{each}.")), key=len, default=None)


def test_every_module_is_in_a_room_that_the_table_names() -> None:
    assert [name for name, _, _ in modules() if room(name) is None and name != "bot"] == []


def test_nobody_imports_whom_the_house_does_not_allow() -> None:
    wrong = []
    for name, tree, file in modules():
        own = room(name)
        for imported in imports(name, tree, file):
            if own is None or not imported.startswith(OURS) or within(imported, own):
                continue
            if not any(within(imported, allowed) for allowed in MAY[own]):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_no_room_uses_what_is_foreign_to_it() -> None:
    wrong = []
    for name, tree, file in modules():
        banned = {each for own, banned in NEVER.items() if within(name, own) for each in banned}
        wrong += [f"{name} imports {i}" for i in imports(name, tree, file) if i.split(".")[0] in banned]
    assert wrong == []


def test_a_class_name_stands_for_one_thing() -> None:
    # The world next door has NinjaTrader's and Discord's words for its own.
    found: dict[str, list[str]] = {}
    for name, tree, _ in modules():
        if not within(name, "bot.sandbox"):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, []).append(name)
    assert {each: names for each, names in found.items() if len(names) > 1} == {}


# Of the simulated NinjaTrader it is known to what may be sent to it, and of older rows to what they were.
MOST_PLACES = 8


def test_a_new_kind_of_order_touches_few_files() -> None:
    """`/flatplace` is the kind that differs least from the others, so that its places are those of any new one."""
    kind = re.compile(r"\b(FlatPlace|flatplace)\b", re.IGNORECASE)
    own = [(name, file) for name, _, file in modules() if not name.startswith(("bot.sandbox", "bot.journal.migrations"))]
    places = [name for name, file in own if kind.search(file.read_text(encoding="utf-8"))]
    assert len(places) <= MOST_PLACES, places


def test_cogs_do_not_import_each_other() -> None:
    for name, tree, file in modules():
        if name.startswith("cogs."):
            assert [i for i in imports(name, tree, file) if i.startswith("cogs.") and not within(i, name)] == []


POSTGRESQL = ("sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "sqlalchemy.ext.asyncio", "asyncpg")
MIGRATIONS = ("alembic", "mako", "sqlalchemy.dialects.mssql", "sqlalchemy.dialects.mysql")
CHARTS = ("matplotlib", "numpy", "PIL", "bot.chat.charts.layout")
METRICS = ("prometheus_client", "aiohttp.web", "bot.program.exposition")


def loaded(program: str, *arguments: str) -> set[str]:
    """Every module that a program has loaded when it ends."""
    shown = f"{program}\nimport sys; print(*sys.modules)"
    run = [sys.executable, "-c", shown, *arguments]
    return set(subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603


def test_what_runs_for_real_loads_only_what_it_needs() -> None:
    there = loaded("import bot.program.run")
    unwanted = {
        "the world next door": ("simcord", "bot.sandbox"),
        "charts, until one is asked for": CHARTS,
        "PostgreSQL, where there is none": POSTGRESQL,
        "changes of the tables, where there is nothing to change": MIGRATIONS,
        "metrics, where nobody asks for them": METRICS,
    }
    found = {why: [name for name in there if name.startswith(names)] for why, names in unwanted.items()}
    assert {why: names for why, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        pytest.param("from bot.__main__ import parser; parser()", ("asyncio", "discord", "pydantic"), id="help"),
        pytest.param("import bot.program.check", ("discord", "cogs", *POSTGRESQL, *MIGRATIONS, *METRICS), id="check"),
        pytest.param(
            "import bot.program.signals, bot.sandbox.ninjatrader", ("discord", "sqlalchemy", "pydantic"), id="simulator"
        ),
        pytest.param("import bot.program.policy", ("discord", "sqlalchemy", "aiohttp"), id="policy"),
        pytest.param("import bot.program.audit", ("discord", "aiohttp", *POSTGRESQL, *MIGRATIONS), id="audit"),
    ],
)
def test_a_command_loads_nothing_that_only_others_need(program: str, unwanted: tuple[str, ...]) -> None:
    assert [name for name in loaded(program) if name.startswith(unwanted)] == []


def test_a_journal_with_nothing_to_migrate_is_opened_without_what_migrates(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from bot.journal.opening import opened

async def main():
    async with opened(sys.argv[1]):
        pass

asyncio.run(main())
"""
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    assert "alembic" in loaded(program, url), "which makes the tables of a new one"
    assert [name for name in loaded(program, url) if name.startswith((*MIGRATIONS, *POSTGRESQL))] == []


def test_models_that_are_built_at_their_first_use_can_be_built() -> None:
    for name in ("bot.settings", "bot.policyfile", "bot.crosstrade.history", "bot.crosstrade.pushes", "bot.program.check"):
        import_module(name)

    def below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for model in kind.__subclasses__():
            yield model
            yield from below(model)

    ours = [model for model in below(BaseModel) if model.__module__.startswith("bot.")]
    assert len(ours) > 30
    assert [model for model in ours if model.model_rebuild() is False or not model.__pydantic_complete__] == []


def test_one_file_alone_draws_with_matplotlib() -> None:
    assert [name for name, tree, file in modules() if "matplotlib" in imports(name, tree, file)] == ["bot.chat.charts.paint"]


def test_the_rules_and_the_desk_run_without_discord_py() -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('discord', 'aiohttp', 'sqlalchemy')));"
        "import bot.desk.desk, bot.trading.planning.preview; print('good')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "good"


def test_modules_say_what_lives_there_and_stay_small() -> None:
    for name, tree, file in modules():
        assert ast.get_docstring(tree), f"{name} has no docstring"
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, f"{name} has outgrown its file"


# Their docstrings are descriptions in the policy file's schema, for people who write one.
SAID_TO_PEOPLE = "bot.policyfile._model"


def test_docstrings_open_with_the_noun() -> None:
    asks = re.compile(r"(Likewise|What|How|Whether|Which|Who|Why)\b")
    wrong = []
    for name, tree, _ in (*modules(), *benches()):
        if name == SAID_TO_PEOPLE or name.startswith("bot.journal.migrations"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                wrong += [f"{name}: {said}" for said in [ast.get_docstring(node) or ""] if asks.match(said)]
    assert wrong == []


def test_functions_stay_small() -> None:
    for name, tree, _ in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                assert node.end_lineno - node.lineno < 60, f"{name}.{node.name} has outgrown itself"


def test_broad_handlers_stand_only_at_the_top_of_tasks() -> None:
    def is_broad(handler: ast.ExceptHandler) -> bool:
        broad = handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"}
        passes_on = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
        return broad and not passes_on

    found = {
        name for name, tree, _ in modules() for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and is_broad(node)
    }
    # Loops, connections and presses of a person each end here; the client's turns a surprise after sending into "unknown".
    tops = {
        "bot.chat.access",
        "bot.chat.client",
        "bot.chat.connection",
        "bot.chat.tree",
        "bot.crosstrade.client",
        "bot.crosstrade.stream",
        "bot.desk.execution.steps",
        "bot.desk.loops",
        "bot.desk.outbox.delivery",
        "bot.desk.execution.send",
    }
    assert {name for name in found if not name.startswith("bot.sandbox")} <= tops


# What a person resolves with is a choice, and what happened to an order is in CrossTrade's words.
NO_SENTENCES_OF_OURS = [
    "bot.desk.tracking.resolve: request.outcome not in set(Resolution)",
    "bot.trading.reconciliation.following: 'error' in f'{event.source} {event.what}'.casefold()",
    "bot.trading.reconciliation.following: 'execution' in f'{event.source} {event.what}'.casefold()",
]


# Rooms below the chat layer, which know nothing of Discord's Markdown or mentions.
BELOW_CHAT = ("bot.trading.", "bot.desk.", "bot.crosstrade.", "bot.journal.", "bot.policyfile.")
# Around an instrument people type any quote there is, what older versions have stored is Markdown, and a schema is for editors.
NO_MARKDOWN_OF_OURS = ("bot.trading.orders.instruments", "bot.journal.migrations", "bot.policyfile._model")
MARKDOWN = re.compile(r"`|\*\*|<@|<#|^-# |\n-# ")


def markdown_in(tree: ast.Module) -> list[str]:
    """Texts, docstrings left out, that Discord would draw otherwise than they are written."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
    return [text.value for text in texts if isinstance(text.value, str) and MARKDOWN.search(text.value)]


def test_nothing_of_discord_stands_below_the_chat_layer() -> None:
    own = [one for one in modules() if one[0].startswith(BELOW_CHAT) and not one[0].startswith(NO_MARKDOWN_OF_OURS)]
    assert [f"{name}: {text}" for name, tree, _ in own for text in markdown_in(tree)] == []
    assert [name for name, tree, file in own if any(each.split(".")[0] == "discord" for each in imports(name, tree, file))] == []


@pytest.mark.parametrize("text", ["`Sim101`", "**Filled**", "<@{member}>", "<#1>", "told\n-# small"])
def test_what_discord_would_draw_is_found(text: str) -> None:
    assert markdown_in(ast.parse(f'"""``A`` docstring."""\ntold = {text!r}')) == [text]


def test_no_sentence_that_people_are_told_decides_anything() -> None:
    own = [(name, tree) for name, tree, _ in modules() if not name.startswith(("bot.sandbox", "bot.journal.migrations"))]
    found = [f"{name}: {read}" for name, tree in own for read in sentences_read(tree)]
    assert sorted(found) == NO_SENTENCES_OF_OURS


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("leg.what == entry_words(intent)", True),
        ("ticket.outcome in EVIDENCE", True),
        ("(ticket.outcome or '').startswith('resolved by ')", True),
        ("ticket.outcome.replace(left, '')", True),
        ("'placed' in (ticket.outcome or '')", True),
        ("leg.what.casefold() == 'close'", True),
        ("leg.text == '`busy`'", True),
        ("progress.legs[0].text.startswith('NinjaTrader')", True),
        ("line.words in {SHARED, TAKEN}", True),
        ("denial.sentence.find('halted') > 0", True),
        ("_FOUND.fullmatch(ticket.outcome)", True),
        ("re.search('lost', ticket.outcome)", True),
        ("ends[leg.what]", True),
        ("ends.get(leg.what)", True),
        ("f'{leg.what} in {leg.account}' == 'x'", True),
        ("leg.account == 'Sim101'", False),
        ("len(ticket.outcome) > 300", False),
        ("{'outcome': ticket.outcome}", False),
        ("ticket.outcome is None", False),
        ("clip(ticket.outcome, 300)", False),
        ("ticket.told is Told.WORD", False),
    ],
)
def test_a_sentence_that_is_read_is_known_when_it_is_seen(text: str, is_read: bool) -> None:
    assert bool([*sentences_read(ast.parse(text, mode="eval"))]) == is_read


def test_money_is_never_a_float() -> None:
    for name, tree, _ in modules():
        if name.startswith(("bot.trading", "bot.desk")):
            for node in ast.walk(tree):
                assert not (isinstance(node, ast.Call) and ast.unparse(node.func) == "float"), name


def test_one_file_alone_asks_what_time_it_is() -> None:
    asked = re.compile(
        r"\b(?:time\.(?:time|monotonic|perf_counter)(?:_ns)?|time\.sleep|(?:datetime|date)\.(?:now|utcnow|today))$"
    )
    wrong = []
    for name, tree, file in modules():
        if name != "bot.clock" and not within(name, "bot.sandbox"):
            wrong += [f"{name}: {said}" for said in attributes(tree) if asked.search(said)]
            wrong += [f"{name} imports {i}" for i in imports(name, tree, file) if i.startswith("time.")]
    assert wrong == []


def test_nothing_is_waited_for_by_a_constant() -> None:
    wrong = []
    for name, tree, _ in rooms_that_wait():
        own = {part.id for node in tree.body for part in bound(node)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        wrong += [f"{name}: {ast.unparse(call)}" for call in calls if any(is_fixed(span, own) for span in spans_of(call))]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("asyncio.sleep(0)", False),
        ("asyncio.sleep(self._timings.look)", False),
        ("asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)", False),
        ("asyncio.timeout(None if idle else timings.every)", False),
        ("self._sender.wait(5)", False),
        ("asyncio.sleep(0.5)", True),
        ("asyncio.sleep(delay=2)", True),
        ("asyncio.sleep(_PAUSE)", True),
        ("asyncio.timeout(every)", True),
        ("asyncio.timeout(None if idle else links.PAUSE)", True),
        ("asyncio.wait(tasks, timeout=4 * timings.look)", True),
        ("asyncio.wait_for(work, 3)", True),
        ("loop.call_later(max(wait, SHORTEST), serve)", True),
        ("sleep(1)", True),
    ],
)
def test_a_wait_by_a_constant_is_known_when_it_is_seen(text: str, fixed: bool) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert any(is_fixed(span, {"every"}) for span in spans_of(call)) is fixed


def test_no_room_keeps_a_span_that_is_waited_by() -> None:
    kept = set()
    for name, tree, _ in rooms_that_wait():
        if within(name, "bot.chat.charts"):
            # What is drawn is full of numbers.
            continue
        kept |= {f"{name}.{each}" for each in spans_kept(tree)}
    assert kept == NO_WAITS


def test_the_usual_timings_are_taken_at_the_doors_alone() -> None:
    # Further in nobody may leave them out, so that none who builds a part by others can forget to hand them on.
    assert {n for n, tree, file in modules() if "bot.timings.USUAL" in imports(n, tree, file)} == set(DOORS)


def test_the_program_hands_timings_to_every_door() -> None:
    doors = {door for names in DOORS.values() for door in names}
    wrong = []
    for name, tree, _ in modules():
        if within(name, "bot.program"):
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in doors]
            given = [(call, [*call.args, *(keyword.value for keyword in call.keywords)]) for call in calls]
            wrong += [
                f"{name}: {ast.unparse(call)}" for call, parts in given if not any("timings" in ast.unparse(p) for p in parts)
            ]
    assert wrong == []


def test_ids_are_arguments_below_the_program() -> None:
    banned = re.compile(r"uuid4|token_hex")
    for name, _, file in modules():
        if name.startswith(("bot.trading", "bot.desk", "bot.crosstrade", "bot.chat")):
            assert not banned.search(file.read_text(encoding="utf-8")), name


def test_nothing_leaves_loopback_under_test() -> None:
    with pytest.raises(LeftLoopback), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))


def test_lock_files_and_configuration_name_no_index() -> None:
    for file in [*ROOT.glob("requirements/*"), ROOT / "pyproject.toml"]:
        assert not re.search(r"--index-url|--extra-index|--find-links|pypi\.org", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("lock", ["run", "demo", "dev"])
def test_every_locked_package_has_its_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", text[text.index("\naio") :])
    assert blocks
    assert [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []
