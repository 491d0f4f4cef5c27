"""What a replay finds of an order, and what it keeps to itself."""

from __future__ import annotations

from msgspec import json

from exchange.domain import events as e
from exchange.domain.order import Side
from tests.engine.explain.told import ToldDesk
from tests.matching.desk import BOB

BUY, SELL = Side.BUY, Side.SELL


def test_a_long_life_is_told_by_its_beginning_and_its_end(desk: ToldDesk) -> None:
    resting = desk.id_of(desk.enter(BUY, 1_000, 100_000))
    for _ in range(30):
        desk.enter(SELL, 1, 100_000, BOB)
    told = desk.explain(resting)
    assert (len(told.moments), told.moments_left_out) == (12, 19)
    assert told.headline.startswith("Partly filled: buy 1000 XYZ at 10.00, 30 at 10.00")


def test_nothing_names_anybody_else(desk: ToldDesk) -> None:
    desk.enter(SELL, 100, 100_000, BOB, client_order_id="secret-of-bob")
    bought = desk.id_of(desk.enter(BUY, 40, 100_000))
    others = next(one for one in desk.enter(SELL, 1, 99_000, BOB))
    text = json.encode(desk.explain(bought)).decode()
    assert "secret-of-bob" not in text
    assert f'"{bought - 1}"' not in text
    assert isinstance(others, e.OrderAccepted)
