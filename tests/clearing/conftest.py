"""What clearing's tests share: a fresh store, in every kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.infra.store import open_store
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    store = open_store(store_url, MIGRATIONS, synchronous="FULL")
    yield store
    store.dispose()


@pytest.fixture
def keeper(store: Engine) -> BookKeeper:
    return BookKeeper(store, parse_rules(DEFAULT_RULES), 0)
