"""Timings of mass actions and verified reversals. Pure."""

from dataclasses import dataclass

from bot.trading.risk.closing import LISTS_LAG, CloseTimings


@dataclass(frozen=True, slots=True)
class ExitTimings:
    """The timings of mass actions and verified reversals, in seconds.

    Attributes:
        poll: between two readings, at first.
        hurry: how long that is "at first"; the request budget is everybody's.
        poll_later: between two readings after that.
        look: for the lists, as long as nothing has gone out unseen.
        behind: more for the lists, for each call of its own that is on its way, as calls go before reads in CrossTrade's budget.
        look_back: for the lists after that; answers that took 16 s have been seen by others.
        unseen: after the press, before the one call goes out although no list could be read.
        call: for the answer to a call, before the next look; a call may take longer, and its end is waited for all the same.
        again: before a call that didn't leave is made anew, and one that was refused once; one that was refused twice waits nine
            times as long, as CrossTrade refuses a close while another one runs.
        recancel: before orders that still work are cancelled once more; that can't do harm.
        beside: after the press, before a position is closed although an order works in its contract that can't be cancelled.
        settle: a close that was taken shows up among the orders, or is done, within this time: the longest lag of a list.
        grace: a close whose answer was lost does within this time; CrossTrade may wait five seconds, and NinjaTrader answer late.
        between: "nothing of it is there" must be read twice, this far apart, after a lost answer.
        tidy: before what a verified reversal's close has left working is cancelled, where the position is gone.
        flat_within: how long a verified reversal waits for flat; more than CrossTrade's own five seconds.
        whole: all in all.
    """

    poll: float = 0.4
    hurry: float = 6.0
    poll_later: float = 1.5
    look: float = 1.7
    behind: float = 0.34
    look_back: float = 20.0
    unseen: float = 3.5
    call: float = 1.5
    again: float = 1.0
    recancel: float = 3.0
    beside: float = 4.0
    settle: float = LISTS_LAG
    grace: float = 30.0
    between: float = 8.0
    tidy: float = 2.0
    flat_within: float = 15.0
    whole: float = 90.0

    @property
    def patience(self) -> CloseTimings:
        """The timings that decide whether a close is over."""
        return CloseTimings(self.settle, self.grace, self.between, self.poll)


USUAL_PACE = ExitTimings()
