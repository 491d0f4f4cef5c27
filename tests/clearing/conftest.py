"""What clearing's tests share: a fresh store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.infra.store import open_store
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    store = open_store(f"sqlite:///{tmp_path / 'clearing.sqlite'}", MIGRATIONS, synchronous="FULL")
    yield store
    store.dispose()


@pytest.fixture
def keeper(store: Engine) -> BookKeeper:
    return BookKeeper(store, parse_rules(DEFAULT_RULES), 0)
