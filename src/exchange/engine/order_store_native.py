"""The native writer of the table of orders; importing this raises `ImportError` where the wheel is not installed.

It is for a process that has the file open nowhere else: two copies of SQLite in one process lose each other's locks.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from exchange.engine.order_store import OrderStore
from exchange.infra.errors import InfraError
from exchange.wire.native import OrderTable
from exchange.wire.records import ProtocolError


class NativeWriter:
    """Writes what `OrderStore` would, in the table that `OrderStore` made and looked at."""

    name: ClassVar[str] = "native"

    def __init__(self, path: Path, partition: int) -> None:
        OrderStore(path, partition).close()
        try:
            self._table: OrderTable | None = OrderTable(str(path), partition)
        except OSError as error:
            raise InfraError(str(error)) from error

    def commit(self, message: bytes) -> None:
        """Take in an envelope with the next run of events. Raise `InfraError`, or `ProtocolError` for no envelope."""
        assert self._table is not None
        try:
            self._table.commit(message)
        except OSError as error:
            raise InfraError(str(error)) from error
        except ValueError as error:
            raise ProtocolError(str(error)) from error

    def close(self) -> None:
        """Close the table."""
        self._table = None
