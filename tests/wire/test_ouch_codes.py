"""The codes of OUCH: what we have stands for something there, and every option has a length."""

from __future__ import annotations

from exchange.domain.order import CancelReason
from exchange.domain.reasons import Reason
from exchange.wire.ouch_codes import (
    CANCEL_REASONS,
    REFUSED_TAGS,
    REJECT_REASONS,
    TAG_BYTES,
    RejectReason,
    Tag,
)


def test_every_reject_reason_of_the_definitions_has_its_number() -> None:
    assert [reason.value for reason in RejectReason] == list(range(1, 0x20))


def test_our_reasons_that_are_named_exist() -> None:
    assert set(REJECT_REASONS) <= set(Reason)
    assert set(CANCEL_REASONS) <= set(CancelReason)


def test_every_option_has_a_length_and_those_refused_have_values_of_it() -> None:
    assert set(TAG_BYTES) == set(Tag)
    for tag, (allowed, _) in REFUSED_TAGS.items():
        assert {len(value) for value in allowed} == {TAG_BYTES[Tag(tag)]}
