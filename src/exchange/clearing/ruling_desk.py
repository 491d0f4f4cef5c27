"""The ruling desk: what officers do to single trades, with the second pair of eyes where much money is at stake.

Above the notional of `[clearing.reviews] two_person_notional` the first officer's ruling only waits, and takes effect
when another person orders the same; keys that one person had made count as that person's. Everything goes into the
audit trail in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from exchange.clearing.book_keeper import BookKeeper, known_trade
from exchange.clearing.review_store import Proposal, read_proposal, write_audit, write_proposal
from exchange.domain.trade import BustReason
from exchange.domain.units import Price, Quantity, format_price
from exchange.post_trade.books import Books
from exchange.post_trade.review import Actor, Limits, same_person
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import Occurrence, advance

_OCCURRENCES = {
    "release": Occurrence.RELEASED,
    "bust": Occurrence.BUST_ORDERED,
    "correct": Occurrence.CORRECTION_ORDERED,
}


class RulingDesk:
    """Rulings of officers on single trades. Each call is one transaction and raises as `BookKeeper.release` does."""

    def __init__(self, keeper: BookKeeper, limits: Limits) -> None:
        self.limits = limits
        self._keeper = keeper

    def release(self, match_id: int, actor: Actor, why: str, time_ns: int) -> tuple[Trade, bool]:
        """Accept a held trade; tell whether that was done, or waits for a second officer."""
        return self._rule(
            match_id, Proposal("release", 0, 0, 0, actor.key_id, actor.who), actor, why, time_ns,
            lambda books, trade: books.release(trade, actor.who, why, time_ns),
        )  # fmt: skip

    def bust(
        self, match_id: int, code: BustReason, actor: Actor, why: str, time_ns: int
    ) -> tuple[Trade, bool]:
        """Put a bust into the outbox; tell whether that was done, or waits for a second officer."""
        return self._rule(
            match_id, Proposal("bust", int(code), 0, 0, actor.key_id, actor.who), actor, why, time_ns,
            lambda books, trade: books.order_bust(trade, code, actor.who, why, time_ns),
        )  # fmt: skip

    def correct(
        self,
        match_id: int,
        price: Price,
        quantity: Quantity,
        code: BustReason,
        actor: Actor,
        why: str,
        time_ns: int,
    ) -> tuple[Trade, bool]:
        """Put a correction into the outbox; tell whether that was done, or waits. 0 leaves price or quantity."""
        return self._rule(
            match_id, Proposal("correct", int(code), price, quantity, actor.key_id, actor.who), actor, why, time_ns,
            lambda books, trade: books.order_correction(
                trade, price or trade.price, quantity or trade.quantity, code, actor.who, why, time_ns
            ),
        )  # fmt: skip

    def _rule(
        self,
        match_id: int,
        wanted: Proposal,
        actor: Actor,
        why: str,
        time_ns: int,
        carry_out: Callable[[Books, Trade], Trade],
    ) -> tuple[Trade, bool]:
        def work(connection: Connection, books: Books) -> tuple[Trade, bool]:
            partition = self._keeper.partition
            trade = known_trade(connection, match_id)
            advance(trade.state, _OCCURRENCES[wanted.kind])
            is_done = not self.limits.needs_two(trade.notional) or is_second(
                read_proposal(connection, partition, match_id), wanted, actor
            )
            what = wanted.kind if is_done else f"{wanted.kind} proposed"
            if is_done:
                trade = carry_out(books, trade)
            write_proposal(connection, partition, match_id, None if is_done else wanted, time_ns)
            write_audit(
                connection, partition, actor, what, f"trade {match_id}", why, time_ns, in_words(wanted)
            )
            return trade, is_done

        return self._keeper.within(work)


def is_second(proposed: Proposal | None, wanted: Proposal, actor: Actor) -> bool:
    """Tell whether another officer has ordered the same."""
    if proposed is None or same_person(proposed.key_id, proposed.who, actor):
        return False
    return proposed._replace(key_id=0, who="") == wanted._replace(key_id=0, who="")


def in_words(ruling: Proposal) -> str:
    """Say what a ruling asks for beside its kind."""
    parts = [f"code {chr(ruling.code)}"] if ruling.code else []
    parts += [f"price {format_price(Price(ruling.price))}"] if ruling.price else []
    parts += [f"quantity {ruling.quantity}"] if ruling.quantity else []
    return ", ".join(parts)
