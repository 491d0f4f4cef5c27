"""Phases and the auctions between them."""

from __future__ import annotations

from exchange.domain.phase import GATHERING, SETTABLE, AuctionKind, Phase, auction_between


def test_every_way_into_continuous_trading_is_an_auction() -> None:
    kinds = {old: auction_between(old, Phase.CONTINUOUS) for old in Phase}
    assert None not in kinds.values()
    assert kinds[Phase.HALTED] is kinds[Phase.REOPENING_AUCTION] is AuctionKind.REOPENING
    assert kinds[Phase.VOLATILITY_AUCTION] is AuctionKind.VOLATILITY
    assert kinds[Phase.CLOSED] is kinds[Phase.PRE_OPEN] is AuctionKind.OPENING


def test_only_a_closing_auction_ends_before_the_market_is_closed() -> None:
    ending = {old for old in GATHERING if auction_between(old, Phase.CLOSED)}
    assert ending == {Phase.CLOSING_AUCTION, Phase.CLOSING_NO_CANCEL}
    assert auction_between(Phase.CLOSING_AUCTION, Phase.HALTED) is None


def test_what_comes_by_itself_cannot_be_set() -> None:
    assert set(Phase) - set(SETTABLE) == {
        Phase.HALTED, Phase.REOPENING_AUCTION, Phase.VOLATILITY_AUCTION,
    }  # fmt: skip
