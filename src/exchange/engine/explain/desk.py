"""Where explanations are asked for: one worker at a time, a short queue, and an end to patience."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from exchange.engine.explain.worker import GONE, TOO_LARGE, UNHEARD
from exchange.infra.errors import InfraError

WAITING_MAX = 8
"""Questions that wait or are worked on; more are turned away."""
ANSWER_S_MAX = 25.0
"""For so long a worker may replay; it is killed then."""
HEARD_TRIES = 10
HEARD_AFTER_S = 0.2
"""How often, and how much later, an order is looked for again that the journal's file does not show yet."""


class ExplainBusyError(InfraError):
    """Too many questions at once, or one took too long; trying again later may help."""


class ExplainGoneError(InfraError):
    """What is needed for an explanation is no longer there."""


class ExplainDesk:
    """Answers one question after the other. folder: `DATA/engine`; matcher: as in `[engine]`."""

    def __init__(self, folder: Path, matcher: str = "auto", *, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._folder = folder
        self._matcher = matcher
        self._answer_s_max = answer_s_max
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def explain(self, order_id: int) -> bytes:
        """Return the explanation of an order as JSON.

        Raise `ExplainBusyError`, `ExplainGoneError`, or another `InfraError` where the replay fails.
        """
        if self._waiting >= WAITING_MAX:
            raise ExplainBusyError(
                f"{self._waiting} explanations are asked for already; ask again in a moment"
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await self._answer(order_id)
        finally:
            self._waiting -= 1

    async def _answer(self, order_id: int) -> bytes:
        code, text, message = await self._ask_worker(order_id)
        tries = 1
        while code == UNHEARD and tries < HEARD_TRIES:
            await asyncio.sleep(HEARD_AFTER_S)
            code, text, message = await self._ask_worker(order_id)
            tries += 1
        if code == 0:
            return text
        if code in (GONE, UNHEARD, TOO_LARGE):
            raise ExplainGoneError(message)
        raise InfraError(message or f"the worker that explains ended with code {code}")

    async def _ask_worker(self, order_id: int) -> tuple[int, bytes, str]:
        """Run one worker; return its exit code, what it wrote, and what it said went wrong."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exchange.engine.explain.worker", str(self._folder), str(order_id),
            f"--matcher={self._matcher}", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._answer_s_max):
                text, said = await process.communicate()
        except TimeoutError:
            raise ExplainBusyError(
                f"the replay took longer than {self._answer_s_max:g} s and was ended; a snapshot nearer to the order"
                " makes it shorter: `[engine] snapshot_every_commands`"
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return process.returncode or 0, text, said.decode("utf-8", "replace").strip()
