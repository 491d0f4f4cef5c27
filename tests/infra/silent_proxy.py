"""A TCP proxy that can fall silent: connections stay open and take bytes, and nothing comes through any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

PIECE = 1 << 16


class SilentProxy:
    """`with SilentProxy(port) as proxy`: `proxy.port` leads to a port or socket of this machine until `silence`."""

    def __init__(self, target: int | Path) -> None:
        self.target = target
        self.port = 0
        self.swallowed = 0
        self._is_silent = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> SilentProxy:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def silence(self) -> None:
        """From now on let nothing through, neither way, on old and on new connections."""
        self._is_silent = True

    def heal(self) -> None:
        """Let new connections through again; those that were silent stay so, as a lost path does."""
        self._is_silent = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._is_silent:
                await self._swallow(reader)
                return
            try:
                there, back = await self._connect()
            except OSError:
                return
            self._writers.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        except asyncio.CancelledError:
            pass  # At the end only, when nobody waits for this task.
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way until an end, or for ever none once it was silent."""
        try:
            while piece := await reader.read(PIECE):
                if self._is_silent:
                    self.swallowed += len(piece)
                    await self._swallow(reader)
                    return
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # The one side is gone; the other one hears of it like this.
        writer.close()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                self.swallowed += len(piece)

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
