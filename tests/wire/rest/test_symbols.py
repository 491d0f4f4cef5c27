"""Tests of exchange.wire.rest.symbols: symbols as JSON."""

from __future__ import annotations

import msgspec

from exchange.domain.allocation import Allocation, LeadMaker, parse_step
from exchange.domain.symbol import Symbol, SymbolState, TickTable
from exchange.domain.units import Price, Quantity, SymbolId
from exchange.wire.rest.symbols import NewSymbol, StepView, TickRowView, allocation_view, step_of, symbol_view


def test_a_symbol_is_shown_with_decimals_and_its_state_in_words() -> None:
    symbol = Symbol(
        SymbolId(1), "AAPL", "Apple Inc.", Quantity(1), Price(1_892_000), SymbolState.SUSPENDED, TickTable()
    )
    assert msgspec.to_builtins(symbol_view(symbol)) == {
        "id": "1", "symbol": "AAPL", "name": "Apple Inc.", "state": "suspended", "round_lot": "1",
        "reference_price": "189.20",
        "ticks": [{"from": "0.00", "tick": "0.0001"}, {"from": "1.00", "tick": "0.01"}],
        "protection_bps": 0, "phase": "continuous", "auction": None, "allocation": {"steps": [], "lead_makers": []},
        "short_sales": {"trigger_bps": 0, "needs_locate": False, "needs_marking": False, "restricted": False},
    }  # fmt: skip


def test_a_new_symbol_has_the_usual_ticks_unless_it_says_others() -> None:
    decode = msgspec.json.Decoder(NewSymbol).decode
    plain = decode('{"symbol":"ACME","name":"Acme","reference_price":"25.00"}')
    assert plain.ticks == [TickRowView("0.00", "0.0001"), TickRowView("1.00", "0.01")]
    assert plain.round_lot == "1"
    other = decode('{"symbol":"A","name":"A","reference_price":"1","ticks":[{"from":"0","tick":"1"}]}')
    assert other.ticks == [TickRowView("0", "1")]


def test_an_allocation_is_shown_and_read_alike() -> None:
    steps = tuple(
        parse_step(text) for text in ("top,share=5000,min=1,max=9", "pro_rata,min=2,rounding=up", "lead")
    )
    view = allocation_view(Allocation(steps, (LeadMaker(7, 3_000),)))
    assert tuple(step_of(step) for step in view.steps) == steps
    assert msgspec.to_builtins(view.lead_makers) == [{"account": "7", "share_bps": 3000}]
    assert msgspec.to_builtins(view.steps[1]) == {
        "step": "pro_rata", "rounding": "up", "share_bps": 0, "minimum": 2, "maximum": 0,
    }  # fmt: skip


def test_what_a_step_does_not_say_is_the_usual() -> None:
    assert step_of(StepView(step="pro_rata")) == parse_step("pro_rata")
    assert step_of(StepView(step="top")) == parse_step("top")
