"""One page of candles: those of a span, or the newest, with or without what stands in for empty intervals."""

from __future__ import annotations

import re
from itertools import islice

import msgspec

from exchange.domain.units import date_number
from exchange.infra.http_routes import ApiError
from exchange.market_data.candles import SECOND_NS, Candle, CandleKey, fill_empty
from exchange.reporter.queries import Queries, Span
from exchange.reporter.views import candle_view
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.market import CandleView

FOREVER_NS = 9_000_000_000_000_000_000
"""Later than any trade, and a day later still fits 64 bits."""
_CURSOR = re.compile(r"(\d{1,19})\.(\d{1,8})\Z", re.ASCII)


class CandleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. from_ns, to_ns: None where left out; now_ns: time of the last event."""

    symbol_id: int
    interval_s: int
    from_ns: int | None
    to_ns: int | None
    now_ns: int
    limit: int
    fill: bool
    cursor: str

    @property
    def interval_ns(self) -> int:
        """Return the interval in nanoseconds."""
        return self.interval_s * SECOND_NS

    def start_of(self, time_ns: int) -> int:
        """Return when the interval of a time begins."""
        return time_ns - time_ns % self.interval_ns


def candle_page(queries: Queries, request: CandleRequest) -> tuple[list[CandleView], str | None]:
    """Return a page of candles, oldest first, and the cursor of the next. Raise `ApiError` for a wrong cursor."""
    if not request.symbol_id:
        return [], None
    return _filled_page(queries, request) if request.fill else _plain_page(queries, request)


def _plain_page(queries: Queries, request: CandleRequest) -> tuple[list[CandleView], str | None]:
    newest = request.from_ns is None and not request.cursor
    span = Span(
        request.from_ns or 0,
        FOREVER_NS if request.to_ns is None else request.to_ns,
        *_after(request.cursor),
    )
    found = queries.candles(request.symbol_id, request.interval_s, span, request.limit, newest)
    following = _cursor(found[-1]) if len(found) == request.limit and not newest else None
    return [candle_view(candle) for candle in found], following


def _filled_page(queries: Queries, request: CandleRequest) -> tuple[list[CandleView], str | None]:
    """Begin one interval before the span, with what traded last before it, and fill from there."""
    step_ns, limit = request.interval_ns, request.limit
    end_ns = request.start_of(request.now_ns) + step_ns
    if request.to_ns is not None:
        end_ns = min(end_ns, request.start_of(request.to_ns + step_ns - 1))
    if request.cursor:
        begin_ns = request.start_of(_after(request.cursor)[0]) + step_ns
    elif request.from_ns is None:
        begin_ns = end_ns - limit * step_ns
    else:
        begin_ns = request.start_of(request.from_ns + step_ns - 1)
    found = queries.candles(request.symbol_id, request.interval_s, Span(begin_ns, end_ns), limit)
    before = queries.candle_before(request.symbol_id, request.interval_s, begin_ns)
    close = 0
    if before is not None and before.figures is not None:
        close = before.figures.last
        stand_in = CandleKey(
            request.symbol_id, request.interval_s, before.key.business_date, begin_ns - step_ns
        )
        found.insert(0, Candle(stand_in, None))
    filled = (candle for candle in fill_empty(found, end_ns) if candle.key.start_ns >= begin_ns)
    page = list(islice(filled, limit))
    views = []
    for candle in page:
        if candle.figures is None:
            date = date_number(candle.key.start_ns)
            candle = Candle(msgspec.structs.replace(candle.key, business_date=date), None)
        views.append(candle_view(candle, close))
        close = candle.figures.last if candle.figures else close
    is_whole = len(page) < limit or page[-1].end_ns >= end_ns
    return views, None if is_whole else _cursor(page[-1])


def _cursor(last: Candle) -> str:
    return f"{last.key.start_ns}.{last.key.business_date}"


def _after(cursor: str) -> tuple[int, int]:
    if not cursor:
        return -1, 0
    found = _CURSOR.match(cursor)
    if not found or int(found[1]) > FOREVER_NS:
        text = f"cursor must be `next` of the page before, got {cursor[:40]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, text, "cursor")
    return int(found[1]), int(found[2])
