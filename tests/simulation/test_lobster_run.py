"""A whole replay through a whole exchange: a small made-up file always, the real ten minutes where they are there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exchange.domain.units import format_price
from exchange.launch.up import Embedded
from exchange.simulation.lobster import LobsterError
from exchange.simulation.lobster_run import ReplayJob, ReplaySummary, read_input, replay
from exchange.simulation.rest import RestSession, items
from exchange.wire.rest.market import TradeView
from tests.simulation.lobster_data import AAPL, needs_lobster
from tests.simulation.made_up_flow import write_flow
from tests.simulation.running import running_exchange

OPENING = """\
side,price,size,order_id,basis
buy,1002400,50,1,book
buy,1002300,80,2,book
sell,1002600,30,3,book
sell,1002700,40,4,book
"""
MESSAGES = """\
34200.000000001,1,11,100,1002500,1
34200.000000002,2,11,40,1002500,1
34200.000000003,4,11,25,1002500,1
34200.000000004,5,0,7,1002550,-1
34200.000000005,3,11,35,1002500,1
34200.000000006,4,3,30,1002600,-1
34200.000000007,1,12,10,1002600,-1
34200.000000008,4,4,15,1002700,-1
34200.000000009,3,99,5,1002700,-1
"""
EXCEPTIONS = "row,time,order_id,size\n8,34200.000000008,4,15\n"
QUOTES = """\
time,ask,ask_size,bid,bid_size,row
34200.000000001,1002600,30,1002500,100,1
34200.000000002,1002600,30,1002500,60,2
34200.000000003,1002600,30,1002500,35,3
34200.000000005,1002600,30,1002400,50,5
34200.000000006,1002700,40,1002400,50,6
34200.000000007,1002600,10,1002400,50,7
"""


@pytest.fixture
def job(tmp_path: Path) -> ReplayJob:
    """Write the small file with all that belongs to it."""
    texts = {"messages": MESSAGES, "opening": OPENING, "exceptions": EXCEPTIONS, "quotes": QUOTES}
    files = {name: tmp_path / f"TOY_{name}.csv" for name in texts}
    for name, file in files.items():
        file.write_text(texts[name])
    return ReplayJob(
        **files, engine_url="", reporter_url="", operator_key="", place_file=tmp_path / "replay.json"
    )


def aimed(job: ReplayJob, embedded: Embedded, **changes: object) -> ReplayJob:
    return msgspec.structs.replace(
        job,
        engine_url=embedded.engine.url,
        reporter_url=embedded.reporter.url,
        operator_key=embedded.keys.operator,
        **changes,
    )


async def run(job: ReplayJob) -> ReplaySummary:
    rows: list[tuple[int, int]] = []
    summary = await replay(job, read_input(job), lambda row, of: rows.append((row, of)))
    assert [row for row, _ in rows] == sorted(row for row, _ in rows)
    assert rows[-1][0] == rows[-1][1]
    return summary


async def test_a_small_file_comes_out_on_the_feed(tmp_path: Path, job: ReplayJob) -> None:
    async with running_exchange(tmp_path / "data") as embedded:
        summary = await run(aimed(job, embedded))
    assert [(each.what, each.equal, each.expected, each.differences) for each in summary.comparisons] == [
        ("best-quote states", 6, 6, []),
        ("trades with the named maker", 2, 2, []),
        ("remaining orders", 4, 4, []),
        ("gaps in the feed", 0, 0, []),
    ]
    assert summary.holds
    assert (summary.symbol, summary.messages, summary.trades, summary.volume) == ("TOY", 9, 2, 55)
    assert (summary.rejects, summary.unknown, summary.hidden, summary.out_of_turn) == (0, 1, 1, 1)
    assert (summary.bid, summary.bid_qty, summary.ask, summary.ask_qty) == ("100.24", "50", "100.26", "10")


async def test_made_up_flow_comes_out_on_the_feed(tmp_path: Path) -> None:
    messages, quotes = write_flow(tmp_path, 300)
    job = ReplayJob(
        messages=messages, quotes=quotes, engine_url="", reporter_url="", operator_key="",
        place_file=tmp_path / "replay.json",
    )  # fmt: skip
    async with running_exchange(tmp_path / "data") as embedded:
        summary = await run(aimed(job, embedded))
    assert summary.holds, summary.comparisons
    assert summary.comparisons[0].expected > 50
    assert summary.trades > 10


async def test_a_quote_that_does_not_come_out_is_told(tmp_path: Path, job: ReplayJob) -> None:
    assert job.quotes
    job.quotes.write_text(QUOTES.replace("1002500,60,2", "1002500,61,2"))
    async with running_exchange(tmp_path / "data") as embedded:
        summary = await run(aimed(job, embedded))
    assert not summary.holds
    assert summary.comparisons[0].differences == [
        "row 2: expected 61 x 1002500 / 1002600 x 30, seen 60 x 1002500 / 1002600 x 30"
    ]


async def test_a_second_replay_has_a_symbol_of_its_own(tmp_path: Path, job: ReplayJob) -> None:
    async with running_exchange(tmp_path / "data") as embedded:
        assert (await run(aimed(job, embedded))).symbol == "TOY"
        again = await run(aimed(job, embedded))
        assert again.symbol == "TOY.R1"
        assert again.holds


@pytest.mark.parametrize("stopped_after", [1, 2, 5, 7])
async def test_a_replay_that_was_cut_off_is_resumed_on_the_same_exchange(
    tmp_path: Path, job: ReplayJob, stopped_after: int
) -> None:
    whole = job.messages.read_text()
    async with running_exchange(tmp_path / "data") as embedded:
        files = read_input(job)

        def cut_off(row: int, _: int) -> None:
            if row >= stopped_after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await replay(aimed(job, embedded), files, cut_off)
        resumed = await run(aimed(job, embedded, resume=True))
        assert job.messages.read_text() == whole
        assert resumed.rejects == 0
        assert resumed.holds, resumed.comparisons
        assert (resumed.trades, resumed.volume, resumed.remaining) == (2, 55, 4)


async def test_at_a_speed_the_same_comes_out(tmp_path: Path, job: ReplayJob) -> None:
    async with running_exchange(tmp_path / "data") as embedded:
        assert (await run(aimed(job, embedded, speed=1))).holds


def test_nothing_is_sent_where_a_line_is_broken(job: ReplayJob) -> None:
    job.messages.write_text(MESSAGES + "34201,9,1,1,1,1\n")
    with pytest.raises(LobsterError, match="line 10: message type must be one of"):
        read_input(job)


def test_nothing_is_sent_where_the_files_contradict_each_other(job: ReplayJob) -> None:
    assert job.exceptions
    job.exceptions.write_text("row,time,order_id,size\n7,34200.000000007,4,15\n")
    with pytest.raises(LobsterError, match="do both files belong together"):
        read_input(job)


def test_a_file_without_messages_is_refused(job: ReplayJob) -> None:
    job.messages.write_text("")
    with pytest.raises(LobsterError, match="has 0 messages"):
        read_input(job)


@needs_lobster
@pytest.mark.integration
@pytest.mark.timeout(600)
async def test_the_real_ten_minutes_come_out_on_the_feed_of_the_reporter(tmp_path: Path) -> None:
    job = ReplayJob(
        messages=AAPL.messages,
        opening=AAPL.opening,
        exceptions=AAPL.exceptions,
        quotes=AAPL.quotes,
        engine_url="",
        reporter_url="",
        operator_key="",
        place_file=tmp_path / "replay.json",
    )
    async with running_exchange(tmp_path / "data", **{"engine.demo": False}) as embedded:
        summary = await run(aimed(job, embedded))
        assert [(each.what, each.equal, each.expected, each.seen) for each in summary.comparisons] == [
            ("best-quote states", 6_503, 6_503, 6_503),
            ("trades with the named maker", 932, 932, 932),
            ("remaining orders", 259, 259, 259),
            ("gaps in the feed", 0, 0, 0),
        ]
        assert (summary.trades, summary.volume) == (932, 71_885)
        assert (summary.out_of_turn, summary.out_of_turn_shares) == (18, 1_100)
        assert (summary.rejects, summary.unknown, summary.hidden) == (0, 0, 624)
        last = (summary.ask, summary.ask_qty, summary.bid, summary.bid_qty)
        assert last == (format_price(5_863_400), "100", format_price(5_860_900), "100")
        async with RestSession(embedded.reporter.url) as reporter:
            tape = await items(reporter, "/api/v1/trades", TradeView, symbol=summary.symbol)
        assert (len(tape), sum(int(trade.qty) for trade in tape)) == (932, 71_885)
