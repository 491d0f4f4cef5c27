"""REST of clearing's reports: statistics, the break report between components, the proof of the books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.clearing import queries
from exchange.clearing.break_report import EngineCount, Testimony, ask_engine, ask_reporter, breaks_of
from exchange.clearing.clearing_metrics import CLEARING_FAMILIES, ClearingFigures
from exchange.clearing.collateral_desk import margin_faults
from exchange.clearing.consumer import NS_PER_MS
from exchange.clearing.cycle_store import first_cycle_fault, netting_proof, waiting_faults
from exchange.clearing.fee_store import fee_faults
from exchange.clearing.house_store import HouseProof, prove_house
from exchange.clearing.instruction_store import instruction_faults
from exchange.clearing.margin_proof import margin_run_faults
from exchange.clearing.office import Office
from exchange.clearing.price_proof import closing_price_faults, make_closes
from exchange.clearing.rest_api import OFFICE
from exchange.clearing.review_store import read_audit
from exchange.clearing.ruling_announcer import AnnouncerStats
from exchange.clearing.settlement_proof import settlement_faults
from exchange.clearing.store import (
    BooksRow,
    read_balances,
    read_books_row,
    read_positions,
    read_trades,
    read_transfers,
)
from exchange.clearing.views import asset_text, figures_view, proof_view
from exchange.clearing.watch import Watch
from exchange.domain.units import UnitError, format_date, format_time, parse_time
from exchange.infra.feed_metrics import CONSUMER_FAMILIES, ConsumerFigures
from exchange.infra.http import ApiError, Call, Route
from exchange.infra.metrics import read_all
from exchange.infra.store import Position, read_position
from exchange.infra.store_retry import begin_read
from exchange.post_trade.audit import first_fault
from exchange.post_trade.figures import Figures
from exchange.post_trade.invariants import FINDINGS_MAX, Proof, prove
from exchange.wire.rest import clearing as j
from exchange.wire.rest.engine_stats import RouteView
from exchange.wire.rest.errors import ErrorCode

NS_PER_S = 1_000_000_000


class ReportsApi:
    """The routes of reports."""

    def __init__(
        self,
        office: Office,
        watch: Watch,
        announcer: AnnouncerStats,
        routes: Callable[[], list[RouteView]],
    ) -> None:
        self._office = office
        self._watch = watch
        self._announcer = announcer
        self._routes = routes
        self._proving = asyncio.Lock()
        self._engine_count = EngineCount(office.source)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/stats", self.stats, "Show clearing's statistics", "reports", OFFICE,
                returns=j.ClearingStats,
            ),
            Route(
                "GET", "/api/v1/break-report", self.break_report,
                "Compare the trades of engine, clearing and reporter", "reports", OFFICE,
                query=j.DateQuery, returns=j.BreakReport, errors=(400,),
                description="Per symbol: trades that stand, shares, money, busted trades. The engine's are counted "
                "from its event log. A component that cannot be asked is shown as such.",
            ),
            Route(
                "GET", "/api/v1/prove", self.prove, "Recompute the books from the ledger and compare", "reports",
                OFFICE, returns=j.ProofView, errors=(429,),
                description="Balances, sums, positions and the hash over all transfers. Equal events give an equal "
                "hash, however they came.",
            ),
        ]  # fmt: skip

    # --- statistics -----------------------------------------------------------------------------------

    async def stats(self, _: Call) -> j.ClearingStats:
        """Answer GET /stats."""
        office = self._office
        states, requests, row, position = await asyncio.to_thread(self._counts)
        seen, consumer = office.feed.stats, office.consumer.stats
        return j.ClearingStats(
            name=office.config.exchange.name,
            version=__version__,
            started_at=format_time(office.started_ns),
            uptime_s=(office.clock.now_ns() - office.started_ns) // NS_PER_S,
            partition=office.partition,
            business_date=format_date(row.business_date) if row.business_date else "",
            rules_version=office.rule_set.version,
            halted=office.halted,
            seq=position.sequence,
            epoch=position.epoch,
            trades=states,
            transfers=row.transfers,
            ledger_hash=row.ledger_hash.hex(),
            commits=consumer.commits,
            commit_ms_max=office.consumer.meter.times.max_ns // NS_PER_MS,
            feed=j.FeedView(
                position=seen.position,
                epoch=seen.epoch,
                lag=seen.lag_events,
                batches=seen.batches,
                duplicates=seen.duplicates,
                gaps=seen.gaps,
                fetched=seen.fetched,
                problem=seen.problem,
            ),
            outbox=self._outbox(requests),
            routes=self._routes(),
        )

    def _outbox(self, requests: dict[str, int]) -> j.OutboxView:
        relay = self._office.relay.stats
        return j.OutboxView(
            waiting=requests["waiting"],
            taken=requests["taken"],
            sent=relay.sent,
            refused=relay.refused,
            failures=relay.failures,
            overdue=[str(match_id) for match_id in relay.overdue],
            problem=relay.problem,
        )

    def _counts(self) -> tuple[dict[str, int], dict[str, int], BooksRow, Position]:
        partition = self._office.partition
        with begin_read(self._office.store) as connection:
            return (
                queries.count_by_state(connection, partition),
                queries.count_requests(connection, partition),
                read_books_row(connection, partition),
                read_position(connection, partition),
            )

    def metrics(self) -> Iterator[Metric]:
        """Yield clearing's families for Prometheus."""
        office = self._office
        meter, sequence = office.consumer.meter, office.consumer.stats.committed_sequence
        yield from read_all(CONSUMER_FAMILIES, ConsumerFigures(office.feed.stats, meter, sequence))
        figures = ClearingFigures(
            office.halted, office.consumer.stats, office.relay.stats, self._announcer, self._watch
        )
        yield from read_all(CLEARING_FAMILIES, figures)

    # --- the break report -----------------------------------------------------------------------------

    async def break_report(self, call: Call) -> j.BreakReport:
        """Answer GET /break-report."""
        query: j.DateQuery = call.query
        return await self.compare(query.date)

    async def compare(self, wanted: str) -> j.BreakReport:
        """Compare the three components on a business date, the present one where none is named. Raise `ApiError`."""
        own, date = await asyncio.to_thread(self._own_figures, wanted)
        names = {int(number): each.symbol for number, each in self._office.directory.symbols.items()}
        engine, reporter = await asyncio.gather(
            ask_engine(self._engine_count, names, own.sequence or 0, date),
            ask_reporter(self._office.config.reporter_url_for_clearing(), date),
        )
        items = [
            symbol_figures(symbol, engine, own, reporter)
            for symbol in sorted({*engine.figures, *own.figures, *reporter.figures})
        ]
        is_complete = not (engine.problem or reporter.problem)
        is_broken = any(item.breaks for item in items)
        return j.BreakReport(
            status="break" if is_broken else "agree" if is_complete else "incomplete",
            business_date=format_date(date) if date else "",
            at=format_time(self._office.clock.now_ns()),
            engine=j.Witness(seq=engine.sequence, problem=engine.problem),
            clearing=j.Witness(seq=own.sequence),
            reporter=j.Witness(seq=reporter.sequence, problem=reporter.problem),
            items=items,
        )

    def _own_figures(self, wanted: str) -> tuple[Testimony, int]:
        partition, symbols = self._office.partition, self._office.directory.symbols
        with begin_read(self._office.store) as connection:
            present = read_books_row(connection, partition).business_date
            date = date_of(wanted) if wanted else present
            figures = queries.figures_on(connection, partition, date)
            position = read_position(connection, partition)
        return Testimony(
            {asset_text(symbols, symbol_id): each for symbol_id, each in figures.items()}, position.sequence
        ), date

    # --- the proof ------------------------------------------------------------------------------------

    async def prove(self, _: Call) -> j.ProofView:
        """Answer GET /prove."""
        if self._proving.locked():
            raise ApiError.of(ErrorCode.TOO_MANY_REQUESTS, "A proof is running; wait for its answer.")
        async with self._proving:
            proof, position, house = await asyncio.to_thread(self._prove)
        view = proof_view(proof, position.sequence, position.epoch, self._office.directory.symbols)
        view.house_acts, view.house_hash = house.acts, house.hash.hex()
        return view

    def _prove(self) -> tuple[Proof, Position, HouseProof]:
        partition = self._office.partition
        with begin_read(self._office.store) as connection:
            position = read_position(connection, partition)
            row = read_books_row(connection, partition)
            netting = netting_proof(connection, partition)
            proof = prove(
                read_transfers(connection, partition),
                read_trades(connection, partition),
                dict(read_balances(connection, partition)),
                dict(read_positions(connection, partition)),
                row.ledger_hash,
                netting.add_chain,
            )
            house = prove_house(connection, partition)
            closes = make_closes(connection, partition)
            found = [
                first_fault(read_audit(connection, partition)),
                first_cycle_fault(connection, partition),
                *netting.finish(),
                *waiting_faults(connection, partition),
                *house.faults,
                *instruction_faults(connection, partition),
                *closing_price_faults(connection, partition, closes),
                *settlement_faults(connection, partition),
                *margin_faults(connection, partition),
                *margin_run_faults(connection, partition, closes),
                *fee_faults(connection, partition),
            ]
            for fault in filter(None, found[:FINDINGS_MAX]):
                proof.faults.insert(0, fault)
                proof.faults_count += 1
        return proof, position, house


def symbol_figures(symbol: str, engine: Testimony, own: Testimony, reporter: Testimony) -> j.SymbolFigures:
    """Lay what the components have of a symbol side by side."""

    def of(testimony: Testimony) -> Figures | None:
        return None if testimony.problem else testimony.figures.get(symbol, Figures())

    figures = [of(testimony) for testimony in (engine, own, reporter)]
    views = [None if each is None else figures_view(each) for each in figures]
    return j.SymbolFigures(
        symbol=symbol, engine=views[0], clearing=views[1], reporter=views[2], breaks=breaks_of(*figures)
    )


def date_of(text: str) -> int:
    """Read a business date from a query. Raise `ApiError`."""
    try:
        parse_time(f"{text}T00:00:00Z")
    except UnitError as error:
        message = f"date must be a day such as 2026-11-22, got {text[:20]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, message, "date") from error
    return int(text.replace("-", ""))
