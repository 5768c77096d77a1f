"""Settings: what is read from where, what is refused with which sentence, and that no value is ever told."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.errors import SettingsError
from bot.settings import _MENDS, NAMES, LogFormat, LogLevel, Settings, load_database_url, load_settings
from bot.transport import Transport

EXAMPLE = Path(__file__).parents[2] / ".env.example"
NEEDED = {"DISCORD_TOKEN": "discord-secret-1", "DISCORD_GUILD_ID": "1000", "CROSSTRADE_TOKEN": "crosstrade-secret-2"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(values: Mapping[str, str]) -> Path:
    path = Path(".env")
    path.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8")
    return path


def refusal(values: Mapping[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(written(values))
    return caught.value


def test_the_three_that_are_needed_are_enough_and_the_rest_has_the_defaults_of_the_contract() -> None:
    settings = load_settings(written(NEEDED))
    assert settings.model_dump() == {
        "discord_token": SecretStr("discord-secret-1"),
        "discord_guild_id": (1000,),
        "discord_api_url": "https://discord.com/api/v10",
        "discord_gateway_url": None,
        "crosstrade_token": SecretStr("crosstrade-secret-2"),
        "crosstrade_url": "https://app.crosstrade.io",
        "crosstrade_transport": Transport.REST,
        "crosstrade_rate": 3,
        "crosstrade_burst": 20,
        "database_url": "sqlite+aiosqlite:///desk.db",
        "policy_file": Path("policy.toml"),
        "log_level": LogLevel.INFO,
        "log_format": LogFormat.TEXT,
        "metrics_port": None,
    }


def test_the_example_names_every_setting_with_its_default_and_nothing_else() -> None:
    example = dotenv_values(EXAMPLE)
    assert list(example) == list(NAMES)
    for name, field in Settings.model_fields.items():
        expected = "" if field.is_required() or field.default is None else str(field.default)
        assert example[name.upper()] == expected, name


def test_the_example_with_its_three_blanks_filled_in_loads() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, value in NEEDED.items():
        text = text.replace(f"{name}=\n", f"{name}={value}\n")
    Path(".env").write_text(text, encoding="utf-8")
    assert load_settings() == load_settings(written(NEEDED))


def test_every_setting_has_a_mend() -> None:
    assert list(_MENDS) == list(Settings.model_fields)


def test_the_file_of_the_working_directory_is_read_unless_told_otherwise() -> None:
    written(NEEDED)
    assert load_settings().discord_guild_id == (1000,)
    with pytest.raises(SettingsError, match="DISCORD_TOKEN: missing"):
        load_settings(None)


def test_a_file_that_is_not_there_leaves_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert load_settings(Path("nowhere.env")).discord_guild_id == (1000,)


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSTRADE_BURST", "7")
    monkeypatch.setenv("DISCORD_TOKEN", "from-the-environment")
    settings = load_settings(written({**NEEDED, "CROSSTRADE_BURST": "9"}))
    assert settings.crosstrade_burst == 7
    assert settings.discord_token.get_secret_value() == "from-the-environment"


def test_an_empty_value_counts_as_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "")
    settings = load_settings(written({**NEEDED, "METRICS_PORT": "", "LOG_LEVEL": ""}))
    assert settings.discord_token.get_secret_value() == "discord-secret-1"
    assert settings.metrics_port is None
    assert settings.log_level is LogLevel.INFO


def test_settings_can_be_built_by_hand() -> None:
    settings = Settings(discord_token=SecretStr("a"), discord_guild_id=(1, 2), crosstrade_token=SecretStr("b"))
    assert settings.discord_guild_id == (1, 2)


def test_settings_are_frozen() -> None:
    settings = load_settings(written(NEEDED))
    for name in Settings.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(settings, name, getattr(settings, name))


def test_unknown_names_in_the_environment_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKN", "x")
    monkeypatch.setenv("DESK_COLOUR", "x")
    assert load_settings(written(NEEDED)).discord_guild_id == (1000,)


def test_foreign_names_in_the_file_are_left_alone() -> None:
    assert load_settings(written({**NEEDED, "POSTGRES_PASSWORD": "x", "TZ": "UTC"})).discord_guild_id == (1000,)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("DISCORD_TOKN", "DISCORD_TOKEN"),
        ("DISCORD_GUILD", "DISCORD_GUILD_ID"),
        ("DICSORD_TOKEN", "DISCORD_TOKEN"),
        ("CROSSTRADE_TRANSPROT", "CROSSTRADE_TRANSPORT"),
        ("log_levl", "LOG_LEVEL"),
    ],
)
def test_a_slip_of_the_pen_in_the_file_is_told_with_what_was_meant(typed: str, meant: str) -> None:
    error = refusal({**NEEDED, typed: "some-secret"})
    assert error.setting == typed
    assert f"did you mean {meant}?" in error.mend
    assert "some-secret" not in str(error)


@pytest.mark.parametrize("name", ["DESK_COLOUR", "CROSSTALK_MODE", "DISCORD_X", "METRICS_HOST_AND_SO_ON"])
def test_a_name_that_looks_like_ours_but_is_none_is_told_with_those_that_are(name: str) -> None:
    error = refusal({**NEEDED, name: "x"})
    assert error.setting == name
    assert all(known in error.mend for known in NAMES)


@pytest.mark.parametrize("name", list(NEEDED))
def test_a_missing_setting_is_named_with_what_to_do(name: str) -> None:
    error = refusal({key: value for key, value in NEEDED.items() if key != name})
    assert error.setting == name
    assert error.mend.startswith("missing; set it in .env or the environment to ")
    assert error.mend.endswith(_MENDS[name.lower()] + ".")


WRONG = [
    ("DISCORD_TOKEN", "Bot swordfish"),
    ("DISCORD_TOKEN", "sword fish"),
    ("DISCORD_TOKEN", "swördfish"),
    ("CROSSTRADE_TOKEN", "Bearer swordfish"),
    ("CROSSTRADE_TOKEN", "sword\tfish"),
    ("DISCORD_GUILD_ID", "swordfish"),
    ("DISCORD_GUILD_ID", "1000 2000"),
    ("DISCORD_GUILD_ID", "1000,-2"),
    ("DISCORD_GUILD_ID", "0"),
    ("DISCORD_GUILD_ID", ","),
    ("DISCORD_GUILD_ID", "[1000]"),
    ("DISCORD_GUILD_ID", "\u0661\u0660"),
    ("DISCORD_GUILD_ID", "9223372036854775808"),
    ("DISCORD_API_URL", "discord.com/api"),
    ("DISCORD_API_URL", "ftp://discord.com/api"),
    ("DISCORD_API_URL", "https://user:swordfish@discord.com/api"),
    ("DISCORD_API_URL", "https://discord.com/api?x=swordfish"),
    ("DISCORD_API_URL", "https://discord.com/api#swordfish"),
    ("DISCORD_API_URL", "https://discord.com/a b"),
    ("DISCORD_API_URL", "https:///api"),
    ("DISCORD_API_URL", "https://discord.com:swordfish/api"),
    ("DISCORD_GATEWAY_URL", "https://gateway.discord.gg"),
    ("DISCORD_GATEWAY_URL", "gateway"),
    ("CROSSTRADE_URL", "https://app.crosstrade.io/v1/api"),
    ("CROSSTRADE_URL", "wss://app.crosstrade.io"),
    ("CROSSTRADE_URL", "https://crösstrade.io"),
    ("CROSSTRADE_URL", "http://127.0.0.1:0"),
    ("CROSSTRADE_URL", "http://127.0.0.1:70000"),
    ("CROSSTRADE_TRANSPORT", "pigeon"),
    ("CROSSTRADE_RATE", "0"),
    ("CROSSTRADE_RATE", "-1"),
    ("CROSSTRADE_RATE", "nan"),
    ("CROSSTRADE_URL", "http://simulator:8765"),
    ("CROSSTRADE_URL", "http://10.0.0.7"),
    ("CROSSTRADE_RATE", "inf"),
    ("CROSSTRADE_RATE", "fast"),
    ("CROSSTRADE_BURST", "0"),
    ("CROSSTRADE_BURST", "2.5"),
    ("DATABASE_URL", "desk.db"),
    ("DATABASE_URL", "sqlite:///desk.db"),
    ("DATABASE_URL", "postgres://u:swordfish@h/d"),
    ("DATABASE_URL", "postgresql+asyncpg://u:swordfish@h"),
    ("DATABASE_URL", "postgresql+asyncpg://u:swordfish@h:port/d"),
    ("DATABASE_URL", "sqlite+aiosqlite://"),
    ("DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
    ("DATABASE_URL", "sqlite+aiosqlite:///file:desk?mode=memory&uri=true"),
    ("DATABASE_URL", "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("METRICS_PORT", "0"),
    ("METRICS_PORT", "65536"),
    ("METRICS_PORT", "http"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_setting_and_mend_and_no_value(name: str, value: str) -> None:
    error = refusal({**NEEDED, name: value})
    assert error.setting == name
    assert str(error) == f"{name}: not usable as it is; set it in .env or the environment to {_MENDS[name.lower()]}."
    assert "swordfish" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


@given(
    name=st.sampled_from(NAMES),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'\\"), min_size=12),
)
def test_whatever_is_pasted_into_a_setting_is_not_told(name: str, value: str) -> None:
    values = {**NEEDED, name: f"7§{value}§7"}
    if name == "POLICY_FILE":
        assert load_settings(written(values)).policy_file == Path(values[name])
    else:
        error = refusal(values)
        assert "§" not in f"{error} {error.args}"


def test_neither_tokens_nor_the_databases_password_show_in_a_printout() -> None:
    settings = load_settings(written({**NEEDED, "DATABASE_URL": "postgresql+asyncpg://desk:sword%2Ffish@db/desk"}))
    assert not re.search(r"secret-\d|fish", f"{settings!r} {settings}")


def test_the_secrets_are_both_tokens_and_the_databases_passwords() -> None:
    url = "postgresql+asyncpg://desk:sword%2Ffish@db/desk?sslpassword=herring&ssl=require"
    assert load_settings(written({**NEEDED, "DATABASE_URL": url})).secrets == (
        "discord-secret-1",
        "crosstrade-secret-2",
        "sword/fish",
        "herring",
    )
    assert load_settings(written(NEEDED)).secrets == ("discord-secret-1", "crosstrade-secret-2")


def test_spelling_is_forgiven_where_it_can_only_mean_one_thing() -> None:
    settings = load_settings(
        written(
            {
                "DISCORD_TOKEN": "  discord-secret-1 ",
                "DISCORD_GUILD_ID": " 1000, 2000 ,1000,",
                "CROSSTRADE_TOKEN": "crosstrade-secret-2",
                "CROSSTRADE_TRANSPORT": "WebSocket",
                "LOG_LEVEL": "debug",
                "LOG_FORMAT": "JSON",
                "METRICS_PORT": "off",
                "DISCORD_GATEWAY_URL": "ws://127.0.0.1:9000/",
            }
        )
    )
    assert settings.discord_token.get_secret_value() == "discord-secret-1"
    assert settings.discord_guild_id == (1000, 2000)
    assert settings.crosstrade_transport is Transport.WEBSOCKET
    assert settings.log_level is LogLevel.DEBUG
    assert settings.log_format is LogFormat.JSON
    assert settings.metrics_port is None
    assert settings.discord_gateway_url == "ws://127.0.0.1:9000"


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    lines = "".join(f"{name}={value}\r\n" for name, value in NEEDED.items())
    Path(".env").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert load_settings().discord_token.get_secret_value() == "discord-secret-1"


@pytest.mark.parametrize("broken", ["DISCORD_TOKEN='swordfish", "DISCORD_TOKEN swordfish", "LOG_LEVEL"])
def test_a_line_that_cannot_be_read_is_told_by_its_number(broken: str) -> None:
    Path(".env").write_text(f"# first\n\n{broken}\nLOG_FORMAT=text\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == ".env: line 3 can't be read; write it as NAME=value."


def test_a_file_that_is_not_utf_8_is_refused_in_one_sentence() -> None:
    Path(".env").write_bytes("DISCORD_TOKEN=swördfish\n".encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == ".env: it is not UTF-8 text; save it as UTF-8."


def test_a_folder_in_the_files_place_is_refused_in_one_sentence() -> None:
    Path(".env").mkdir()
    with pytest.raises(SettingsError, match=r"^\.env: it can't be read \(.+\); mend the file or its rights\.$"):
        load_settings()


def test_where_the_journal_is_can_be_read_where_there_are_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_database_url() == Settings.model_fields["database_url"].default
    written({"DATABASE_URL": "sqlite+aiosqlite:///mine.db", "DISCORD_TOKEN": "not a token"})
    assert load_database_url() == "sqlite+aiosqlite:///mine.db"
    monkeypatch.setenv("DATABASE_URL", " postgresql+asyncpg://u:s3cret@host/name ")
    assert load_database_url() == "postgresql+asyncpg://u:s3cret@host/name"
    monkeypatch.setenv("DATABASE_URL", "mysql://u:s3cret@host/name")
    with pytest.raises(SettingsError) as caught:
        load_database_url()
    assert str(caught.value).startswith("DATABASE_URL: not usable as it is; set it")
    assert "s3cret" not in str(caught.value)
    monkeypatch.delenv("DATABASE_URL")
    written({"DATABASE_URI": "x"})
    with pytest.raises(SettingsError, match="did you mean DATABASE_URL"):
        load_database_url()


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "127.3.0.1", "localhost:1", "bot.localhost", "[::1]:8765"])
def test_the_simulator_on_this_machine_needs_no_tls(host: str) -> None:
    assert load_settings(written({**NEEDED, "CROSSTRADE_URL": f"http://{host}"})).crosstrade_url == f"http://{host}"


def test_everything_that_is_wrong_is_named_at_once() -> None:
    told = str(refusal({"CROSSTRADE_BURST": "many"}))
    assert told.startswith("DISCORD_TOKEN: missing; ")
    assert all(f" {name}: " in told for name in ("DISCORD_GUILD_ID", "CROSSTRADE_TOKEN", "CROSSTRADE_BURST"))
