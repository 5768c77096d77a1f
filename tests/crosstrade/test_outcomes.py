"""The one table: every status, body and exception, for writes and for reads."""

import inspect
import json
from typing import Any

import aiohttp
import pytest

from bot.crosstrade.errors import (
    BROKEN,
    EXPECTED,
    AnswerLost,
    NeverLeft,
    Reply,
    outcome_of_failure,
    outcome_of_reply,
    park_seconds,
    problem_of_failure,
    problem_of_reply,
    rpc_reply,
    says_none,
    sentence_of,
)
from bot.crosstrade.redaction import Excerpt
from bot.errors import BrokerError, BrokerGarbled, BrokerRefused, BrokerUnreachable
from bot.trading.orders.outcomes import Accepted, NotSent, Rejected, Unknown

from .vendor import TOKEN

clean = Excerpt(TOKEN)
REFUSED = {"success": False, "error": "invalid_account", "detail": "Account Sim999 not found"}
NO_POSITION = {"error": "No position found for instrument 'ES 12-25' in account 'sim101'"}

# Every exception that aiohttp's client may raise, and what it proves of an order. A new one must be put here by a person.
PROVES_NOTHING = {
    "ClientError",
    "ClientResponseError",
    "ContentTypeError",
    "WSServerHandshakeError",
    "ClientHttpProxyError",
    "TooManyRedirects",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientOSError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "ClientPayloadError",
    "UploadAbortedError",
    "RedirectClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlRedirectClientError",
}
NOTHING_LEFT = {
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientProxyConnectionError",
    "UnixClientConnectorError",
    "ClientSSLError",
    "ClientConnectorSSLError",
    "ClientConnectorCertificateError",
    "ConnectionTimeoutError",
    "ServerFingerprintMismatch",
    "InvalidURL",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
}


def _every(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_every(below) for below in kind.__subclasses__()))


FAMILY = sorted(
    (kind for kind in _every(aiohttp.ClientError) if kind.__module__.startswith("aiohttp")), key=lambda kind: kind.__name__
)


def test_every_exception_of_the_library_has_its_place() -> None:
    named = {kind.__name__ for kind in FAMILY}
    offered = {name for name, kind in inspect.getmembers(aiohttp, inspect.isclass) if issubclass(kind, aiohttp.ClientError)}
    assert offered <= named
    assert named == PROVES_NOTHING | NOTHING_LEFT


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_an_exception_proves_that_nothing_left_or_proves_nothing(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    outcome = outcome_of_failure(error)
    assert type(outcome) is (NotSent if kind.__name__ in NOTHING_LEFT else Unknown)
    assert outcome.why.endswith(".")
    assert isinstance(problem_of_failure(error), BrokerUnreachable)
    assert isinstance(error, EXPECTED)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), BrokenPipeError(), OSError(5, "io"), ValueError()])
def test_other_exceptions_after_sending_prove_nothing(error: Exception) -> None:
    assert isinstance(outcome_of_failure(error), Unknown)


def test_what_was_never_put_on_a_socket_was_not_sent() -> None:
    assert outcome_of_failure(NeverLeft("The stream is closed.")) == NotSent("The stream is closed.")
    assert isinstance(outcome_of_failure(AnswerLost()), Unknown)
    assert "RuntimeError" in sentence_of(RuntimeError(TOKEN))
    assert TOKEN not in sentence_of(RuntimeError(TOKEN))


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body",
    [
        {"orderId": "cb1f", "success": True},
        {"success": True, "data": {"orderId": "cb1f"}},
        {"success": True, "data": {"success": True, "orderId": "cb1f"}},
        {"success": True, "orderId": " cb1f ", "warning": "x"},
    ],
)
def test_success_with_an_order_id_is_accepted(status: int, body: object) -> None:
    assert outcome_of_reply(Reply(status, body), clean) == Accepted("cb1f")


def test_an_order_id_may_be_a_number() -> None:
    assert outcome_of_reply(Reply(200, {"success": True, "orderId": 676173541025}), clean) == Accepted("676173541025")


@pytest.mark.parametrize(
    "body",
    [
        BROKEN,
        None,
        [],
        ["cb1f"],
        "ok",
        7,
        {},
        {"orderId": "cb1f"},
        {"success": "true", "orderId": "cb1f"},
        {"success": 1, "orderId": "cb1f"},
        {"success": True},
        {"success": True, "orderId": ""},
        {"success": True, "orderId": None},
        {"success": True, "orderId": True},
        {"success": True, "orderId": ["cb1f"]},
        {"success": True, "orderId": TOKEN},
        {"success": True, "data": ["cb1f"]},
        {"success": True, "data": {"success": False, "orderId": "cb1f"}},
        {"success": False, "orderId": "cb1f"},
        {"error": "Invalid request"},
        {"error": "Invalid request", "success": None},
    ],
    ids=str,
)
def test_any_other_success_is_unknown(body: object) -> None:
    outcome = outcome_of_reply(Reply(200, body), clean)
    assert isinstance(outcome, Unknown)
    assert TOKEN not in outcome.why


def test_success_false_is_rejected_with_the_words_of_crosstrade() -> None:
    assert outcome_of_reply(Reply(200, REFUSED), clean) == Rejected("invalid_account: Account Sim999 not found", 200)
    assert outcome_of_reply(Reply(200, {"success": False}), clean) == Rejected("HTTP 200 without a reason.", 200)


@pytest.mark.parametrize("status", [400, 404, 409, 414, 422, 429, 451])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (NO_POSITION, NO_POSITION["error"]),
        (REFUSED, "invalid_account: Account Sim999 not found"),
        ({"success": False, "error": "same", "detail": "same"}, "same"),
        ({"success": False, "data": {"error": "deep"}}, "deep"),
        ({"error": {"code": 7, "message": "inside"}}, "inside"),
        ("just words", "just words"),
    ],
)
def test_a_4xx_is_rejected_with_the_words_of_crosstrade(status: int, body: object, text: str) -> None:
    assert outcome_of_reply(Reply(status, body), clean) == Rejected(text, status)


@pytest.mark.parametrize("body", [{}, [], None, 3, {"error": None}, {"error": ["a"]}], ids=str)
def test_a_4xx_without_words_says_so(body: object) -> None:
    assert outcome_of_reply(Reply(400, body), clean) == Rejected("HTTP 400 without a reason.", 400)


def test_a_4xx_that_is_no_json_shows_plain_text_and_hides_a_page() -> None:
    assert outcome_of_reply(Reply(400, BROKEN, "Bad\r\nthing"), clean) == Rejected("Bad thing", 400)
    page = Reply(403, BROKEN, "<!DOCTYPE html><title>Blocked</title>")
    outcome = outcome_of_reply(page, clean)
    assert isinstance(outcome, Rejected)
    assert "html" not in outcome.text.lower()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_told_as_such(status: int) -> None:
    outcome = outcome_of_reply(Reply(status, {"success": False, "error": "api_requires_pro"}), clean)
    assert isinstance(outcome, Rejected)
    assert outcome.text.startswith("api_requires_pro (")
    assert "CROSSTRADE_TOKEN" in outcome.text


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 408, 500, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [BROKEN, {"error": "Client not ready"}, REFUSED, {"success": True, "orderId": "cb1f"}], ids=str)
def test_408_and_5xx_and_redirects_prove_nothing_whatever_they_say(status: int, body: object) -> None:
    outcome = outcome_of_reply(Reply(status, body), clean)
    assert isinstance(outcome, Unknown)
    assert str(status) in outcome.why


@pytest.mark.parametrize("body", [{"success": True}, {"error": "x", "orderId": "cb1f"}], ids=str)
def test_a_4xx_that_contradicts_itself_proves_nothing(body: object) -> None:
    assert isinstance(outcome_of_reply(Reply(400, body), clean), Unknown)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"success": True, "orderId": "cb1f"}, Accepted),
        (NO_POSITION, Rejected),
        (REFUSED, Rejected),
        ({"success": False}, Rejected),
        ({"success": False, "error": "rate_limited", "retryAfter": 2}, Rejected),
        ({"error": "Rate limit exceeded"}, Rejected),
        ({"success": False, "error": "Client not ready"}, Unknown),
        ({"success": False, "error": "Add-on disconnected"}, Unknown),
        ({"error": "Request timed out"}, Unknown),
        ({"error": "internal_error"}, Unknown),
        ({"error": "Internal Server Error"}, Unknown),
        ({"error": "502 Bad Gateway"}, Unknown),
        ({"error": "NinjaTrader did not respond"}, Unknown),
        ({"error": "tradovate_unavailable"}, Unknown),
        ({}, Unknown),
        (None, Unknown),
        ([], Unknown),
    ],
    ids=str,
)
def test_an_rpc_has_the_outcome_of_the_rest_call_with_the_same_body(data: object, outcome: type[object]) -> None:
    assert type(outcome_of_reply(rpc_reply({"id": "1", "data": data}), clean)) is outcome


def test_an_rpc_error_may_stand_on_top() -> None:
    assert outcome_of_reply(rpc_reply({"id": "1", "error": "Unknown API command"}), clean) == Rejected("Unknown API command", 400)
    assert isinstance(outcome_of_reply(rpc_reply({"id": "1"}), clean), Unknown)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(429, {"error": "Rate limit exceeded"}), 1.0),
        (Reply(429, {"retryAfter": 7}), 7.0),
        (Reply(429, {"retryAfter": 7}, retry_after=3.0), 3.0),
        (Reply(429, {"retryAfter": "soon"}), 1.0),
        (Reply(429, {"retryAfter": [1]}), 1.0),
        (Reply(429, {"retryAfter": 10**400}), 1.0),
        (Reply(429, BROKEN), 1.0),
        (Reply(400, {"retryAfter": 7}), None),
        (Reply(200, {}), None),
    ],
    ids=str,
)
def test_how_long_the_budget_rests(reply: Reply, seconds: float | None) -> None:
    assert park_seconds(reply) == seconds


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, {"success": True, "positions": []}), None),
        (Reply(200, []), None),
        (Reply(200, {"positions": []}), None),
        (Reply(200, {"success": True, "error": "", "positions": []}), None),
        (Reply(200, BROKEN, "<html>"), BrokerGarbled),
        (Reply(200, {"success": False, "error": "x"}), BrokerRefused),
        (Reply(200, {"error": "x"}), BrokerRefused),
        (Reply(400, {"error": "Invalid request"}), BrokerRefused),
        (Reply(401, {"error": "api_requires_pro"}), BrokerRefused),
        (Reply(403, BROKEN, "<html>"), BrokerRefused),
        (Reply(404, {}), BrokerRefused),
        (Reply(408, {"success": False, "error": "Client not ready"}), BrokerUnreachable),
        (Reply(429, {"success": False, "error": "rate_limited"}), BrokerUnreachable),
        (Reply(302, BROKEN), BrokerUnreachable),
        (Reply(500, {"error": "internal_error"}), BrokerUnreachable),
        (Reply(503, BROKEN, "<html>"), BrokerUnreachable),
    ],
    ids=str,
)
def test_what_an_answer_to_a_read_stands_for(reply: Reply, kind: type[BrokerError] | None) -> None:
    problem = problem_of_reply(reply, clean)
    assert problem is None if kind is None else type(problem) is kind


def test_a_refused_read_keeps_status_and_words() -> None:
    problem = problem_of_reply(Reply(400, REFUSED), clean)
    assert isinstance(problem, BrokerRefused)
    assert (problem.status, problem.text) == (400, "invalid_account: Account Sim999 not found")


@pytest.mark.parametrize(
    ("reply", "missing"),
    [
        (Reply(404, {"error": "Order not found"}), True),
        (Reply(404, BROKEN, ""), True),
        (Reply(400, {"error": "Order linked to 'x' not found or already terminal."}), True),
        (Reply(200, {"success": False, "error": "Order not found"}), True),
        (Reply(400, {"success": False, "error": "not_found", "detail": "Order 7 not found in account Sim101"}), True),
        (Reply(404, {"error": "not_found", "did_you_mean": "/v1/api/accounts"}), False),
        (Reply(400, REFUSED), False),
        (Reply(404, REFUSED), False),
        (Reply(400, {"error": "Invalid request"}), False),
        (Reply(408, {"error": "Order not found"}), False),
        (Reply(500, {"error": "Order not found"}), False),
        (Reply(200, {"success": True, "error": "not found"}), False),
        (Reply(200, BROKEN), False),
    ],
    ids=str,
)
def test_only_a_word_about_the_order_says_that_there_is_none(reply: Reply, missing: bool) -> None:
    assert says_none(reply, "order") is missing


@pytest.mark.parametrize("status", [200, 302, 400, 401, 408, 429, 500])
@pytest.mark.parametrize("where", ["error", "detail", "message"])
def test_no_outcome_and_no_error_holds_the_token(status: int, where: str) -> None:
    body: dict[str, Any] = {"success": False, where: f"bad header Authorization: Bearer {TOKEN}"}
    reply = Reply(status, body, json.dumps(body))
    assert TOKEN not in repr(outcome_of_reply(reply, clean))
    assert TOKEN not in str(problem_of_reply(reply, clean))
    assert TOKEN not in repr(outcome_of_reply(Reply(status, BROKEN, json.dumps(body)), clean))
