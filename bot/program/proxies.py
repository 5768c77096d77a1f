"""The proxy that the environment names: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY``, and ``NO_PROXY`` for who needs none.

It is read from the environment alone, as other programs do, and never for this machine itself. An address of it may hold a
password, which is shown to nobody.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from bot.errors import SettingsError
from bot.settings import is_this_machine

_AS = {"wss": "https", "ws": "http"}
_SCHEMES = {"http", "https"}
_MEND = "only a proxy like http://HOST:PORT can be used, not this one; name such a one, or put the host into NO_PROXY."


def proxy_for(url: str) -> str | None:
    """The address of the proxy for what is sent to that address, or ``None`` where it goes there by itself.

    Raises:
        SettingsError: there is one that can't be used.
    """
    parts = urlsplit(url)
    scheme, host = _AS.get(parts.scheme, parts.scheme), parts.hostname or ""
    found = getproxies()
    named = next((name for name in (scheme, "all") if found.get(name)), None)
    if named is None or is_this_machine(host) or proxy_bypass(host if parts.port is None else f"{host}:{parts.port}"):
        return None
    proxy = found[named] if "://" in found[named] else f"http://{found[named]}"
    try:
        told = urlsplit(proxy)
        is_usable = told.scheme in _SCHEMES and bool(told.hostname) and told.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SettingsError(f"{named.upper()}_PROXY", _MEND)
    return proxy


def shown(proxy: str) -> str:
    """A proxy's address without what may be secret in it."""
    parts = urlsplit(proxy)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))


def secrets() -> tuple[str, ...]:
    """Every password that stands in the environment's proxies, as written and as meant."""
    return tuple(dict.fromkeys(_passwords()))


def _passwords() -> Iterator[str]:
    for proxy in getproxies().values():
        credentials = proxy.rpartition("//")[2].rpartition("@")[0]
        password = credentials.partition(":")[2]
        if password:
            yield from (password, unquote(password), credentials)
