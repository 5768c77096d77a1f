"""Latency of Discord: the time until it answers a heartbeat, measured from when that was sent.

discord.py's thread notes when it has sent one only after the loop has told it so (seen in 2.7.1). An answer that is faster
than that is measured from the heartbeat before: as "41.3s behind", by the interval, in the log and in
what people read of the link.
"""

from typing import Any

from discord.gateway import DiscordWebSocket

_send = DiscordWebSocket.send_heartbeat


async def _send_and_note(self: DiscordWebSocket, data: Any) -> None:
    if self._keep_alive is not None:
        # It notes the moment; the payload that it gives is the one that is sent.
        self._keep_alive.beat()
    await _send(self, data)


def measure_from_sending() -> None:
    """Let heartbeats be measured so; discord.py has no setting for it, and this holds for the process."""
    DiscordWebSocket.send_heartbeat = _send_and_note  # type: ignore[method-assign]
