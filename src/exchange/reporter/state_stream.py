"""The state of a reporter as a stream of bytes: a header, rows of tables, and at the end how many and their hash.

Each frame is its size in four bytes, little-endian, and then MessagePack. The trailer holds the SHA-256 of every byte
before it, so damage of any byte and a cut at any place are found; nothing may follow it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from exchange.infra.errors import InfraError

FORMAT = 1
FRAME_BYTES_MAX = 64 << 20
"""A book snapshot is one row, so one frame may be large; what is larger is no state."""
_SIZE_BYTES = 4


class StateRefused(InfraError):
    """A peer's state is damaged, cut, or does not fit; nothing was changed here."""


class StateHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a state is. held: the newest event kept as it came, its sequence and record; rows: of each table."""

    format: int
    migration: str
    partition: int
    epoch: int
    sequence: int
    held: tuple[int, bytes] | None
    rows: dict[str, int]


class StateRows(msgspec.Struct, frozen=True, tag="rows"):
    """Some rows of a table, each the values in the order of the columns."""

    table: str
    rows: list[list[Any]]


class StateTrailer(msgspec.Struct, frozen=True, tag="end"):
    """The end. rows: of each table that were sent; sha256: of every byte before this frame."""

    rows: dict[str, int]
    sha256: bytes


_piece_decoder = msgspec.msgpack.Decoder(StateRows | StateTrailer)
_header_decoder = msgspec.msgpack.Decoder(StateHeader)


class StateWriter:
    """Makes the frames of one state."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def frame(self, content: StateHeader | StateRows | StateTrailer) -> bytes:
        """Return the bytes of a header or of rows."""
        body = msgspec.msgpack.encode(content)
        framed = len(body).to_bytes(_SIZE_BYTES, "little") + body
        self._hash.update(framed)
        return framed

    def end(self, rows: dict[str, int]) -> bytes:
        """Return the bytes of the trailer."""
        return self.frame(StateTrailer(rows, self._hash.digest()))


class StateReader:
    """Reads one state. read: gives up to so many bytes, fewer only at the end; header: read at once.

    Raise `StateRefused` where the header is none, or of another format.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._hash = hashlib.sha256()
        try:
            self.header = _header_decoder.decode(self._frame())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateRefused(f"it does not begin with the header of a reporter's state: {error}") from error
        if self.header.format != FORMAT:
            raise StateRefused(f"its state is of format {self.header.format}, this program reads {FORMAT}")

    def next(self) -> StateRows | None:
        """Return the next rows; None after a whole and unchanged state. Raise `StateRefused`."""
        before = self._hash.digest()
        try:
            piece = _piece_decoder.decode(self._frame())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateRefused(f"its state is damaged: {error}") from error
        if isinstance(piece, StateRows):
            return piece
        if piece.sha256 != before:
            raise StateRefused("its state is damaged: the SHA-256 is another one than it says")
        if piece.rows != self.header.rows:
            raise StateRefused(f"it sent {piece.rows} rows and had said {self.header.rows}")
        if self._read(1):
            raise StateRefused("its state goes on behind its end")
        return None

    def _frame(self) -> bytes:
        head = self._exactly(_SIZE_BYTES)
        size = int.from_bytes(head, "little")
        if size > FRAME_BYTES_MAX:
            raise StateRefused(
                f"its state is damaged: a frame of {size} bytes, at most {FRAME_BYTES_MAX} are read"
            )
        body = self._exactly(size)
        self._hash.update(head + body)
        return body

    def _exactly(self, size: int) -> bytes:
        found = self._read(size)
        if len(found) != size:
            raise StateRefused("its state was cut before its end")
        return found
