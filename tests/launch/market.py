"""An exchange seen from outside: orders go in by HTTP, and what reporter and clearing say is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from exchange.engine.bootstrap import KeyFile

WAIT_S = 60.0


class Market:
    """The three addresses, the keys, and what tests do with them."""

    def __init__(self, session: aiohttp.ClientSession, urls: dict[str, str], keys: KeyFile) -> None:
        self.session = session
        self.urls = urls
        self.keys = keys

    async def order(self, name: str, side: str, symbol: str, qty: int, price: str) -> dict[str, Any]:
        """Enter an order of a demo participant; it must be taken."""
        body = {"symbol": symbol, "side": side, "qty": str(qty), "price": price}
        headers = {"Authorization": f"Bearer {self.keys.participants[name].key}"}
        url = self.urls["engine"] + "/api/v1/order"
        async with self.session.post(url, json=body, headers=headers) as answer:
            entered: dict[str, Any] = await answer.json()
            assert answer.status == 201, entered
            return entered

    async def trade(self, symbol: str, qty: int, price: str) -> None:
        """Let alice sell to bob at a price."""
        await self.order("alice", "sell", symbol, qty, price)
        await self.order("bob", "buy", symbol, qty, price)

    async def get(self, component: str, path: str) -> Any:
        """Read something with the auditor's key."""
        headers = {"Authorization": f"Bearer {self.keys.auditor}"}
        async with self.session.get(f"{self.urls[component]}/api/v1/{path}", headers=headers) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body

    async def is_ready(self, component: str) -> bool:
        try:
            async with self.session.get(f"{self.urls[component]}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def eventually(self, component: str, path: str, holds: Callable[[Any], bool]) -> Any:
        """Read something until a condition holds."""
        seen: Any = None
        for _ in range(int(WAIT_S / 0.05)):
            seen = await self.get(component, path)
            if holds(seen):
                return seen
            await asyncio.sleep(0.05)
        raise AssertionError(f"{component} {path}: {seen}")

    async def wait_until_ready(self, component: str) -> None:
        for _ in range(int(WAIT_S / 0.05)):
            if await self.is_ready(component):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{component} never got ready")

    async def trade_states(self, component: str, key: str, expected: list[str]) -> None:
        """Wait until the trades of a component, oldest first, are in these states."""
        await self.eventually(
            component, "trades", lambda page: [trade[key] for trade in reversed(page["items"])] == expected
        )

    async def cash_and_shares(self, name: str) -> dict[str, str]:
        """Return what clearing says a participant's account holds."""
        account = self.keys.participants[name].account_id
        page = await self.get("clearing", f"balances?account={account}")
        return {item["asset"]: item["total"] for item in page["items"]}


@asynccontextmanager
async def market(urls: dict[str, str], keys: KeyFile) -> AsyncIterator[Market]:
    async with aiohttp.ClientSession() as session:
        yield Market(session, urls, keys)
