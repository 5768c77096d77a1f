"""Faults by name. A new one is a few lines here: how it begins and ends, at which steps, for which runs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.chaos import troubles
from benchmarks.chaos.levers import LEVERS, Lever
from benchmarks.chaos.plan import Run
from benchmarks.chaos.readers import hammer
from benchmarks.chaos.stage import READER
from benchmarks.chaos.troubles import Trouble
from benchmarks.simulation import beside
from benchmarks.simulation.stage import BOT, DISCORD, NINJATRADER, World
from benchmarks.simulation.ways import Way
from bot.sandbox.ninjatrader.faults import Kind, Rule

EVERY = tuple(Way)
BEFORE_THE_CARD, BEFORE_THE_PRESS = (Way.ASKED,), (Way.CARD,)
HAMMERED = (Way.ASKED, Way.CARD, Way.SENDING)
GOING_AWAY, SESSION_TIMED_OUT = 1001, 4009
DECIDED_IN = 1.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
ENTRIES = frozenset({"reverse", "place", "flatplace"})
EVENTS = ("orderUpdate", "executionUpdate", "positionUpdate")
_READS = ("ListOrders", "ListPositions", "GetAccount", "GetQuote", "ListExecutions")

# Begins; gives a question whether it has struck by now, or nothing where it strikes by beginning.
Begin = Callable[[World, Run, str], Callable[[], bool] | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that may go wrong.

    Attributes:
        begin: lets it begin; takes the run that it is about and the call that it is laid upon.
        end: ends it.
        lasts: seconds, one of these.
        ways: at which steps of an order it may begin.
        calls: calls that it may be laid upon; none are those of the order itself.
        fits: whether it may happen to this run, over this transport.
        blinds: whether the bot can't see what becomes of its orders meanwhile.
        often: how many times as often as others it strikes, as it fits few runs or matters much.
    """

    name: str
    begin: Begin
    end: Callable[[World], None] = lambda _: None
    lasts: tuple[float, ...] = (0.0,)
    ways: tuple[Way, ...] = EVERY
    calls: tuple[str, ...] = ()
    fits: Callable[[Run, str], bool] = lambda _run, _transport: True
    blinds: bool = False
    often: int = 1


def _simple(act: Callable[[World], None]) -> Begin:
    def begin(world: World, _run: Run, _call: str) -> None:
        act(world)

    return begin


def _rule(trouble: Trouble, world: World, _run: Run, call: str) -> Callable[[], bool]:
    rule = Rule.from_json(troubles.rule(trouble, call))
    world.simulator.faults.rules.append(rule)
    return lambda: all(rule is not other for other in world.simulator.faults.rules)


def _fault(trouble: Trouble, world: World, _run: Run, _call: str) -> Callable[[], bool]:
    fault = troubles.fault(trouble)
    world.discord.fail(fault)
    return lambda: fault.times is not None and fault.times < trouble.lever.get("times", 1)


# Only what comes so late needs the thirty seconds that evidence waits.
LATEST = "late by far, done"


def _of_an_order(trouble: Trouble) -> Fault:
    # An RPC has no status: its "no" would be a lie where the order was placed.
    over_rest = trouble.name == "500 after"
    return Fault(
        trouble.name,
        partial(_rule, trouble),
        ways=BEFORE_THE_PRESS,
        fits=lambda _run, transport: not over_rest or transport == "rest",
        often=5 if trouble.name == LATEST else 2 if over_rest else 1,
    )


def _of_a_read(trouble: Trouble) -> Fault:
    return Fault(trouble.name, partial(_rule, trouble), ways=(Way.ASKED, Way.CARD, Way.ANSWERED), calls=_READS)


def _of_discord(trouble: Trouble) -> Fault:
    ways = {"post": (Way.ASKED,), "ack": (Way.CARD,)}.get(trouble.name.partition(" ")[0], (Way.CARD, Way.SENDING, Way.SEEN))
    return Fault(trouble.name, partial(_fault, trouble), ways=ways)


_TROUBLES: Mapping[str, Callable[[Trouble], Fault]] = {"order": _of_an_order, "read": _of_a_read, "discord": _of_discord}


def _gateway_forgot(world: World) -> None:
    world.discord.gateway.close(SESSION_TIMED_OUT)
    world.discord.gateway.forget()


def _gateway_away(world: World) -> None:
    world.discord.refuse(rest=False)
    world.discord.gateway.drop()


def _discord_away(world: World) -> None:
    world.discord.refuse()
    world.discord.gateway.drop()


def _discord_back(world: World) -> None:
    world.discord.refuse(rest=False, gateway=False)


def _stream_dropped(world: World, _run: Run, _call: str) -> Callable[[], bool]:
    rule = world.simulator.faults.add(Kind.DROP, "marketData", count=1)
    return lambda: all(rule is not other for other in world.simulator.faults.rules)


def _addon_off(world: World) -> None:
    world.simulator.faults.add(Kind.OFFLINE)


def _addon_on(world: World) -> None:
    world.simulator.faults.remove(Kind.OFFLINE)


def _disk(world: World, *, is_full: bool) -> None:
    world.bot.disk_is_full = is_full


def _clock(seconds: float) -> Fault:
    def begin(world: World, _run: Run, _call: str) -> None:
        world.host.step(seconds)

    def end(world: World) -> None:
        world.host.step(-seconds)

    size = next(f"{abs(seconds) / unit:.0f} {name}" for unit, name in ((DAY, "d"), (HOUR, "h"), (1, "s")) if abs(seconds) >= unit)
    return Fault(f"clock {size} {'ahead' if seconds > 0 else 'back'}", begin, end, (5.0, MINUTE, 5 * MINUTE))


def _cut(name: str, one: str, other: str) -> Fault:
    return Fault(
        name, _simple(lambda world: world.network.cut(one, other)), lambda world: world.network.mend(), (0.5, 5.0, MINUTE)
    )


def _frozen(name: str, *seconds: float) -> Fault:
    return Fault(name, _simple(lambda world: world.bot.suspend()), lambda world: world.bot.resume(), seconds, blinds=True)


def _reads_hammered(world: World) -> None:
    world.hammering = world.loop.create_task(hammer(world.discord, READER.name, every=1.0))


def _reads_left_alone(world: World) -> None:
    if world.hammering is not None:
        world.hammering.cancel()


def _of_a_lever(lever: Lever) -> Fault:
    return Fault(
        lever.name,
        _simple(lambda world: lever.begin(world.simulator)),
        lambda world: lever.end(world.simulator),
        lever.lasts,
        BEFORE_THE_PRESS,
        fits=lambda run, _transport: run.act.command in lever.commands,
    )


def _moved(world: World, run: Run, _call: str) -> Callable[[], bool]:
    """Right before the press, so that what was read before it is young still."""
    world.moving.add(run.number)
    return lambda: run.number in world.moved


def _moved_unheard(world: World, run: Run, _call: str) -> Callable[[], bool]:
    for event in EVENTS:
        world.simulator.faults.add(Kind.OFFLINE, event)
    order = beside.move_position(world, run)
    return lambda: order.state.is_done


def _heard_again(world: World) -> None:
    rules = world.simulator.faults.rules
    rules[:] = [rule for rule in rules if rule.call not in EVENTS]


def _twin(is_behind: Callable[[Run], bool], world: World, run: Run, call: str) -> Callable[[], bool]:
    """The answer is lost, and somebody places the same by hand, right in front of the order or right behind it."""
    world.simulator.faults.add(Kind.DROP, call, effect=True, count=1)
    world.simulator.faults.add(Kind.DELAY, call, seconds=0.2, count=1)
    twins: list[object] = []

    def seen() -> bool:
        return (request := world.request_of(run)) is not None and request.had_effect is is_behind(run)

    world.lookout.when(seen, lambda: twins.append(beside.place_twin(world, run)))
    return lambda: bool(twins)


def _alike(world: World, _run: Run, call: str) -> Callable[[], bool]:
    """The answer is lost, and of the two orders that come of it neither name nor time tells which is the close."""
    lost = world.simulator.faults.add(Kind.DROP, call, effect=True, count=1)
    world.simulator.faults.add(Kind.COARSE, seconds=10 * MINUTE)
    world.simulator.faults.add(Kind.NAMELESS)
    return lambda: all(lost is not rule for rule in world.simulator.faults.rules)


def _told_apart(world: World) -> None:
    world.simulator.faults.remove(Kind.COARSE, Kind.NAMELESS)


def _halted(world: World, run: Run, _call: str) -> Callable[[], bool]:
    return beside.halt(world, run).done


def _lifted(world: World) -> None:
    beside.lift(world)


def _told_to_stop(world: World, run: Run, call: str) -> Callable[[], bool]:
    """SIGTERM while a press is being decided, held up by a read that takes long."""
    rule = world.simulator.faults.add(Kind.DELAY, call, seconds=DECIDED_IN)
    told: list[object] = []

    def stop() -> None:
        told.append(rule)
        world.bot.tell_to_stop()

    def pressed() -> bool:
        return (card := world.card_of(run)) is not None and world.is_pressed(card)

    def soon() -> None:
        world.loop.call_later(DECIDED_IN / 2, stop)

    world.lookout.when(pressed, soon)
    return lambda: bool(told)


def _set_while_dead(seconds: float) -> Fault:
    """The bot is killed, and the host's clock is another one at its next start."""

    def begin(world: World, _run: Run, _call: str) -> None:
        world.bot.kill()
        world.host.step(seconds)

    name = f"killed, clock {'ahead' if seconds > 0 else 'back'}"
    return Fault(name, begin, lambda world: world.bot.begin(), (1.0, 5.0))


def _of_others() -> Iterator[Fault]:
    """Faults by what other people do meanwhile."""
    yield Fault(
        "position moved by hand",
        _moved,
        ways=BEFORE_THE_PRESS,
        often=4,
        fits=lambda run, _transport: run.act.command not in {"flatten", "cancel"},
    )
    yield Fault(
        "position moved by hand, unheard",
        _moved_unheard,
        _heard_again,
        (10.0,),
        BEFORE_THE_PRESS,
        fits=lambda run, _transport: run.act.command not in {"flatten", "cancel"},
        often=4,
    )
    yield Fault(
        "a twin by hand",
        partial(_twin, lambda run: bool(run.number % 2)),
        ways=BEFORE_THE_PRESS,
        fits=lambda run, _transport: run.act.name == "reverse",
    )
    # Where the close has another size, the first of two that look like it would be taken for the order if any were.
    yield Fault(
        "a twin by hand, in front",
        partial(_twin, lambda _run: False),
        ways=BEFORE_THE_PRESS,
        fits=lambda run, _transport: run.act.name in {"reverse", "flatplace"} and abs(run.held) != run.quantity,
        often=6,
    )
    yield Fault(
        "a reversal's orders alike",
        _alike,
        _told_apart,
        (20.0, MINUTE),
        BEFORE_THE_PRESS,
        fits=lambda run, _transport: run.act.command in {"reverse", "flatplace"},
        often=4,
    )
    yield Fault(
        "account halted",
        _halted,
        _lifted,
        (2.0, 20.0),
        (Way.CARD, Way.PRESSED),
        fits=lambda run, _transport: run.act.command in ENTRIES,
        often=4,
    )


def _every() -> Iterator[Fault]:
    yield from map(_of_a_lever, LEVERS)
    yield from _of_others()
    yield from (_set_while_dead(sign * HOUR) for sign in (1, -1))
    yield Fault("told to stop", _simple(lambda world: world.bot.tell_to_stop()))
    yield Fault(
        "told to stop in mid-decision",
        _told_to_stop,
        ways=BEFORE_THE_PRESS,
        calls=("ListPositions", "ListOrders"),
        fits=lambda run, _transport: run.counts,
    )
    yield Fault("kill", _simple(lambda world: world.bot.kill()), lambda world: world.bot.begin(), (0.5, 1.0, 5.0, 30.0))
    yield from (_TROUBLES[trouble.at](trouble) for trouble in troubles.ALL)
    yield Fault("gateway closed", _simple(lambda world: world.discord.gateway.close(GOING_AWAY)))
    yield Fault("gateway dropped", _simple(lambda world: world.discord.gateway.drop()))
    yield Fault("gateway session lost", _simple(_gateway_forgot))
    yield Fault("gateway away", _simple(_gateway_away), _discord_back, (1.2, 3.0, 10.0))
    yield Fault("Discord away", _simple(_discord_away), _discord_back, (1.2, 10.0, 2 * MINUTE))
    yield Fault("stream dropped", _stream_dropped)
    yield Fault("add-on off", _simple(_addon_off), _addon_on, (1.2, 10.0, 2 * MINUTE))
    yield Fault("disk full", _simple(partial(_disk, is_full=True)), partial(_disk, is_full=False), (1.2, 10.0))
    yield from (_clock(sign * seconds) for seconds in (20.0, 40.0, HOUR, DAY) for sign in (1, -1))
    yield Fault("reads hammered", _simple(_reads_hammered), _reads_left_alone, (10.0, 30.0), HAMMERED)
    yield _cut("cut off from Discord", BOT, DISCORD)
    yield _cut("cut off from CrossTrade", BOT, NINJATRADER)
    yield _frozen("frozen for seconds", 2.0, 8.0, 40.0)
    # Hours are rare: one freeze of four is as long as what twenty sessions have else.
    yield _frozen("frozen for long", *7 * (4 * MINUTE,), *6 * (20 * MINUTE,), *3 * (HOUR,), *2 * (4 * HOUR,))


FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _every()}
