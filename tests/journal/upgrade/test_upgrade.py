"""Journals of versions that were, opened by this one: the same meaning, whatever the sentences in them are.

Each folder below ``kept`` holds those of one version, written by ``python -m tests.journal.upgrade NAME`` with its code: one
for each kind of order with a ticket in each of its states, and beside it what that version made of each ticket.
"""

import asyncio
import re
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, update

from bot.journal.chain import verify
from bot.journal.codec import ticket_values
from bot.journal.log import head, lines
from bot.journal.opening import opened
from bot.journal.schema import tickets
from bot.journal.store import SqlJournal
from bot.sandbox.virtual import VirtualLoop
from bot.trading.orders.tickets import Ticket
from tests.journal.making import sqlite_url
from tests.journals import new_place

from .keeping import KEPT, read, restore
from .meaning import Meaning, meaning_of
from .next import what_comes

FILES = sorted(KEPT.glob("*/*.json"))
# What is read by people alone.
WORDS = {"card", "notice"}
# What a version said, and what is said of the same today, where somebody has found a better sentence since.
SAID_ANEW = {
    # Where the card has named the one account, a call that went out unseen doesn't name it again either.
    r" in `[^`]+`, unseen: the lists": ", unseen: the lists",
    # What is left goes first.
    r"(The bot was stopped in the middle, and nothing more was sent\.|It was sent unseen, as the lists could not be read\.) "
    r"(`Sim\d+` .*?\.) (?=Use|Look)": r"\2 \1 ",
    r"([Nn])o short position left": r"\1o short futures position left",
    # A name of which nobody has kept whose it is stands in quotes.
    r"Cancelled by Tina;": "Cancelled by `Tina`;",
}
# The kinds that have most to take over.
ON_SERVER = ("close", "flatten-crashed", "verified")
each_journal = pytest.mark.parametrize("kept", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")


async def meanings(journal: SqlJournal, kept: dict[str, Any]) -> dict[str, Meaning]:
    """What each ticket means to this version."""
    at, found = datetime.fromisoformat(kept["at"]), {}
    for ticket_id in kept["tickets"]:
        ticket = await journal.ticket(ticket_id)
        assert ticket is not None
        found[ticket_id] = meaning_of(ticket, await journal.events(ticket_id), at)
    return found


def decided(told: dict[str, Meaning]) -> dict[str, Meaning]:
    """What depends on no sentence."""
    return {id_: {name: value for name, value in each.items() if name not in {*WORDS, "fate"}} for id_, each in told.items()}


def said(told: dict[str, Meaning]) -> dict[str, Meaning]:
    """What people read of each, in the words of today."""
    return {id_: {name: _today(value) for name, value in each.items() if name in WORDS} for id_, each in told.items()}


def _today(value: Any) -> Any:
    if isinstance(value, list):
        return [_today(each) for each in value]
    for before, now in SAID_ANEW.items():
        value = re.sub(before, now, value)
    return value


def in_other_words(ticket: Ticket) -> Ticket:
    """The same ticket with sentences as another version might have written them."""
    legs = tuple(
        replace(leg, what=f"call {number}", text=leg.text and "anders") for number, leg in enumerate(ticket.progress.steps)
    )
    return replace(ticket, outcome=ticket.outcome and "Anders gesagt.", progress=replace(ticket.progress, steps=legs))


def _run(change: Executable, link: Connection) -> None:
    link.execute(change)


async def say_otherwise(journal: SqlJournal, kept: dict[str, Any]) -> None:
    """Put other sentences in the place of all that are told of the tickets."""
    for ticket_id in kept["tickets"]:
        ticket = await journal.ticket(ticket_id)
        assert ticket is not None
        values = ticket_values(in_other_words(ticket))
        change = update(tickets).where(tickets.c.id == ticket_id).values(values)
        await journal._writes.run(partial(_run, change))


def test_there_are_journals_of_every_revision_whose_tickets_can_differ() -> None:
    assert {file.parent.name for file in FILES} >= {"0008", "0010"}


async def is_taken_over(url: str, kept: Path) -> None:
    """Open it: its log is there to the letter, and its tickets mean the same, also in other words."""
    told = read(kept)
    await restore(url, told)
    columns, *written = told["rows"]["events"]
    async with opened(url) as journal:
        found = await meanings(journal, told)
        assert decided(found) == decided(told["tickets"])
        assert said(found) == said(told["tickets"])
        await say_otherwise(journal, told)
    # A journal keeps what it has read, so that another one sees the change.
    async with opened(url) as journal:
        assert decided(await meanings(journal, told)) == decided(told["tickets"])
        log = await journal._writes.run(lambda link: list(lines(link)))
        assert [[getattr(line, name) for name in columns] for line in log] == written
        assert verify(log, await journal._writes.run(head)) is None


@each_journal
async def test_a_journal_means_what_it_meant_to_the_version_that_wrote_it_and_no_decision_hangs_on_a_sentence(
    kept: Path,
) -> None:
    await is_taken_over(sqlite_url(new_place()), kept)


@pytest.mark.parametrize("revision", ["0008", "0010"])
@pytest.mark.parametrize("name", ON_SERVER)
async def test_so_it_is_on_postgresql(server: str, revision: str, name: str) -> None:
    await is_taken_over(server, KEPT / revision / f"{name}.json")


@each_journal
def test_a_desk_goes_on_from_there_as_that_version_would_have_whatever_the_sentences(kept: Path) -> None:
    told = read(kept)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(what_comes(told, lambda journal: say_otherwise(journal, told))) == told["next"]
