"""Stored events that set the desk to work."""

from bot.desk.ports import EventName

# With these it is known of an order what wasn't before: what was read of its account until then is of another time.
TELLS_OF_AN_ORDER = frozenset(
    {
        EventName.WORKING,
        EventName.PART_FILLED,
        EventName.FILLED,
        EventName.STOPPED_OUT,
        EventName.TARGET_HIT,
        EventName.FLATTENED,
        EventName.NOT_CLOSED,
        EventName.REJECTED,
        EventName.ORDER_CANCELLED,
        EventName.UNKNOWN,
        EventName.NEVER_ARRIVED,
        EventName.LOST_SIGHT,
    }
)
# After these evidence is looked for.
LEAVES_A_QUESTION = frozenset({EventName.UNKNOWN, EventName.NEVER_ARRIVED})
