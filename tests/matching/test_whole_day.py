"""A whole day of sequenced commands, from the pre-open to the close, comes out the same on every matcher and replay."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from msgspec import structs

from exchange.domain import commands as c
from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.allocation import parse_step
from exchange.domain.order import OrderFlag, OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.trade import BustReason
from exchange.domain.units import AccountId, Money, SymbolId
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command
from tests.matching.desk import MIDNIGHT_NS, OPENING, START_NS, numbered_record, order

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
OTHER = 2
WAVES = 24
PHASES = (
    (15, Phase.OPENING_AUCTION),
    (28, Phase.OPENING_NO_CANCEL),
    (30, Phase.CONTINUOUS),
    (350, Phase.CLOSING_AUCTION),
    (358, Phase.CLOSING_NO_CANCEL),
    (360, Phase.POST_CLOSE),
    (365, Phase.CLOSED),
)
"""Minutes after the beginning, and the phase that is scheduled then."""
Run = tuple[bytes, int]


class Recorder:
    """Sequences commands through a venue and keeps them."""

    def __init__(self) -> None:
        self.venue, self.runs, self.time_ns = Venue(), list[Run](), START_NS
        self.events: list[e.Event] = []

    def send(self, *commands: c.Command) -> list[e.Event]:
        said: list[e.Event] = []
        for command in commands:
            record = numbered_record(encode_command(command), self.venue.command_sequence + 1)
            self.runs.append((record, self.time_ns))
            said += decode_events(self.venue.apply(record, self.time_ns))
        self.events += said
        return said

    def pass_until(self, minute: int) -> None:
        """Let time pass as the sequencer does: with a Tick wherever one is due."""
        until = START_NS + minute * MINUTE_NS
        while 0 < (due := self.venue.next_deadline) <= until:
            self.time_ns = max(due, self.time_ns)
            self.send(c.Tick())
        self.time_ns = max(until, self.time_ns)


def wave(chance: Random, phase: Phase) -> Iterator[c.Command]:
    """Give orders of every kind that a phase may take, some of which it refuses."""
    times = [TimeInForce.DAY, TimeInForce.GTC, TimeInForce.AT_THE_CLOSE, TimeInForce.GOOD_FOR_AUCTION]
    if phase is Phase.CONTINUOUS:
        times += [TimeInForce.IOC, TimeInForce.FOK]
    else:
        times += [TimeInForce.AT_THE_OPEN]
    for _ in range(WAVES):
        side, symbol = chance.choice(list(Side)), chance.choice((1, OTHER))
        price = 100_000 + 100 * chance.randint(-20, 20)
        plain = order(
            side, 10 * chance.randint(1, 50), price, chance.randint(1, 3), symbol_id=symbol,
            time_in_force=chance.choice(times),
        )  # fmt: skip
        match chance.randrange(8):
            case 0:
                yield structs.replace(
                    plain, order_type=OrderType.MARKET, price=0, time_in_force=TimeInForce.DAY
                )
            case 1:
                special = structs.replace(plain, time_in_force=TimeInForce.DAY)
                display = max(plain.quantity // 50 * 10, 10)
                yield c.EnterSpecialOrder(**structs.asdict(special), display_quantity=display)
            case 2:
                stop = structs.replace(
                    plain, order_type=OrderType.STOP, price=0, time_in_force=TimeInForce.DAY
                )
                yield c.EnterSpecialOrder(**structs.asdict(stop), stop_price=price)
            case 3:
                yield structs.replace(plain, flags=OrderFlag.HIDDEN, time_in_force=TimeInForce.DAY)
            case _:
                yield plain


def a_day(seed: int) -> Recorder:
    """Play the day: a schedule, waves of orders, a halt and its reopening, a bust, limits, the roll of the date."""
    chance, desk = Random(seed), Recorder()
    desk.send(*OPENING, c.AddSymbol(symbol="ABC", name="Abc", reference_price=100_000))
    desk.send(c.SetPhase(symbol_id=0, phase=Phase.PRE_OPEN))
    play(desk, chance, 1)
    act_on_shares(desk)
    desk.send(
        c.SetAllocation(symbol_id=OTHER, steps=tuple(map(parse_step, ("top", "pro_rata,min=2", "fifo")))),
        c.SetMarketProtection(symbol_id=1, protection_bps=500),
        c.SetAuctionTerms(symbol_id=1, collar_bps=100, extension_ns=MINUTE_NS, extensions_max=2),
        c.SetSelfTradePrevention(participant_id=3, group=1, mode=SelfTradeMode.CANCEL_BOTH),
        c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=2, kind=LimitKind.MAX_QUANTITY, value=400),
    )
    desk.send(
        c.SetPriceCorridor(
            symbol_id=1,
            dynamic_bps=120,
            static_bps=300,
            call_ns=2 * MINUTE_NS,
            random_ns_max=SECOND_NS,
            seed=seed,
        ),
        c.SetPriceBands(symbol_id=OTHER, tier=1),
        c.SetMarketBreaker(close_level=100_000),
    )
    for minute, phase in PHASES:
        at_ns = START_NS + minute * MINUTE_NS
        desk.send(c.SchedulePhase(symbol_id=0, phase=phase, at_ns=at_ns, random_ns_max=SECOND_NS, seed=seed))
    for minute in (5, 16, 20, 25, 29, 35, 60, 80):
        play(desk, chance, minute)
    desk.send(c.HaltTrading(symbol_id=1, reason="news pending"))
    play(desk, chance, 90)
    desk.send(c.ResumeTrading(symbol_id=1, call_ns=5 * MINUTE_NS, random_ns_max=MINUTE_NS, seed=seed))
    for minute in (91, 93, 100, 150, 200):
        play(desk, chance, minute)
    bust_the_last_trade(desk)
    reach_the_band(desk, chance)
    for level, minute in ((99_000, 220), (92_900, 225), (93_500, 250)):
        desk.send(c.ReportIndexLevel(level=level))
        play(desk, chance, minute)
    for minute in (300, 351, 355, 359, 362):
        play(desk, chance, minute)
    desk.pass_until((MIDNIGHT_NS - START_NS) // MINUTE_NS + 1)
    return desk


def play(desk: Recorder, chance: Random, minute: int) -> None:
    """Let time pass, then send a wave and take some orders back."""
    desk.pass_until(minute)
    desk.send(*wave(chance, desk.venue.market_phase))
    live = [order for symbol in (1, OTHER) for side in desk.venue.orders(symbol) for order in side]
    for order_ in chance.sample(live, min(len(live), 6)):
        owner = chance.choice((0, order_.account_id))
        desk.send(c.CancelOrder(order_id=order_.order_id, participant_id=owner))


def act_on_shares(desk: Recorder) -> None:
    """Split one symbol and let the other go ex dividend before the open, while both are halted for it."""
    desk.send(c.Deposit(account_id=AccountId(1), symbol_id=SymbolId(1), amount=Money(1_001)))
    desk.send(c.HaltTrading(symbol_id=0, reason="corporate actions"))
    desk.send(c.SplitSymbol(symbol_id=1, new_shares=2, old_shares=1))
    desk.send(c.SplitSymbol(symbol_id=1, new_shares=1, old_shares=2))
    desk.send(c.PayDividend(symbol_id=OTHER, amount=100))
    desk.send(c.ResumeTrading(symbol_id=0, call_ns=0))


def reach_the_band(desk: Recorder, chance: Random) -> None:
    """Buy all that is offered up to the band and more, so that a limit state begins and lasts until trading pauses."""
    asks = desk.venue.depth(OTHER, 1_000)[1]
    wanted = sum(level.quantity for level in asks) // 10 * 10 + 5_000
    desk.send(order(Side.BUY, wanted, 150_000, 1, symbol_id=OTHER))
    for minute in (202, 205, 212):
        play(desk, chance, minute)


def bust_the_last_trade(desk: Recorder) -> None:
    trade = next(one for one in reversed(desk.events) if isinstance(one, e.TradeExecuted))
    maker_buys = trade.taker_side is Side.SELL
    pair = (trade.maker_account_id, trade.taker_account_id, trade.maker_order_id, trade.taker_order_id)
    buyer, seller, buy, sell = pair if maker_buys else (pair[1], pair[0], pair[3], pair[2])
    facts = {
        "match_id": trade.sequence, "symbol_id": trade.symbol_id, "price": trade.price, "quantity": trade.quantity,
        "buy_account_id": buyer, "sell_account_id": seller, "buy_order_id": buy, "sell_order_id": sell,
        "executed_ns": trade.time_ns, "ruling_id": 1, "reason": BustReason.ERRONEOUS,
    }  # fmt: skip
    desk.send(c.BustTrade(**{name: facts[name] for name in c.BustTrade.__struct_fields__ if name in facts}))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whole_day_replays_to_the_same_state_on_both_matchers(seed: int) -> None:
    native = pytest.importorskip("exchange.matching.native", exc_type=ImportError)
    day = a_day(seed)
    for venue in (Venue(), native.NativeVenue()):
        for commands, time_ns in day.runs:
            venue.apply(commands, time_ns)
        assert venue.running_hash == day.venue.running_hash
        assert venue.digest() == day.venue.digest()


def test_the_day_has_all_that_a_day_has() -> None:
    day = a_day(1)
    phases = {event.phase for event in day.events if isinstance(event, e.PhaseChanged)}
    assert phases >= {phase for _, phase in PHASES} | {Phase.PRE_OPEN, Phase.HALTED, Phase.REOPENING_AUCTION}
    kinds = {type(event) for event in day.events}
    assert kinds >= {
        e.AuctionIndicated, e.AuctionExecuted, e.TradeExecuted, e.TradeBusted, e.OrderTriggered, e.OrderRefreshed,
        e.OrderRejected, e.MatchPrevented, e.BusinessDayStarted, v.CorridorLeft, v.PriceBandsMoved,
        v.LimitStateChanged, v.AuctionCollarSet, v.MarketBreakerTripped, ca.SymbolSplit, ca.DividendPaid,
        ca.HoldingAdjusted,
    }  # fmt: skip
    causes = {
        (event.symbol_id, event.phase, event.cause)
        for event in day.events
        if isinstance(event, e.PhaseChanged)
    }
    assert causes >= {
        (1, Phase.HALTED, PhaseCause.HALT),
        (1, Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT),
        (OTHER, Phase.VOLATILITY_AUCTION, PhaseCause.PRICE_LIMIT),
        (1, Phase.REOPENING_AUCTION, PhaseCause.BREAKER),
        (OTHER, Phase.REOPENING_AUCTION, PhaseCause.BREAKER),
    }
    adjusted = [event for event in day.events if isinstance(event, e.OrderAmended)]
    split = next(event.command_sequence for event in day.events if isinstance(event, ca.SymbolSplit))
    assert any(event.command_sequence == split for event in adjusted)
    auctions = [
        event.auction.name for event in day.events if isinstance(event, e.AuctionExecuted) and event.volume
    ]
    assert set(auctions) == {"OPENING", "REOPENING", "VOLATILITY", "CLOSING"}


def test_a_day_cut_by_a_snapshot_anywhere_comes_to_the_same_end() -> None:
    day = a_day(2)
    for cut in (len(day.runs) // 3, len(day.runs) // 2, len(day.runs) * 9 // 10):
        venue = Venue()
        for commands, time_ns in day.runs[:cut]:
            venue.apply(commands, time_ns)
        venue = Venue.restore(venue.snapshot())
        for commands, time_ns in day.runs[cut:]:
            venue.apply(commands, time_ns)
        assert venue.digest() == day.venue.digest()
