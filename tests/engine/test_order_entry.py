"""Tests of exchange.engine.order_entry: what REST takes becomes command records, or is refused by field."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.engine import order_entry
from exchange.engine.order_entry import OrderEntry
from exchange.infra.auth import Principal
from exchange.infra.http_routes import ApiError
from exchange.wire.records import decode_command
from exchange.wire.rest.orders import NewOrder
from tests.engine.own_commands import ALICE, AUDITOR, BOB, OPERATOR, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def entry(desk: Desk) -> OrderEntry:
    return OrderEntry(desk.venue.directory)


def test_an_order_becomes_the_record_of_its_command(entry: OrderEntry) -> None:
    order = NewOrder(
        symbol="AAPL", side="sell", qty="300", price="189.2", time_in_force="gtc", post_only=True,
        client_order_id="mine", account="2",
    )  # fmt: skip
    assert decode_command(entry.enter(order, BOB)) == c.EnterOrder(
        account_id=AccountId(2), symbol_id=SymbolId(1), side=Side.SELL, order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC, quantity=Quantity(300), price=Price(1_892_000), flags=OrderFlag.POST_ONLY,
        client_order_id="mine",
    )  # fmt: skip


def test_what_is_left_out_is_a_limit_order_for_the_day_of_the_only_account(entry: OrderEntry) -> None:
    command = decode_command(entry.enter(NewOrder(symbol="AAPL", side="buy", qty=1, price=189), ALICE))
    assert isinstance(command, c.EnterOrder)
    assert (command.account_id, command.order_type, command.time_in_force) == (
        1,
        OrderType.LIMIT,
        TimeInForce.DAY,
    )
    assert (command.price, command.flags, command.client_order_id) == (1_890_000, 0, "")


def test_values_that_a_record_can_carry_go_to_the_venue_unjudged(entry: OrderEntry) -> None:
    command = decode_command(entry.enter(NewOrder(symbol="AAPL", side="buy", qty="0", type="market"), ALICE))
    assert isinstance(command, c.EnterOrder)
    assert (command.quantity, command.price) == (0, 0)


def test_the_only_account_is_found_again_when_accounts_come(entry: OrderEntry, desk: Desk) -> None:
    assert entry.account_for("", ALICE) == 1
    desk.do(c.CreateAccount(participant_id=ParticipantId(1), name="second"))
    with pytest.raises(ApiError, match="has 1, 3"):
        entry.account_for("", ALICE)
    assert entry.account_for("3", ALICE) == 3
    with pytest.raises(ApiError, match="has none"):
        entry.account_for("", OPERATOR)


def test_a_key_sees_the_accounts_of_its_participant_or_all(entry: OrderEntry) -> None:
    assert entry.accounts_seen_by("", ALICE) == [1]
    assert entry.accounts_seen_by("", AUDITOR) is None
    assert entry.accounts_seen_by("2", AUDITOR) == [2]
    with pytest.raises(ApiError, match="no account 2"):
        entry.accounts_seen_by("2", ALICE)
    assert entry.may_see(1, ALICE)
    assert not entry.may_see(1, BOB)
    assert not entry.may_see(1, None)
    assert entry.may_see(1, AUDITOR)
    assert not entry.may_see(99, ALICE)


def test_a_symbol_is_found_by_name_or_refused(entry: OrderEntry) -> None:
    assert entry.symbol_id("") == 0
    assert entry.symbol_id("AAPL") == 1
    with pytest.raises(ApiError, match="there is no symbol 'NOPE'"):
        entry.symbol_id("NOPE")


def test_orders_are_touched_on_a_participants_authority_or_the_exchanges() -> None:
    assert order_entry.authority(ALICE) == 1
    assert order_entry.authority(OPERATOR) == 0
    assert order_entry.authority(Principal(9, 4, Role.RISK, "risk")) == 0


def test_changes_of_an_order_become_their_records() -> None:
    assert decode_command(order_entry.cancel(7, 1)) == c.CancelOrder(
        order_id=OrderId(7), participant_id=ParticipantId(1)
    )
    assert decode_command(order_entry.cancel_all(1, 2, 3, "sell")) == c.CancelOrders(
        participant_id=ParticipantId(1), account_id=AccountId(2), symbol_id=SymbolId(3), side=Side.SELL
    )
    assert decode_command(order_entry.amend(7, 1, Quantity(5), Price(6))) == c.AmendOrder(
        order_id=OrderId(7), participant_id=ParticipantId(1), quantity=Quantity(5), price=Price(6)
    )
    assert decode_command(order_entry.replace(7, 1, Quantity(5), Price(6), "x")) == c.ReplaceOrder(
        order_id=OrderId(7), participant_id=ParticipantId(1), quantity=Quantity(5), price=Price(6),
        client_order_id="x",
    )  # fmt: skip


def test_quantities_are_whole_and_fit_their_record() -> None:
    assert [order_entry.quantity_of(value) for value in ("100", 100, "0", "4294967295")] == [
        100, 100, 0, 4_294_967_295,
    ]  # fmt: skip
    for value in ("", "1.0", "1e3", "+1", "²", "-1", -1, "4294967296", 2**32, "1" * 30):
        with pytest.raises(ApiError):
            order_entry.quantity_of(value)


def test_prices_are_decimals_and_none_is_zero() -> None:
    assert order_entry.price_of(None) == 0
    assert order_entry.price_of("0.0001") == 1
    with pytest.raises(ApiError) as refused:
        order_entry.price_of("1.00001", "reference_price")
    assert (refused.value.status, refused.value.field) == (400, "reference_price")


def test_ids_and_names_are_what_they_must_be() -> None:
    assert order_entry.id_of("18446744073709551615", "x") == 2**64 - 1
    for text in ("", "-1", "18446744073709551616", "१", "1" * 50):
        with pytest.raises(ApiError):
            order_entry.id_of(text, "x")
    assert order_entry.name_of("Zoë") == "Zoë"
    for text in ("", " x", "\n", "x" * 65, "\ud800", "é" * 33):
        with pytest.raises(ApiError):
            order_entry.name_of(text)


def test_a_long_value_is_shown_shortened() -> None:
    assert len(order_entry.shown("x" * 1000)) <= 60


def test_what_belongs_to_binary_sessions_is_refused_by_name() -> None:
    with pytest.raises(ApiError, match="must not begin with ~"):
        order_entry.client_order_id_of("~mine")
    with pytest.raises(ApiError, match="there is no order"):
        order_entry.cancel(0xFF << 56 | 1 << 36, 1)
