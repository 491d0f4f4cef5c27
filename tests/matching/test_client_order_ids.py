"""The table of client order ids: first use, count, and what a new business date leaves."""

from __future__ import annotations

import gc

from exchange.matching.client_order_ids import REPLACE_ORDER, ClientOrderIds, FirstUse

ENTRY = FirstUse(7, 40, bytes(20))
REPLACE = FirstUse(9, REPLACE_ORDER, (7).to_bytes(8, "little") + bytes(12))


def used() -> ClientOrderIds:
    ids = ClientOrderIds(maximum=10)
    ids.remember(1, "a", ENTRY)
    ids.remember(1, "b", REPLACE)
    ids.remember(2, "a", FirstUse(8, 40, bytes(20)))
    return ids


def test_an_id_is_found_in_its_account_only() -> None:
    ids = used()
    assert ids.find(1, "a") == ENTRY
    assert ids.find(2, "b") is None
    assert ids.find(3, "a") is None
    assert [ids.count(account) for account in (1, 2, 3)] == [2, 1, 0]


def test_the_garbage_collector_does_not_walk_over_first_uses() -> None:
    assert not gc.is_tracked(FirstUse(7, 40, bytes(20)))


def test_the_account_of_a_replaced_order_is_known() -> None:
    assert used().account_of_replaced(7) == 1
    assert used().account_of_replaced(8) == 0


def test_only_ids_of_live_orders_survive_the_date() -> None:
    ids = used()
    ids.forget_all_but(lambda order_id: order_id == 9)
    assert list(ids.entries()) == [(1, "b", REPLACE)]
    assert ids.account_of_replaced(7) == 1
    ids.forget_all_but(lambda order_id: False)
    assert list(ids.entries()) == []
    assert ids.account_of_replaced(7) == 0


def test_entries_come_by_account_and_then_in_the_sequence_of_use() -> None:
    ids = ClientOrderIds(maximum=10)
    ids.remember(2, "z", ENTRY)
    ids.remember(1, "y", ENTRY)
    ids.remember(1, "x", ENTRY)
    assert [(account, text) for account, text, _ in ids.entries()] == [(1, "y"), (1, "x"), (2, "z")]


def test_ids_of_binary_sessions_are_not_kept() -> None:
    ids = used()
    ids.remember(1, "~000010000000F", ENTRY)
    ids.remember(1, "~0000100000010", FirstUse(11, REPLACE_ORDER, (10).to_bytes(8, "little") + bytes(12)))
    assert ids.find(1, "~000010000000F") is None
    assert ids.count(1) == 2
    assert ids.account_of_replaced(10) == 0
