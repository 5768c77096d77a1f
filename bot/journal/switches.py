"""The kill switch's statements: reading the switches, setting one, and asking them in the transaction that sends something."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.journal.codec import AnyRow
from bot.journal.schema import switches
from bot.trading.orders.intents import Intent
from bot.trading.risk.halts import Switch, Switches, SwitchState, reasons
from bot.trading.risk.policy import Denial

_row = switches.c
_ALL = select(switches).order_by(_row.at, _row.account, _row.root)
_SET = insert(switches)
_LIFT = delete(switches).where(_row.account == bindparam("its_account"), _row.root == bindparam("its_root"))
_STATES = {state.value: state for state in SwitchState}


def read(connection: Connection) -> Switches:
    """All that are not active, the oldest first."""
    return Switches(tuple(map(_switch, connection.execute(_ALL))))


def put(connection: Connection, switch: Switch) -> bool:
    """Set a switch if that is stricter than what stands in just that scope, or lift one that stands; else ``False``."""
    old = read(connection).at(switch.account, switch.root)
    if switch.state is SwitchState.ACTIVE:
        return old is not None and _lifted(connection, old)
    if old is not None and not switch.state.is_stricter_than(old.state):
        return False
    if old is not None:
        _lifted(connection, old)
    values = {name: getattr(switch, name) for name in ("account", "root", "state", "at", "actor", "actor_name", "why")}
    connection.execute(_SET, values)
    return True


def barring(connection: Connection, intent: Intent, position: int) -> tuple[Denial, ...]:
    """The reasons why an intent may not be sent just now; what always passes isn't even asked about."""
    return () if intent.is_exit else reasons(intent, position, read(connection))


def _lifted(connection: Connection, old: Switch) -> bool:
    # By the name that is stored: another spelling of the account is the same account.
    return connection.execute(_LIFT, {"its_account": old.account, "its_root": old.root}).rowcount > 0


def _switch(row: AnyRow) -> Switch:
    # A word that this version doesn't know bars everything: a newer one may have meant anything by it.
    state = _STATES.get(row.state, SwitchState.HALTED)
    return Switch(row.account, row.root, state, row.at, row.actor, row.actor_name, row.why)
