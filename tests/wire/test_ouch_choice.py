"""The native translator is taken where it can be had, and nothing breaks where it cannot."""

from __future__ import annotations

import sys

import pytest

from exchange.wire.ouch_choice import translator_kind
from exchange.wire.ouch_translator import OuchTranslator


def test_the_native_translator_is_taken_where_it_is_installed() -> None:
    native = pytest.importorskip(
        "exchange.wire.ouch_native",
        reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
        exc_type=ImportError,
    )
    assert translator_kind() is native.NativeOuchTranslator


def test_without_it_the_definition_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange.wire.ouch_native", None)
    assert translator_kind() is OuchTranslator
