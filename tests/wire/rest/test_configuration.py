"""Bodies of the shared configuration are read strictly."""

from __future__ import annotations

import msgspec
import pytest

from exchange.wire.rest.configuration import ConfigChange, ConfigDecision, ConfigReturn


def test_a_change_needs_its_document_only() -> None:
    change = msgspec.json.decode(b'{"document": {"exchange": {"log_level": "debug"}}}', type=ConfigChange)
    assert (change.note, change.after) == ("", None)
    assert change.document == {"exchange": {"log_level": "debug"}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"note": "x"}', ConfigChange),
        (b'{"document": []}', ConfigChange),
        (b'{"document": {}, "after": -1}', ConfigChange),
        (b'{"document": {}, "nte": "x"}', ConfigChange),
        (b'{"version": -1}', ConfigReturn),
        (b'{"note": "' + b"x" * 201 + b'"}', ConfigDecision),
    ],
)
def test_what_a_body_does_not_allow_is_refused(body: bytes, kind: type) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=kind)
