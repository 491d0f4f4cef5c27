"""Each kind of rule, as tables that a trader can read."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain.events import TradeExecuted
from exchange.domain.symbol import SymbolState
from exchange.domain.trade import TradeCondition
from exchange.domain.units import parse_money
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Finding, Rule, Verdict
from exchange.post_trade.rule_kinds import (
    KINDS,
    Duplicate,
    Halted,
    MaxNotional,
    MaxQuantity,
    PriceBand,
    SelfTrade,
    Tier,
    UnknownAccount,
    format_percent,
)
from exchange.post_trade.trade import Trade, captured
from tests.post_trade.stream import Stream


def one_trade(buyer: int = 1, seller: int = 2, quantity: int = 100, **facts: object) -> Trade:
    stream = Stream()
    stream.trade(buyer, seller, quantity, **facts)  # type: ignore[arg-type]
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    return captured(event)


def finding(rule: Rule, trade: Trade, buyer: int | None = 1, seller: int | None = 2) -> Finding | None:
    return rule.evaluate(trade, Context(symbol="AAPL", buyer=buyer, seller=seller, recent=RecentTrades()))


# Guideline: up to 25.00 it is 10 %, up to 50.00 it is 5 %, above it is 3 %.
# Held from one guideline on, busted from three.
PRICE_BAND = """
reference   price      verdict
10.00       10.00      -
10.00       10.9999    -
10.00       11.00      hold
10.00       9.0001     -
10.00       9.00       hold
10.00       12.9999    hold
10.00       13.00      bust
10.00       7.00       bust
25.00       27.4999    -
25.00       27.50      hold
25.00       32.50      bust
25.01       26.2604    -
25.01       26.2605    hold
25.01       28.7615    bust
50.00       52.4999    -
50.00       52.50      hold
50.00       57.50      bust
50.01       51.5102    -
50.01       51.5103    hold
50.01       54.5109    bust
189.20      194.8759   -
189.20      194.876    hold
189.20      183.524    hold
189.20      206.2279   hold
189.20      206.228    bust
189.20      172.172    bust
189.20      0.0001     bust
0.0001      0.0001     -
0.0001      0.0002     bust
0.0003      0.0003     -
0.0003      0.0004     bust
0.0010      0.0011     hold
0           10.00      hold
"""


@pytest.mark.parametrize(
    ("reference", "price", "verdict"), [row.split() for row in PRICE_BAND.split("\n")[2:-1]]
)
def test_price_band_holds_from_the_guideline_on_and_busts_from_three_times_it(
    reference: str, price: str, verdict: str
) -> None:
    found = finding(PriceBand(id="CE"), one_trade(price=price, reference=reference))
    assert (found.verdict.name.lower() if found else "-") == verdict


def test_price_band_says_what_it_measured_in_one_sentence() -> None:
    found = finding(PriceBand(id="CE"), one_trade(price="230.00", reference="189.20"))
    assert found == Finding(
        Verdict.BUST, 408_000, 170_280,
        "The price 230.00 is 40.80 above the reference price 189.20; from 17.028 (3 × 3 %) on it is to bust.",
    )  # fmt: skip


def test_price_band_leaves_auctions_and_trades_within_price_limits_alone() -> None:
    far = one_trade(price="230.00", reference="189.20")
    found = {
        condition: finding(PriceBand(id="CE"), msgspec.structs.replace(far, symbol_state=condition))
        is not None
        for condition in TradeCondition
    }
    assert [condition.name for condition, is_found in found.items() if is_found] == [
        "CONTINUOUS",
        "SUSPENDED",
    ]


def test_price_band_without_a_reference_price_holds() -> None:
    found = finding(PriceBand(id="CE"), one_trade(reference="0"))
    assert found
    assert found.sentence == "There is no reference price to compare the trade's price with."


def test_price_band_can_be_told_never_to_bust_and_to_have_other_tiers() -> None:
    rule = PriceBand(id="CE", tiers=(Tier(0, 1_000),), hold_at=2, bust_at=0)
    verdicts = [
        finding(rule, one_trade(price=price, reference="100.00")) for price in ("119.99", "120.00", "999.00")
    ]
    assert [found and found.verdict for found in verdicts] == [None, Verdict.HOLD, Verdict.HOLD]


# buyer's and seller's account, their participants
SELF_TRADE = [
    ("account", 1, 1, 1, 1, True),
    ("account", 1, 2, 1, 1, False),
    ("account", 1, 2, 1, 2, False),
    ("participant", 1, 1, 1, 1, True),
    ("participant", 1, 2, 1, 1, True),
    ("participant", 1, 2, 1, 2, False),
    ("participant", 1, 2, None, None, False),
    ("account", 9, 9, None, None, True),
]


@pytest.mark.parametrize(("scope", "buyer", "seller", "buyer_is", "seller_is", "hit"), SELF_TRADE)
def test_self_trade_finds_one_account_or_one_participant_on_both_sides(
    scope: str, buyer: int, seller: int, buyer_is: int | None, seller_is: int | None, hit: bool
) -> None:
    rule = SelfTrade(id="SELF", scope=scope)  # type: ignore[arg-type]
    found = finding(rule, one_trade(buyer, seller), buyer_is, seller_is)
    assert (found is not None) is hit
    if found:
        assert found.verdict == Verdict.HOLD


@pytest.mark.parametrize(("quantity", "hit"), [(999, False), (1_000, False), (1_001, True)])
def test_max_quantity_finds_more_shares_than_the_limit(quantity: int, hit: bool) -> None:
    found = finding(MaxQuantity(id="Q", limit=1_000), one_trade(quantity=quantity))
    assert (found is not None) is hit


@pytest.mark.parametrize(("price", "hit"), [("99.99", False), ("100.00", False), ("100.01", True)])
def test_max_notional_finds_more_money_than_the_limit(price: str, hit: bool) -> None:
    rule = MaxNotional(id="N", limit=parse_money("1000.00"), action=Verdict.FLAG)
    found = finding(rule, one_trade(quantity=10, price=price))
    assert (found is not None) is hit
    if found:
        assert found == Finding(
            Verdict.FLAG, parse_money("1000.10"), parse_money("1000.00"),
            "The trade is worth 1000.10, the limit is 1000.00.",
        )  # fmt: skip


@pytest.mark.parametrize(("state", "hit"), [(SymbolState.ACTIVE, False), (SymbolState.SUSPENDED, True)])
def test_halted_finds_a_trade_in_a_suspended_symbol(state: SymbolState, hit: bool) -> None:
    found = finding(Halted(id="H"), one_trade(state=state))
    assert (found is not None) is hit
    if found:
        assert found.sentence == "AAPL was suspended when it traded."


@pytest.mark.parametrize(("buyer", "seller", "measured"), [(1, 2, None), (None, 2, 1), (1, None, 2)])
def test_unknown_account_names_the_account_nobody_knows(
    buyer: int | None, seller: int | None, measured: int | None
) -> None:
    found = finding(UnknownAccount(id="A"), one_trade(), buyer, seller)
    assert (found.measured if found else None) == measured


@pytest.mark.parametrize(("earlier", "hit"), [(18, False), (19, True), (30, True)])
def test_duplicate_finds_the_twentieth_same_trade_within_a_second(earlier: int, hit: bool) -> None:
    stream = Stream()
    for _ in range(earlier + 1):
        stream.trade(1, 2, 100)
    *before, last = [captured(event) for event in stream.events if isinstance(event, TradeExecuted)]
    recent = RecentTrades()
    for trade in before:
        recent.remember(trade)
    found = Duplicate(id="D").evaluate(last, Context(symbol="AAPL", buyer=1, seller=2, recent=recent))
    assert (found is not None) is hit


def test_every_kind_says_what_it_looks_for() -> None:
    assert all(kind.MEANING.endswith(".") and name == kind.KIND for name, kind in KINDS.items())


def test_percents_are_written_with_no_needless_zeros() -> None:
    assert [format_percent(bps) for bps in (300, 1_000, 25, 150, 1)] == [
        "3 %",
        "10 %",
        "0.25 %",
        "1.5 %",
        "0.01 %",
    ]
