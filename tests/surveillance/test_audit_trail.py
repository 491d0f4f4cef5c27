"""A day's trail has every event of every order, and no row can be changed, removed, added or moved unseen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.surveillance.audit_trail import COLUMNS, END, ORDER_EVENTS, AuditTrail, first_fault
from exchange.wire.records import decode_events
from tests.surveillance.stage import WatchedStage

DATE = 20261123


def day() -> WatchedStage:
    stage = WatchedStage()
    stage.play(
        ["buy 100 @ 10.00 by ann as b1", "sell 40 @ 10.00 by bob id mine as s1", "amend b1 to 80 @ 10.00"]
    )
    stage.play(["sell 10 @ 10.00 by bob as s2", "bust t1", "correct t2 to 5 @ 10.00", "cancel b1"])
    stage.play(["start day 2026-11-24", "buy 7 @ 9.00 by cat as later"])
    return stage


def rows_of(stage: WatchedStage) -> list[tuple[str, ...]]:
    trail = AuditTrail(0, DATE)
    events = decode_events(b"".join(stage.commands))
    return [*(row for event in events for row in trail.take(event)), trail.end()]


STAGE = day()
ROWS = rows_of(STAGE)


def cell(row: tuple[str, ...], name: str) -> str:
    return row[COLUMNS.index(name)]


def test_every_event_of_every_order_of_the_day_is_there_and_none_of_another_day() -> None:
    events = [event for event in decode_events(b"".join(STAGE.commands)) if isinstance(event, ORDER_EVENTS)]
    rows = {cell(row, "seq") for row in ROWS}
    assert [str(event.sequence) in rows for event in events] == [True] * (len(events) - 1) + [False]


def test_rows_say_who_what_and_why() -> None:
    said = [
        " ".join(
            cell(row, name) for name in ("event", "member", "symbol", "side", "price", "qty", "reason")
        ).split()
        for row in ROWS
    ]
    assert said[0] == ["OrderAccepted", "ann", "XYZ", "buy", "10.00", "100"]
    assert said[1] == ["OrderAccepted", "bob", "XYZ", "sell", "10.00", "40"]
    assert said[2:4] == [
        ["TradeExecuted", "ann", "XYZ", "buy", "10.00", "40"], ["TradeExecuted", "bob", "XYZ", "sell", "10.00", "40"],
    ]  # fmt: skip
    assert ["TradeBusted", "bob", "XYZ", "sell", "10.00", "40", "busted", "erroneous"] in said
    assert ["TradeCorrected", "ann", "XYZ", "buy", "10.00", "5", "corrected", "erroneous"] in said
    assert ["OrderCancelled", "ann", "XYZ", "buy", "10.00", "30", "requested"] in said
    assert cell(ROWS[1], "client_order_id") == "mine"
    assert cell(ROWS[-1], "event") == END


def test_a_whole_trail_has_no_fault() -> None:
    assert first_fault(ROWS, 0, DATE) == ("", len(ROWS), ROWS[-1][-1])


@settings(max_examples=150, deadline=None)
@given(row=st.integers(0, len(ROWS) - 1), column=st.integers(0, len(COLUMNS) - 1), text=st.text(max_size=3))
def test_any_changed_cell_is_found(row: int, column: int, text: str) -> None:
    changed = [list(each) for each in ROWS]
    if changed[row][column] == text:
        return
    changed[row][column] = text
    assert first_fault(changed, 0, DATE)[0]


@given(row=st.integers(0, len(ROWS) - 1), other=st.integers(0, len(ROWS) - 1))
def test_any_row_that_is_removed_repeated_or_moved_is_found(row: int, other: int) -> None:
    without = [*ROWS[:row], *ROWS[row + 1 :]]
    assert first_fault(without, 0, DATE)[0]
    assert first_fault([*ROWS[:row], ROWS[row], *ROWS[row:]], 0, DATE)[0]
    moved = [*without[:other], ROWS[row], *without[other:]]
    assert bool(first_fault(moved, 0, DATE)[0]) == (moved != ROWS)


def test_a_cut_file_and_one_of_another_day_are_found() -> None:
    assert "the file is cut" in first_fault(ROWS[:-1], 0, DATE)[0]
    assert first_fault(ROWS, 0, DATE + 1)[0]
    assert first_fault(ROWS, 1, DATE)[0]
