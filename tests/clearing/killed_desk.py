"""Does everything that the house does in one day, in order, and dies at the commit that it is told of, for tests.

`python -m tests.clearing.killed_desk STORE_URL before|after NUMBER`: at the NUMBER-th commit SIGKILL, before the
database has heard of it, or after it has said yes. What is done already when it starts is passed by.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper, known_trade
from exchange.clearing.collateral_desk import CollateralDesk, Payment
from exchange.clearing.cycle_desk import CycleDesk
from exchange.clearing.default_desk import DefaultDesk, FundTerms, list_defaults
from exchange.clearing.house_store import list_acts
from exchange.clearing.queries import steps_of
from exchange.clearing.review_desk import ReviewDesk
from exchange.clearing.settlement_desk import SettlementDesk
from exchange.domain.events import BusinessDayStarted
from exchange.domain.trade import BustReason
from exchange.domain.units import Price, Quantity
from exchange.infra.clock import ManualClock
from exchange.infra.store import open_store
from exchange.post_trade.fees import parse_fees
from exchange.post_trade.margin import MarginRules
from exchange.post_trade.review import Actor, Limits, Remedy
from exchange.post_trade.rules import parse_rules
from exchange.post_trade.trade_life import Occurrence, Step, TransitionRefused
from tests.clearing.deadly_commits import die_at_commit
from tests.clearing.test_settlement_desk import MONDAY, OTTO, TERMS, TUESDAY
from tests.post_trade.stream import NOON_NS, Stream

FEES = parse_fees([{"name": "trading", "from": "2026-01-01", "who": "both", "per_share": "0.0010"}])


def stream() -> tuple[Stream, int]:
    """Return two days of trades and the match id of one that is reviewed."""
    made = Stream()
    made.add(BusinessDayStarted, date=MONDAY, ends_ns=0)
    for account_id in (1, 2, 3):
        made.deposit(account_id, 100_000_0000)
        made.deposit(account_id, 90, 1)
    match_id = made.trade(1, 2, 100, price="189.00")
    made.trade(3, 1, 30, price="190.00")
    made.add(BusinessDayStarted, date=TUESDAY, ends_ns=0)
    made.trade(2, 3, 5, price="188.00")
    return made, match_id


def do_everything(keeper: BookKeeper) -> None:
    """Take the stream in and do what is not done yet, step by step."""
    made, match_id = stream()
    for batch in made.batches([10, 4]):
        keeper.commit(batch)
    for step in steps(keeper, match_id):
        try:
            step()
        except TransitionRefused:
            continue  # It was done before.


def steps(keeper: BookKeeper, match_id: int) -> list[Callable[[], object]]:
    """Return everything that the house does, each at least one commit of its own."""
    collateral = CollateralDesk(keeper, MarginRules())
    settlement = SettlementDesk(keeper, TERMS)
    directory = keeper.within(lambda connection, books: books.directory)
    reviews = ReviewDesk(keeper, directory, ManualClock(NOON_NS), Limits())
    alice, carol = Actor(4, "alice", 1), Actor(9, "carol")

    def unless_there(kind: str, do: Callable[[], object]) -> Callable[[], object]:
        def step() -> object:
            with keeper.store.connect() as connection:
                is_there = list_acts(connection, keeper.partition, kind, 0, 1)
            return is_there or do()

        return step

    def default() -> object:
        with keeper.store.connect() as connection:
            is_declared = list_defaults(connection, keeper.partition)
        return is_declared or DefaultDesk(keeper, FundTerms()).declare(3, 1, 100, OTTO, "gone", NOON_NS)

    other = match_id + 1

    def life() -> list[Step]:
        with keeper.store.connect() as connection:
            return steps_of(connection, known_trade(connection, other))

    def ruling() -> int:
        return max(each.ruling_id for each in life())

    def unless_happened(occurrence: Occurrence, do: Callable[[], object]) -> Callable[[], object]:
        def step() -> object:
            return any(each.occurrence == occurrence for each in life()) or do()

        return step

    return [
        lambda: reviews.file(match_id, Remedy("bust"), "a slip", alice),
        lambda: reviews.rule(1, Remedy("none"), BustReason.ERRONEOUS, carol, "as it should be"),
        lambda: CycleDesk(keeper, TERMS, FEES).close(MONDAY, OTTO, "end of day", NOON_NS),
        unless_there("margin", lambda: collateral.run(OTTO, "morning", NOON_NS)),
        lambda: collateral.pay(Payment("call-1", "margin", 1, 500_0000), OTTO, "call", NOON_NS),
        unless_there("given up", lambda: settlement.reserve(TUESDAY, OTTO, "night run", NOON_NS)),
        unless_there("given up", lambda: settlement.end(OTTO, "too early", NOON_NS, give_up=True)),
        unless_there("settled", lambda: settlement.settle(TUESDAY, OTTO, "day run", NOON_NS)),
        default,
        unless_happened(
            Occurrence.BUST_ORDERED,
            lambda: keeper.order_bust(other, BustReason.ERRONEOUS, "otto", "a slip", NOON_NS),
        ),
        lambda: keeper.note_failure(ruling(), "no answer", NOON_NS),
        unless_happened(
            Occurrence.BUST_REFUSED, lambda: keeper.note_refused(ruling(), "the day is over", NOON_NS)
        ),
        unless_happened(Occurrence.RELEASED, lambda: keeper.release(other, "otto", "it stands", NOON_NS)),
        unless_happened(
            Occurrence.CORRECTION_ORDERED,
            lambda: keeper.order_correction(
                other, Price(1_891_000), Quantity(30), BustReason.ERRONEOUS, "otto", "a typing error", NOON_NS
            ),
        ),
        lambda: keeper.note_taken(ruling(), "done", NOON_NS),
    ]


def main(url: str, when: str, number: int) -> None:
    """Do everything and die at a commit."""
    store = open_store(url, MIGRATIONS, synchronous="FULL")
    die_at_commit(store, when, number)
    do_everything(BookKeeper(store, parse_rules([]), 0))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
