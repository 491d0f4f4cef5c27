"""The generated page of record layouts stands in the docs as the layouts are now."""

from __future__ import annotations

from pathlib import Path

from exchange.wire.record_page import render
from exchange.wire.records import LAYOUTS

PAGE = Path(__file__).parents[2] / "docs" / "records.md"


def test_the_page_in_docs_is_what_the_layouts_say() -> None:
    assert PAGE.read_text() == render(), "run: python -m exchange.wire.record_page > docs/records.md"


def test_every_record_type_has_its_section() -> None:
    page = render()
    for layout in LAYOUTS.values():
        assert f"### {layout.number} {layout.value_type.__name__}: {layout.struct.size} bytes" in page
