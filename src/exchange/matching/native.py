"""The venue in Rust behind the interface of `Venue`: the same events, hash and snapshots from the same commands.

Importing this raises `ImportError` where the wheel `exchange-native` is not installed. `venue.py` is the definition;
what is not converted here is judged in `native/matching`. The directory is kept in Python, as a projection of the
events that the native venue reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from exchange.domain.directory import Directory
from exchange.domain.order import NO_TERMS, OrderType, Peg, Side, SpecialTerms, TimeInForce
from exchange.domain.phase import Phase
from exchange.matching import linked_snapshot, snapshot
from exchange.matching.auction import Indication
from exchange.matching.batch import AppliedBatch
from exchange.matching.event_stream import Counters
from exchange.matching.order_book import Level, QueuePlace, RestingOrder
from exchange.matching.venue import RULES_VERSION, RiskUsage, TradeState
from exchange.matching.venue_state import (
    LIMITS,
    PARTITIONS_MAX,
    OrderList,
    QuoteDesk,
    ScheduledPhase,
    VenueLimits,
)
from exchange.wire.native import exchange_native
from exchange.wire.records import decode_events

NATIVE_RULES_VERSION: int = exchange_native.RULES_VERSION
"""Of the installed wheel; it must be `RULES_VERSION`."""
UNICODE_VERSION: str = exchange_native.UNICODE_VERSION
"""By whose table of printable characters the wheel judges names."""
is_printable = exchange_native.is_printable
OrderFields = tuple[int, int, int, int, int, int, int, int, int, int, bytes, int]
TERM_NAMES = SpecialTerms.__struct_fields__
ID32_END, ID64_END = 2**32, 2**64


class NativeVenue:
    """All markets of one partition; what each method means says `Venue`."""

    def __init__(self, partition: int = 0, limits: VenueLimits = LIMITS) -> None:
        assert 0 <= partition < PARTITIONS_MAX, (
            f"partition must be 0 to {PARTITIONS_MAX - 1}, got {partition}"
        )
        self._core = exchange_native.Venue(partition, msgspec.structs.astuple(limits))
        self._directory = Directory()

    def apply(self, commands: bytes, time_ns: int) -> bytes:
        """Carry out a run of command records; return the event records."""
        events = self._core.apply(commands, time_ns)
        self._follow_directory()
        return events

    def apply_batch(self, submissions: Sequence[bytes], time_ns: int) -> AppliedBatch:
        """Number the records of several submissions and carry them out, in one call."""
        applied = AppliedBatch(*self._core.apply_batch(submissions, time_ns))
        self._follow_directory()
        return applied

    def _follow_directory(self) -> None:
        if self._core.has_directory_events:
            for event in decode_events(self._core.take_directory_events()):
                self._directory.apply(event)

    # --- where it stands -----------------------------------------------------------------------------

    @property
    def partition(self) -> int:
        """Return the partition whose symbols this venue has."""
        return self._core.partition

    @property
    def epoch(self) -> int:
        """Return the number of the last engine start."""
        return self._core.epoch

    @property
    def time_ns(self) -> int:
        """Return the time of the last commands."""
        return self._core.time_ns

    @property
    def business_date(self) -> int:
        """Return the business date as YYYYMMDD, 0 before the first."""
        return self._core.business_date

    @property
    def command_sequence(self) -> int:
        """Return the sequence of the last command."""
        return self._core.command_sequence

    @property
    def event_sequence(self) -> int:
        """Return the sequence of the last event."""
        return self._core.event_sequence

    @property
    def running_hash(self) -> int:
        """Return the chained hash of all events so far."""
        return self._core.running_hash

    @property
    def live_orders(self) -> int:
        """Return how many orders rest in all books."""
        return self._core.live_orders

    @property
    def next_deadline(self) -> int:
        """Return the time from which a `Tick` is due, 0 for none."""
        return self._core.next_deadline

    @property
    def directory(self) -> Directory:
        """Return the symbols, participants, accounts and keys; read only."""
        return self._directory

    @property
    def counters(self) -> Counters:
        """Return what happened since this venue was made or restored."""
        orders, cancels, trades, rejects = self._core.counters
        by_reason = {reason: count for reason, count in enumerate(rejects) if count}
        return Counters(orders, cancels, trades, Counter(by_reason))

    # --- snapshots -----------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return all that later events depend on, as the canonical bytes of `matching/snapshot.py`."""
        return self._core.snapshot()

    @classmethod
    def restore(cls, data: bytes) -> NativeVenue:
        """Make the venue that wrote a snapshot, of the version before too. Raise `SnapshotError` where it is none."""
        data = snapshot.upgraded(data, RULES_VERSION)
        venue = cls(snapshot.partition_of(data, RULES_VERSION))
        try:
            venue._core = exchange_native.Venue.restore(data, msgspec.structs.astuple(LIMITS))
        except ValueError as error:
            raise snapshot.SnapshotError(str(error)) from error
        venue._directory = snapshot.directory_of(data)
        return venue

    def digest(self) -> str:
        """Return the fingerprint of the state: XXH3-128 of its snapshot, in hexadecimal."""
        return snapshot.digest_of(self.snapshot())

    # --- queries -------------------------------------------------------------------------------------

    def depth(self, symbol_id: int, levels: int) -> tuple[list[Level], list[Level]]:
        """Return the best price levels, bids and asks, best first; empty for an unknown symbol."""
        if not 0 <= symbol_id < ID32_END:
            return [], []
        bids, asks = self._core.depth(symbol_id, max(levels, 0))
        return [Level(*row) for row in bids], [Level(*row) for row in asks]

    def orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that are shown, bids and asks, in the sequence in which they would trade."""
        if not 0 <= symbol_id < ID32_END:
            return [], []
        bids, asks = self._core.orders(symbol_id)
        return [_resting_order(*row) for row in bids], [_resting_order(*row) for row in asks]

    def hidden_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that are not shown, bids and asks, in the sequence in which they would trade."""
        if not 0 <= symbol_id < ID32_END:
            return [], []
        bids, asks = self._core.hidden_orders(symbol_id)
        return [_resting_order(*row) for row in bids], [_resting_order(*row) for row in asks]

    def stop_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the stop orders that wait, buys and sales, in the sequence in which trades reach them."""
        if not 0 <= symbol_id < ID32_END:
            return [], []
        buys, sells = self._core.stop_orders(symbol_id)
        return [_resting_order(*row) for row in buys], [_resting_order(*row) for row in sells]

    def auction_orders(self, symbol_id: int) -> tuple[list[RestingOrder], list[RestingOrder]]:
        """Return the orders that trade in an auction only, buys and sales, in the sequence in which they would."""
        if not 0 <= symbol_id < ID32_END:
            return [], []
        buys, sells = self._core.auction_orders(symbol_id)
        return [_resting_order(*row) for row in buys], [_resting_order(*row) for row in sells]

    def indication(self, symbol_id: int) -> Indication | None:
        """Return what was told last of the auction for which orders gather, nothing where none is indicated."""
        told = self._core.indication(symbol_id) if 0 <= symbol_id < ID32_END else None
        return Indication(*told) if told else None

    @property
    def market_phase(self) -> Phase:
        """Return the phase of the market as a whole, in which new symbols begin."""
        return Phase(self._core.market_phase)

    def schedule(self) -> list[ScheduledPhase]:
        """Return the phases that are scheduled, soonest first, with the chance of their ends drawn already."""
        return [
            ScheduledPhase(at_ns, symbol_id, Phase(phase))
            for at_ns, symbol_id, phase in self._core.schedule()
        ]

    def quote_desks(self) -> dict[tuple[int, int], QuoteDesk]:
        """Return quotes and their protection by account and symbol id, symbol 0 for all together."""
        records = linked_snapshot.records_of(self._core.linked_sections())
        linked_snapshot.read_order_lists(records)
        list(records(linked_snapshot.RESERVED))
        linked_snapshot.read_pegs(records)
        return linked_snapshot.read_quote_desks(records)

    def pegs(self) -> dict[int, Peg]:
        """Return how the pegged orders get their prices, by their ids."""
        records = linked_snapshot.records_of(self._core.linked_sections())
        linked_snapshot.read_order_lists(records)
        list(records(linked_snapshot.RESERVED))
        return linked_snapshot.read_pegs(records)

    def order_lists(self) -> list[OrderList]:
        """Return the order lists that live, oldest first."""
        return linked_snapshot.read_order_lists(linked_snapshot.records_of(self._core.linked_sections()))

    def order(self, order_id: int) -> RestingOrder | None:
        """Return a live order; nothing where it is finished or never was."""
        row = self._core.order(order_id) if 0 <= order_id < ID64_END else None
        return _resting_order(*row) if row else None

    def place_in_queue(self, order_id: int) -> QueuePlace | None:
        """Return where an order stands at its price, nothing where it is not live or not shown."""
        ahead = self._core.place_in_queue(order_id) if 0 <= order_id < ID64_END else None
        return QueuePlace(ahead[0] + 1, *ahead) if ahead else None

    def reference_price(self, symbol_id: int) -> int:
        """Return the price that a symbol's next trade is compared with, 0 for an unknown symbol."""
        return self._core.reference_price(symbol_id) if 0 <= symbol_id < ID32_END else 0

    def price_limits(self, symbol_id: int) -> tuple[int, int, int, int, int] | None:
        """Return where a symbol's price limits stand; see `Venue.price_limits`."""
        return self._core.price_limits(symbol_id) if 0 <= symbol_id < ID32_END else None

    def balance(self, account_id: int, symbol_id: int) -> int:
        """Return an account's shares of a symbol, or its cash for symbol 0."""
        known = 0 <= account_id < ID32_END and 0 <= symbol_id < ID32_END
        return self._core.balance(account_id, symbol_id) if known else 0

    def cancel_timer(self, participant_id: int) -> int:
        """Return when a participant's cancel timer ends, 0 where it has none."""
        return self._core.cancel_timer(participant_id) if 0 <= participant_id < ID32_END else 0

    def risk_usage(self, scope: int, subject_id: int) -> RiskUsage | None:
        """Return what is measured for the limits of a subject, nothing where it has none."""
        usage = self._core.risk_usage(scope, subject_id) if 0 <= subject_id < ID32_END else None
        return RiskUsage(*usage) if usage else None

    def trade_state(self, match_id: int) -> TradeState | None:
        """Return what a ruling made of a trade, nothing where it stands as it was executed."""
        state = self._core.trade_state(match_id) if 0 <= match_id < ID64_END else None
        return TradeState(*state) if state else None


def _resting_order(
    fields: OrderFields, reserve: int, terms: tuple[int, int, int, int, int, int] | None
) -> RestingOrder:
    (
        order_id, account_id, symbol_id, side, order_type, time_in_force, flags, price, quantity, leaves,
        client_order_id, entered_ns,
    ) = fields  # fmt: skip
    return RestingOrder(
        order_id, account_id, symbol_id, Side(side), OrderType(order_type), TimeInForce(time_in_force), flags,
        price, quantity, leaves, client_order_id.decode("ascii"), entered_ns,
        SpecialTerms(**dict(zip(TERM_NAMES, terms, strict=True))) if terms else NO_TERMS, reserve,
    )  # fmt: skip
