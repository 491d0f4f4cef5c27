"""The label that makes a key an OUCH session."""

from __future__ import annotations

import pytest

from exchange.wire.ouch_reference import SESSIONS_MAX
from exchange.wire.ouch_session import SessionTerms, terms_of


@pytest.mark.parametrize("terms", [SessionTerms("ALICE", 1, False), SessionTerms("X9", 4_294_967_295, True)])
def test_terms_come_back_from_their_label(terms: SessionTerms) -> None:
    assert terms_of(terms.label(), 5) == terms
    assert len(terms.label()) <= 64


@pytest.mark.parametrize(
    "label",
    [
        "key",
        "ouch:",
        "ouch:TOOLONG account=1",
        "ouch:alice account=1",
        "ouch:ALICE account=x",
        "ouch:A account=1 ",
    ],
)
def test_other_labels_make_no_session(label: str) -> None:
    assert terms_of(label, 5) is None


def test_a_key_whose_number_no_reference_can_hold_is_no_session() -> None:
    assert terms_of("ouch:ALICE account=1", SESSIONS_MAX + 1) is None
