"""Gateways rest while a small generation is on its way to disk, and never for two in a row."""

from __future__ import annotations

from exchange.engine.pacing import SMALL_COMMANDS, Pacing


class Heard:
    """A reader that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def rest(self) -> None:
        self.told.append("rest")

    def go_on(self) -> None:
        self.told.append("go on")


def paced(*, is_disk_awaited: bool = True) -> tuple[Pacing, Heard]:
    pacing, heard = Pacing(is_disk_awaited), Heard()
    pacing.readers.append(heard)
    return pacing, heard


def test_a_reader_rests_until_what_it_read_is_durable() -> None:
    pacing, heard = paced()
    pacing.sent(1)
    assert heard.told == ["rest"]
    pacing.durable(0)
    assert heard.told == ["rest", "go on"]


def test_what_others_gathered_meanwhile_keeps_a_reader_from_reading_every_other_time_only() -> None:
    pacing, heard = paced()
    pacing.sent(1)
    for _ in range(4):
        pacing.durable(1)
    assert heard.told == ["rest", "go on", "rest", "go on", "rest"]
    pacing.durable(0)
    assert heard.told[-1] == "go on"


def test_nobody_rests_behind_a_large_generation() -> None:
    pacing, heard = paced()
    pacing.sent(SMALL_COMMANDS + 1)
    assert heard.told == []
    pacing.durable(SMALL_COMMANDS + 1)
    assert heard.told == []
    pacing.durable(SMALL_COMMANDS)
    assert heard.told == ["rest"]


def test_nobody_rests_where_no_disk_is_waited_for() -> None:
    pacing, heard = paced(is_disk_awaited=False)
    pacing.sent(1)
    pacing.durable(1)
    pacing.end()
    assert heard.told == []


def test_after_the_end_nobody_rests() -> None:
    pacing, heard = paced()
    pacing.sent(1)
    pacing.end()
    pacing.sent(1)
    pacing.durable(1)
    assert heard.told == ["rest", "go on"]
