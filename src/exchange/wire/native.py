"""What the compiled module does with bytes alone; importing this raises `ImportError` where it is not installed."""

from __future__ import annotations

from exchange_native import OuchTranslator, count_records

__all__ = ["OuchTranslator", "count_records"]
