"""The border of the translation: its state can be written and read, and events alone make the same streams again."""

from __future__ import annotations

import random

import pytest

from exchange.wire import ouch_messages as m
from exchange.wire.ouch_translator import OuchTranslator
from tests.wire.ouch_market import ALICE, BOB, PRICE, Market, order, packets_of


def trade_at_random(market: Market, seed: int, rounds: int) -> None:
    """Have both sessions do everything there is, at random."""
    chance = random.Random(seed)
    numbers = {ALICE: 0, BOB: 0}
    for _ in range(rounds):
        session = chance.choice((ALICE, BOB))
        batch: list[m.Inbound] = []
        for _ in range(chance.randint(1, 8)):
            numbers[session] += 1
            number, known = numbers[session], chance.randint(1, numbers[session])
            size = chance.randint(0, 200)
            price = PRICE + 100 * chance.randint(-5, 5) + (chance.random() < 0.05)
            batch.append(
                chance.choice(
                    [
                        order(number, chance.choice("BSTE"), size, price, display=chance.choice("YAPN")),
                        order(number, chance.choice("BS"), size, price, time_in_force=chance.choice("035")),
                        m.CancelOrder(user_ref_num=known, quantity=chance.choice((0, 0, 50))),
                        m.ModifyOrder(user_ref_num=known, side=chance.choice("BS"), quantity=chance.randint(1, 100)),
                        m.ReplaceOrder(
                            orig_user_ref_num=known, user_ref_num=number, quantity=chance.randint(0, 90), price=price
                        ),
                        m.AccountQuery() if chance.random() < 0.5 else m.MassCancel(user_ref_num=number),
                    ]
                )
            )  # fmt: skip
        market.send(session, *batch)


@pytest.mark.parametrize("seed", range(5))
def test_events_alone_make_the_same_streams_again(seed: int) -> None:
    market = Market()
    before = {session: bytes(stream) for session, stream in market.streams.items()}
    trade_at_random(market, seed, 60)
    again = OuchTranslator()
    streams: dict[int, bytes] = {}
    for run in again.encode(market.events):
        if run.session:
            streams[run.session] = streams.get(run.session, b"") + run.packets
    for session, stream in market.streams.items():
        assert streams[session].endswith(before.get(session, b"") + stream)
    assert again.snapshot() == market.translator.snapshot()


@pytest.mark.parametrize("seed", range(3))
def test_a_state_that_was_written_and_read_goes_on_the_same(seed: int) -> None:
    market, other = Market(), Market()
    trade_at_random(market, seed, 30)
    trade_at_random(other, seed, 30)
    other.translator = OuchTranslator.restore(other.translator.snapshot())
    market.streams.clear()
    other.streams.clear()
    assert market.translator.live_orders(ALICE) == other.translator.live_orders(ALICE)
    market.send(ALICE, m.MassCancel(user_ref_num=100_000), order(100_001))
    other.send(ALICE, m.MassCancel(user_ref_num=100_000), order(100_001))
    assert market.streams == other.streams


def test_a_cancel_that_was_under_way_when_the_state_was_written_can_be_sent_again() -> None:
    market = Market()
    market.send(ALICE, order(1))
    cancel = packets_of(m.CancelOrder(user_ref_num=1))
    assert market.translator.decode(ALICE, cancel, 10).command_count == 1
    market.translator = OuchTranslator.restore(market.translator.snapshot())
    assert market.translator.decode(ALICE, cancel, 10).command_count == 1


def test_events_that_were_seen_are_skipped() -> None:
    market = Market()
    market.send(ALICE, order(1))
    state = market.translator.snapshot()
    assert market.translator.encode(market.events) == []
    assert market.translator.snapshot() == state


def test_nothing_waits_when_all_is_answered() -> None:
    market = Market()
    trade_at_random(market, 9, 60)
    assert (market.translator.waiting(ALICE), market.translator.waiting(BOB)) == (0, 0)


def test_live_orders_are_cancelled_when_a_session_leaves() -> None:
    market = Market()
    market.send(ALICE, order(1), order(2))
    commands, count = market.translator.cancel_some(ALICE)
    market.apply(commands)
    assert count == 2
    assert market.translator.cancel_some(ALICE) == (b"", 0)


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        OuchTranslator.restore(b"\xff" + packets_of(order(1)))
