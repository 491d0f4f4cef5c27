"""Webhooks in the store: numbers, positions and dead letters, whole transactions only."""

from __future__ import annotations

from pathlib import Path

import msgspec

from exchange.reporter.store import ReporterStore
from exchange.reporter.webhook_store import Dead, Webhook, WebhookStore

HOOK = Webhook(0, 2, "http://127.0.0.1/hook", "trades", (1, 3), "whsec_AAAA", True, 7, 0, "", 10**18)


def test_a_webhook_comes_back_as_it_was(tmp_path: Path) -> None:
    reporter = ReporterStore(f"sqlite:///{tmp_path}/store.sqlite", 0, (86_400,))
    store, other = WebhookStore(reporter.engine, 0), WebhookStore(reporter.engine, 1)
    first, second = msgspec.structs.replace(HOOK), msgspec.structs.replace(HOOK, symbol_ids=())
    store.add(first)
    store.add(second)
    assert store.all() == [first, second]
    assert [each.webhook_id for each in store.all()] == [1, 2]
    assert other.all() == []
    moved = msgspec.structs.replace(first, sent_sequence=9, delivered=1, is_active=False, problem="away")
    dead = Dead(1, 9, 8, 3, "answered 500", 10**18, b'{"messages": []}')
    store.update(moved, dead)
    assert store.all() == [moved, second]
    assert store.dead(1, 10) == [dead]
    assert store.count_dead() == {1: 1}
    assert other.count_dead() == {}
    store.bury(dead)
    assert store.dead(1, 10) == []
    reporter.close()


def test_with_a_webhook_go_its_dead_letters_and_late_ones_too(tmp_path: Path) -> None:
    reporter = ReporterStore(f"sqlite:///{tmp_path}/store.sqlite", 0, (86_400,))
    store = WebhookStore(reporter.engine, 0)
    hook = msgspec.structs.replace(HOOK)
    store.add(hook)
    store.update(hook, Dead(1, 9, 8, 3, "answered 500", 10**18, b"{}"))
    store.remove(1)
    store.update(hook, Dead(1, 10, 10, 3, "answered 500", 10**18, b"{}"))
    assert store.all() == []
    assert store.count_dead() == {}
    reporter.close()
