"""The vendor's own sample for reverseposition: its request and both of its answers, to the letter."""

import asyncio
import json
import re
import urllib.error
import urllib.request

from .client import Api

DATA = {"instrument": "MES 12-25", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}


def vendor_request(host: str) -> tuple[int, str]:
    token = "my-secret-token"
    url = f"{host}/v1/api/accounts/Sim101/positions/reverseposition"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(DATA).encode(), headers, method="POST")  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - the same
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_the_vendor_sample_gets_its_order_id(api: Api) -> None:
    status, text = await asyncio.to_thread(vendor_request, api.url)
    assert status == 200
    assert re.fullmatch(r'\{"orderId": "[0-9a-f]{32}", "success": true\}', text)
    order_id = json.loads(text)["orderId"]
    (order,) = [row for row in (await api.book())["orders"] if row["id"] == order_id]
    assert (order["instrument"], order["orderAction"], order["quantity"]) == ("MES 12-25", "Buy", 1)


async def test_the_vendor_sample_gets_its_400_without_a_position(api: Api) -> None:
    await api.control("position", account="Sim101", instrument="MES 12-25", quantity=0)
    answer = await asyncio.to_thread(vendor_request, api.url)
    assert answer == (400, """{"error": "No position found for instrument 'MES 12-25' in account 'sim101'"}""")
    assert (await api.book())["orders"] == []


async def test_the_vendors_error_names_the_contract_that_was_asked_for(api: Api) -> None:
    status, body = await api.send("POST", "accounts/SIM101/positions/reverseposition", DATA | {"instrument": "ESZ25"})
    assert (status, body) == (400, {"error": "No position found for instrument 'ES 12-25' in account 'sim101'"})
