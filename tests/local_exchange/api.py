"""A client without manners: it sends what it is told, and shows what comes back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs
import httpx

from dcacore.local_exchange.signing import sign

MARKET_BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
LIMIT_BUY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "29000",
}


@attrs.define
class Api:
    """One account, over plain HTTP."""

    http: httpx.AsyncClient
    key: str
    secret: str

    async def call(self, method: str, path: str, **params: object) -> httpx.Response:
        """Return the answer to a request that is not signed."""
        return await self.http.request(method, path, params={name: str(value) for name, value in params.items()})

    async def signed(
        self, method: str, path: str, params: Mapping[str, object] | None = None, **more: object
    ) -> httpx.Response:
        """Return the answer to a signed request, all of it in the query."""
        sent = {"timestamp": time.time_ns() // 1_000_000, **(params or {}), **more}
        query = urlencode(sent)
        query += f"&signature={sign(self.secret, query.encode())}"
        return await self.http.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": self.key})

    async def order(self, params: Mapping[str, object], **more: object) -> httpx.Response:
        """Return the answer to a new order."""
        return await self.signed("POST", "/api/v3/order", params, **more)

    async def control(self, path: str, **told: Any) -> dict[str, Any]:
        """Return what the control interface says."""
        answer = await self.http.post(f"/control/{path}", json=told)
        assert answer.status_code == 200, answer.text
        shape: dict[str, Any] = answer.json()
        return shape

    async def books(self) -> dict[str, Any]:
        """Return the account's books as the exchange holds them."""
        shape: dict[str, Any] = (await self.http.get("/control/books", params={"apiKey": self.key})).json()
        return shape

    async def free(self, asset: str) -> str:
        """Return what is free of an asset."""
        balances = (await self.signed("GET", "/api/v3/account")).json()["balances"]
        return next((one["free"] for one in balances if one["asset"] == asset), "none")


def code(answer: httpx.Response) -> tuple[int, int, str]:
    """Return the status, the code and the text of a refusal."""
    return answer.status_code, answer.json()["code"], answer.json()["msg"]
