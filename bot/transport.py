"""Transports of orders to CrossTrade."""

from enum import StrEnum


class Transport(StrEnum):
    """REST, or the WebSocket that also brings prices."""

    REST = "rest"
    WEBSOCKET = "websocket"
