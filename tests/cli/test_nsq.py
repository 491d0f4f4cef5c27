"""`exchange nsq tail`: every kind of message in words, and what cannot be read with the reason."""

from __future__ import annotations

from pathlib import Path

from exchange.cli.nsq import decoded, lines_of
from exchange.wire.bus_messages import Announcement, RulingNews, Rulings, dead_letter, encode_message
from exchange.wire.envelope import encode_batch
from tests.cli.conftest import Run
from tests.infra.event_streams import make_commands
from tests.infra.nsq_daemons import free_ports


def lines(topic: str, body: bytes) -> list[str]:
    return lines_of(topic, decoded(topic, body))


def test_a_batch_is_shown_with_its_events() -> None:
    (batch,) = make_commands([2])
    shown = lines("exchange.events.0", encode_batch(batch))
    assert shown[0] == "exchange.events.0  epoch 1  events 1 to 2"
    assert len(shown) == 3
    assert shown[1].startswith("    1  ")


def test_announcements_rulings_and_dead_letters_are_one_line_each() -> None:
    said = Announcement(
        component="clearing", instance="c", partition=0, number=1, state="not_ready", started_ns=1, time_ns=2,
        every_ms=5, reasons=("catching up",), position=9,
    )  # fmt: skip
    ruled = Rulings(
        partition=0, items=(RulingNews(ruling_id="1", match_id="4", verdict="bust", code=2, time_ns=9),)
    )
    letter = dead_letter("exchange.events.0", "clearing", "magic at offset 0", 1, 9, b"zz")
    assert lines("exchange.components", encode_message(said)) == [
        "exchange.components  clearing 0  not_ready  at event 9  (catching up)"
    ]
    assert lines("exchange.rulings", encode_message(ruled)) == ["exchange.rulings  bust  trade 4  ruling 1"]
    assert lines("exchange.dead", encode_message(letter)) == [
        "exchange.dead  from exchange.events.0/clearing, 2 bytes: magic at offset 0"
    ]


def test_what_cannot_be_read_says_why() -> None:
    for topic in ("exchange.events.0", "exchange.rulings", "exchange.components", "exchange.dead", "other"):
        (line,) = lines(topic, b"nonsense")
        assert line.startswith(f"{topic}  unreadable, 8 bytes: ")


def test_an_nsqd_that_is_not_there_is_told_with_its_address(run: Run, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    shown = run("nsq", "tail", "--nsqd", f"127.0.0.1:{port}", "--data", str(tmp_path))
    assert shown.code != 0
    assert f"nsqd at 127.0.0.1:{port} cannot be reached" in shown.err
