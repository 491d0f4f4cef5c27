"""A whole LOBSTER replay: reads and checks the files, makes symbol and members, sends, sums up and compares.

Nothing is sent before every line of every file was read. A resumption asks the exchange which orders it has, and
goes on behind the last of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import msgspec

from exchange.domain.order import Side
from exchange.domain.units import parse_price
from exchange.simulation.feed_recorder import FeedRecorder
from exchange.simulation.lobster import (
    LobsterError,
    OpeningOrder,
    QueueException,
    QuoteState,
    read_exceptions,
    read_messages,
    read_opening_book,
    read_quotes,
)
from exchange.simulation.lobster_check import Comparison, compare_quotes, compare_remaining, compare_trades
from exchange.simulation.lobster_flow import Enter, Execute, OrderFlow
from exchange.simulation.lobster_replay import (
    LobsterReplay,
    Pace,
    client_order_id,
    entered_so_far,
    grouped,
    live_orders,
    skip_entered,
)
from exchange.simulation.lobster_setup import ReplayPlace, load_place, prepare, save_place
from exchange.simulation.rest import RestSession, items
from exchange.wire.rest.book import Book
from exchange.wire.rest.orders import Fill, Order

ROWS_MAX = 100_000_000
REMAINING_MAX = 1_000
"""Orders a side that are compared at the end; deeper ones are not in one answer."""


class ReplayJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay, and where to.

    quotes: compare with these best quotes; speed: multiple of real time, 0 for as fast as answers come;
    place_file: where symbol and keys are kept for a resumption; resume: go on where it stopped.
    """

    messages: Path
    opening: Path | None = None
    exceptions: Path | None = None
    quotes: Path | None = None
    symbol: str = ""
    speed: int = 0
    engine_url: str
    reporter_url: str
    operator_key: str
    place_file: Path
    resume: bool = False


class ReplayInput(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a job, read. entries: every order that will be entered, in its sequence."""

    opening: list[OpeningOrder]
    exceptions: dict[int, QueueException]
    quotes: list[QuoteState]
    rows: int
    first_price: int
    entries: list[Enter | Execute]


class ReplaySummary(msgspec.Struct, kw_only=True):
    """What came of a replay. requests_per_s, orders_per_s: of this run; trades, volume: of the whole symbol."""

    symbol: str
    messages: int
    resumed_after_row: int
    requests: int
    orders: int
    duplicates: int
    elapsed_s: float
    orders_per_s: int
    messages_per_s: int
    trades: int
    volume: int
    rejects: int
    first_rejects: list[str]
    reconnects: int
    hidden: int
    out_of_turn: int
    out_of_turn_shares: int
    unknown: int
    halts: int
    remaining: int
    bid: str | None
    bid_qty: str | None
    ask: str | None
    ask_qty: str | None
    comparisons: list[Comparison]

    @property
    def holds(self) -> bool:
        """Tell whether everything that was compared came out."""
        return all(comparison.holds for comparison in self.comparisons)


Progress = Callable[[int, int], None]
"""Told (row, rows) as the replay goes."""


def read_input(job: ReplayJob) -> ReplayInput:
    """Read every line of every file. Raise `LobsterError` where one is broken or they contradict each other."""
    opening = read_opening_book(job.opening) if job.opening else []
    exceptions = read_exceptions(job.exceptions) if job.exceptions else {}
    quotes = read_quotes(job.quotes) if job.quotes else []
    flow = OrderFlow(str(job.messages), exceptions)
    entries: list[Enter | Execute] = []
    for _, action in flow.timed_actions(opening, read_messages(job.messages)):
        if isinstance(action, Enter | Execute):
            entries.append(action)
    rows = flow.counts.messages
    if not 0 < rows <= ROWS_MAX:
        raise LobsterError(f"{job.messages}: has {rows} messages; a replay takes 1 to {ROWS_MAX}")
    first_price = next((entry.price for entry in entries), 0) or 10_000
    return ReplayInput(
        opening=opening,
        exceptions=exceptions,
        quotes=quotes,
        rows=rows,
        first_price=first_price,
        entries=entries,
    )


async def replay(job: ReplayJob, files: ReplayInput, progress: Progress) -> ReplaySummary:
    """Carry out a job. Raise `LobsterError`, `RequestRefused` or `ConnectionFailed`."""
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(RestSession(job.engine_url, job.operator_key))
        place = await _place(job, files, operator)
        resting = await stack.enter_async_context(RestSession(job.engine_url, place.resting.key))
        aggressing = await stack.enter_async_context(RestSession(job.engine_url, place.aggressing.key))
        recorder = None
        if job.quotes:
            recorder = await stack.enter_async_context(FeedRecorder(job.reporter_url, place.symbol))
        sender = LobsterReplay(place.symbol, resting, aggressing, operator, in_doubt=job.resume)
        flow = OrderFlow(str(job.messages), files.exceptions)
        actions = flow.timed_actions(files.opening, read_messages(job.messages))
        after_row = 0
        if job.resume:
            last = skip_entered(actions, await entered_so_far(files.entries, resting, aggressing))
            after_row = last[1].row if last else 0
            sender.outcome.engine_ids = await live_orders(resting, place.symbol)
        started = monotonic()
        await sender.run(grouped(actions, Pace(job.speed, monotonic)), lambda row: progress(row, files.rows))
        elapsed_s = monotonic() - started
        progress(files.rows, files.rows)
        summary = await _sum_up(place, flow, sender, resting, aggressing, after_row, elapsed_s)
        if recorder is not None:
            reporter = await stack.enter_async_context(RestSession(job.reporter_url))
            summary.comparisons = await _compare(
                files, flow, sender, recorder, (resting, aggressing, reporter), after_row
            )
        return summary


async def _place(job: ReplayJob, files: ReplayInput, operator: RestSession) -> ReplayPlace:
    if job.resume:
        return load_place(job.place_file, job.messages)
    place = await prepare(operator, job.messages, job.symbol, files.opening, files.first_price)
    save_place(job.place_file, place)
    return place


async def _sum_up(
    place: ReplayPlace,
    flow: OrderFlow,
    sender: LobsterReplay,
    resting: RestSession,
    aggressing: RestSession,
    after_row: int,
    elapsed_s: float,
) -> ReplaySummary:
    outcome = sender.outcome
    fills = {
        fill.match_id: fill
        for session in (resting, aggressing)
        for fill in await items(session, "/api/v1/fills", Fill)
    }
    books = await items(resting, "/api/v1/book", Book, symbol=place.symbol, depth=1)
    bid, ask = (side[0] if side else None for side in (books[0].bids, books[0].asks))
    messages = flow.counts.messages - after_row
    return ReplaySummary(
        symbol=place.symbol,
        messages=messages,
        resumed_after_row=after_row,
        requests=outcome.requests,
        orders=outcome.orders,
        duplicates=outcome.duplicates,
        elapsed_s=round(elapsed_s, 3),
        orders_per_s=round(outcome.orders / max(elapsed_s, 1e-9)),
        messages_per_s=round(messages / max(elapsed_s, 1e-9)),
        trades=len(fills),
        volume=sum(int(fill.qty) for fill in fills.values()),
        rejects=outcome.rejects,
        first_rejects=outcome.first_rejects,
        reconnects=outcome.reconnects,
        hidden=flow.counts.hidden,
        out_of_turn=flow.counts.out_of_turn,
        out_of_turn_shares=flow.counts.out_of_turn_shares,
        unknown=flow.counts.unknown,
        halts=flow.counts.halts,
        remaining=len(flow.orders),
        bid=bid.price if bid else None,
        bid_qty=bid.qty if bid else None,
        ask=ask.price if ask else None,
        ask_qty=ask.qty if ask else None,
        comparisons=[],
    )


async def _compare(
    files: ReplayInput,
    flow: OrderFlow,
    sender: LobsterReplay,
    recorder: FeedRecorder,
    sessions: tuple[RestSession, RestSession, RestSession],
    after_row: int,
) -> list[Comparison]:
    resting, aggressing, reporter = sessions
    sequences = sender.outcome.sequences
    await recorder.caught_up(sequences[-1][0] if sequences else 0)
    symbol = sender.symbol
    engine_ids = {
        int(o.client_order_id): o.id for o in await items(resting, "/api/v1/orders", Order, symbol=symbol)
    }
    takers = {
        o.client_order_id: o.id for o in await items(aggressing, "/api/v1/orders", Order, symbol=symbol)
    }
    executions = {
        takers.get(client_order_id(entry), f"none for row {entry.row}"): entry
        for entry in files.entries
        if isinstance(entry, Execute)
    }
    # A reporter that lags behind may show trades from before a resumption.
    earlier = {taker for taker, entry in executions.items() if entry.row <= after_row}
    trades = [trade for trade in recorder.trades if trade.taker_order_id not in earlier]
    executions = {taker: entry for taker, entry in executions.items() if taker not in earlier}
    books = await items(reporter, "/api/v1/book", Book, symbol=symbol, level=3, depth=REMAINING_MAX)
    left = {
        order.id: (side, parse_price(order.price), int(order.qty))
        for side, orders in ((Side.BUY, books[0].bids), (Side.SELL, books[0].asks))
        for order in orders
    }
    return [
        compare_quotes(recorder.quotes.states, sequences, files.quotes, after_row, sender.outcome.unanswered),
        compare_trades(trades, executions, engine_ids),
        compare_remaining(left, flow.orders, engine_ids),
        Comparison("gaps in the feed", 0, 0, recorder.quotes.gaps, []),
    ]
