"""Reading /metrics for people."""

from __future__ import annotations

import pytest

from exchange.cli.figures import Figures, percentile_ms, rate, rates, read_figures, read_readiness
from exchange.infra.latency import LatencyHistogram
from exchange.infra.metrics import Family, counter, exposition, gauge, histogram, read_all
from tests.cli.stub_component import StubComponent

FAMILIES: tuple[Family[dict[str, float]], ...] = (
    counter("exchange_orders_total", "Orders.", lambda each: each["orders"]),
    counter("exchange_rejects_total", "Refused.", lambda each: {"busy": each["orders"], "late": 3}, "reason"),
    gauge("exchange_build_info", "Build.", lambda each: {("1.2", "x"): 1}, "version", "python"),
)


def reading(orders: float, at_s: float) -> Figures:
    text = exposition(lambda: read_all(FAMILIES, {"orders": orders})).decode()
    return Figures("http://127.0.0.1:1", text, at_s=at_s)


def test_values_are_summed_over_the_labels_that_are_not_asked_for() -> None:
    figures = reading(5, 1)
    assert figures.value("exchange_rejects_total") == 8
    assert figures.value("exchange_rejects_total", reason="late") == 3
    assert figures.by("exchange_rejects_total", "reason") == {"busy": 5, "late": 3}
    assert figures.value("exchange_nothing") is None
    assert (figures.label("exchange_build_info", "version"), figures.label("exchange_x", "version")) == (
        "1.2",
        "",
    )


def test_rates_are_of_what_passed_and_begin_anew_with_the_process() -> None:
    assert rate(reading(10, 1), reading(40, 4), "exchange_orders_total") == 10
    assert rate(reading(100, 1), reading(6, 4), "exchange_orders_total") == 2
    assert rate(reading(10, 1), reading(40, 1), "exchange_orders_total") is None
    assert rate(reading(10, 1), reading(40, 4), "exchange_nothing") is None
    assert rate(Figures("u", problem="away"), reading(40, 4), "exchange_orders_total") is None
    assert rates(reading(10, 1), reading(40, 4), "exchange_rejects_total", "reason") == {"busy": 10}


def test_percentiles_are_of_what_passed_between_two_readings() -> None:
    times = LatencyHistogram()
    declared: tuple[Family[LatencyHistogram], ...] = (histogram("exchange_x_seconds", "X.", lambda t: t),)

    def read() -> Figures:
        return Figures("u", exposition(lambda: read_all(declared, times)).decode(), at_s=float(times.count))

    for _ in range(1_000):
        times.observe(10**10)
    before = read()
    for milliseconds in range(1, 101):
        times.observe(milliseconds * 1_000_000)
    after = read()
    p50 = percentile_ms(before, after, "exchange_x_seconds", 50)
    p99 = percentile_ms(before, after, "exchange_x_seconds", 99)
    assert p50 is not None
    assert p99 is not None
    assert 25 < p50 < 100 < p99 < 200
    assert percentile_ms(after, read(), "exchange_x_seconds", 50) is None
    assert percentile_ms(before, after, "exchange_y_seconds", 50) is None


def test_times_above_all_edges_are_told_as_the_last_edge() -> None:
    times = LatencyHistogram()
    declared: tuple[Family[LatencyHistogram], ...] = (histogram("exchange_x_seconds", "X.", lambda t: t),)
    before = Figures("u", exposition(lambda: read_all(declared, times)).decode(), at_s=0)
    times.observe(10**15)
    after = Figures("u", exposition(lambda: read_all(declared, times)).decode(), at_s=1)
    found = percentile_ms(before, after, "exchange_x_seconds", 50)
    assert found == pytest.approx(137_438.953472)


def test_a_component_that_is_away_or_something_else_says_why(component: StubComponent) -> None:
    assert (
        read_figures("http://127.0.0.1:1").problem
        == "cannot be reached at http://127.0.0.1:1: Connection refused"
    )
    component.answer("GET", "/metrics", {}, 404)
    assert read_figures(component.url).problem.endswith("/metrics answered 404; is this an exchange?")
    component.answer("GET", "/metrics", b"<html>hello</html>")
    assert "cannot be reached" in read_figures(component.url).problem


def test_readiness_is_read_whether_it_is_ready_or_not(component: StubComponent) -> None:
    component.answer("GET", "/readyz", {"ready": True, "reasons": [], "notes": ["Redis is away"]})
    assert read_readiness(component.url) == ([], ["Redis is away"])
    component.answer("GET", "/readyz", {"ready": False, "reasons": ["replaying"]}, 503)
    assert read_readiness(component.url) == (["replaying"], [])
    component.answer("GET", "/readyz", b"oops", 500)
    assert read_readiness(component.url)[0] == [f"{component.url}/readyz answered 500; is this an exchange?"]
    component.answer("GET", "/readyz", b"oops")
    assert "does not answer as an exchange does" in read_readiness(component.url)[0][0]
    with pytest.raises(OSError, match="refused"):
        read_readiness("http://127.0.0.1:1")
