"""The files of OUCH streams: what was added comes back from any message on, and a start cuts what is not known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.infra.message_streams import INDEX_STEP, READ_BYTES, MessageStreams, StreamExtent
from exchange.wire.soupbintcp import packet, split


def payloads(data: bytes) -> list[bytes]:
    packets, consumed = split(data)
    assert consumed == len(data)
    return [one.payload for one in packets]


def read_all(streams: MessageStreams, session: int, sequence: int) -> list[bytes]:
    found: list[bytes] = []
    while sequence + len(found) <= streams.last(session):
        data, count = streams.read(session, sequence + len(found))
        assert len(payloads(data)) == count > 0
        found += payloads(data)
    return found


@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), max_size=20), st.data())
def test_messages_come_back_from_any_one_on(batches: list[list[bytes]], data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        gather_bytes = data.draw(st.sampled_from([0, 1, 50, 10_000]))
        streams = MessageStreams(Path(folder) / "streams", gather_bytes=gather_bytes)
        sent: list[bytes] = []
        for batch in batches:
            streams.append(7, b"".join(packet(b"S", payload) for payload in batch), len(batch))
            sent += batch
        first = data.draw(st.integers(1, len(sent) + 1))
        assert streams.last(7) == len(sent)
        assert read_all(streams, 7, first) == sent[first - 1 :]
        streams.close()


def test_a_long_stream_is_read_in_pieces_by_an_index(tmp_path: Path) -> None:
    streams = MessageStreams(tmp_path / "streams")
    sent = [number.to_bytes(4) * 10 for number in range(INDEX_STEP * 5)]
    for at in range(0, len(sent), 100):
        part = sent[at : at + 100]
        streams.append(1, b"".join(packet(b"S", payload) for payload in part), len(part))
    assert len(streams.extents()[1].index) > 3
    for first in (1, 2, INDEX_STEP, INDEX_STEP + 1, len(sent) - 1, len(sent)):
        data, _ = streams.read(1, first)
        assert len(data) <= READ_BYTES
        assert read_all(streams, 1, first) == sent[first - 1 :]
    streams.close()


def test_there_is_nothing_before_the_first_and_behind_the_last_message(tmp_path: Path) -> None:
    streams = MessageStreams(tmp_path / "streams")
    assert (streams.last(1), streams.read(1, 1)) == (0, (b"", 0))
    streams.append(1, packet(b"S", b"a"), 1)
    assert streams.read(1, 0) == streams.read(1, 2) == (b"", 0)
    assert streams.read(1, 1) == (packet(b"S", b"a"), 1)
    streams.close()


def test_a_start_cuts_what_came_after_the_checkpoint_and_forgets_unknown_files(tmp_path: Path) -> None:
    folder = tmp_path / "streams"
    streams = MessageStreams(folder)
    streams.append(1, packet(b"S", b"kept"), 1)
    extents = streams.extents()
    streams.append(1, packet(b"S", b"lost"), 1)
    streams.append(2, packet(b"S", b"unknown"), 1)
    streams.sync()
    streams.close()
    (folder / "other").write_text("x")
    again = MessageStreams(folder, extents)
    assert (again.last(1), again.last(2), again.size_bytes()) == (1, 0, 7)
    again.append(1, packet(b"S", b"new"), 1)
    assert payloads(again.read(1, 1)[0]) == [b"kept", b"new"]
    assert [path.name for path in folder.iterdir()] == ["1.stream"]
    again.close()


def test_a_folder_can_be_removed(tmp_path: Path) -> None:
    streams = MessageStreams(tmp_path / "streams")
    streams.append(1, packet(b"S", b"x"), 1)
    streams.remove()
    assert not (tmp_path / "streams").exists()


def test_an_index_that_is_wrong_is_our_bug(tmp_path: Path) -> None:
    folder = tmp_path / "streams"
    streams = MessageStreams(folder)
    streams.append(1, packet(b"S", b"x"), 1)
    streams.close()
    wrong = MessageStreams(folder, {1: StreamExtent(5, 4, [(1, 0)])})
    with pytest.raises(AssertionError, match="message 5"):
        wrong.read(1, 5)
    wrong.close()


def test_what_gathers_is_written_when_it_is_enough_or_asked_for(tmp_path: Path) -> None:
    streams = MessageStreams(tmp_path / "streams", gather_bytes=8)
    file = tmp_path / "streams" / "1.stream"
    streams.append(1, packet(b"S", b"a"), 1)
    assert (streams.last(1), streams.size_bytes(), file.exists()) == (1, 4, False)
    streams.append(1, packet(b"S", b"b"), 1)
    assert file.stat().st_size == 8
    streams.append(1, packet(b"S", b"c"), 1)
    assert payloads(streams.read(1, 3)[0]) == [b"c"]
    assert file.stat().st_size == 12
    streams.append(1, packet(b"S", b"d"), 1)
    extents = streams.extents()
    assert file.stat().st_size == extents[1].size_bytes == 16
    streams.append(1, packet(b"S", b"lost"), 1)
    streams.close()
    again = MessageStreams(tmp_path / "streams", extents, gather_bytes=8)
    assert read_all(again, 1, 1) == [b"a", b"b", b"c", b"d"]
    again.append(2, packet(b"S", b"x"), 1)
    again.drop(2)
    assert again.last(2) == 0
    again.remove()


def test_what_could_not_be_written_is_written_where_it_belongs_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = MessageStreams(tmp_path / "streams", gather_bytes=1)
    streams.append(1, packet(b"S", b"a"), 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("exchange.infra.disk.write_at", full)
        with pytest.raises(OSError, match="No space"):
            streams.append(1, packet(b"S", b"b"), 1)
        with pytest.raises(OSError, match="No space"):
            streams.extents()
    assert read_all(streams, 1, 1) == [b"a", b"b"]
    streams.close()
