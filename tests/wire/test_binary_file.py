"""Messages one behind the other: whole ones come back, cut ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import binary_file
from exchange.wire.records import ProtocolError


@given(st.lists(st.binary(min_size=1, max_size=60)))
def test_messages_come_back(messages: list[bytes]) -> None:
    assert list(binary_file.split(binary_file.encode(messages))) == messages


@pytest.mark.parametrize("data", [b"\0", b"\0\0", b"\0\2a", b"\0\1a\0"])
def test_a_cut_or_empty_message_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="offset"):
        list(binary_file.split(data))
