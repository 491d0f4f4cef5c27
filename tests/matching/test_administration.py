"""Operators' commands become the directory's events, and the directory follows."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import TradeCondition
from exchange.matching.administration import refusal_of_reference_price
from tests.matching.desk import ANN, BOB, XYZ, Desk

KEY = c.CreateKey(participant_id=ANN, role=Role.TRADER, sha256=bytes(range(32)), label="desk one")


def test_the_venues_directory_is_what_its_events_make() -> None:
    desk = Desk()
    followed = Directory()
    events = desk.opened + desk.send(
        KEY,
        c.SetSymbolState(symbol_id=XYZ, state=SymbolState.SUSPENDED, reason="news"),
        c.SetReferencePrice(symbol_id=XYZ, reference_price=200_000),
        c.AddSymbol(symbol="A.B-1", name="Ümlaut & Co", reference_price=1, ticks=(TickRow(0, 1),)),
        c.CreateKey(participant_id=0, role=Role.OPERATOR, sha256=bytes(32), label="ops"),
        c.RevokeKey(key_id=1),
    )
    for event in events:
        followed.apply(event)
    assert vars(followed) == vars(desk.venue.directory)
    assert followed.symbols[XYZ].state is SymbolState.SUSPENDED
    assert followed.symbols[XYZ].reference_price == 200_000
    assert list(followed.keys) == [2]


def test_ids_count_from_one_in_the_sequence_of_creation() -> None:
    desk = Desk()
    assert list(desk.venue.directory.participants) == [1, 2, 3]
    assert desk.only(c.CreateParticipant(name="dan")).participant_id == 4
    assert desk.only(c.CreateAccount(participant_id=4, name="house")).account_id == 4
    assert desk.only(c.AddSymbol(symbol="B", name="B", reference_price=100)).symbol_id == 2
    assert desk.only(KEY).key_id == 1


def test_a_key_id_is_not_used_again() -> None:
    desk = Desk()
    desk.send(KEY, c.RevokeKey(key_id=1))
    assert desk.only(KEY).key_id == 2


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TRADER])
def test_the_exchange_itself_may_have_keys_of_every_role_but_trader(role: Role) -> None:
    command = c.CreateKey(participant_id=0, role=role, sha256=bytes(32), label="own")
    assert isinstance(Desk().only(command), e.KeyCreated)


def test_a_symbol_state_is_in_the_trades_that_follow() -> None:
    desk = Desk()
    desk.send(
        c.SetSymbolState(symbol_id=XYZ, state=SymbolState.SUSPENDED),
        c.SetSymbolState(symbol_id=XYZ, state=SymbolState.ACTIVE),
    )
    desk.enter(Side.BUY, 1, 100_000)
    trade = desk.enter(Side.SELL, 1, 100_000, BOB)[1]
    assert isinstance(trade, e.TradeExecuted)
    assert trade.state is TradeCondition.CONTINUOUS


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "x" * 65, "ü" * 33])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert Desk().only(c.CreateParticipant(name=name)).reason is Reason.NAME_INVALID


@pytest.mark.parametrize("symbol", ["", "a", "A B", "A_B", "Aa"])
def test_a_symbol_that_is_none_is_refused(symbol: str) -> None:
    event = Desk().only(c.AddSymbol(symbol=symbol, name="x", reference_price=100))
    assert event.reason is Reason.SYMBOL_INVALID


def test_a_reference_price_is_one_an_order_could_have() -> None:
    ticks = Desk().venue.directory.symbols[XYZ].ticks
    assert refusal_of_reference_price(9_999, ticks) is None
    assert refusal_of_reference_price(10_001, ticks) == (Reason.REFERENCE_PRICE_INVALID, 10_001, 100)


def test_a_refused_command_about_a_symbol_names_it() -> None:
    desk = Desk()
    for command in (
        c.SetReferencePrice(symbol_id=XYZ, reference_price=0),
        c.SetMarketProtection(symbol_id=XYZ, protection_bps=10_001),
        c.SetSymbolState(symbol_id=XYZ, state=9),
        c.Withdraw(account_id=ANN, symbol_id=XYZ, amount=1),
    ):
        refused = desk.only(command)
        assert (type(refused), refused.symbol_id) == (e.CommandRejected, XYZ)
