"""Which translator of OUCH runs: the native one where it is installed, else the definition."""

from __future__ import annotations

from exchange.wire.ouch_translator import OuchTranslator


def translator_kind() -> type[OuchTranslator]:
    """Return the class of the translator to use."""
    try:
        from exchange.wire.ouch_native import NativeOuchTranslator
    except ImportError:
        return OuchTranslator
    return NativeOuchTranslator
