"""Token, budget, paths: what the cloud says before anything is done."""

import time
from typing import Any

import pytest

from bot.sandbox.ninjatrader.limits import TokenBucket

from .client import Api
from .conftest import Start

UNAUTHORIZED = (401, {"success": False, "error": "unauthorized"})


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic secret", "secret", "Bearer wrong"])
async def test_a_bad_token_is_refused(start: Start, header: str | None) -> None:
    async with start(token="secret") as api:
        api.headers = {} if header is None else {"Authorization": header}
        assert await api.send("GET", "accounts") == UNAUTHORIZED
        assert (await api.send("POST", "positions/flatten", {})) == UNAUTHORIZED
        assert (await api.send("GET", "nowhere")) == UNAUTHORIZED
        book = await api.book()
    assert [(one["call"], one["status"]) for one in book["requests"]] == [("FlattenEverything", 401)]


async def test_the_right_token_is_let_in_and_without_one_any_is(start: Start) -> None:
    async with start(token="secret") as api:
        api.headers = {"Authorization": "bearer secret"}
        assert (await api.send("GET", "accounts"))[0] == 200
    async with start() as api:
        api.headers = {"Authorization": "Bearer whatever"}
        assert (await api.send("GET", "accounts"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("GET", "account", "GET /v1/api/accounts"),
        ("POST", "accounts/Sim101/positions/reversepositions",
         "POST /v1/api/accounts/{account}/positions/reverseposition"),
        ("DELETE", "accounts", "GET /v1/api/accounts"),
    ],
)  # fmt: skip
async def test_a_wrong_path_is_a_404_that_says_what_was_meant(api: Api, method: str, path: str, meant: str) -> None:
    status, body = await api.send(method, path)
    assert (status, body["success"], body["did_you_mean"]) == (404, False, meant)


async def test_outside_the_api_is_not_the_api(api: Api) -> None:
    async with api.http.get(f"{api.url}/api/orders", headers=api.headers) as reply:
        assert (reply.status, reply.content_type) == (404, "text/plain")


@pytest.mark.parametrize("name", ["..%2F..%2Faccounts", "Sim101%3Fx=1", "Sim101%23", "Sim%20101"])
async def test_an_encoded_name_stays_one_segment(api: Api, name: str) -> None:
    async with api.http.get(f"{api.url}/v1/api/accounts/{name}/positions", headers=api.headers) as reply:
        assert (reply.status, (await reply.json())["error"]) in {(400, "invalid_account"), (404, "not_found")}


async def test_a_body_cannot_name_another_account_than_the_path(api: Api) -> None:
    body = {"account": "Sim101", "instrument": "ES 09-26"}
    assert (await api.send("POST", "accounts/Sim102/positions/close", body))[0] == 400


async def test_twenty_at_once_then_429_with_retry_after(start: Start) -> None:
    async with start(rate_limited=True) as api:
        api.simulator.cloud.monotonic = lambda: 0.0
        for _ in range(20):
            assert (await api.send("GET", "atm-templates"))[0] == 200
        async with api.http.get(f"{api.url}/v1/api/atm-templates", headers=api.headers) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
            assert await reply.json() == {"success": False, "error": "rate_limited", "retryAfter": 1}
        body: dict[str, Any] = {"instrument": "ES 09-26"}
        assert (await api.send("POST", "accounts/Sim101/positions/close", body))[0] == 429
        cloud = api.simulator.cloud
        assert (cloud.asked, cloud.over) == ({"ListAtmTemplates": 21, "ClosePosition": 1}, 2)
        api.headers = {"Authorization": "Bearer another"}
        assert (await api.send("GET", "atm-templates"))[0] == 200
        book = await api.book()
        assert (book["orders"], book["requests"][0]["status"]) == ([], 429)
        await api.control("reset")
        assert (cloud.asked, cloud.over) == ({}, 0)
        api.headers = {"Authorization": "Bearer secret"}
        assert (await api.send("GET", "atm-templates"))[0] == 200


def test_the_bucket_refills_three_a_second() -> None:
    now = time.monotonic()
    bucket = TokenBucket(20, 3, lambda: now)
    assert [bucket.take() for _ in range(22)] == [0] * 20 + [1, 1]
    now += 1
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 1]
    now += 100
    assert [bucket.take() for _ in range(21)].count(0) == 20
