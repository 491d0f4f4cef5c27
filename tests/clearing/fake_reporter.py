"""A reporter that answers the statistics it was given, and a day of trades whose statistics are known."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from tests.clearing.running import RunningClearing


class FakeReporter:
    """Answers the statistics it was given."""

    def __init__(self) -> None:
        self.body: Any = {"items": [], "seq": 0}
        self.status = 200
        self.asked: list[str] = []
        self.url = ""

    async def start(self) -> web.AppRunner:
        async def statistics(request: web.Request) -> web.Response:
            self.asked.append(request.query_string)
            return web.Response(status=self.status, body=msgspec.json.encode(self.body))

        app = web.Application()
        app.add_routes([web.get("/api/v1/statistics", statistics)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner


def statistics(symbol: str, trades: int, volume: int, notional: str, busted: int = 0) -> dict[str, Any]:
    return {
        "symbol": symbol, "trades": trades, "volume": str(volume), "notional": notional, "busted": busted,
        "last": "189.20",
    }  # fmt: skip


async def a_day(clearing: RunningClearing) -> None:
    stream = clearing.stream
    stream.trade(1, 2, 100)
    busted, corrected = stream.trade(1, 2, 50), stream.trade(2, 3, 10)
    stream.bust(busted)
    stream.correct(corrected, "189.00", 4)
    stream.trade(1, 3, 7, price="10.00", reference="10.00", symbol_id=2)
    await clearing.caught_up()


OF_THE_DAY = [statistics("AAPL", 2, 104, "19676.00", 1), statistics("XYZ", 1, 7, "70.00")]
"""What a reporter has after `a_day`."""
