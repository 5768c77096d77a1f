"""What README and docs say is true of the code."""

import re
import tomllib
from pathlib import Path

from bot.crosstrade.budget import Priority
from bot.desk.ports import EventName
from bot.policyfile import EVENTS
from bot.program.run import COGS
from bot.trading.policy import COMMANDS, DenialCode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_denial_code_is_explained_and_none_besides() -> None:
    table = README[README.index("<!-- denial codes -->") :].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table)) == {code.value for code in DenialCode}


def test_every_command_is_listed_and_can_be_granted() -> None:
    table = README[README.index("## Commands") :].split("\n## ")[0]
    listed = set(re.findall(r"^\| `/(\w+)`", table, re.MULTILINE))
    built = {command.name for cog in COGS for command in cog.__cog_app_commands__}
    assert listed == built
    assert built <= COMMANDS


def test_every_purpose_of_requests_to_crosstrade_is_explained_in_the_order_of_the_queue() -> None:
    table = README[README.index("| purpose | requests |") :].split("\n\n")[0]
    assert re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:] == [priority.purpose for priority in Priority]


def test_the_names_of_events_are_those_of_the_policy_file() -> None:
    assert set(EVENTS) == {name.value for name in EventName}


def test_the_readmes_set_up_lines_use_the_locked_files() -> None:
    for kind in ("demo", "dev"):
        assert README.count(f"--require-hashes -r requirements/{kind}.txt") == 2


def test_the_version_is_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_guarantee_names_tests_and_benches_that_there_are() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    promises = [part for part in page.split("\n## ")[1:] if not part.startswith("What nobody here can promise")]
    for promise in promises:
        title = promise.partition("\n")[0]
        named = re.findall(r"tests/[\w/]+(?:\.py)?", promise)
        assert named, title
        assert "*Not covered:*" in promise, title
        for path in named:
            assert (ROOT / path).exists(), f"{title}: {path}"
