"""The clock of a running engine jumps: it halts with the reason, loses nothing, and starts when the clock is right."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.exchange_process import Client, wait_for
from tests.integration.fault_stand import FaultRow
from tests.integration.parts import Parts
from tests.integration.test_full_disk import enter

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
SHIM = Path(__file__).with_name("clock_shim.c")


class MovableClock:
    """The time of day of processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no cc: a C compiler is needed to move the clock of one process")
        library = folder / "clock_shim.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SHIM, "-ldl"], check=True)
        self._file = folder / "clock"
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIM": str(self._file)}
        self.set(0)

    def set(self, seconds: int) -> None:
        """Set the clock by so much off the right time."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(str(seconds * 1_000_000_000))
        unfinished.rename(self._file)


@pytest.mark.parametrize(("jump_s", "said"), [(7_200, "s ahead of"), (-7_200, "s behind")])
def test_a_jump_halts_the_engine_and_nothing_is_lost(tmp_path: Path, jump_s: int, said: str) -> None:
    row = FaultRow(
        f"the engine's clock jumps two hours {'forward' if jump_s > 0 else 'back'}, until it is right again"
    )
    clock = MovableClock(tmp_path)
    with Parts(tmp_path) as parts:
        parts.start("engine", tmp_path / "data", environment=clock.environment)
        parts.start("reporter", tmp_path / "reporter")
        parts.start("clearing", tmp_path / "clearing")
        traders = [parts.client("engine", name) for name in ("alice", "bob")]
        acknowledged = {enter(traders[n % 2], n, ("buy", "sell")[n % 2])[1]["id"] for n in range(50)}
        clock.set(jump_s)

        def is_halted() -> bool:
            status, body = Client(parts.url("engine")).call("GET", "/readyz")
            return status == 503 and said in body["reasons"][0]

        wait_for(is_halted, "an engine that is halted by the clock")
        status, answer = enter(traders[0], 99)
        assert (status, answer["reason"]) == (503, "engine_halted")
        assert "set the clock right, then start the engine again" in answer["message"]
        assert parts.stop("engine") == 0

        clock.set(0)
        begun = time.monotonic()
        parts.start("engine", tmp_path / "data", environment=clock.environment)
        assert parts.orders_of("alice") | parts.orders_of("bob") == acknowledged
        parts.wait_until_equal()
        row.healed(time.monotonic() - begun)
    row.report()


def test_a_small_step_back_only_makes_time_stand_still(tmp_path: Path) -> None:
    clock = MovableClock(tmp_path)
    with Parts(tmp_path) as parts:
        parts.start("engine", tmp_path / "data", environment=clock.environment)
        trader = parts.client("engine", "alice")
        before = enter(trader, 1)[1]
        clock.set(-1)
        after = [enter(trader, number)[1] for number in range(2, 12)]
        assert {each["id"] for each in after}.isdisjoint({before["id"]})
        status, _ = Client(parts.url("engine")).call("GET", "/readyz")
        assert status == 200
