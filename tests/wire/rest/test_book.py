"""Tests of exchange.wire.rest.book: what a book shows, and to whom."""

from __future__ import annotations

import msgspec

from exchange.wire.rest.book import BookQuery, BookRow


def test_a_level_and_an_order_show_only_their_own_fields() -> None:
    level = BookRow(price="1.00", qty="10", orders=2)
    order = BookRow(price="1.00", qty="10", id="7")
    assert msgspec.to_builtins(level) == {"price": "1.00", "qty": "10", "orders": 2}
    assert msgspec.to_builtins(order) == {"price": "1.00", "qty": "10", "id": "7"}


def test_a_query_without_anything_asks_for_ten_levels_of_every_book() -> None:
    query = msgspec.convert({}, BookQuery, strict=False)
    assert (query.symbol, query.depth, query.level) == ("", 10, 2)
    assert msgspec.convert({"level": "3"}, BookQuery, strict=False).level == 3
