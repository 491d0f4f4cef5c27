"""The fixed streams A and B make exactly the fills that every price-time engine makes of them."""

from __future__ import annotations

import pytest

from benchmarks.workload import CHECK_POINTS, FOLDER, Fills, batches, fills_of, is_present, read_stream
from exchange.matching.venue import Venue

RECORDS = 20_000
BATCH = 1_024


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_stream_makes_the_known_fills_at_every_check_point(name: str) -> None:
    if not is_present(name):
        pytest.skip(f"no stream {name} in {FOLDER}: the order streams are not part of the project")
    stream = read_stream(name, RECORDS)
    venue = Venue()
    for batch in batches(stream.before, BATCH):
        venue.apply(batch, 1)
    events: list[bytes] = []
    done = 0
    for records, expected in CHECK_POINTS[name].items():
        if records > RECORDS:
            break
        events += [venue.apply(batch, 2) for batch in batches(stream.timed[done:records], BATCH)]
        done = records
        assert fills_of(events, stream.stream_ids, venue.live_orders) == expected, records


def test_check_points_count_up() -> None:
    for points in CHECK_POINTS.values():
        assert list(points) == sorted(points)
        assert all(isinstance(fills, Fills) and fills.rejects == 0 for fills in points.values())
