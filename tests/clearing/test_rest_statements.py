"""Statements over real HTTP: whose, of which day, in which form."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from exchange.clearing import rest_statements
from exchange.domain.events import BusinessDayStarted
from tests.clearing.fake_engine import key_of
from tests.clearing.running import RunningClearing

FEE = {"name": "=trading", "from": "2026-01-01", "who": "taker", "per_share": "0.01"}


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path, fee=(FEE,)) as running:
        stream = running.stream
        stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
        stream.trade(1, 2, 100, price="189.00")
        stream.bust(stream.trade(1, 2, 10, price="230.00"))
        stream.add(BusinessDayStarted, date=20261124, ends_ns=0)
        stream.trade(2, 1, 40, price="190.00")
        await running.caught_up()
        yield running


async def raw(clearing: RunningClearing, form: str, key: str = "alice") -> tuple[str, str]:
    headers = {"Authorization": f"Bearer {key_of(key)}"}
    url = f"{clearing.app.url}/api/v1/statement?format={form}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 200
        return answer.headers["Content-Type"], await answer.text()


async def test_a_participant_reads_the_present_day_of_its_first_account(clearing: RunningClearing) -> None:
    found = await clearing.get("/statement", "alice")
    assert (found["account"], found["business_date"], found["seq"]) == (
        "1",
        "2026-11-24",
        len(clearing.stream.events),
    )
    (line,) = found["lines"]
    assert (line["opening"], line["sold"], line["closing"], line["mark"]) == ("100", "40", "60", "190.00")
    assert (line["realised_fifo"], line["unrealised_average"], line["lots"][0]["qty"]) == (
        "40.00",
        "60.00",
        "60",
    )
    (fill,) = found["fills"]
    assert (fill["side"], fill["liquidity"], fill["notional"], fill["fees"]) == (
        "sell",
        "maker",
        "7600.00",
        "0.00",
    )


async def test_an_earlier_day_has_what_was_taken_then_with_its_fees(clearing: RunningClearing) -> None:
    found = await clearing.get("/statement?account=1&date=2026-11-23", "auditor")
    assert (found["fees"], found["fills_count"], found["lines"][0]["mark"]) == (
        {"=trading": "1.00"},
        1,
        "189.00",
    )


async def test_csv_has_a_section_for_each_part_and_no_formulas(clearing: RunningClearing) -> None:
    await clearing.get("/statement?account=2", "auditor")
    media, text = await raw(clearing, "csv", "bob")
    rows = list(csv.reader(text.splitlines()))
    assert media.startswith("text/csv")
    assert [row[0] for row in rows if row[0] != "section"] == ["statement", "symbol", "fee", "fill"]
    assert rows[5] == ["fee", "'=trading", "0.40"]


async def test_the_page_to_print_is_whole_and_harmless(clearing: RunningClearing) -> None:
    media, text = await raw(clearing, "html")
    assert media.startswith("text/html")
    assert "statement of account 1, 2026-11-24" in text
    assert "<script" not in text
    assert text.endswith("</html>")


@pytest.mark.parametrize(
    ("query", "key", "status", "message"),
    [
        ("?account=2", "alice", 404, "there is no account 2 of yours"),
        ("?account=99", "auditor", 404, "there is no account 99 of yours"),
        ("", "auditor", 404, "name the account whose statement you want"),
        ("?date=23.11.2026", "alice", 400, "date must be a day"),
        ("?format=pdf", "alice", 400, "format"),
        ("?account=x", "alice", 400, "account must be a whole number"),
    ],
)
async def test_what_is_not_to_be_seen_or_understood_is_refused(
    clearing: RunningClearing, query: str, key: str, status: int, message: str
) -> None:
    got, error = await clearing.ask("GET", f"/statement{query}", key)
    assert (got, message in error["message"] or error["field"] == message) == (status, True), error


async def test_an_account_with_too_many_trades_is_told_so(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_statements, "STATEMENT_TRADES_MAX", 2)
    status, error = await clearing.ask("GET", "/statement", "alice")
    assert (status, "more than 2 trades" in error["message"]) == (409, True)
