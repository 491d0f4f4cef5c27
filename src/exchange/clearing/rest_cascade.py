"""REST of cascades: a trade together with the trades that it caused, for who must rule on all of them."""

from __future__ import annotations

import asyncio

from exchange.clearing.office import Office
from exchange.clearing.rest_api import OFFICE, unknown_trade
from exchange.clearing.store import read_trade
from exchange.clearing.views import Reader, trade_view
from exchange.domain import events as e
from exchange.domain.units import format_price, public_id
from exchange.infra.errors import AccessRefused, EventsGone, SourceUnavailable
from exchange.infra.http import ApiError, Call, Route
from exchange.infra.store_retry import begin_read
from exchange.post_trade.cascade import Caused, cascade
from exchange.post_trade.trade import Trade
from exchange.wire.records import decode_events
from exchange.wire.rest import cascade as j
from exchange.wire.rest.clearing import ClearedTrade
from exchange.wire.rest.errors import ErrorCode

CASCADE_EVENTS_MAX = 100_000
"""Events of one command that are looked at."""


class CascadeApi:
    """The route of cascades."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def routes(self) -> list[Route]:
        """List the route."""
        return [
            Route(
                "GET", "/api/v1/trades/{match_id}/cascade", self.cascade,
                "Show a trade with the trades that it caused", "trades", OFFICE, returns=j.Cascade,
                errors=(404, 410, 503), path_examples={"match_id": "2041"},
                description="A trade that reaches the stop price of a waiting order causes that order's trades, and "
                "they may cause others. Read from the engine's events, as long as these are kept.",
            )
        ]  # fmt: skip

    async def cascade(self, call: Call) -> j.Cascade:
        """Answer GET /trades/{match_id}/cascade."""
        match_id = call.path_id("match_id")
        (root,) = await asyncio.to_thread(self._trades, [match_id])
        if root is None:
            raise unknown_trade(match_id)
        caused = cascade(await self._events(root.sequence), root.sequence)
        numbers = [public_id(root.partition, each.sequence) for each in caused]
        trades = await asyncio.to_thread(self._trades, numbers)
        return j.Cascade(
            trade=self._view(root),
            caused=[
                self._caused(each, trade, root) for each, trade in zip(caused, trades, strict=True) if trade
            ],
        )

    def _trades(self, match_ids: list[int]) -> list[Trade | None]:
        with begin_read(self._office.store) as connection:
            return [read_trade(connection, match_id) for match_id in match_ids]

    def _view(self, trade: Trade) -> ClearedTrade:
        return trade_view(trade, self._office.directory.symbols, Reader(None))

    def _caused(self, each: Caused, trade: Trade, root: Trade) -> j.CausedTrade:
        return j.CausedTrade(
            trade=self._view(trade),
            caused_by=str(public_id(root.partition, each.cause)),
            order_id=str(each.order_id),
            stop_price=format_price(each.stop_price),
            depth=each.depth,
        )

    async def _events(self, first: int) -> list[e.Event]:
        """Fetch the events of a command, from one of them to its last. Raise `ApiError`."""
        found: list[e.Event] = []
        while len(found) < CASCADE_EVENTS_MAX:
            try:
                batch = await self._office.source.fetch(first - 1 + len(found))
            except EventsGone as error:
                text = f"the engine no longer keeps the events of that trade, so what it caused cannot be told: {error}"
                raise ApiError.of(ErrorCode.GONE, text, "match_id") from error
            except (SourceUnavailable, AccessRefused) as error:
                raise ApiError.of(ErrorCode.ENGINE_UNREACHABLE, str(error)) from error
            for event in decode_events(batch.events):
                found.append(event)
                if event.last_of_command:
                    return found
            if not batch.count:
                break
        return found
