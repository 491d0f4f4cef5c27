"""The numbers of reasons are numbers of records, and their texts are read as they are."""

from __future__ import annotations

from exchange.domain.reason import Reason, ReasonText


def test_every_number_fits_the_field_of_a_record() -> None:
    assert all(0 <= reason.value < 2**16 for reason in Reason)


def test_a_text_says_no_more_than_its_sentence_unless_told() -> None:
    assert ReasonText("No.") == ("No.", False, "", "", "")
