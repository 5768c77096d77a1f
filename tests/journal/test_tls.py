"""TLS to PostgreSQL as people write it, and the plain sentence for each way in which it fails."""

import socket
import ssl
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.errors import SettingsError
from bot.journal.faults import is_away, journal_error, setting_error
from bot.journal.opening import opened, read_address
from bot.journal.tls import tls_of, without_tls

URL = "postgresql+asyncpg://desk:secret-3@db/desk"
# Made for this test; nobody has its key.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUDvORpI+pEPiq5eAKPJpH39ypES4wCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCZGIwIBcNMjYxMTMwMDcyOTM1WhgPMjEyNjExMDYwNzI5MzVa
MA0xCzAJBgNVBAMMAmRiMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9FgWAeMx
Nvsu8QwNiG1obOd4A29Qvwj/YdDoybhsxCbSYaAvnJFlstAOsYSiW8m5OegdiK6V
zm3OevEOapcnO6NTMFEwHQYDVR0OBBYEFKjO+TOy8K96jWT8bNyjlOQxuZnCMB8G
A1UdIwQYMBaAFKjO+TOy8K96jWT8bNyjlOQxuZnCMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIgSYKzhzjyK/V3wyHYLmrlrqhv0NCOiJIS70qjDr2m
cnQCIQDl0qjK/Jo8vi1XpO2C4P1Wt0+mTDVtF8uQ9FLbLnwXXg==
-----END CERTIFICATE-----
"""


@pytest.fixture
def root(tmp_path: Path) -> str:
    file = tmp_path / "root.crt"
    file.write_text(CERTIFICATE, encoding="ascii")
    return str(file)


@pytest.mark.parametrize("name", ["ssl", "sslmode"])
@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_mode_is_taken_by_either_name_and_stays_out_of_the_address(name: str, mode: str) -> None:
    address = read_address(f"{URL}?{name}={mode}")
    assert tls_of(address) == {"ssl": mode}
    assert dict(without_tls(address).query) == {}


@pytest.mark.parametrize(
    ("options", "checks", "names"),
    [
        ("sslmode=verify-full", True, True),
        ("sslmode=verify-full&sslrootcert=system", True, True),
        ("sslmode=verify-full&sslrootcert=ROOT", True, True),
        ("ssl=verify-ca&sslrootcert=ROOT", True, False),
        ("sslmode=require&sslrootcert=ROOT", True, False),
    ],
)
def test_a_certificate_is_checked_where_that_is_asked_for(options: str, checks: bool, names: bool, root: str) -> None:
    told = tls_of(read_address(f"{URL}?{options.replace('ROOT', root)}"))["ssl"]
    assert isinstance(told, ssl.SSLContext)
    assert (told.verify_mode is ssl.CERT_REQUIRED, told.check_hostname) == (checks, names)


def test_an_address_that_says_nothing_of_it_is_left_to_the_driver() -> None:
    assert tls_of(make_url(URL)) == {}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{URL}?sslmode=yes", "sslmode is one of disable, allow"),
        (f"{URL}?sslmode=require&ssl=disable", "say once"),
        (f"{URL}?sslmode=require&sslmode=disable", "say once"),
        (f"{URL}?sslmode=verify-ca&sslrootcert=/nowhere", "must be files that the bot may read"),
        (f"{URL}?sslmode=verify-ca&sslrootcert={socket.__file__}", "in PEM format"),
        ("postgresql+asyncpg://desk:secr@et-3/x@db/desk", "write an @ in the password as %40"),
        ("postgresql+asyncpg://desk:secret-3@x@db/desk", "write an @ in the password as %40"),
    ],
)
def test_what_cant_be_done_is_a_wrong_setting(url: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_address(url)
    assert told in str(caught.value)
    assert "secr" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ssl.SSLCertVerificationError("self-signed"), "doesn't believe the server's certificate"),
        (ssl.SSLError("wrong version"), "the server's TLS can't be used"),
        (ConnectionError('PostgreSQL server at "db:5432" rejected SSL upgrade'), "speaks no TLS"),
    ],
)
def test_a_mistake_in_tls_is_told_as_one(error: OSError, told: str) -> None:
    journal = journal_error(error)
    journal.__cause__ = error
    wrong = setting_error(journal)
    assert wrong is not None
    assert told in str(wrong)
    assert told in str(journal)
    assert "see that its server runs" not in str(journal)


def test_a_machine_that_nobody_knows_is_told_as_that_and_may_come_back() -> None:
    told = journal_error(socket.gaierror(-2, "Name or service not known"))
    assert "nobody knows a machine of that name" in str(told)
    assert is_away(told)
    told.__cause__ = socket.gaierror(-2, "")
    assert setting_error(told) is None


async def test_a_server_without_tls_is_told_as_that(server: str) -> None:
    with pytest.raises(SettingsError, match="speaks no TLS"):
        async with opened(f"{server}?sslmode=require"):
            pass
