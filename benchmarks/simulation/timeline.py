"""The events of a session, of all parties, in one line of time: put together afterwards, as most sessions need none."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

from benchmarks.chaos.books import title_of
from benchmarks.simulation.stage import Happening, World
from bot.sandbox.virtual.clock import BEGINNING
from bot.sandbox.virtual.loop import START

LONGEST = 260
# What the bot does all day long.
_DULL = ("GET", "PUT")
_EPOCH = datetime(1970, 1, 1, tzinfo=BEGINNING.tzinfo)


def timeline(world: World, most: int) -> tuple[str, ...]:
    """The last of it, oldest first."""
    every = sorted(_happenings(world), key=lambda one: one.at)
    return tuple(f"{_shown(one.at)} {one.who:12} {one.what[:LONGEST]}" for one in every[-most:])


def _shown(at: float) -> str:
    return f"{BEGINNING + timedelta(seconds=at - START):%d %H:%M:%S.%f}"[:-3]


def _happenings(world: World) -> Iterator[Happening]:
    yield from world.happenings
    for call in world.discord.rest.calls:
        if call.method not in _DULL:
            yield Happening(call.received / 1e9, "discord", f"{call.method} {call.path[:90]} answered {call.status or 'nothing'}")
    for card in world.channel.cards.values():
        for at, text in card.texts:
            yield Happening(at / 1e9, "card", f"{card.ticket}: {title_of(text)}")
    for sent in world.simulator.cloud.received:
        done = "done" if sent.had_effect else "not done"
        yield Happening(_seconds(sent.time), "ninjatrader", f"{sent.call} {sent.text[:120]} {done}, answered {sent.status}")
    with closing(world.reading()) as journal:
        for at, name, ticket, data in journal.execute("SELECT at, name, ticket, data FROM events"):
            # By the desk's clock, which began as the host's did.
            yield Happening(_seconds(_EPOCH + timedelta(microseconds=at)), "journal", f"{name} {ticket or ''} {data}")


def _seconds(at: datetime) -> float:
    return START + (at - BEGINNING).total_seconds()
