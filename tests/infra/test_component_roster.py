"""What is known of all components: the newest word counts, silence is noticed, and nothing grows without bound."""

from __future__ import annotations

from typing import Any

from exchange.infra.component_roster import HAPPENINGS_MAX, INSTANCES_MAX, Roster
from exchange.wire.bus_messages import Announcement, RulingNews, Rulings

SECOND = 1_000_000_000


def said(instance: str = "a", number: int = 1, **facts: Any) -> Announcement:
    given: dict[str, Any] = {
        "component": "engine", "partition": 0, "state": "ready", "started_ns": 1, "time_ns": 2, "every_ms": 1_000,
        "url": "http://e",
    }  # fmt: skip
    return Announcement(instance=instance, number=number, **{**given, **facts})


def states(roster: Roster, now_ns: int) -> list[tuple[str, str]]:
    return [(heard.announcement.instance, state) for heard, state in roster.known(now_ns)]


def test_the_newest_announcement_counts_however_they_come() -> None:
    roster = Roster()
    for number, state in ((1, "starting"), (3, "draining"), (2, "ready"), (3, "draining")):
        roster.note(said(number=number, state=state), 0)
    assert states(roster, 0) == [("a", "draining")]
    assert [each.what for each in roster.happenings] == ["draining", "starting"]


def test_a_component_that_falls_silent_is_lost_and_found_again() -> None:
    roster = Roster()
    roster.note(said(), 0)
    assert states(roster, 3 * SECOND) == [("a", "ready")]
    assert states(roster, 3 * SECOND + 1_000_000) == [("a", "lost")]
    roster.note(said(number=2), 4 * SECOND)
    assert states(roster, 4 * SECOND) == [("a", "ready")]


def test_one_that_stopped_stays_stopped_until_another_takes_its_place() -> None:
    roster = Roster()
    roster.note(said(state="stopped", every_ms=0), 0)
    assert states(roster, 100 * SECOND) == [("a", "stopped")]
    roster.note(said("b", started_ns=5), 100 * SECOND)
    assert states(roster, 100 * SECOND) == [("b", "ready")]


def test_copies_at_one_address_are_all_shown_while_they_speak() -> None:
    roster = Roster()
    roster.note(said("a", component="reporter"), 0)
    roster.note(said("b", component="reporter", started_ns=5), SECOND)
    assert states(roster, SECOND) == [("a", "ready"), ("b", "ready")]
    assert states(roster, 2 * SECOND) == [("b", "ready")]


def test_components_are_listed_in_the_order_of_their_start() -> None:
    roster = Roster()
    for name in ("clearing", "reporter", "engine"):
        roster.note(said(name, component=name), 0)
    assert [instance for instance, _ in states(roster, 0)] == ["engine", "reporter", "clearing"]


def test_instances_and_happenings_are_bounded() -> None:
    roster = Roster()
    for number in range(INSTANCES_MAX + 1):
        roster.note(said(str(number), url=f"http://{number}"), number)
    names = [instance for instance, _ in states(roster, 0)]
    assert len(names) == INSTANCES_MAX
    assert "0" not in names
    item = RulingNews(ruling_id="1", match_id="7", verdict="hold", code=0, time_ns=3)
    roster.note_rulings(Rulings(partition=0, items=(item,) * (HAPPENINGS_MAX + 1)))
    assert len(roster.happenings) == HAPPENINGS_MAX
    assert (roster.happenings[0].what, roster.happenings[0].match_id) == ("ruling: hold", "7")
