"""The one table: what a status, a body or an exception proves of a write, and which error a failed read becomes.

For a write the question is "was nothing done?"; only a proof counts, everything else is unknown. For a read any failure is a
``BrokerError``. No connection is made here, and no row is read.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from bot.errors import BrokerError, BrokerGarbled, BrokerLacks, BrokerRefused, BrokerUnreachable
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown

Clean = Callable[[str], str]

TOKEN_REFUSED = "CrossTrade refused the token: check CROSSTRADE_TOKEN and the plan."  # noqa: S105  a sentence, no token
BUDGET_SPENT = "The request budget of CrossTrade was used up before there was a turn."
GARBLED = "CrossTrade sent an answer that can't be read."

# Error texts that stand for HTTP 408 and 5xx where there is no status, which is over the WebSocket: they say that the answer
# is missing, not that nothing was done. "Client not ready" and its like are observed (client code of others), the rest is
# inferred, and rather too wide than too narrow: an unknown outcome is looked into, a wrong "rejected" is not.
_NO_PROOF = re.compile(
    r"not (?:ready|connected|respond)|no (?:response|answer|reply)|(?:did ?n.t|did not) (?:respond|answer)|disconnect"
    r"|connection (?:closed|lost|reset)|time[ds]?[ _-]?out|(?:internal|server)[ _]error|exception|gateway|unavailable|unreachable"
    r"|offline|try again",
    re.IGNORECASE,
)


# The add-on's own word for a close whose end it could not see (newest close page; full text unknown).
_NEEDS_A_LOOK = "close_needs_reconciliation"


class NeverLeft(Exception):
    """A request was not put on an open connection; the sentence says why."""


class NoStream(NeverLeft):
    """There was no open stream to put it on; the other way may be open."""


class AnswerLost(Exception):
    """A request was put on a connection, and the connection went before the answer came."""


class Broken:
    """The place of a body that is no JSON."""

    def __repr__(self) -> str:
        return "BROKEN"


BROKEN = Broken()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came.

    Attributes:
        status: HTTP status; of an RPC, which has none, the status that the same body has over REST (inferred).
        body: the JSON value, or ``BROKEN``.
        text: the raw text of a broken body.
        retry_after: seconds of the ``Retry-After`` header.
    """

    status: int
    body: object
    text: str = ""
    retry_after: float | None = None


# What requests and answers may well raise; anything else is a surprise, to be logged with its traceback.
EXPECTED = (aiohttp.ClientError, OSError, ValueError, NeverLeft, AnswerLost)

# ClientConnectorError covers refused connections, DNS, TLS and certificates: all of it happens before the request's first byte.
_BEFORE_THE_FIRST_BYTE = (
    NeverLeft,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "The name of CrossTrade's server can't be resolved."),
    (aiohttp.ClientSSLError, "No secure connection to CrossTrade could be made."),
    (aiohttp.ServerFingerprintMismatch, "No secure connection to CrossTrade could be made."),
    (aiohttp.ConnectionTimeoutError, "No connection to CrossTrade could be made in time."),
    (aiohttp.ClientConnectorError, "No connection to CrossTrade could be made."),
    (aiohttp.RedirectClientError, "CrossTrade sent the request elsewhere."),
    (aiohttp.InvalidURL, "CROSSTRADE_URL is no address that can be used."),
    (aiohttp.NonHttpUrlClientError, "CROSSTRADE_URL is no address that can be used."),
    (TimeoutError, "CrossTrade did not answer in time."),
    (aiohttp.ServerDisconnectedError, "CrossTrade closed the connection without an answer."),
    (aiohttp.ClientPayloadError, "CrossTrade's answer broke off."),
    (aiohttp.ClientResponseError, "CrossTrade's answer is no HTTP."),
    (OSError, "The connection to CrossTrade broke."),
    (AnswerLost, "The connection to CrossTrade broke."),
)


def outcome_of_reply(reply: Reply, clean: Clean, *, gives_id: bool = True) -> Outcome:
    """The outcome that an answer to a write proves.

    Accepted needs success and, where the call ``gives_id``, an order id; rejected needs a refusal and no sign of the contrary.
    """
    status, succeeded, order_id = reply.status, _success(reply.body), _order_id(reply.body)
    if _NEEDS_A_LOOK in _reason(reply.body):
        return Unknown(clean(f"CrossTrade couldn't confirm the end of it: {_reason(reply.body)}"))
    if not gives_id and _is_success(status) and succeeded is True:
        return Accepted(None, _listed_ids(reply.body, clean))
    # An id that isn't fit to be shown, such as an echo of the token, is no order id.
    if _is_success(status) and succeeded is True and order_id and clean(order_id) == order_id:
        return Accepted(order_id)
    contradicts = succeeded is True or order_id is not None
    refused = _is_refusal(status) or (_is_success(status) and succeeded is False)
    if refused and not contradicts:
        return Rejected(_refusal(reply, clean), status)
    if not _is_success(status):
        return Unknown(clean(f"CrossTrade answered HTTP {status}, which proves nothing. {_reason(reply.body)}"))
    return Unknown("CrossTrade's answer holds no order id." if isinstance(reply.body, Mapping) else GARBLED)


def outcome_of_failure(error: Exception) -> NotSent | Unknown:
    """The outcome that an exception proves of a write: that no byte of it left, or nothing."""
    if isinstance(error, _BEFORE_THE_FIRST_BYTE) and not isinstance(error, aiohttp.RedirectClientError):
        return NotSent(sentence_of(error))
    return Unknown(sentence_of(error))


def problem_of_reply(reply: Reply, clean: Clean) -> BrokerError | None:
    """The error that an answer to a read stands for; ``None`` when its body may be read on."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return BrokerUnreachable("CrossTrade says that there were too many requests; try again in some seconds.")
    if _is_refusal(reply.status):
        return _refused(reply, clean)
    if not _is_success(reply.status):
        return BrokerUnreachable(clean(f"CrossTrade answered HTTP {reply.status}. {_reason(reply.body)}"))
    if reply.body is BROKEN:
        return BrokerGarbled(GARBLED)
    if _success(reply.body) is False or (_success(reply.body) is None and _has_error(reply.body)):
        return _refused(reply, clean)
    return None


def problem_of_failure(error: Exception) -> BrokerUnreachable:
    """The error that an exception at a read stands for."""
    return BrokerUnreachable(sentence_of(error))


def sentence_of(error: Exception) -> str:
    """Say an exception in plain words; its own text is left out, as it may hold anything."""
    if isinstance(error, NeverLeft):
        return str(error)
    found = next((sentence for kind, sentence in _SENTENCES if isinstance(error, kind)), None)
    return found or f"The request to CrossTrade failed ({type(error).__name__})."


def rpc_reply(frame: Mapping[str, object]) -> Reply:
    """Read an RPC's answer as the REST reply with the same body.

    ``{"id", "data"}`` is documented; an error may stand on top, in ``data``, or be ``success: false`` there (inferred).
    """
    body: object = frame["data"] if "data" in frame else {name: value for name, value in frame.items() if name != "id"}
    if _success(body) is True or not (_has_error(body) or _success(body) is False):
        return Reply(HTTPStatus.OK.value, body)
    text = _reason(body).casefold()
    if "rate_limited" in text or "rate limit" in text:
        return Reply(HTTPStatus.TOO_MANY_REQUESTS.value, body)
    if _NO_PROOF.search(text):
        return Reply(HTTPStatus.REQUEST_TIMEOUT.value, body)
    return Reply(HTTPStatus.BAD_REQUEST.value, body)


def park_seconds(reply: Reply) -> float | None:
    """Seconds that the budget rests after a 429: the header counts, then the body's ``retryAfter``, then one; else ``None``."""
    if reply.status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    if reply.retry_after is not None:
        return reply.retry_after
    asked = reply.body.get("retryAfter") if isinstance(reply.body, Mapping) else None
    try:
        return float(asked) if asked is not None else 1.0
    except (TypeError, ValueError, OverflowError):
        return 1.0


def says_none(reply: Reply, what: str) -> bool:
    """Tell whether an answer to a read of one ``order`` or ``execution`` says that there is none.

    404 is inferred; 400 "not found" is what the cancel page has.
    """
    if not _says_no(reply):
        return False
    text = _reason(reply.body).casefold()
    # These speak of the path or of the account, not of what was asked for.
    if _names_no_call(reply) or ("account" in text and what not in text):
        return False
    return reply.status == HTTPStatus.NOT_FOUND or "not found" in text


def says_no_position(reply: Reply) -> bool:
    """Tell whether an answer to GET Get position says that nothing is open there.

    What a flat account answers is unknown; "No position found" is what the reverse page has, "Invalid request" is this page's
    only sample.
    """
    text = _reason(reply.body).casefold()
    return _says_no(reply) and not _names_no_call(reply) and ("no position" in text or text == "invalid request")


def says_no_call(reply: Reply) -> bool:
    """Tell whether an answer says that there is no such call: then nobody has done anything.

    A path that isn't there has ``did_you_mean`` (official), a name that the add-on doesn't know "Unknown API command" (its
    lifecycle page).
    """
    is_unknown = _says_no(reply) and "unknown api command" in _reason(reply.body).casefold()
    return _success(reply.body) is not True and _order_id(reply.body) is None and (is_unknown or _names_no_call(reply))


def says_token_refused(reply: Reply) -> bool:
    """Tell whether the token, or its plan, was refused."""
    return reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT


def _says_no(reply: Reply) -> bool:
    return _is_refusal(reply.status) or (_is_success(reply.status) and _success(reply.body) is False)


def _names_no_call(reply: Reply) -> bool:
    """Tell whether the path is none of CrossTrade's (structured 404, official)."""
    return isinstance(reply.body, Mapping) and "did_you_mean" in reply.body


def _refused(reply: Reply, clean: Clean) -> BrokerRefused:
    return (BrokerLacks if says_no_call(reply) else BrokerRefused)(reply.status, _refusal(reply, clean))


def _success(body: object) -> object:
    return body.get("success") if isinstance(body, Mapping) else None


def _has_error(body: object) -> bool:
    return isinstance(body, Mapping) and bool(body.get("error"))


def _order_id(body: object) -> str | None:
    """The order id, flat or nested in ``data``; a nested answer that takes the success back has none."""
    if not isinstance(body, Mapping):
        return None
    data = body.get("data")
    found = body.get("orderId")
    if found is None and isinstance(data, Mapping) and data.get("success") is not False:
        found = data.get("orderId")
    if isinstance(found, str):
        return found.strip() or None
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else None


def _listed_ids(body: object, clean: Clean) -> tuple[str, ...]:
    """Every id of ``orderIds`` that is fit to be shown."""
    found = body.get("orderIds") if isinstance(body, Mapping) else None
    texts = [str(one).strip() for one in found if isinstance(one, str | int)] if isinstance(found, list) else []
    return tuple(text for text in texts if text and clean(text) == text)


def _refusal(reply: Reply, clean: Clean) -> str:
    text = _reason(reply.body)
    if not text and reply.body is BROKEN and "<" not in reply.text[:200]:
        text = reply.text
    text = clean(text) or f"HTTP {reply.status} without a reason."
    return f"{text} ({TOKEN_REFUSED})" if says_token_refused(reply) else text


def _reason(body: object) -> str:
    """CrossTrade's own words, which may stand one level down."""
    return _words(body) or (_words(body.get("data")) or _words(body.get("error")) if isinstance(body, Mapping) else "")


def _words(body: object) -> str:
    """``error``, then ``detail`` and ``message`` where they say more; a bare string is taken for what it says."""
    if not isinstance(body, Mapping):
        return body.strip() if isinstance(body, str) else ""
    parts = [value.strip() for name in ("error", "detail", "message") if isinstance(value := body.get(name), str)]
    return ": ".join(dict.fromkeys(part for part in parts if part))
