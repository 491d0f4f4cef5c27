"""Order flow in LOBSTER's form, made up from a seed: executions always meet the oldest order at the best price."""

from __future__ import annotations

from pathlib import Path
from random import Random

from exchange.simulation.lobster import read_messages
from exchange.simulation.lobster_flow import OrderFlow, distinct_states

MIDDLE, TICK = 1_000_000, 100
SIGN = {"buy": 1, "sell": -1}


def write_flow(folder: Path, messages: int, seed: int = 1) -> tuple[Path, Path]:
    """Write a message file and the best quotes that belong to it; return both."""
    chance = Random(seed)
    orders: dict[int, list[int]] = {}
    lines = []
    for row in range(1, messages + 1):
        kind, order_id = _next(chance, orders, row)
        direction, price, size = orders[order_id]
        shares = size if kind in (1, 3) else chance.randint(1, size)
        if kind == 4 and chance.randrange(3) == 0:
            shares = size
        lines.append(f"{34_200 + row * 0.001:.9f},{kind},{order_id},{shares},{price},{direction}\n")
        if kind in (2, 3, 4):
            orders[order_id][2] -= shares
            if not orders[order_id][2]:
                del orders[order_id]
    path = folder / "FLOW_messages.csv"
    path.write_text("".join(lines))
    return path, _write_quotes(path, folder / "FLOW_quotes.csv")


def _next(chance: Random, orders: dict[int, list[int]], row: int) -> tuple[int, int]:
    """Choose what happens next, and to which order."""
    dice = chance.randrange(100)
    if len(orders) < 20 or dice < 45:
        direction = chance.choice((1, -1))
        price = MIDDLE - direction * chance.randint(1, 20) * TICK
        orders[row] = [direction, price, chance.randint(1, 500)]
        return 1, row
    if dice < 80:
        return 3, chance.choice(list(orders))
    if dice < 85:
        several = [order_id for order_id, order in orders.items() if order[2] > 1]
        return 2, chance.choice(several)
    direction = chance.choice((1, -1))
    side = [order_id for order_id, order in orders.items() if order[0] == direction]
    if not side:
        return 3, next(iter(orders))
    return 4, max(side, key=lambda order_id: (direction * orders[order_id][1], -order_id))


def _write_quotes(messages: Path, path: Path) -> Path:
    flow = OrderFlow(str(messages))
    states = []
    for message in read_messages(messages):
        flow.action(message)
        states.append((message.row, flow.best.quotes()))
    rows = (f"0,{','.join(map(str, quotes))},{row}\n" for row, quotes in distinct_states(states))
    path.write_text("time,ask,ask_size,bid,bid_size,row\n" + "".join(rows))
    return path
