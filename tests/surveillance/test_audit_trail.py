"""A day's trail has every event of every order, and no row can be changed, removed, added or moved unseen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.surveillance.audit_trail import (
    COLUMNS,
    COLUMNS_BEFORE,
    END,
    ORDER_EVENTS,
    AuditTrail,
    first_fault,
    first_hash,
    row_hash,
)
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


def linked_rows() -> list[tuple[str, ...]]:
    stage = WatchedStage()
    stage.play([
        "buy 10 @ 9.90 by bob as b0", "sell 10 @ 10.10 by bob as s0",
        "pair by ann: sell 100 @ 10.05 as s1; sell 100 @ market stop 9.50 as s2",
        "quote 7 by cat: XYZ 50 @ 9.95 as b1 / 50 @ 10.04 as a1",
        "peg buy 30 primary by dan as p1", "buy 100 @ 9.80 show 20 by eve as b2",
        "withdraw quotes of cat", "cancel s1", "halt XYZ for split", "split XYZ 2 for 1", "rename XYZ to XYW",
    ])  # fmt: skip
    stage.desk.send(c.CancelOrder(order_id=stage.names.order("s1"), participant_id=1))
    stage.desk.send(c.AmendOrder(order_id=stage.names.order("b2"), participant_id=5, price=1, quantity=7))
    stage.desk.send(c.CancelQuotes(participant_id=9, account_id=3))
    return rows_of(stage)


LINKED = linked_rows()


def told(event: str) -> list[list[str]]:
    names = ("member", "side", "price", "qty", "reason")
    found = [row for row in LINKED if cell(row, "event") == event]
    return [[*(cell(row, name) for name in names if cell(row, name)), cell(row, "terms")] for row in found]


def test_the_orders_of_a_list_are_there_whether_they_come_in_or_wait() -> None:
    first, second = told("OrderListAccepted")
    assert first[:4] == ["ann", "sell", "10.05", "100"]
    assert first[-1].startswith("list_id=")
    assert "contingency=one_cancels_other place=1" in first[-1]
    assert "place=2" in second[-1]
    assert "stop_price=9.50" in second[-1]
    ((member, *_, terms),) = told("OrderListEnded")
    assert (member, "end=cancelled" in terms) == ("ann", True)


def test_quotes_and_pegs_are_there_with_their_terms() -> None:
    assert told("QuoteAccepted") == [["cat", "buy", "quote_id=7"], ["cat", "sell", "quote_id=7"]]
    assert told("QuotesCancelled") == [["cat", "count=2"]]
    assert told("PegAccepted") == [["dan", "kind=primary"]]
    assert ["dan", "buy", "9.95", "peg", ""] in told("OrderRepriced")
    assert any("display_quantity=20" in row[-1] for row in told("SpecialTermsAccepted"))
    assert any("display_quantity=40" in row[-1] for row in told("SpecialTermsAdjusted"))


def test_corporate_actions_stand_between_the_orders_that_they_changed() -> None:
    ((terms,),) = told("SymbolSplit")
    assert terms.startswith("new_shares=2 old_shares=1 old_reference=10.00 reference_price=5.00")
    assert told("SymbolRenamed") == [["old_symbol=XYZ symbol=XYW name=Xyzzy"]]
    assert cell(next(row for row in LINKED if cell(row, "event") == "SymbolRenamed"), "symbol") == "XYW"
    assert ["dan", "buy", "corporate_action", ""] in [
        [row[0], row[1], row[-2], row[-1]] for row in told("OrderCancelled")
    ]


def test_what_was_refused_is_there_with_whom_why_and_what_was_measured() -> None:
    cancel, amend, quotes = told("CommandRejected")
    assert cancel[0] == "ann"
    assert cancel[-1].startswith("command=CancelOrder subject=")
    assert amend[0] == "eve"
    assert amend[-1].startswith("command=AmendOrder subject=")
    assert quotes[:2] == ["cat", "unknown_account"]


def test_every_row_has_its_clocks_and_every_order_its_member() -> None:
    for row in LINKED[:-1]:
        assert cell(row, "at").endswith("Z")
        assert cell(row, "epoch") == "1"
        assert cell(row, "command")
        if cell(row, "order_id"):
            assert cell(row, "member"), row
            assert cell(row, "account"), row
    assert first_fault(LINKED, 0, DATE)[0] == ""


def test_a_file_from_before_there_were_terms_is_verified_as_ever() -> None:
    hash_before, rows = first_hash(0, DATE), []
    for row in ROWS:
        fields = [text for name, text in zip(COLUMNS, row, strict=True) if name in COLUMNS_BEFORE][:-1]
        hash_before = row_hash(hash_before, fields)
        rows.append((*fields, hash_before.hex()))
    assert first_fault(rows, 0, DATE)[:2] == ("", len(rows))
    rows[3] = (*rows[3][:5], "OrderCancelled", *rows[3][6:])
    assert "row 4" in first_fault(rows, 0, DATE)[0]
