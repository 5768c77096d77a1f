"""Every span of time by which the bot waits: how long for what, how often it looks, when it tries again.

One place for all of them, so that a test or a simulation can give others. What rules weigh without waiting for it stays with the
rules, such as how far two clocks may differ or how old a price may be.
"""

from dataclasses import dataclass
from datetime import timedelta

from bot.trading.exits.timings import USUAL_PACE, ExitTimings
from bot.trading.health.outages import AlertDelays

_LINK = AlertDelays(timedelta(seconds=15), timedelta(seconds=5), timedelta(seconds=60))
_RIVAL = AlertDelays(timedelta(0), timedelta(minutes=10), timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class DeskTimings:
    """Timings of the desk; each a ``timedelta``, but for those that are several together.

    Attributes:
        exits: the steps of a flatten and of a verified reversal.
        budget_wait: for the request budget before a call that was due is given up as not sent.
        store_again: until the end of an order that the journal didn't take is stored anew; short, as it is known to nobody else.
        spare_within: for what a way out can do without, such as a price; quiet reads take about 0.6 s.
        at_once_within: for the lists over all accounts, three requests at three a second and some more, before each account's own
            lists are asked for instead.
        acknowledged_within: for Discord to take a press; it drops an interaction after three seconds, but with discord.py's own
            retries an answer may still come a little later.
        decided_within: for a press to be decided, where its card isn't open for longer; what leaves long after its press is no
            longer what its member wants.
        card_wait: of a member's request for the card of a new order, for those that they have asked for before.
        held_again: until the next look at an offer that is over and being worked on.
        sends_get: for orders on their way when the desk closes.
        news_get: for undelivered news after that.
        grace: until the absence of what was sent proves anything; CrossTrade's reversal waits up to about five seconds before it
            places, and NinjaTrader may answer late.
        absent_again: between the two readings that it takes to call an order absent.
        afterwards: in which an order that was called "never arrived" and turns up is still told.
        evidence_every: between two looks for evidence.
        evidence_soonest: the same after news; a look costs three requests a ticket, so that they bring it forward only so far.
        request_every: between two requests that nobody waits for, in the long run; CrossTrade's whole budget is three a second
            (rate limits page, official), and the rest of it is for people.
        looks_apart: between two looks at an account after news; an order's first news come close together, and one look may then
            tell them all.
        first_look: at an order after its call; a market order has filled by then, and one look tells it.
        young_every: between two looks at an account with a young order; that is when most happens.
        young_for: how long an order is young.
        old_every: between two looks at older ones; what has filled is told within three seconds, events or not.
        told_every: the same where the stream has told of that account before, and so will tell when something happens there.
        look_within: for a look at one account; what takes longer goes on while others are looked at.
        looks_shortest: between two looks, however much is said to happen; each costs a read of the journal.
        overdue: until a close at market, a cancellation or a change deserves a person's look.
        close_ends: until a close that the position doesn't show is no longer looked for.
        listed_within: until an order has to be listed; a list may lag behind the order that has just been placed.
        seek_every: between two searches for the traces of an order that isn't listed.
        give_up: until an absent order isn't coming back; finished ones stay listed for some minutes (seen by others).
        reason_within: for the reason of a rejection; it is told without one otherwise.
        retire_every: between two looks at cards that have buttons.
        position_shown_within: until a list of positions has to show the order that has just filled; it may lag behind.
        protected_within: in which a position must have a working stop before it is told that it has none: after the fill of its
            entry, and while it is being closed.
        positions_every: between two reads of positions that stops and targets protect, while nothing changes among the orders.
        fills_every: between two reads of an account's fills; twice at least within the 15 minutes that CrossTrade looks back, so
            that a failed read loses no fill.
        fills_again: until the next read after one that failed.
        accounts_apart: between two accounts' fills; all at once would use up what reads of others need.
        new_account_within: until the fills of a new account are read.
        kept_before: how long before what an open card will be decided on is too old it is read anew, and twice what that takes.
        kept_shortest: the least age for which that is done; for less the reads would follow each other without a pause.
        known_following: how old what is known may be for those who follow orders; what has changed wakes them, and is looked for.
        known_looking: the same for commands that only read.
        known_background: the same for what nobody waits for; keystrokes have a memory of their own, which keeps prices as long.
        known_rounds: the same for the watchdog's polls, of which there is one each seven seconds while money hangs on it.
        known_links: the same for its look at accounts: every other one of these polls, as alarms have fifteen seconds' patience.
        edits_apart: between two edits of a card whose state hasn't changed.
        delivery_within: for Discord to take one row of the outbox.
        delivery_again: until the first attempt after one that failed; it doubles each time.
        delivery_pause: the longest that becomes, whatever Discord asks for.
        outbox_tick: until the next look at what is under way, or waits for Discord or for its turn.
        flush_tick: the same when the desk closes, as there is little time left.
        sending_shown_after: until a card says "sending", and the loops look at what was claimed; the answer usually comes
            before, and either would hold the order up.
        link: for a link that is down; one that is away for less is usually back before anybody has found NinjaTrader's window.
        rival: for another program on one of our links; it doesn't go away by itself, and is quiet while nobody presses anything.
        journal_within: for the journal, and for Discord where an alarm is told without it; an alarm may be about either.
        watch_every: between two looks at the links; well within the patience with one.
        watch_down_every: the same while one is down.
        rounds_shortest: between two looks whether CrossTrade is to be asked.
        alarm_again: until an event that the journal didn't take is stored anew.
        rounds_in_vain: between two polls while CrossTrade doesn't answer.
        rounds_at_stake: between two polls while money hangs on it.
        rounds_quiet: between two polls otherwise.
        loop_again: until a loop of the desk goes on after a fault; short enough for orders, long enough for a log on a full disk.
        fronts_again: until front months are asked for that aren't known.
        fronts_every: between two reads of front months, which roll once in a month or more.
        clock_every: between two looks at the host's clock.
        switches_every: until people hear of a switch that nobody has set; at a claim it is looked for anyway.
        typing_wait: of a keystroke for reads, which go on after that; it may have to wait twice, and Discord gives three seconds.
        prices_last: how long a price answers keystrokes.
        orders_last: how long orders do; who has just placed one looks for it at once.
        positions_last: how long positions do, and accounts and strategies.
        names_last: how long names of templates do.
        typing_grace: how much longer something does when its person may not have it read again yet.
        typing_counts: in which a person's reads count.
        denials_within: in which so many denials are kept and no more.
    """

    exits: ExitTimings = USUAL_PACE
    budget_wait: timedelta = timedelta(seconds=5)
    store_again: timedelta = timedelta(seconds=0.5)
    spare_within: timedelta = timedelta(seconds=1)
    at_once_within: timedelta = timedelta(seconds=3)
    acknowledged_within: timedelta = timedelta(seconds=5)
    decided_within: timedelta = timedelta(seconds=5)
    card_wait: timedelta = timedelta(seconds=10)
    held_again: timedelta = timedelta(seconds=0.25)
    sends_get: timedelta = timedelta(seconds=4)
    news_get: timedelta = timedelta(seconds=2)
    grace: timedelta = timedelta(seconds=30)
    absent_again: timedelta = timedelta(seconds=8)
    afterwards: timedelta = timedelta(minutes=10)
    evidence_every: timedelta = timedelta(seconds=5)
    evidence_soonest: timedelta = timedelta(seconds=2)
    request_every: timedelta = timedelta(seconds=1)
    looks_apart: timedelta = timedelta(seconds=0.3)
    first_look: timedelta = timedelta(seconds=0.5)
    young_every: timedelta = timedelta(seconds=1)
    young_for: timedelta = timedelta(seconds=10)
    old_every: timedelta = timedelta(seconds=2.8)
    told_every: timedelta = timedelta(seconds=10)
    look_within: timedelta = timedelta(seconds=1)
    looks_shortest: timedelta = timedelta(seconds=0.05)
    overdue: timedelta = timedelta(seconds=15)
    close_ends: timedelta = timedelta(minutes=15)
    listed_within: timedelta = timedelta(seconds=3)
    seek_every: timedelta = timedelta(seconds=15)
    give_up: timedelta = timedelta(minutes=5)
    reason_within: timedelta = timedelta(seconds=2)
    retire_every: timedelta = timedelta(seconds=20)
    position_shown_within: timedelta = timedelta(seconds=10)
    protected_within: timedelta = timedelta(seconds=5)
    positions_every: timedelta = timedelta(seconds=20)
    fills_every: timedelta = timedelta(minutes=5)
    fills_again: timedelta = timedelta(minutes=1)
    accounts_apart: timedelta = timedelta(seconds=1)
    new_account_within: timedelta = timedelta(seconds=30)
    kept_before: timedelta = timedelta(seconds=0.15)
    kept_shortest: timedelta = timedelta(seconds=0.5)
    known_following: timedelta = timedelta(seconds=0.3)
    known_looking: timedelta = timedelta(seconds=1)
    known_background: timedelta = timedelta(seconds=2)
    known_rounds: timedelta = timedelta(seconds=5)
    known_links: timedelta = timedelta(seconds=9)
    edits_apart: timedelta = timedelta(seconds=1)
    delivery_within: timedelta = timedelta(seconds=20)
    delivery_again: timedelta = timedelta(seconds=1)
    delivery_pause: timedelta = timedelta(minutes=1)
    outbox_tick: timedelta = timedelta(seconds=0.25)
    flush_tick: timedelta = timedelta(seconds=0.05)
    sending_shown_after: timedelta = timedelta(seconds=0.7)
    link: AlertDelays = _LINK
    rival: AlertDelays = _RIVAL
    journal_within: timedelta = timedelta(seconds=2)
    watch_every: timedelta = timedelta(seconds=3)
    watch_down_every: timedelta = timedelta(seconds=1)
    rounds_shortest: timedelta = timedelta(seconds=0.25)
    alarm_again: timedelta = timedelta(seconds=5)
    rounds_in_vain: timedelta = timedelta(seconds=5)
    rounds_at_stake: timedelta = timedelta(seconds=7)
    rounds_quiet: timedelta = timedelta(seconds=15)
    loop_again: timedelta = timedelta(seconds=1)
    fronts_again: timedelta = timedelta(seconds=30)
    fronts_every: timedelta = timedelta(hours=1)
    clock_every: timedelta = timedelta(seconds=2)
    switches_every: timedelta = timedelta(seconds=1)
    typing_wait: timedelta = timedelta(seconds=1)
    prices_last: timedelta = timedelta(seconds=2)
    orders_last: timedelta = timedelta(seconds=2)
    positions_last: timedelta = timedelta(seconds=5)
    names_last: timedelta = timedelta(seconds=60)
    typing_grace: timedelta = timedelta(seconds=5)
    typing_counts: timedelta = timedelta(seconds=4)
    denials_within: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CrossTradeTimings:
    """Timings of the CrossTrade client, in seconds. CrossTrade's own limits on single calls are not documented.

    Attributes:
        link_holds: seconds for which it is believed who provides an account, and that its broker is connected; the watchdog's
            polls tell it each fourteen seconds while money hangs on it, and whoever needs it asks before that.
        card_open: seconds that a card is open until most are pressed; what is read for it should do until then.
        together: seconds within which lists over all accounts belong together; they are read one right after the other.
        connect: seconds until a connection stands; nothing has left before.
        read: seconds for a read in all. Quiet ones take about 0.6 s, busy ones 3 s (measured by others, on the Tradovate side).
        write: seconds for a write in all. POST Reverse Position waits up to 5 s at CrossTrade (its page, new).
        bars: seconds for historical bars in all. NinjaTrader may have to fetch them first (others wait as long).
        keep_alive: seconds that an idle connection is kept; well under what servers and balancers keep (a minute or more), as a
            write should not meet a connection that is just being closed.
        longest_park: seconds that nothing is asked at most, whatever CrossTrade says of its own bucket.
        shortest_wait: seconds of the shortest timer; a shorter one would spin when the clock's steps are coarser than the wait.
        backoff: seconds before each attempt to connect the stream again, the last one repeats; as another client of this stream
            does it, which came through two hours of injected faults.
        heartbeat: seconds between protocol pings, which find a dead line; the server sends no heartbeats of its own (measured by
            others for an hour).
        closing: seconds for the server to answer a goodbye.
        good_after: seconds after which a connection was a good one: the next outage starts with the shortest wait.
        refused: seconds until the next attempt at a stream that nobody needs; a server that has none, or none for this token,
            won't have one in half a minute either.
        gather: seconds in which wishes are sent together; each message is one change of the budget, however much it names.
        wishes_every: seconds between two looks through the wishes when nobody has a new one: they end, and their budget fills up.
        limited: seconds without changes where CrossTrade says that there were too many, and not for how long.
        quoted_holds: seconds that a price is wanted after somebody asked; a ticket lives five minutes at most, and its price is
            looked at again when it is pressed.
        looked_holds: seconds that results are wanted after somebody looked.
        silence: seconds after which what stays silent is asked for again; then, and once it was heard of, the last of these.
        answer_takes: seconds within which an error that names nothing is about what was asked for.
        suspect_within: seconds; an ask for events that was not acknowledged on two connections that ended so soon may be why.
        unwelcome_holds: seconds that it is then left.
    """

    link_holds: float = 12.0
    card_open: float = 4.0
    together: float = 3.0
    connect: float = 5.0
    read: float = 10.0
    write: float = 20.0
    bars: float = 45.0
    keep_alive: float = 15.0
    longest_park: float = 60.0
    shortest_wait: float = 0.001
    backoff: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
    heartbeat: float = 20.0
    closing: float = 2.0
    good_after: float = 30.0
    refused: float = 300.0
    gather: float = 0.1
    wishes_every: float = 1.0
    limited: float = 5.0
    quoted_holds: float = 600.0
    looked_holds: float = 60.0
    silence: tuple[float, ...] = (15.0, 60.0, 300.0)
    answer_takes: float = 5.0
    suspect_within: float = 30.0
    unwelcome_holds: float = 3600.0


@dataclass(frozen=True, slots=True)
class LeaseTimings:
    """Timings by which two machines agree on who leads, in seconds. They must be the same on both.

    Attributes:
        lasts: seconds without a heartbeat after which somebody else may lead.
        margin: seconds that a leader stops before that; what it has just let go must have left by then.
        beat: seconds between two heartbeats.
        beat_again: seconds until the next one after one that failed.
        migration: seconds without one while the tables are changed; nothing can beat then.
        look: seconds between two looks of who stands by.
    """

    lasts: float = 5.0
    margin: float = 1.5
    beat: float = 1.0
    beat_again: float = 0.25
    migration: float = 60.0
    look: float = 0.5


@dataclass(frozen=True, slots=True)
class JournalTimings:
    """The journal's, in seconds.

    Attributes:
        lease: how long who leads is believed to lead.
        patience: seconds for another program that holds the database, or for a connection to a server.
        held_again: seconds until a read that met such a program is tried again.
        command: seconds for one statement on a server.
    """

    lease: LeaseTimings = LeaseTimings()
    patience: float = 5.0
    held_again: float = 0.02
    command: float = 20.0


@dataclass(frozen=True, slots=True)
class ChatTimings:
    """Timings towards Discord, in seconds.

    Attributes:
        login_pause: seconds until the first attempt to log in again; it doubles each time.
        longest_login_pause: seconds that becomes at most; discord.py's own pauses grow to 17 minutes.
        longest_rate_limit: seconds that a call waits for its turn at most; a longer wait becomes a ``DeliveryDelayed``, so that
            one busy channel holds nothing else up. discord.py takes no less.
        post_within: seconds for Discord's answer to a card's post, more than its turn may take; a connection that has gone in
            silence would keep everybody from posting in that channel for five minutes.
        connects_within: seconds for one attempt to connect to the gateway; discord.py takes as many.
        lasting: seconds after which a session of the gateway has lasted; only then the next pauses begin small again.
        longest_session_pause: seconds between two sessions of the gateway at most: Discord allows 1,000 a day, one in 86 s.
        first_within: seconds that Discord waits for an interaction's first answer.
        answer_again: seconds until an answer that didn't get through is tried again; it doubles each time.
        longest_answer_pause: seconds that becomes at most.
        card_tried: seconds that a card's first post is tried again; it can be confirmed for not much longer.
        answer_tried: seconds that any other answer is tried again, from when it was ready; it is about what was so then.
        token_lives: seconds that a private card can be changed; Discord takes an interaction's token for 15 minutes from when it
            was made, some moments before it came here.
    """

    login_pause: float = 1.0
    longest_login_pause: float = 30.0
    longest_rate_limit: float = 30.0
    post_within: float = 35.0
    connects_within: float = 60.0
    lasting: float = 60.0
    longest_session_pause: float = 120.0
    first_within: float = 3.0
    answer_again: float = 0.25
    longest_answer_pause: float = 10.0
    card_tried: float = 6.0
    answer_tried: float = 120.0
    token_lives: float = 14.5 * 60


@dataclass(frozen=True, slots=True)
class ProgramTimings:
    """The program's own, in seconds.

    Attributes:
        goodbye: seconds for the rest to stop; a Discord that doesn't answer must not keep the process from ending in time.
        lead_again: seconds until who stands by tries again to lead with a journal that can't be used.
        presence_every: seconds between two looks at what the member list should say.
        policy_every: seconds between two looks at the policy file; a change counts once two of them find the same.
        head_every: seconds between two looks whether a new day has begun, whose head is to be told.
        head_within: seconds for the log's head when the bot stops; a journal that doesn't answer must not keep it from seeing its
            orders to their end.
        check_discord: seconds for each answer of Discord's to ``check``.
    """

    goodbye: float = 2.0
    lead_again: float = 1.0
    presence_every: float = 2.0
    policy_every: float = 2.0
    head_every: float = 60.0
    head_within: float = 0.5
    check_discord: float = 10.0


@dataclass(frozen=True, slots=True)
class Timings:
    """All of them, by the part of the house that waits."""

    desk: DeskTimings = DeskTimings()
    crosstrade: CrossTradeTimings = CrossTradeTimings()
    journal: JournalTimings = JournalTimings()
    chat: ChatTimings = ChatTimings()
    program: ProgramTimings = ProgramTimings()


USUAL = Timings()
