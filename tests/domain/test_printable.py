"""What is printable is the same on every Python."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from exchange.domain.participant import is_valid_name
from exchange.domain.printable import FIRSTS, LASTS, UNICODE_VERSION, is_printable


@pytest.mark.parametrize("text", ["", "a b", "Zoë & Co.", "株式会社", "~", "🙂"])
def test_letters_signs_and_the_space_are_printable(text: str) -> None:
    assert is_printable(text)


@pytest.mark.parametrize(
    "text", ["\n", "a\x7f", "\xa0", "\xad", "\u200b", "\u2028", "\ud800", "\ue000", "\U0010ffff"]
)
def test_controls_other_blanks_surrogates_and_private_characters_are_not(text: str) -> None:
    assert not is_printable(text)
    assert not is_valid_name(f"a{text}b")


def test_a_character_that_a_later_unicode_assigned_stays_refused() -> None:
    assert not is_valid_name("\U0001fae8")


def test_the_runs_rise_and_leave_gaps() -> None:
    assert all(first <= last for first, last in zip(FIRSTS, LASTS, strict=True))
    assert all(last + 1 < first for last, first in zip(LASTS, FIRSTS[1:], strict=False))


@pytest.mark.skipif(
    unicodedata.unidata_version != UNICODE_VERSION,
    reason=f"this Python has Unicode {unicodedata.unidata_version}, the table is of {UNICODE_VERSION}",
)
def test_the_table_is_that_of_its_unicode_version() -> None:
    different = [
        hex(code) for code in range(sys.maxunicode + 1) if is_printable(chr(code)) != chr(code).isprintable()
    ]
    assert different == []
