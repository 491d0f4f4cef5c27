"""The proof from the events: the ledger made anew from the engine's event log alone, to be compared by its hash.

Nothing of clearing's store is used. The rules do not matter, for every trade is booked whatever the verdict on it.
"""

from __future__ import annotations

from collections.abc import Callable

from exchange.clearing.book_keeper import events_for_clearing
from exchange.domain.events import RuleConfigured
from exchange.infra.errors import SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.post_trade.books import Books
from exchange.post_trade.rules import parse_rules
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState
from exchange.wire.envelope import EventBatch


class ReplayedLedger:
    """The books as the events make them, up to a sequence; trades that can still be busted are kept in memory."""

    def __init__(self, last_sequence: int) -> None:
        self.sequence = 0
        self.last_sequence = last_sequence
        self.books = Books(parse_rules([]))
        self._trades: dict[int, Trade] = {}

    @property
    def is_whole(self) -> bool:
        """Tell whether everything up to the sequence was taken in."""
        return self.sequence >= self.last_sequence

    def take(self, batch: EventBatch) -> None:
        """Take the next events in. Raise `BooksBroken` where they contradict what came before."""
        assert batch.first_sequence == self.sequence + 1, (
            f"after event {self.sequence} comes {batch.first_sequence}"
        )
        for event in events_for_clearing(batch.events, self.sequence):
            if event.sequence <= self.last_sequence and not isinstance(event, RuleConfigured):
                self.books.take(event, self._trades.get)
        self.books.check()
        changes = self.books.changes
        for trade in (*changes.captured.values(), *changes.changed.values()):
            self._trades[trade.match_id] = trade
            if trade.state == TradeState.BUSTED:
                del self._trades[trade.match_id]
        self.books.forget_changes()
        self.sequence = batch.last_sequence


async def replay(
    source: EventSource, last_sequence: int, progress: Callable[[int], None] = lambda sequence: None
) -> ReplayedLedger:
    """Make the ledger anew from the first event to a sequence.

    Raise `EventsGone` where the log does not reach back to the first event, `SourceUnavailable` where it cannot be
    read or ends before, `BooksBroken` where the events contradict each other.
    """
    ledger = ReplayedLedger(last_sequence)
    while not ledger.is_whole:
        batch = await source.fetch(ledger.sequence)
        if not batch.count:
            raise SourceUnavailable(
                f"the event log ends at event {ledger.sequence}, and clearing stands at event {last_sequence}"
            )
        ledger.take(batch)
        progress(ledger.sequence)
    return ledger


def differences(ledger: ReplayedLedger, stated_hash: str, transfers: int, trades: int) -> list[str]:
    """Say in what the ledger made anew differs from what clearing states; nothing where they are equal."""
    found = []
    for what, mine, stated in (
        ("ledger hash", ledger.books.ledger.running_hash.hex(), stated_hash),
        ("transfers", ledger.books.ledger.transfers, transfers),
        ("trades", ledger.books.trades, trades),
    ):
        if mine != stated:
            found.append(f"{what}: {mine} from the events, {stated} in clearing's books")
    return found
