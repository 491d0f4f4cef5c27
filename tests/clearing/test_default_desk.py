"""A default: the portfolio goes over, the waterfall pays, the engine stops who defaulted; in every database."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.default_desk import DefaultDesk, DefaultRelay, FundTerms, list_defaults, worse_price
from exchange.clearing.engine_client import EngineClient, EngineRefused
from exchange.clearing.house_store import ActRefused
from exchange.clearing.instruction_store import instruction_faults
from exchange.domain.units import format_money
from exchange.infra.clock import ManualClock
from exchange.infra.errors import SourceUnavailable
from exchange.post_trade.waterfall import Layer
from tests.clearing.test_collateral_desk import Collateral
from tests.clearing.test_settlement_desk import OTTO, WEDNESDAY
from tests.post_trade.stream import NOON_NS


class Venue(Collateral):
    """Account 1 has 110 AAPL to receive for 20,780.00; the last price is 188.00."""

    def __init__(self, keeper: BookKeeper) -> None:
        super().__init__(keeper)
        self.stream.deposit(3, 50_000_0000)
        self.take()
        self.begin(WEDNESDAY)
        self.defaults = DefaultDesk(keeper, FundTerms())
        self.pay("m1", 2_000_0000, 1)
        self.pay("f1", 100_0000, 1, "fund")
        self.pay("f2", 600_0000, 2, "fund")
        self.pay("f3", 300_0000, 3, "fund")
        self.pay("c", 4_000_0000, 0, "capital")

    def drill(self, worse_bps: int) -> Any:
        return self.keeper.within(lambda c, books: self.defaults.drill(c, books, 1, worse_bps))

    def declare(self, participant: int = 1, taker: int = 3, worse_bps: int = 3_000) -> Any:
        act = self.defaults.declare(participant, taker, worse_bps, OTTO, "call not met", NOON_NS)
        self.check()
        with self.keeper.store.connect() as connection:
            assert instruction_faults(connection, 0) == []
        return act


@pytest.fixture
def venue(keeper: BookKeeper) -> Venue:
    return Venue(keeper)


def test_a_drill_says_who_would_bear_what_and_books_nothing(venue: Venue) -> None:
    mild, hard = venue.drill(0), venue.drill(3_000)
    assert (format_money(mild.worth), mild.waterfall.sum_of(Layer.OWN_CASH)) == ("-100.00", 100_0000)
    assert format_money(hard.waterfall.loss) == "6304.00"
    borne = {layer: format_money(hard.waterfall.sum_of(layer)) for layer in Layer}
    assert borne == {
        Layer.OWN_CASH: "2900.00", Layer.OWN_MARGIN: "2000.00", Layer.OWN_FUND: "100.00", Layer.HOUSE: "1000.00",
        Layer.FUND: "304.00", Layer.ASSESSMENT: "0.00", Layer.REST_OF_HOUSE: "0.00",
    }  # fmt: skip
    assert hard.waterfall.uncovered == 0
    with venue.keeper.store.connect() as connection:
        assert list_defaults(connection, 0) == []


def test_the_portfolio_goes_over_and_the_taker_is_paid_what_it_is_worth_less(venue: Venue) -> None:
    before = venue.has(3)
    venue.declare()
    assert venue.open() == [
        "23 2 -100 18900.00", "23 3 +100 -18900.00", "24 2 -10 1880.00", "24 3 +10 -1880.00"
    ]  # fmt: skip
    assert format_money(venue.has(3) - before) == "6304.00"
    assert (venue.has(1), format_money(venue.has(2))) == (0, "4400.00")
    with venue.keeper.store.connect() as connection:
        (row,) = list_defaults(connection, 0)
    assert (row.participant_id, row.blocked_ns) == (1, 0)
    venue.stream.deposit(2, 200, 1)
    venue.settle()
    assert (venue.open(), venue.has(3, 1), venue.has(1, 1)) == ([], 110, 0)
    with venue.keeper.store.connect() as connection:
        assert instruction_faults(connection, 0) == []


def test_a_portfolio_that_is_worth_something_is_paid_for(venue: Venue) -> None:
    before = venue.has(2)
    venue.declare(2, 3, 0)
    assert format_money(venue.has(2) - before) == "100.00"


def test_what_cannot_be_is_refused_whole(venue: Venue) -> None:
    for arguments, message in (
        ((1, 1, 0), "Account 1 cannot take over"),
        ((1, 9, 0), "Account 9 cannot take over"),
        ((9, 3, 0), "There is no participant 9"),
        ((1, 3, 9_000), r"The loss is 18712.00, and \d+\.00 of it nobody can bear"),
    ):
        with pytest.raises(ActRefused, match=message):
            venue.declare(*arguments)
    venue.declare(2, 3, 0)
    with pytest.raises(ActRefused, match="Account 2 cannot take over"):
        venue.declare(1, 2, 0)


def test_while_a_run_is_reserved_nobody_is_declared(venue: Venue) -> None:
    venue.stream.deposit(1, 90_000_0000)
    venue.take()
    venue.desk.reserve(WEDNESDAY, OTTO, "night", NOON_NS)
    with pytest.raises(ActRefused, match="A run of settlement is reserved"):
        venue.declare()


@pytest.mark.parametrize(("mark", "quantity", "price"), [(101, 1, 90), (101, -1, 112), (5, 1, 4), (5, 0, 4)])
def test_worse_prices_are_rounded_against_the_portfolio(mark: int, quantity: int, price: int) -> None:
    assert worse_price(mark, quantity, 1_000) == price


class Engine(EngineClient):
    """An engine that answers as it is told to."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers, self.asked = list(answers), list[tuple[int, str]]()

    async def stop_participant(self, participant_id: int, note: str) -> str:
        self.asked.append((participant_id, note))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_the_engine_is_asked_until_it_has_stopped_the_participant(venue: Venue) -> None:
    act = venue.declare()
    engine = Engine(
        SourceUnavailable("it is down"), EngineRefused("not now"), "blocked, 3 orders canceled, event 9"
    )
    relay = DefaultRelay(venue.keeper, engine, ManualClock(NOON_NS))
    problems = []
    for _ in range(4):
        await relay.look()
        problems.append(relay.problem)
    assert (problems, len(engine.asked)) == (["it is down", "not now", "", ""], 3)
    assert engine.asked[0] == (1, f"in default, act {act.number}")
    with venue.keeper.store.connect() as connection:
        (row,) = list_defaults(connection, 0)
    assert (row.blocked_ns, row.attempts, row.answer) == (NOON_NS, 3, "blocked, 3 orders canceled, event 9")
