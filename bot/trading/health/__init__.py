"""The links from Discord to the broker: what their readings mean, outages, what requests were made for."""
