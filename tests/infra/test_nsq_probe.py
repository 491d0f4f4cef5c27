"""Trying nsqd and nsqlookupd; real ones in `tests/cli/test_doctor.py`."""

from __future__ import annotations

from exchange.infra.nsq_probe import probe
from tests.infra.fake_nsqd import fake_nsqd, frame, polite


def introduces_itself(command: bytes, body: bytes) -> bytes | None:
    return frame(0, b'{"version": "1.3.0"}') if command.startswith(b"IDENTIFY") else polite(command, body)


async def test_an_nsqd_says_its_version() -> None:
    async with fake_nsqd(introduces_itself) as fake:
        (seen,) = await probe([fake.address], [], "t")
    assert (seen.says, seen.problem) == ("nsqd 1.3.0", "")


async def test_what_answers_is_told_and_what_does_not_has_a_problem() -> None:
    async with fake_nsqd() as fake:
        there, away, lookup = await probe([fake.address, "127.0.0.1:1"], ["http://127.0.0.1:2"], "t")
    assert there.what == f"nsqd {fake.address}"
    assert "does not speak as nsqd does" in there.problem
    assert (away.says, away.problem.startswith("nsqd at 127.0.0.1:1 cannot be reached")) == ("", True)
    assert lookup.problem.startswith("nsqlookupd at http://127.0.0.1:2 cannot be asked")
