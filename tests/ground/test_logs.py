"""Logs: no secret survives, whatever it is wrapped in; foreign text forges no line; ids come along."""

import asyncio
import gc
import io
import json
import logging
import re
import sys
import threading
import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.logs import bound, configure
from bot.redaction import HIDDEN, Redactor

SECRET = "swordfish-123"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<level>[A-Z]+) (?P<logger>\S+?)(?P<ids>( \w+=\S+)*): (?P<text>.*)")
BOT_TOKEN = ".".join((urlsafe_b64encode(b"1234567890123456789").decode().rstrip("="), "GabcDE", "x-_" * 10))


def configured(*secrets: str, layout: str = "text", level: str = "DEBUG") -> io.StringIO:
    stream = io.StringIO()
    configure(level, layout, secrets, stream)
    return stream


class Unprintable:
    """An object of which every printout fails, with the secret in the failure."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __str__(self) -> str:
        raise ValueError(self.secret)

    __repr__ = __str__


def chained(secret: str) -> Exception:
    first = KeyError(secret)
    first.add_note(f"noted {secret}")
    second = ConnectionError(b"sent " + secret.encode())
    second.__cause__ = first
    return ExceptionGroup(f"several {secret}", [second, ValueError({"password": [secret]})])


log = logging.getLogger("bot.somewhere")

SHAPES: list[Callable[[str], object]] = [
    log.info,
    lambda secret: log.info("%s", secret),
    lambda secret: log.info("%r and %s", {"Authorization": f"Bearer {secret}", "list": [secret]}, (secret,)),
    lambda secret: log.info("%s", secret.encode()),
    lambda secret: log.info("%s", repr(repr({"x": repr(secret)}))),
    lambda secret: log.info("%s", repr(f"\"'{secret}'\"")),
    lambda secret: log.info("%s %s", secret[:4], secret),
    lambda secret: log.info("%s%s", secret[:4], secret[4:]),
    lambda secret: log.info("%s", json.dumps({"token": secret})),
    lambda secret: log.info("%s", json.dumps(json.dumps([secret]))),
    lambda secret: log.info("GET /x?key=%s", quote(secret.encode(), safe="")),
    lambda secret: log.info("key=%s", quote_plus(secret.encode())),
    lambda secret: log.info("postgresql://desk:%s@db/desk", secret),
    lambda secret: log.info("%d contracts", secret),
    lambda secret: log.info("one %s", *[secret, secret]),
    lambda secret: log.info("%s", Unprintable(secret)),
    lambda secret: log.info("%(key)s", {"key": secret}),
    lambda secret: log.info("first line\n%s\r\nlast", secret),
    lambda secret: log.error("it failed", exc_info=chained(secret)),
    lambda secret: log.error("%s", chained(secret)),
    lambda secret: log.error("it failed", exc_info=ValueError(Unprintable(secret))),
    lambda secret: log.info("with its stack", stack_info=True, extra={"secret": secret}),
    lambda secret: logging.getLogger("discord.http").info("%s", secret),
    lambda secret: logging.getLogger("aiohttp.access").warning("%s", secret),
    lambda secret: logging.getLogger(f"bot.{secret}").warning("a name"),
    lambda secret: sys.excepthook(ValueError, ValueError(secret), None),
]

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=30).map(lambda text: f"S3{text}")


@given(secret=secrets, say=st.sampled_from(SHAPES), layout=st.sampled_from(["text", "json"]))
@example("S3'\"\\/ \t\né€😀%", SHAPES[2], "text")
@example("S3\\\\'\\\n\\x\"'\\", SHAPES[4], "json")
def test_no_secret_survives_whatever_it_is_wrapped_in(secret: str, say: Callable[[str], object], layout: str) -> None:
    stream = configured(secret, "another one", layout=layout)
    with bound(ticket=secret):
        say(secret)
    written = stream.getvalue()
    assert written
    texts = [written]
    if layout == "json":
        texts += [str(value) for line in written.splitlines() if line[0] == "{" for value in json.loads(line).values()]
    for text in texts:
        assert secret not in text
        assert repr(secret)[1:-1] not in text
        assert json.dumps(secret)[1:-1] not in text
        assert quote(secret, safe="") not in text
        assert repr(secret.encode())[2:-1] not in text


@given(text=st.text(), others=st.lists(st.text(), max_size=3))
def test_redaction_ends_and_a_second_one_changes_nothing_more(text: str, others: list[str]) -> None:
    redact = Redactor([SECRET, *(other for other in others if len(other) > 3)])
    assert redact(redact(text)) == redact(text)


def test_of_two_secrets_the_longer_one_goes_whole() -> None:
    redact = Redactor(["swordfish", "swordfish-and-chips", ""])
    assert redact("swordfish swordfish-and-chips") == f"{HIDDEN} {HIDDEN}"


def test_without_secrets_ordinary_text_stays_as_it_is() -> None:
    text = "10:30 bot.desk.execution.send sold 2 ES 09-26 at 5800.25 for trader@desk, see https://discord.com:443/x, a bearer"
    assert Redactor([])(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.DEF-123", f"Authorization: {HIDDEN}"),
        ("{'authorization': 'bearer  abc'}", f"{{'authorization': {HIDDEN}'}}"),
        ("header=Bearer%20abc", f"header=Bearer%20{HIDDEN}"),
        (f"Bot {BOT_TOKEN}!", f"Bot {HIDDEN}!"),
        ("postgresql+asyncpg://desk:p:w/d@x@db:5432/desk", f"postgresql+asyncpg://desk:{HIDDEN}@db:5432/desk"),
        ("http://:word@host", f"http://:{HIDDEN}@host"),
        ("POST /webhooks/123/aW50ZXJhY3Rpb24/messages", f"POST /webhooks/123/{HIDDEN}/messages"),
        ("POST /interactions/123/aW50ZXJhY3Rpb24/callback", f"POST /interactions/123/{HIDDEN}/callback"),
    ],
)
def test_a_secret_that_nobody_told_us_of_is_known_by_its_shape(text: str, left: str) -> None:
    assert Redactor([])(text) == left


@pytest.mark.parametrize("piece", ["a", "://:", "bearer ", "bearer%20", "\\", "://a:b", "x.", "/webhooks/1/", "S3\\"])
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    redact = Redactor(["S3\\\\\\'\"\\end"])
    begun = time.perf_counter()
    redact(piece * (200_000 // len(piece)))
    assert time.perf_counter() - begun < 2


def test_a_text_line_tells_time_level_place_ids_and_message() -> None:
    stream = configured()
    with bound(ticket="t1", member=42), bound(order=None):
        log.warning("sent %s", "once")
    match = LINE.fullmatch(stream.getvalue().rstrip("\n"))
    assert match
    assert match.groupdict() == {
        "level": "WARNING",
        "logger": "bot.somewhere",
        "ids": " ticket=t1 member=42",
        "text": "sent once",
    }


def test_a_json_line_tells_the_same_by_name() -> None:
    stream = configured(SECRET, layout="json")
    with bound(ticket="t1", member=42, message="not this"):
        log.error("sent %s", "ünce", exc_info=ValueError(SECRET), stack_info=True)
    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("stack").startswith("Stack (most recent call last)")
    assert line == {
        "ticket": "t1",
        "member": "42",
        "level": "ERROR",
        "logger": "bot.somewhere",
        "message": "sent ünce",
        "exception": f"ValueError: {HIDDEN}",
    }


def test_ids_end_with_their_block_even_when_it_fails() -> None:
    stream = configured()
    with pytest.raises(KeyError), bound(ticket="t1"), bound(ticket="t2"):
        raise KeyError
    log.info("after")
    assert "ticket" not in stream.getvalue()


async def test_each_task_has_its_own_ids() -> None:
    stream = configured()
    both = asyncio.Barrier(2)

    async def say(ticket: str) -> None:
        with bound(ticket=ticket):
            await both.wait()
            log.info("from %s", ticket)

    await asyncio.gather(say("t1"), say("t2"))
    assert sorted(re.findall(r"ticket=(t\d): from (t\d)", stream.getvalue())) == [("t1", "t1"), ("t2", "t2")]


@pytest.mark.parametrize("layout", ["text", "json"])
def test_foreign_text_cannot_pass_for_a_line_of_its_own(layout: str) -> None:
    stream = configured(layout=layout)
    log.info("%s", "x\n2026-01-01T00:00:00.000Z INFO bot: forged\r\x1b[2Kgone\x85\x7f")
    lines = stream.getvalue().split("\n")
    assert len([line for line in lines if line and not line.startswith("    ")]) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", stream.getvalue())


def test_the_level_counts_for_us_and_foreign_chatter_stays_out() -> None:
    stream = configured(level="DEBUG")
    log.debug("ours")
    for name in ("discord.http", "aiohttp.client", "aiosqlite"):
        logging.getLogger(name).debug("chatter")
    for name in ("aiohttp.access", "sqlalchemy.engine.Engine", "alembic.runtime.migration"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("discord.client").info("theirs")
    assert [line.rpartition(": ")[2] for line in stream.getvalue().splitlines()] == ["ours", "theirs"]
    stream = configured(level="ERROR")
    logging.getLogger("discord.client").warning("theirs")
    log.warning("ours")
    assert not stream.getvalue()


def test_handlers_that_others_had_put_up_are_gone() -> None:
    bare = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(bare))
    logging.getLogger("discord").addHandler(logging.StreamHandler(bare))
    logging.getLogger("discord").propagate = False
    stream = configured(SECRET)
    logging.getLogger("discord").warning("with %s", SECRET)
    assert not bare.getvalue()
    assert f"with {HIDDEN}" in stream.getvalue()


def test_a_line_that_cannot_be_written_is_told_by_its_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    stream = configured(SECRET)
    log.info("%d", SECRET)
    assert capsys.readouterr() == ("", "")
    assert re.fullmatch(
        r"bot\.somewhere: a log line could not be written \(TypeError\): .*test_logs\.py:\d+\n", stream.getvalue()
    )


def test_a_closed_stream_hurts_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = configured()
    stream.close()
    log.info("unheard")
    assert capsys.readouterr() == ("", "")


def test_lines_go_to_standard_error_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text", [SECRET])
    log.info("heard")
    out, err = capsys.readouterr()
    assert not out
    assert err.endswith("INFO bot.somewhere: heard\n")


async def test_what_ends_a_task_that_nobody_awaits_is_logged_redacted() -> None:
    stream = configured(SECRET)

    async def fail() -> None:
        raise ValueError(SECRET)

    task = asyncio.get_running_loop().create_task(fail(), name="lonely")
    await asyncio.wait([task])
    del task
    gc.collect()
    assert "Task exception was never retrieved" in stream.getvalue()
    assert f"ValueError: {HIDDEN}" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_what_ends_a_thread_is_logged_redacted() -> None:
    stream = configured(SECRET)
    for error in (ValueError(SECRET), SystemExit(SECRET)):

        def fail(error: BaseException = error) -> None:
            raise error

        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()
    assert stream.getvalue().count("The thread worker ended with an error.") == 1
    assert f"ValueError: {HIDDEN}" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_what_ends_the_program_is_logged_redacted_and_an_interrupt_is_no_error() -> None:
    stream = configured(SECRET)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not stream.getvalue()
    sys.excepthook(ValueError, ValueError(SECRET), None)
    assert "CRITICAL bot.logs: Nobody caught this error; the program ends." in stream.getvalue()
    assert f"ValueError: {HIDDEN}" in stream.getvalue()


def test_an_error_in_a_finaliser_is_logged_redacted() -> None:
    stream = configured(SECRET)

    class Leaving:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    Leaving()
    gc.collect()
    assert "Exception ignored in" in stream.getvalue() or "An error was ignored in" in stream.getvalue()
    assert f"ValueError: {HIDDEN}" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_warnings_are_logged_redacted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        stream = configured(SECRET)
        warnings.warn(f"soon gone: {SECRET}", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert f"soon gone: {HIDDEN}" in stream.getvalue()
    assert SECRET not in stream.getvalue()
