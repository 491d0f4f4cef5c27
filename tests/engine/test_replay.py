"""Replay proves itself: a difference in sequence, hash or rules is refused with what was seen."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from exchange.domain.commands import CreateParticipant
from exchange.engine.replay import (
    MatcherMissing,
    ReplayFailed,
    RulesChanged,
    VenueKind,
    choose_matcher,
    native_matcher,
    python_matcher,
    replay_batch,
    snapshot_of,
    venue_from,
)
from exchange.infra.journal_format import BatchHeader, Kind
from exchange.infra.journal_segments import Batch
from exchange.matching.venue import RULES_VERSION
from exchange.wire.records import decode_events, encode_command
from tests.engine.stored_engine import StoredEngine, participant

NATIVE = "exchange.matching.native"
PAYLOAD = encode_command(CreateParticipant(name="Ann"), 1)


def batch(kind: Kind = Kind.COMMANDS, *, rules: int = 1, sequence: int = 1, running_hash: int = 0) -> Batch:
    header = BatchHeader(kind, 0, rules, 1, sequence, 1, len(PAYLOAD), 5, running_hash, 0)
    return Batch(header, PAYLOAD, Path("a.journal"), 64)


def test_a_batch_gives_the_events_it_gave_before() -> None:
    venue = python_matcher().new(0)
    events = decode_events(replay_batch(venue, batch(), 1))
    assert [event.command_sequence for event in events] == [1]
    assert venue.time_ns == 5


def test_a_seal_changes_nothing_but_is_compared() -> None:
    venue = python_matcher().new(0)
    assert replay_batch(venue, batch(Kind.SEAL), 1) == b""
    assert venue.command_sequence == 0
    with pytest.raises(ReplayFailed):
        replay_batch(venue, batch(Kind.SEAL, running_hash=1), 1)


@pytest.mark.parametrize("wrong", [{"sequence": 2}, {"running_hash": 99}])
def test_another_history_is_refused_with_both_sides(wrong: dict[str, int]) -> None:
    with pytest.raises(ReplayFailed, match=r"a.journal at offset 64.*written were.*exchange journal check"):
        replay_batch(python_matcher().new(0), batch(**wrong), 1)


def test_commands_of_other_rules_are_refused_with_the_way_out() -> None:
    with pytest.raises(RulesChanged, match=r"rules version 2,\s*this program has 1.*stop it cleanly"):
        replay_batch(python_matcher().new(0), batch(rules=2), 1)


def test_a_venue_comes_back_from_its_snapshot_and_a_wrong_digest_is_refused() -> None:
    kind = python_matcher()
    venue = kind.new(0)
    replay_batch(venue, batch(), 1)
    snapshot = snapshot_of(venue, 1)
    again = venue_from(snapshot, kind)
    assert (again.digest(), again.running_hash) == (venue.digest(), venue.running_hash)
    with pytest.raises(ReplayFailed, match="written was 00"):
        venue_from(msgspec.structs.replace(snapshot, digest="00"), kind)


def installed_matcher() -> VenueKind:
    try:
        return native_matcher()
    except MatcherMissing as missing:
        pytest.skip(str(missing))


def test_auto_takes_the_native_matcher_where_it_is_installed() -> None:
    installed = installed_matcher()
    assert choose_matcher("auto").name == choose_matcher("native").name == installed.name == "native"
    assert choose_matcher("python").name == "python"


def test_without_the_wheel_auto_takes_python_and_native_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NATIVE, None)
    assert choose_matcher("auto").name == "python"
    with pytest.raises(MatcherMissing, match="install Rust and run `make setup` again"):
        choose_matcher("native")


def test_a_wheel_of_other_rules_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    installed_matcher()
    monkeypatch.setattr(f"{NATIVE}.NATIVE_RULES_VERSION", 99)
    assert choose_matcher("auto").name == "python"
    with pytest.raises(MatcherMissing, match=f"rules version 99, this program {RULES_VERSION}"):
        choose_matcher("native")


@pytest.mark.parametrize("snapshot", [False, True], ids=["journal alone", "snapshot"])
@pytest.mark.parametrize("native_first", [False, True], ids=["python first", "native first"])
async def test_what_one_matcher_wrote_the_other_opens(
    tmp_path: Path, native_first: bool, snapshot: bool
) -> None:
    kinds = [python_matcher(), installed_matcher()]
    for turn, kind in enumerate(reversed(kinds) if native_first else kinds):
        engine = await StoredEngine.start(tmp_path, kind=kind)
        assert len(engine.recovered.venue.directory.participants) == turn  # type: ignore[attr-defined]
        assert engine.recovered.report.matcher == kind.name
        await engine.submit(participant(f"member {turn}"))
        await engine.stop(snapshot=snapshot)
    await (await StoredEngine.start(tmp_path)).stop()
