"""What JSON says of phases and auctions."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import events as e
from exchange.domain.phase import AuctionKind, Phase, PhaseCause
from exchange.wire.rest.phases import SETTABLE_PHASES, auction_fields, indication_view

HEADER: dict[str, Any] = {"sequence": 1, "command_sequence": 1, "time_ns": 1, "epoch": 1, "symbol_id": 1}


def test_a_phase_says_its_cause_and_when_it_ends() -> None:
    event = e.PhaseChanged(
        **HEADER, phase=Phase.REOPENING_AUCTION, cause=PhaseCause.RESUMPTION, ends_ns=10**18, reason="news"
    )
    assert auction_fields(event) == {
        "type": "phase", "phase": "reopening_auction", "cause": "resumption", "reason": "news",
        "ends_at": "2001-09-09T01:46:40.000000000Z",
    }  # fmt: skip
    scheduled = e.PhaseScheduled(**HEADER, phase=Phase.CLOSED, at_ns=10**18, random_ns_max=0)
    assert auction_fields(scheduled)["begins_at"] == "2001-09-09T01:46:40.000000000Z"


def test_an_auction_without_a_price_says_so() -> None:
    event = e.AuctionIndicated(
        **HEADER, auction=AuctionKind.OPENING, price=0, far_price=0, reference_price=100_000, paired=0,
        imbalance=7, side=2,
    )  # fmt: skip
    fields = auction_fields(event)
    assert (fields["price"], fields["imbalance_qty"], fields["imbalance_side"]) == ("", "7", "sell")
    view = indication_view(0, 0, 100_000, 0, 7, 2)
    assert (view.price, view.reference_price, view.imbalance_side) == (None, "10.00", "sell")


def test_an_auction_says_what_it_traded_and_why_it_goes_on() -> None:
    executed = e.AuctionExecuted(
        **HEADER,
        auction=AuctionKind.CLOSING,
        price=100_000,
        reference_price=100_000,
        volume=5,
        imbalance=0,
        side=0,
    )
    assert (auction_fields(executed)["qty"], auction_fields(executed)["imbalance_side"]) == ("5", "")
    extended = e.AuctionExtended(
        **HEADER,
        auction=AuctionKind.CLOSING,
        price=120_000,
        lowest=0,
        highest=110_000,
        number=1,
        ends_ns=10**18,
    )
    assert auction_fields(extended)["highest_price"] == "11.00"


def test_another_event_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="no event of a phase"):
        auction_fields(e.EngineStarted(**HEADER, rules_version=1))
    assert "halted" not in SETTABLE_PHASES
