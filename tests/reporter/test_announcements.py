"""What is said of events, and how each says what came before it."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain.directory import Directory
from exchange.domain.risk import RiskScope
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.domain.units import SymbolId
from exchange.market_data.tape import Tape
from exchange.reporter.announcements import WHOLE_EXCHANGE, Announcer
from exchange.reporter.batch_scan import scan
from tests.market_data.memory_history import MemoryHistory
from tests.market_data.venue_flow import VenueFlow


class Teller:
    """Runs a tape and an announcer over events."""

    def __init__(self) -> None:
        self.tape = Tape(MemoryHistory(), (1, 86_400))
        self.announcer = Announcer(0)

    def tell(self, events: bytes) -> list[dict[str, Any]]:
        told = self.announcer.announce(scan(events).notable, self.tape.apply(events))
        messages = [msgspec.json.decode(each.message) for each in told]
        assert [(m["channel"], m["seq"]) for m in messages] == [
            (each.channel, each.sequence) for each in told
        ]
        return messages


def test_the_opening_is_told_by_symbol_and_for_the_whole_exchange() -> None:
    told = Teller().tell(VenueFlow().open())
    assert [(each["type"], each["symbol"], each["prev_seq"], each["seq"]) for each in told] == [
        ("engine_started", "", 0, 1), ("business_date", "", 1, 2), ("symbol_added", "AAPL", 0, 3),
        ("symbol_added", "MSFT", 0, 4),
    ]  # fmt: skip
    assert (told[0]["epoch"], told[1]["business_date"], told[2]["reference_price"]) == (
        1,
        "2026-11-23",
        "100.00",
    )
    assert (told[2]["name"], told[2]["state"]) == ("AAPL Inc.", "active")


def test_a_bust_is_told_on_trades_and_on_status_each_in_its_chain() -> None:
    flow, teller = VenueFlow(), Teller()
    teller.tell(flow.open() + flow.trade(1_000_000) + flow.trade(1_500_000))
    first, second = flow.trades
    on_trades, on_status = teller.tell(flow.bust(second))
    assert (on_trades["channel"], on_trades["prev_seq"]) == ("trades", second)
    assert (on_status["channel"], on_status["prev_seq"]) == ("status", 3)
    same = on_trades.keys() - {"channel", "prev_seq"}
    assert {name: on_trades[name] for name in same} == {name: on_status[name] for name in same}
    assert (on_trades["tape"]["last"], on_trades["tape"]["trades"]) == ("100.00", 1)
    (again, _) = teller.tell(flow.bust(first))
    assert (again["prev_seq"], again["tape"]["last"], again["tape"]["volume"]) == (
        on_trades["seq"],
        None,
        "0",
    )


def test_a_version_of_the_configuration_is_told_with_what_it_changes() -> None:
    flow, teller = VenueFlow(), Teller()
    teller.tell(flow.open())
    changed, added, version = teller.tell(
        flow.do(
            c.ConfigureSymbol(configuration_version=7, symbol="AAPL", round_lot=10, state=SymbolState.SUSPENDED),
            c.ConfigureSymbol(
                configuration_version=7, symbol="ACME", name="Acme", reference_price=250_000, round_lot=1,
                state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS,
            ),
            c.ConfigureRule(configuration_version=7, number=1, count=1, rules_version=1, text="{}"),
            c.ConfirmConfiguration(
                configuration_version=7, key_id=1, approver_key_id=0, sha256=bytes(32), note=""
            ),
        )
    )  # fmt: skip
    assert (changed["type"], changed["symbol"], changed["prev_seq"]) == ("symbol_changed", "AAPL", 3)
    assert (changed["changes"], changed["state"]) == (["round_lot", "state"], "suspended")
    assert (added["type"], added["symbol"], added["reference_price"]) == ("symbol_added", "ACME", "25.00")
    assert (version["type"], version["symbol"]) == ("configuration", "")
    assert {each["configuration_version"] for each in (changed, added, version)} == {7}


def test_trades_and_orders_are_not_announced() -> None:
    flow, teller = VenueFlow(), Teller()
    teller.tell(flow.open())
    assert teller.tell(flow.trade(1_000_000)) == []


def test_an_announcer_that_starts_again_knows_names_and_goes_on_with_the_chains() -> None:
    flow, announcer, directory = VenueFlow(), Announcer(0), Directory()
    for event in scan(flow.open()).notable:
        directory.apply(event)
    announcer.know(directory)
    announcer.chains = {1: 3, WHOLE_EXCHANGE: 2}
    suspension = flow.do(c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED, reason="news"))
    (told,) = announcer.announce(scan(suspension).notable, [])
    message = msgspec.json.decode(told.message)
    assert (message["symbol"], message["prev_seq"], message["reason"]) == ("AAPL", 3, "news")


def test_a_block_of_symbol_or_market_is_told_and_one_of_a_member_to_nobody() -> None:
    flow, teller = VenueFlow(), Teller()
    teller.tell(flow.open())
    switch: dict[str, Any] = {"key_id": 1, "role": 3, "note": "news"}
    told = []
    for scope, subject_id in ((RiskScope.SYMBOL, 1), (RiskScope.MARKET, 0), (RiskScope.PARTICIPANT, 1)):
        told += teller.tell(flow.do(c.BlockTrading(scope=scope, subject_id=subject_id, **switch)))
    told += teller.tell(flow.do(c.UnblockTrading(scope=RiskScope.SYMBOL, subject_id=1, key_id=2, role=5)))
    assert [(each["type"], each["symbol"], each.get("reason")) for each in told] == [
        ("trading_blocked", "AAPL", "news"), ("trading_blocked", "", "news"), ("trading_unblocked", "AAPL", None),
    ]  # fmt: skip
