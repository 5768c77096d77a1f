"""What of the stored events sets the desk to work."""

from bot.desk.ports import EventName

# After these a position may be closed that a card's buttons are about.
MOVES_A_POSITION = frozenset(
    {
        EventName.FILLED,
        EventName.PART_FILLED,
        EventName.STOPPED_OUT,
        EventName.TARGET_HIT,
        EventName.FLATTENED,
        EventName.NOT_CLOSED,
    }
)
# With these it is known of an order what wasn't before: what was read of its account until then is of another time.
TELLS_OF_AN_ORDER = MOVES_A_POSITION | {
    EventName.WORKING,
    EventName.REJECTED,
    EventName.ORDER_CANCELLED,
    EventName.UNKNOWN,
    EventName.NEVER_ARRIVED,
    EventName.LOST_SIGHT,
}
# After these evidence is looked for.
LEAVES_A_QUESTION = frozenset({EventName.UNKNOWN, EventName.NEVER_ARRIVED})
