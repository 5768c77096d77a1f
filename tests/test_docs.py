"""What README and docs say is true of the code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from discord import app_commands

from bot.crosstrade.budget import Priority
from bot.desk.ports import EventName
from bot.policyfile import EVENTS
from bot.program.run import COGS
from bot.trading.risk.policy import COMMANDS, DenialCode
from tests.house import within
from tests.test_house import MAY

ROOT = Path(__file__).parents[1]
# What is for all, so that the picture of the house draws no arrows to it.
THE_GROUND = {"bot.errors", "bot.clock", "bot.dates", "bot.timings", "bot.transport", "bot.redaction"}
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))


def page(name: str) -> str:
    """The text of one of the pages."""
    return (ROOT / name).read_text(encoding="utf-8")


def table_behind(name: str, mark: str) -> str:
    """The table of a page that begins behind a mark."""
    text = page(name)
    return text[text.index(mark) :].split("\n\n")[0]


def anchors(text: str) -> set[str]:
    """What may stand behind a # in a link to a page: GitHub's names of its headings."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_of_one_screen() -> None:
    assert len(page("README.md").splitlines()) <= 120
    assert len(page("README.md").encode()) <= 12_000


def test_every_denial_code_is_explained_and_none_besides() -> None:
    table = table_behind("docs/denials.md", "<!-- denial codes -->")
    assert set(re.findall(r"`([A-Z_]+)`", table)) == {code.value for code in DenialCode}


def test_every_command_is_listed_and_can_be_granted() -> None:
    table = table_behind("README.md", "| command | what it does |")
    listed = set(re.findall(r"^\| `/(\w+)`", table, re.MULTILINE))
    built = {command.name for cog in COGS for command in cog.__cog_app_commands__}
    assert listed == built
    assert built <= COMMANDS


def test_every_option_of_every_command_is_listed() -> None:
    rows = re.findall(r"^\| `/(\w+)` \| (.*?) \| (.*?) \|$", table_behind("docs/commands.md", "<!-- options -->"), re.MULTILINE)
    listed = {name: tuple(re.findall(r"`(\w+)`", each) for each in options) for name, *options in rows}
    built = {
        command.name: tuple(
            [option.display_name for option in command.parameters if option.required is needed] for needed in (True, False)
        )
        for cog in COGS
        for command in cog.__cog_app_commands__
        if isinstance(command, app_commands.Command)
    }
    assert listed == built


def test_every_purpose_of_requests_to_crosstrade_is_explained_in_the_order_of_the_queue() -> None:
    table = table_behind("docs/operations.md", "| purpose | requests |")
    assert re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:] == [priority.purpose for priority in Priority]


def test_the_names_of_events_are_those_of_the_policy_file() -> None:
    assert set(EVENTS) == {name.value for name in EventName}
    assert sorted(re.findall(r"`([a-z ]+)`", table_behind("docs/policy.md", "<!-- events -->"))) == sorted(EVENTS)


def test_the_readmes_set_up_lines_use_the_locked_files() -> None:
    for kind in ("demo", "dev"):
        assert page("README.md").count(f"--require-hashes -r requirements/{kind}.txt") == 2
    for mark in ("demo", "test"):
        assert f"<!-- {mark} line -->\n```sh\npython3 -m venv .venv && " in page("README.md")


def test_the_version_is_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"


def test_links_in_the_docs_lead_somewhere() -> None:
    for origin in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", origin.read_text(encoding="utf-8")):
            found = origin.parent / target if target else origin
            assert found.exists(), f"{origin.name}: {target}"
            assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), f"{origin.name}: {target}#{anchor}"


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w/]+\.md)\)", page("README.md")))
    assert {str(each.relative_to(ROOT)) for each in PAGES} - linked == {"README.md", "docs/mutation.md"}


def test_every_guarantee_names_tests_and_benches_that_there_are() -> None:
    promises = [
        part for part in page("docs/guarantees.md").split("\n## ")[1:] if not part.startswith("What nobody here can promise")
    ]
    for promise in promises:
        title = promise.partition("\n")[0]
        named = re.findall(r"tests/[\w/]+(?:\.py)?", promise)
        assert named, title
        assert "*Not covered:*" in promise, title
        for path in named:
            assert (ROOT / path).exists(), f"{title}: {path}"


def test_every_module_that_the_docs_name_is_there() -> None:
    ours = {file.relative_to(ROOT) for top in ("bot", "cogs", "tests", "benchmarks") for file in (ROOT / top).rglob("*.py")}
    names = {each.name for each in ours}
    named = [
        (origin.name, name) for origin in PAGES for name in re.findall(r"`([\w/]+\.py)\b", origin.read_text(encoding="utf-8"))
    ]
    assert len(named) > 80
    assert [each for each in named if Path(each[1]) not in ours and ("/" in each[1] or each[1] not in names)] == []


def drawn() -> Iterator[tuple[str, str]]:
    """Each room of the picture of the house, with the words behind its arrow."""
    floor = ""
    picture = page("docs/architecture.md").split("```")[1]
    for name, to in re.findall(r"(\S+?)(?:/|\.py) .*→ (.*)$", picture, re.MULTILINE):
        is_floor = name.startswith(("bot/", "cogs"))
        floor = name.replace("/", ".") if is_floor else floor
        yield floor if is_floor else f"{floor}.{name}", to


def test_the_picture_of_the_house_has_every_room_and_every_arrow() -> None:
    pictured = dict(drawn())
    rooms = {name for name in MAY if name.startswith(("bot.desk.", "bot.trading."))}
    floors = {"cogs", "bot.chat", "bot.desk", "bot.crosstrade", "bot.journal", "bot.policyfile", "bot.trading", "bot.program"}
    assert set(pictured) == rooms | floors
    told = [pictured.pop(name) for name in ("bot.program", "bot.desk", "bot.desk.desk")]
    assert told == ["all of it", "trading", "every room below"]
    for name, to in pictured.items():
        floor = name.rpartition(".")[0] or "bot"
        seen = set() if to == "nothing" else {f"{floor}.{each}" for each in to.split(", ")}
        below = {"bot.trading"} if within(name, "bot.desk") else set()
        assert seen == set(MAY[name]) - THE_GROUND - below, name


def test_the_walk_of_an_order_names_functions_that_there_are() -> None:
    steps = re.findall(r"^\| (?:[↓↑⇄] )?\| `(\S+)` \| `(\S+)` \|", page("docs/architecture.md"), re.MULTILINE)
    assert len(steps) > 25
    for file, name in steps:
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("."):
            found = [each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
            body = next((each.body for each in found if each.name == part), [])
        assert body, f"{file}: {name}"
