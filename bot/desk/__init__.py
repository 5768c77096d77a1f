"""The desk: the only door to an order. It speaks to ports, never to Discord, HTTP or SQL."""
