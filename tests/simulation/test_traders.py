"""House traders decide by their own seeded dice, and never want what the market would refuse."""

from __future__ import annotations

from random import Random

import pytest

from exchange.domain.order import Side
from exchange.simulation.traders import TRADERS, Market, MarketMaker, MomentumTrader, NoiseTrader, make_trader

MARKET = Market("AAPL", tick=100, round_lot=1, bid=1_891_900, ask=1_892_100, prices=(1_892_000,))


@pytest.mark.parametrize("name", TRADERS)
def test_the_same_seed_gives_the_same_trader(name: str) -> None:
    one, same, other = (
        make_trader(name, "AAPL", 7),
        make_trader(name, "AAPL", 7),
        make_trader(name, "MSFT", 7),
    )
    rising = MARKET._replace(prices=(1_890_000, 1_892_000))
    decisions = [[trader.decide(rising) for _ in range(50)] for trader in (one, same, other)]
    assert decisions[0] == decisions[1]
    assert decisions[0] != decisions[2]


@pytest.mark.parametrize("name", TRADERS)
def test_what_a_trader_wants_is_on_the_tick_and_in_round_lots(name: str) -> None:
    trader = make_trader(name, "AAPL", 1)
    market = MARKET._replace(
        tick=500, round_lot=10, bid=1_891_500, ask=1_892_000, prices=(1_880_000, 1_892_000)
    )
    wishes = [wish for _ in range(300) for wish in trader.decide(market)]
    assert wishes
    for wish in wishes:
        assert wish.price > 0
        assert wish.price % market.tick == 0
        assert wish.quantity > 0
        assert wish.quantity % market.round_lot == 0


def test_a_market_maker_quotes_both_sides_of_its_fair_value() -> None:
    maker = MarketMaker(Random(1))
    for _ in range(500):
        bid, ask = maker.decide(MARKET)
        assert (bid.side, ask.side) == (Side.BUY, Side.SELL)
        assert bid.price < ask.price
        assert bid.resting
        assert ask.resting


def test_a_market_maker_follows_the_trades_but_is_drawn_home() -> None:
    maker = MarketMaker(Random(1))
    maker.decide(MARKET)
    for _ in range(200):
        maker.decide(MARKET._replace(prices=(2_000_000,)))
    assert 1_892_000 < maker.fair < 2_000_000


def test_a_market_maker_is_at_home_at_half_the_price_after_a_split() -> None:
    maker = MarketMaker(Random(1))
    maker.decide(MARKET)
    bid, ask = maker.decide(MARKET._replace(prices=(946_000,)))
    assert 945_000 < bid.price < ask.price < 947_000
    assert maker.home == 946_000


def test_a_market_maker_stays_above_zero_when_prices_collapse() -> None:
    maker = MarketMaker(Random(1))
    for price in (20_000, 100, 100, 100):
        for _ in range(100):
            assert all(wish.price > 0 for wish in maker.decide(MARKET._replace(prices=(price,))))


def test_noise_crosses_the_spread_in_both_directions() -> None:
    trader = NoiseTrader(Random(1))
    wishes = [wish for _ in range(200) for wish in trader.decide(MARKET)]
    assert {(wish.side, wish.price) for wish in wishes} == {(Side.BUY, 1_892_300), (Side.SELL, 1_891_700)}
    assert not any(wish.resting for wish in wishes)


@pytest.mark.parametrize(
    "trader", [NoiseTrader(Random(1)), MomentumTrader(Random(1))], ids=lambda each: each.name
)
def test_nobody_takes_from_an_empty_book(trader: NoiseTrader | MomentumTrader) -> None:
    empty = MARKET._replace(bid=0, ask=0, prices=(1_880_000, 1_892_000))
    assert [wish for _ in range(50) for wish in trader.decide(empty)] == []


@pytest.mark.parametrize(
    ("prices", "side"),
    [((1_890_000, 1_892_000), Side.BUY), ((1_894_000, 1_892_000), Side.SELL), ((1_892_000, 1_892_100), None)],
)
def test_momentum_follows_the_way_prices_have_gone(prices: tuple[int, ...], side: Side | None) -> None:
    trader = MomentumTrader(Random(1))
    market = MARKET._replace(prices=prices)
    sides = {wish.side for _ in range(50) for wish in trader.decide(market)}
    assert sides == ({side} if side else set())
