"""The engine's side of the follower: starts the process, starts it again when it dies, says what is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import structlog

from exchange.engine.follower import MISMATCH, FollowerReport, read_report

RESTARTS_MAX = 5
RESTART_AFTER_S = 5.0
STOP_WAIT_S = 10.0
log = structlog.get_logger(__name__)


class FollowerProcess:
    """Keeps one follower alive. Its death never hurts the engine."""

    def __init__(
        self,
        folder: Path,
        partition: int,
        *,
        snapshot_every: int,
        snapshots_kept: int,
        archive: Path | None = None,
        matcher: str = "auto",
    ) -> None:
        """Prepare. folder: `DATA/engine`, with the journal there; the others as in `[engine]` of the configuration."""
        self.folder = folder
        self.restarts = 0
        self._ended = ""
        self._arguments = [
            str(folder),
            f"--partition={partition}",
            f"--snapshot-every={snapshot_every}",
            f"--snapshots-kept={snapshots_kept}",
            f"--matcher={matcher}",
        ]
        if archive:
            self._arguments.append(f"--archive={archive}")
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and watch it."""
        self._task = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        """Let it end at a whole batch; it has some seconds for a snapshot under way, which a kill would only lose."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        process, self._process, self._task = self._process, None, None
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def report(self) -> FollowerReport | None:
        """Return what it last said of itself."""
        return read_report(self.folder)

    @property
    def problem(self) -> str:
        """Return what is wrong with it, for readiness and operators; empty while it follows."""
        if self._ended:
            return self._ended
        report = self.report()
        return (
            f"follower: {report.message}" if report and report.message and report.state == "following" else ""
        )

    async def _keep_alive(self) -> None:
        while True:
            code = await self._run_once()
            log.error("follower_ended", code=code, restarts=self.restarts, problem=self._ended)
            if code == MISMATCH or self.restarts >= RESTARTS_MAX:
                return
            self.restarts += 1
            await asyncio.sleep(RESTART_AFTER_S)
            self._ended = ""

    async def _run_once(self) -> int:
        """Start the process and wait for its end; note why it ended and return its code, -1 where it did not start."""
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "exchange.engine.follower",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            self._ended = f"the follower cannot be started with {sys.executable}: {error.strerror or error}"
            return -1
        code = await process.wait()
        report = self.report()
        self._ended = (
            f"the follower ended with code {code}: {report.message if report else 'it said nothing'}"
        )
        return code
