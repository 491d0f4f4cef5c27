"""The stage of surveillance's tables: a real venue, members with names, and the watcher that looks on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.matching.venue import Venue
from exchange.surveillance.alert import Alert
from exchange.surveillance.settings import Settings
from exchange.surveillance.watcher import Watcher
from exchange.wire.records import decode_events, encode_command
from tests.matching.desk import BUSINESS_DATE, MIDNIGHT_NS, Desk, numbered_record
from tests.scenarios.stage import Stage
from tests.scenarios.words import Names

NAMES = ("ann", "bob", "cat", "dan", "eve", "fay")
CLIENT_OF_ANN = len(NAMES) + 1
NS_PER_MS = 1_000_000
OPENING: tuple[c.Command, ...] = (
    c.StartEngine(epoch=1),
    c.StartBusinessDay(date=BUSINESS_DATE, ends_ns=MIDNIGHT_NS),
    c.AddSymbol(symbol="XYZ", name="Xyzzy", reference_price=100_000),
    *(c.CreateParticipant(name=name) for name in NAMES),
    *(c.CreateAccount(participant_id=number, name=name) for number, name in enumerate(NAMES, 1)),
    c.CreateAccount(participant_id=1, name="client"),
)
_WAIT = re.compile(r"wait (\d+) (ms|s|min)")
_UNITS = {"ms": NS_PER_MS, "s": 1_000 * NS_PER_MS, "min": 60_000 * NS_PER_MS}
_TIMES = re.compile(r"(\d+) times:")


class Table(NamedTuple):
    """One table of a file: a title, its steps, and what the watcher raises."""

    file: str
    title: str
    steps: list[str]
    raised: list[str]


class RecordingDesk(Desk):
    """A desk that keeps what every command led to, as records."""

    def __init__(self, venue: Venue) -> None:
        self.commands: list[bytes] = []
        super().__init__(venue, OPENING)

    def send_record(self, record: bytes) -> list[object]:  # type: ignore[override]
        numbered = numbered_record(record, self.venue.command_sequence + 1)
        events = self.venue.apply(numbered, self.time_ns)
        self.commands.append(events)
        return decode_events(events)


class WatchedStage(Stage):
    """The stage of the scenarios with six members, and time that passes."""

    def __init__(self, venue: Venue | None = None) -> None:
        self.desk = self.recording = RecordingDesk(venue or Venue())
        self.names = Names(self.desk.venue.directory)

    @property
    def commands(self) -> list[bytes]:
        """The events of each command."""
        return self.recording.commands

    def play(self, steps: list[str]) -> None:
        """Perform steps, those between `N times:` and `end` so often."""
        at = 0
        while at < len(steps):
            times = _TIMES.fullmatch(steps[at])
            if times:
                end = _end_of(steps, at)
                for _ in range(int(times[1])):
                    self.play(steps[at + 1 : end])
                at = end
            else:
                self._step(steps[at])
            at += 1

    def _step(self, text: str) -> None:
        if wait := _WAIT.fullmatch(text):
            self.desk.time_ns += int(wait[1]) * _UNITS[wait[2]]
        elif text == "market":
            self._market()
        else:
            followed = self.perform(text)
            assert not any(line.startswith(("rejected", "refused")) for line in followed), (text, followed)

    def _market(self) -> None:
        """Let dan and eve make a market: 100 shares each at five prices a side around 10.00."""
        for tick in range(1, 6):
            for name in ("dan", "eve"):
                for side, sign in (("buy", -1), ("sell", 1)):
                    cents = 1_000 + sign * tick
                    self._step(
                        f"{side} 100 @ {cents // 100}.{cents % 100:02} by {name} as {name}{side}{tick}"
                    )
        self._step("wait 1 min")

    def send(self, command: c.Command) -> None:
        """Send a command as it is."""
        self.desk.send_record(encode_command(command))

    def watch(self, settings: Settings | None = None) -> list[Alert]:
        """Return what a watcher raises that sees all of it at once."""
        return Watcher(settings or Settings()).take(b"".join(self.commands))


def _end_of(steps: list[str], at: int) -> int:
    """Return where the repetition that begins at a step ends."""
    depth = 0
    for number in range(at, len(steps)):
        depth += bool(_TIMES.fullmatch(steps[number])) - (steps[number] == "end")
        if not depth:
            return number
    raise AssertionError(f"no end of {steps[at]!r}")


def read_tables() -> list[Table]:
    """Read all tables of this folder."""
    return [table for path in sorted(Path(__file__).parent.glob("*.txt")) for table in parse(path)]


def parse(path: Path) -> list[Table]:
    """Read the tables of a file."""
    tables: list[Table] = []
    for line in path.read_text().splitlines():
        line = " ".join(line.split("#")[0].split())
        if line.startswith("scenario: "):
            tables.append(Table(path.name, line.removeprefix("scenario: "), [], []))
        elif line.startswith("raises "):
            tables[-1].raised.append(line.removeprefix("raises "))
        elif line:
            tables[-1].steps.append(line)
    return tables


def said(alert: Alert) -> str:
    """Write an alert as the tables do."""
    names = [NAMES[participant - 1] for participant in alert.participants]
    return f"{alert.detector} {alert.level.value} about {' and '.join(names)}"
