"""TLS to PostgreSQL, asked for as everybody writes it: ``sslmode`` as libpq has it, or ``ssl`` as asyncpg has it.

asyncpg alone would take ``sslmode`` from no SQLAlchemy address, and the root certificate from a file in the home folder only.
"""

import ssl
from pathlib import Path

from sqlalchemy.engine import URL

from bot.errors import SettingsError
from bot.journal.faults import SETTING

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_MODE, _ALSO, _ROOT, _CERTIFICATE, _KEY = "sslmode", "ssl", "sslrootcert", "sslcert", "sslkey"
TLS_OPTIONS = frozenset({_MODE, _ALSO, _ROOT, _CERTIFICATE, _KEY})
_SYSTEM = "system"


def without_tls(address: URL) -> URL:
    """The address as asyncpg's dialect takes it; what it says of TLS goes another way."""
    return address.difference_update_query(TLS_OPTIONS)


def tls_of(address: URL) -> dict[str, object]:
    """The options that asyncpg is given for TLS; none where the address says nothing of it.

    ``require`` alone encrypts and believes any certificate, as everywhere; with ``sslrootcert``, which may be ``system``, and in
    the two ``verify`` modes the certificate is checked, in ``verify-full`` the server's name, too.

    Raises:
        SettingsError: that can't be done.
    """
    options = {name: value for name, value in address.query.items() if name in TLS_OPTIONS}
    if not options:
        return {}
    if any(not isinstance(value, str) for value in options.values()) or (_MODE in options and _ALSO in options):
        raise SettingsError(SETTING, "say once how TLS is used: sslmode=require, or verify-full with sslrootcert=FILE.")
    told = {name: str(value) for name, value in options.items()}
    mode = told.get(_MODE) or told.get(_ALSO) or "require"
    if mode not in MODES:
        raise SettingsError(SETTING, f"sslmode is one of {', '.join(MODES)}.")
    if mode == "disable" or not (mode.startswith("verify") or told.keys() & {_ROOT, _CERTIFICATE, _KEY}):
        return {"ssl": mode}
    return {"ssl": _context(mode, told)}


def _context(mode: str, told: dict[str, str]) -> ssl.SSLContext:
    root, certificate = told.get(_ROOT), told.get(_CERTIFICATE)
    missing = next(
        (file for file in (root, certificate, told.get(_KEY)) if file not in {None, _SYSTEM} and not _is_file(file)), None
    )
    if missing is not None:
        raise SettingsError(
            SETTING, "sslrootcert, sslcert and sslkey must be files that the bot may read; or sslrootcert=system."
        )
    try:
        context = ssl.create_default_context(cafile=None if root == _SYSTEM else root)
        if certificate is not None:
            context.load_cert_chain(certificate, told.get(_KEY))
    except OSError:
        raise SettingsError(SETTING, "sslrootcert, sslcert and sslkey must be certificates and a key in PEM format.") from None
    context.check_hostname = mode == "verify-full"
    if not mode.startswith("verify") and root is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_file(file: str | None) -> bool:
    try:
        return file is not None and Path(file).is_file()
    except (OSError, ValueError):
        return False
