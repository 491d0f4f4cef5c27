"""A replay gets a fresh symbol and two members, and what it needs to be resumed is kept from others' eyes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.order import Side
from exchange.simulation.lobster import LobsterError, OpeningOrder
from exchange.simulation.lobster_setup import (
    Member,
    ReplayPlace,
    digest_of,
    fresh_names,
    load_place,
    prepare,
    reference_price,
    save_place,
)
from exchange.simulation.rest import RequestRefused
from exchange.wire.rest.admin import AccountView, CreatedKey, ParticipantView
from exchange.wire.rest.errors import ErrorBody
from exchange.wire.rest.symbols import SymbolView

OPENING = [OpeningOrder(Side.BUY, 5_853_300, 18, 1), OpeningOrder(Side.SELL, 5_859_400, 200, 2)]


class Operator:
    """An exchange's administration. taken: symbols that are listed already."""

    def __init__(self, *taken: str) -> None:
        self.taken = list(taken)
        self.asked: list[tuple[str, Any]] = []

    async def post(self, path: str, body: Any, returns: Any) -> Any:
        self.asked.append((path, body))
        if path == "/api/v1/symbols":
            if body.symbol in self.taken:
                raise RequestRefused(
                    409, ErrorBody(29, "symbol_taken", "This symbol exists already.", "symbol")
                )
            return SymbolView(
                id="1", symbol=body.symbol, name=body.name, state="active", round_lot="1",
                reference_price=body.reference_price, ticks=[],
            )  # fmt: skip
        number = str(len(self.asked))
        if path == "/api/v1/participants":
            return ParticipantView(id=number, name=body.name, accounts=[])
        if path == "/api/v1/accounts":
            return AccountView(id=number, participant=body.participant, name=body.name)
        if path == "/api/v1/keys":
            return CreatedKey(
                id=number, participant=body.participant, role=body.role, label="", key=f"xk_{number}"
            )
        return None


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    file = tmp_path / "AAPL_2012-06-21_message_50.csv"
    file.write_text("34200,1,7,10,100,1\n")
    return file


async def test_a_fresh_symbol_has_the_middle_of_the_opening_book_as_reference(messages: Path) -> None:
    operator: Any = Operator()
    place = await prepare(operator, messages, "", OPENING, 1)
    assert place.symbol == "AAPL"
    assert operator.asked[0][1].reference_price == "585.63"
    assert place.resting != place.aggressing
    assert place.resting.participant != place.aggressing.participant


async def test_where_the_name_is_taken_the_next_free_one_is_used(messages: Path) -> None:
    operator: Any = Operator("AAPL", "AAPL.R1")
    assert (await prepare(operator, messages, "", OPENING, 1)).symbol == "AAPL.R2"


async def test_a_name_that_was_wanted_and_is_taken_is_refused(messages: Path) -> None:
    operator: Any = Operator("ACME")
    with pytest.raises(
        LobsterError, match="symbol ACME is listed already; a replay needs a symbol of its own"
    ):
        await prepare(operator, messages, "ACME", OPENING, 1)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("AAPL_2012.csv", ["AAPL", "AAPL.R1"]),
        ("messages.csv", ["MESSAGES", "MESSA.R1"]),
        ("a file of mine.csv", ["LOBSTER", "LOBST.R1"]),
        ("goog.csv", ["GOOG", "GOOG.R1"]),
    ],
)
def test_names_are_made_from_the_file(file: str, names: list[str]) -> None:
    found = fresh_names(Path(file), "")
    assert found[:2] == names
    assert all(len(name) <= 8 for name in found)
    assert len(set(found)) == len(found)


def test_a_name_that_is_no_symbol_is_refused() -> None:
    with pytest.raises(LobsterError, match="symbol must be 1 to 8 characters"):
        fresh_names(Path("x.csv"), "TOO LONG A NAME")


def test_without_a_book_the_first_price_is_the_reference() -> None:
    assert reference_price([], 5_853_333) == 5_853_300
    assert reference_price(OPENING[:1], 9_999) == 9_999


def test_a_place_is_kept_so_that_only_its_owner_reads_it(tmp_path: Path, messages: Path) -> None:
    member = Member("1", "2", "xk_secret")
    place = ReplayPlace("AAPL", str(messages), digest_of(messages), member, member)
    file = tmp_path / "data" / "replay.json"
    save_place(file, place)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_place(file, messages) == place


def test_only_the_same_messages_can_be_resumed(tmp_path: Path, messages: Path) -> None:
    file = tmp_path / "replay.json"
    with pytest.raises(LobsterError, match="there is nothing to resume"):
        load_place(file, messages)
    member = Member("1", "2", "k")
    save_place(file, ReplayPlace("AAPL", "other.csv", "0" * 64, member, member))
    with pytest.raises(LobsterError, match=r"belongs to a replay of other\.csv"):
        load_place(file, messages)
    file.write_text("{")
    with pytest.raises(LobsterError, match="is damaged"):
        load_place(file, messages)
