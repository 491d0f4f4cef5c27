"""Whose a key is: that of who had it made, however often and under whatever name."""

from __future__ import annotations

import pytest

from exchange.domain.participant import made_by, person_of


@pytest.mark.parametrize(
    ("label", "person"),
    [
        ("operator", "operator"),
        (made_by("kim", "operator"), "operator"),
        (made_by("kim2", made_by("kim", "operator")), "operator"),
        (made_by("lee (of clearing)", "operator"), "operator"),
        ("component (environment)", "component (environment)"),
        (" (of operator)", " (of operator)"),
    ],
)
def test_a_key_is_of_who_had_it_made(label: str, person: str) -> None:
    assert person_of(label) == person
