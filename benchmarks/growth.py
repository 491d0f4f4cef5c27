"""What a message costs as the market grows: from 1,000 to 10 million resting orders, from 1 to 5,000 symbols.

`python -m benchmarks.growth [--messages 200000] [--runs 3] [--plot docs/images/growth.svg]`. Half of the messages enter
an order that rests, half cancel any live one, in batches of 4,096 from Python; processor time, so that neighbours who
only take turns do not count. The plot needs matplotlib: the extra
`bench`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.resting_orders import BATCH, SEED, Flow, filled
from benchmarks.run_info import describe
from exchange.engine.replay import VenueKind, native_matcher

ORDERS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SYMBOLS = (1, 10, 100, 1_000, 5_000)
ORDERS_OF_ALL_SYMBOLS = 100_000
"""That rest while the number of symbols grows."""
Points = list[tuple[int, float]]
"""(how many, nanoseconds per message)"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--orders-max", type=int, default=ORDERS[-1])
    parser.add_argument("--plot", type=Path, help="where to draw it")
    arguments = parser.parse_args()
    kind = native_matcher()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {SEED}")
    runs, messages = arguments.runs, arguments.messages
    by_orders: Points = []
    for orders in (n for n in ORDERS if n <= arguments.orders_max):
        by_orders.append((orders, _cost_ns(kind, orders, 1, messages, runs)))
        print(f"{orders:>12,} resting orders, 1 symbol: {by_orders[-1][1]:>6,.0f} ns per message", flush=True)
    by_symbols: Points = []
    for symbols in SYMBOLS:
        by_symbols.append((symbols, _cost_ns(kind, ORDERS_OF_ALL_SYMBOLS, symbols, messages, runs)))
        print(
            f"{symbols:>12,} symbols, 100,000 orders: {by_symbols[-1][1]:>6,.0f} ns per message", flush=True
        )
    if arguments.plot:
        draw(by_orders, by_symbols, arguments.plot)
    return 0


def _cost_ns(kind: VenueKind, orders: int, symbols: int, messages: int, runs: int) -> float:
    """Return the median processor time of a message in a market of this size, in nanoseconds."""
    flow = Flow(symbols)
    venue, costs = filled(kind, orders, symbols, flow), []
    for _ in range(runs):
        parts = [flow.steady(BATCH) for _ in range(-(-messages // BATCH))]
        started = time.process_time_ns()
        for part in parts:
            venue.apply(part, 2)
        costs.append((time.process_time_ns() - started) / (len(parts) * BATCH))
    return median(costs)


def draw(by_orders: Points, by_symbols: Points, path: Path) -> None:
    """Draw both curves side by side into an SVG or PNG file."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        print("not drawn: no matplotlib; install the extra `bench`")
        return
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    titles = ("resting orders (one symbol)", f"symbols ({ORDERS_OF_ALL_SYMBOLS:,} resting orders)")
    for axis, points, title in zip(axes, (by_orders, by_symbols), titles, strict=True):
        axis.plot(*zip(*points, strict=True), marker="o", color="#1f6f8b")
        for count, cost in points:
            axis.annotate(
                f"{cost:,.0f}", (count, cost), textcoords="offset points", xytext=(0, 6), ha="center"
            )
        axis.set_xscale("log")
        axis.set_xlabel(title)
        axis.grid(visible=True, alpha=0.3)
    axes[0].set_ylabel("ns per message")
    axes[0].set_ylim(bottom=0, top=1.2 * max(cost for _, cost in (*by_orders, *by_symbols)))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    print(f"drawn into {path}")


if __name__ == "__main__":
    sys.exit(main())
