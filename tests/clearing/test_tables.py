"""Numbers that do not fit a signed 64-bit column are kept all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from exchange.clearing.tables import PublicId, WideInteger, metadata

table = Table(
    "t", MetaData(), Column("n", Integer, primary_key=True), Column("i", PublicId), Column("w", WideInteger)
)


@pytest.mark.parametrize(
    ("public_id", "wide"),
    [(0, 0), (7, -7), (2**63 - 1, 2**63), (2**63, -(2**70)), (2**64 - 1, 10**40), (None, None)],
)
def test_what_is_written_is_read_again(public_id: int | None, wide: int | None) -> None:
    engine = create_engine("sqlite://")
    table.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(table).values(n=1, i=public_id, w=wide))
        assert connection.execute(select(table.c.i, table.c.w)).one() == (public_id, wide)
        assert connection.execute(select(table.c.n).where(table.c.i == public_id)).scalar() in (1, None)


def test_texts_of_wide_numbers_are_written_as_they_are() -> None:
    assert WideInteger().are_as_is(["1", "-2"])
    assert not WideInteger().are_as_is(["1", -2])


def test_every_key_has_the_partition_in_it() -> None:
    for each in metadata.sorted_tables:
        names = {column.name for column in each.primary_key}
        assert names & {"partition", "match_id"} or each.name == "trade_steps", each.name
