"""What a snapshot holds of risk: blocks and limits in its directory, cancel timers, and the books.

`snapshot.py` says how each lies in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import Any

from msgspec import structs

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.venue_state import VenueState
from exchange.risk.risk_book import RiskBook
from exchange.wire.records import encode_event

SECTIONS = 4
TIMER = Struct("<IQ")
RISK_BOOK = Struct("<BI16s16sQQQIIBB")
DAY_SHARES = Struct("<BII16s")
DUPLICATE = Struct("<BIBIIII")
INT128_BYTES = 16


def directory_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    """Give the blocks and limits that hold as event records. blank: the header fields that are zero."""
    for _, block in sorted(directory.blocks.items()):
        yield encode_event(e.TradingBlocked(**blank, count=0, **structs.asdict(block)))
    for _, limit in sorted(directory.risk_limits.items()):
        yield encode_event(e.RiskLimitSet(**blank, is_set=True, **structs.asdict(limit)))


def restore_limit(state: VenueState, event: e.RiskLimitSet) -> None:
    """Take over a limit of the directory."""
    key = (int(event.scope), event.subject_id)
    book = state.risk_books.setdefault(key, RiskBook(*key))
    book.limits[event.kind, event.symbol_id] = (event.value, event.span)


def sections(state: VenueState) -> Iterator[Iterable[bytes]]:
    """Give the records of each section."""
    books = [book for _, book in sorted(state.risk_books.items())]
    yield (TIMER.pack(*timer) for timer in sorted(state.cancel_timers.expires_ns.items()))
    yield (
        RISK_BOOK.pack(
            book.scope, book.subject_id, write_int128(book.gross), write_int128(book.day_cash), book.messages_due_ns,
            book.duplicates_from_ns, book.executions_from_ns, *book.executions.values(), *book.alerted.values(),
        )
        for book in books
    )  # fmt: skip
    yield (
        DAY_SHARES.pack(book.scope, book.subject_id, symbol_id, write_int128(shares))
        for book in books
        for symbol_id, shares in sorted(book.day_shares.items())
        if shares
    )
    yield (
        DUPLICATE.pack(book.scope, book.subject_id, *order, count)
        for book in books
        for order, count in sorted(book.duplicates.items())
    )


def restore(state: VenueState, records: Callable[[Struct], Iterator[tuple[Any, ...]]]) -> None:
    """Restore timers and books from the next sections."""
    books = state.risk_books
    for timer in records(TIMER):
        state.cancel_timers.set(*timer)
    for scope, subject_id, gross, cash, due_ns, duplicates_ns, executions_ns, *counts in records(RISK_BOOK):
        book = books[scope, subject_id]
        book.gross, book.day_cash, book.messages_due_ns = read_int128(gross), read_int128(cash), due_ns
        book.duplicates_from_ns, book.executions_from_ns = duplicates_ns, executions_ns
        book.executions = dict(zip(Side, counts[:2], strict=True))
        book.alerted = dict(zip(book.alerted, counts[2:], strict=True))
    for scope, subject_id, symbol_id, shares in records(DAY_SHARES):
        books[scope, subject_id].day_shares[symbol_id] = read_int128(shares)
    for scope, subject_id, side, symbol_id, price, quantity, count in records(DUPLICATE):
        books[scope, subject_id].duplicates[side, symbol_id, price, quantity] = count


def restore_open(state: VenueState) -> None:
    """Note in the books the live orders, once all is restored that says what they reserve."""
    checks = RiskChecks(state)
    for order in state.orders.values():
        checks.opened(order)


def write_int128(number: int) -> bytes:
    """Write a number of up to 16 bytes with its sign."""
    return number.to_bytes(INT128_BYTES, "little", signed=True)


def read_int128(data: bytes) -> int:
    """Read what `write_int128` wrote."""
    return int.from_bytes(data, "little", signed=True)
