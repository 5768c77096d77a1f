"""Every setting of the bot, read once at the start from the environment and ``.env``, checked, and frozen.

Only reading and checking lives here; what a setting does is written where it is used. No message of this module ever holds a
value, as a token pasted into the wrong line would end up in a terminal or a log.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import SettingsError
from bot.transport import Transport

ENV_FILE = Path(".env")
_LARGEST_ID = 2**63 - 1
_Kind = TypeVar("_Kind", bound=BaseSettings)
_DATABASES = {"sqlite+aiosqlite", "postgresql+asyncpg"}


class LogLevel(StrEnum):
    """Levels of logging: how much is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogFormat(StrEnum):
    """Lines for people or one JSON object per line."""

    TEXT = "text"
    JSON = "json"


def _guilds(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and 0 < int(part) <= _LARGEST_ID for part in parts):
        raise ValueError
    return tuple(dict.fromkeys(int(part) for part in parts))


def _token(value: SecretStr) -> SecretStr:
    # A header can carry nothing else, and a blank means that "Bot " or "Bearer " was pasted along.
    secret = value.get_secret_value()
    if not secret or not all("!" <= letter <= "~" for letter in secret):
        raise ValueError
    return value


def _checked_url(text: str, *schemes: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname or parts.port == 0 or parts.username is not None:
        raise ValueError
    if parts.query or parts.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError
    return text.rstrip("/")


def _api(text: str) -> str:
    return _checked_url(text, "http", "https")


def _gateway(text: str) -> str:
    return _checked_url(text, "ws", "wss")


def _host(text: str) -> str:
    url = _api(text)
    if urlsplit(url).path or is_in_clear(url):
        raise ValueError
    return url


def is_in_clear(url: str) -> bool:
    """Tell whether what is sent there, a token for instance, can be read by others on the way: no TLS, and not this machine."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "ws"} and not is_this_machine(parts.hostname or "")


def is_this_machine(host: str) -> bool:
    """Tell whether a host is this very machine, by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _database(text: str) -> str:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError from None
    in_memory = not url.database or "memory" in url.query.get("mode", ()) or ":memory:" in url.database
    if url.drivername not in _DATABASES or in_memory:
        raise ValueError
    return text


def _off(value: object) -> object:
    return None if isinstance(value, str) and value.lower() == "off" else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """All settings; the environment's names are these in capitals.

    Attributes:
        discord_guild_id: the guilds that may command the desk.
        discord_gateway_url: ``None`` leaves it to what Discord says.
        crosstrade_url: scheme and host only, without a closing slash.
        crosstrade_rate: requests per second.
        crosstrade_burst: requests at once.
        database_url: where the journal is, as an SQLAlchemy URL; it may hold a password.
        metrics_port: ``None`` is off.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        env_file_encoding="utf-8-sig",
        hide_input_in_errors=True,
        defer_build=True,
    )

    discord_token: Annotated[SecretStr, AfterValidator(_token)]
    discord_guild_id: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_guilds)]
    discord_api_url: Annotated[str, AfterValidator(_api)] = "https://discord.com/api/v10"
    discord_gateway_url: Annotated[str, AfterValidator(_gateway)] | None = None
    crosstrade_token: Annotated[SecretStr, AfterValidator(_token)]
    crosstrade_url: Annotated[str, AfterValidator(_host)] = "https://app.crosstrade.io"
    crosstrade_transport: Annotated[Transport, BeforeValidator(_lower)] = Transport.REST
    crosstrade_rate: float = Field(default=3, gt=0, le=1000, allow_inf_nan=False)
    crosstrade_burst: int = Field(default=20, ge=1, le=1000)
    database_url: str = Field(default="sqlite+aiosqlite:///desk.db", repr=False)
    policy_file: Path = Path("policy.toml")
    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = LogLevel.INFO
    log_format: Annotated[LogFormat, BeforeValidator(_lower)] = LogFormat.TEXT
    metrics_port: Annotated[Annotated[int, Field(ge=1, le=65535)] | None, BeforeValidator(_off)] = None

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        return _database(value)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not be shown, logged or posted: both tokens and the database's password."""
        url = make_url(self.database_url)
        named = [value for key, value in url.query.items() if "password" in key.lower() and isinstance(value, str)]
        password = [str(url.password)] if url.password else []
        return (self.discord_token.get_secret_value(), self.crosstrade_token.get_secret_value(), *password, *named)


class _JournalOnly(BaseSettings):
    """Settings of a command that reads the journal and nothing else, perhaps where there are no tokens."""

    model_config = Settings.model_config

    database_url: Annotated[str, BeforeValidator(str.strip), AfterValidator(_database)] = Field(
        default=Settings.model_fields["database_url"].default, repr=False
    )


NAMES = tuple(name.upper() for name in Settings.model_fields)
"""The settings' names as the environment and ``.env`` spell them."""

# A key of ``.env`` that begins like this is meant for us, so one that we don't know is a slip of the pen.
_OURS = (*sorted({name.split("_")[0] + "_" for name in NAMES}), "CROSSTALK_", "DESK_")

# In place of what is missing, where only the rest is looked at.
_NOBODYS: Mapping[str, object] = {"discord_token": "none-is-set", "discord_guild_id": (1,), "crosstrade_token": "none-is-set"}

_MENDS = {
    "discord_token": "the token that the Bot page of your Discord application shows, without a word before it",
    "discord_guild_id": "the number that Discord's Copy Server ID gives; several are separated by commas",
    "discord_api_url": "an address like https://discord.com/api/v10, or leave it out",
    "discord_gateway_url": "an address that begins with wss:// or ws://, or leave it out",
    "crosstrade_token": "the token that My Account at app.crosstrade.io reveals, without a word before it",
    "crosstrade_url": (
        "an address without a path like https://app.crosstrade.io, or leave it out; http:// carries the token in clear, "
        "so it is taken for this machine alone (127.0.0.1 or localhost), as for the simulator"
    ),
    "crosstrade_transport": "rest or websocket",
    "crosstrade_rate": "a number of requests per second above 0 and at most 1000, such as 3",
    "crosstrade_burst": "a whole number of requests from 1 to 1000, such as 20",
    "database_url": "sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME",
    "policy_file": "the path of the policy file, such as policy.toml",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
    "log_format": "text or json",
    "metrics_port": "a port from 1 to 65535, or leave it out",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings as far as they can be used.

    Attributes:
        settings: what is wrong has its default there, or something that nobody must use.
        wrong: the setting and what to do, in the order of the settings; what isn't a setting comes first.
    """

    settings: Settings
    wrong: Mapping[str, SettingsError]


def load_what_can_be(env_file: Path | None = ENV_FILE) -> Loaded:
    """Read the settings, and everything that is wrong with them.

    Raises:
        SettingsError: the file itself can't be read.
    """
    return Loaded(*_loaded(Settings, env_file))


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read the settings; the environment beats the file, and a file that isn't there is no error.

    Args:
        env_file: ``None`` reads the environment only.

    Raises:
        SettingsError: everything that is wrong, without any value.
    """
    return _all_or_none(*_loaded(Settings, env_file))


def load_database_url(env_file: Path | None = ENV_FILE) -> str:
    """Address of the journal; the other settings may be missing.

    Raises:
        SettingsError: as for ``load_settings``.
    """
    return _all_or_none(*_loaded(_JournalOnly, env_file)).database_url


def _all_or_none(settings: _Kind, wrong: Mapping[str, SettingsError]) -> _Kind:
    if wrong:
        first, *others = wrong.values()
        # What pydantic has said of a value stays behind.
        raise SettingsError(first.setting, " ".join([first.mend, *map(str, others)])) from None
    return settings


def _loaded(kind: type[_Kind], env_file: Path | None) -> tuple[_Kind, dict[str, SettingsError]]:
    wrong = {} if env_file is None else _check_file(env_file)
    try:
        return kind(_env_file=env_file), wrong
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    states = {str(each["loc"][0]): "missing" if each["type"] == "missing" else "not usable as it is" for each in found}
    for name, state in states.items():
        mend = _MENDS[name]
        # What pydantic says of a value may be the value.
        wrong[name.upper()] = SettingsError(name.upper(), f"{state}; set it in .env or the environment to {mend}.")
    fields = kind.model_fields
    usable: dict[str, Any] = {name: _NOBODYS.get(name, fields[name].default) for name in states}
    return kind(_env_file=env_file, **usable), wrong


def _check_file(path: Path) -> dict[str, SettingsError]:
    """Entries of the file that are no settings, by their names there.

    Raises:
        SettingsError: the file can't be read.
    """
    try:
        return {error.setting: error for key in _keys(path) if (error := _wrong_key(path, key)) is not None}
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise SettingsError(str(path), "it is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(str(path), f"it can't be read ({error.strerror}); mend the file or its rights.") from None


def _keys(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as stream:
        for binding in parse_stream(stream):
            if binding.error or (binding.key is not None and binding.value is None):
                line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
                raise SettingsError(str(path), f"line {line} can't be read; write it as NAME=value.")
            if binding.key is not None:
                yield binding.key


def _wrong_key(path: Path, key: str) -> SettingsError | None:
    name = key.upper()
    if name in NAMES:
        return None
    near = get_close_matches(name, NAMES, n=1, cutoff=0.8)
    if near:
        return SettingsError(key, f"{path} holds this name, which is no setting; did you mean {near[0]}?")
    if name.startswith(_OURS):
        return SettingsError(key, f"{path} holds this name, which is no setting; the settings are {', '.join(NAMES)}.")
    return None
