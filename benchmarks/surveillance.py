"""Surveillance on trial: how many abusers its detectors find, how many honest members they accuse, and how fast.

`python -m benchmarks.surveillance [--seed 1] [--trials 40]`. Every trial is a market of its own on a real venue:
two market makers and five noise traders, and one member who commits a pattern, or nearly so, with chance in its sizes
and times: some are too small or too slow for the thresholds, and are missed. What is drawn follows from the seed alone.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.run_info import describe
from exchange.domain import commands as c
from exchange.domain.order import OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.units import parse_time, public_id
from exchange.matching.venue import Venue
from exchange.surveillance.alert import Alert
from exchange.surveillance.watcher import DETECTORS, Watcher
from exchange.wire.records import encode_command, split

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
START_NS = parse_time("2026-11-23T09:00:00Z")
ACTOR, CLIENT, ACCOMPLICE, THIRD = 1, 2, 3, 4
MAKERS, NOISE = (5, 6), (7, 8, 9, 10, 11)
MIDDLE = 100_000


class Floor:
    """A venue with eleven accounts, on which one member may misbehave. Account 2 belongs to member 1, as 1 does."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.venue = Venue()
        self.time_ns = START_NS
        self.events: list[bytes] = []
        self.quotes: dict[int, list[int]] = {maker: [] for maker in MAKERS}
        self.resting: list[int] = []
        self.owners: dict[int, int] = {}
        self.send(c.StartEngine(epoch=1))
        self.send(c.StartBusinessDay(date=20261123, ends_ns=0))
        self.send(c.AddSymbol(symbol="XYZ", name="Xyzzy", reference_price=MIDDLE))
        for number in range(1, 12):
            self.send(c.CreateParticipant(name=f"member {number}"))
            owner = 1 if number == CLIENT else number
            self.send(c.CreateAccount(participant_id=owner, name=f"account {number}"))
            if number in (*MAKERS, *NOISE):
                mode = SelfTradeMode.CANCEL_OLDEST
                self.send(c.SetSelfTradePrevention(participant_id=number, group=number, mode=mode))

    def send(self, command: c.Command) -> None:
        """Carry a command out and keep its events."""
        record = encode_command(command, self.venue.command_sequence + 1)
        self.events.append(self.venue.apply(record, self.time_ns))

    def order(self, side: Side, quantity: int, price: int, account: int, **more: Any) -> int:
        """Enter an order for the day; return its id."""
        fields = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY} | more
        self.send(
            c.EnterOrder(account_id=account, symbol_id=1, side=side, quantity=quantity, price=price, **fields)
        )
        order_id = public_id(0, self.venue.command_sequence)
        self.owners[order_id] = 1 if account == CLIENT else account
        return order_id

    def cancel(self, order_id: int) -> None:
        """Let the owner of an order take it back."""
        self.send(c.CancelOrder(order_id=order_id, participant_id=self.owners[order_id]))

    def wait(self, low_ms: int, high_ms: int = 0) -> None:
        """Let time pass."""
        self.time_ns += self.chance.randint(low_ms, max(low_ms, high_ms)) * MS

    def size(self, low: int, high: int) -> int:
        """Draw a quantity in hundreds."""
        return self.chance.randint(low // 100, high // 100) * 100

    def honest(self, steps: int, middle: int = MIDDLE) -> None:
        """Let market makers quote both sides and noise traders trade."""
        for number in range(steps):
            self.wait(20, 400)
            if number % 4 == 0:
                self._quote(self.chance.choice(MAKERS), middle)
                continue
            side = self.chance.choice(tuple(Side))
            away = self.chance.choice((-2, 1, 2, 3, 4)) * 100
            price = middle - away if side is Side.BUY else middle + away
            order_id = self.order(side, self.size(100, 400), price, self.chance.choice(NOISE))
            self.resting.append(order_id)
            if len(self.resting) > 30:
                self.cancel(self.resting.pop(0))

    def _quote(self, maker: int, middle: int) -> None:
        for order_id in self.quotes[maker]:
            self.cancel(order_id)
        size = self.size(200, 500)
        ladder = range(1, 4)
        self.quotes[maker] = [
            *(self.order(Side.BUY, size, middle - 100 * step, maker) for step in ladder),
            *(self.order(Side.SELL, size, middle + 100 * step, maker) for step in ladder),
        ]

    def best(self, side: Side) -> int:
        """Return the best price of a side."""
        bids, asks = self.venue.orders(1)
        own = bids if side is Side.BUY else asks
        return own[0].price if own else MIDDLE


def spoof(floor: Floor, is_near: bool) -> None:
    """A large bid, a small sale, the bid is gone; nearly so: it stays for longer than the threshold."""
    for _ in range(floor.chance.randint(3, 5)):
        best = floor.best(Side.BUY)
        bait = floor.order(Side.BUY, floor.size(1_200, 6_000), best, ACTOR)
        floor.wait(50, 500)
        floor.order(Side.SELL, 100, best + 100, ACTOR)
        floor.order(Side.BUY, 100, best + 100, NOISE[0])
        floor.wait(7_000 if is_near else 50, 12_000 if is_near else 4_000)
        floor.cancel(bait)
        floor.honest(20)


def layer(floor: Floor, is_near: bool) -> None:
    """Layers of offers, a small purchase, the layers are gone; nearly so: as much on the other side."""
    best = floor.best(Side.SELL)
    size = floor.size(600, 1_500)
    layers = [
        floor.order(Side.SELL, size, best + 100 * step, ACTOR) for step in range(floor.chance.randint(3, 4))
    ]
    if is_near:
        layers += [floor.order(Side.BUY, size, best - 200 - 100 * step, ACTOR) for step in range(3)]
    floor.order(Side.BUY, 100, best - 100, ACTOR)
    floor.order(Side.SELL, 100, best - 100, NOISE[1], time_in_force=TimeInForce.IOC)
    for order_id in layers:
        floor.wait(20, 500)
        floor.cancel(order_id)


def wash(floor: Floor, is_near: bool) -> None:
    """Both sides by one member; nearly so: by two."""
    price = floor.best(Side.BUY) + 50 * 2
    floor.order(Side.SELL, 300, price, ACTOR)
    floor.order(Side.BUY, 300, price, THIRD if is_near else CLIENT)


def circle(floor: Floor, is_near: bool) -> None:
    """Two or three members pass shares round; nearly so: another size comes back."""
    for _ in range(floor.chance.randint(3, 5)):
        size, price = floor.size(300, 900), floor.best(Side.BUY) + 100
        ring = [ACTOR, ACCOMPLICE, *([THIRD] if floor.chance.random() < 0.5 else [])]
        for number, seller in enumerate(ring):
            quantity = size // 2 if is_near and number else size
            floor.order(Side.SELL, quantity, price, seller)
            floor.wait(10, 1_050)
            floor.order(Side.BUY, quantity, price, ring[(number + 1) % len(ring)])
            floor.wait(100, 5_000)
        floor.wait(61_000)


def ramp(floor: Floor, is_near: bool) -> None:
    """Purchases that push the price, then a sale at rest; nearly so: nothing is sold."""
    for step in range(1, 7):
        price = MIDDLE + step * floor.chance.choice((200, 250, 300))
        floor.order(Side.SELL, 200, price, NOISE[2])
        floor.order(Side.BUY, floor.size(2_000, 4_000), price, ACTOR, time_in_force=TimeInForce.IOC)
        floor.wait(300, 1_800)
    if not is_near:
        top = MIDDLE + 2_000
        floor.order(Side.SELL, 6_000, top, ACTOR)
        floor.wait(500, 20_000)
        floor.order(Side.BUY, 9_000, top, NOISE[3], time_in_force=TimeInForce.IOC)


def stuff(floor: Floor, is_near: bool) -> None:
    """Hundreds of orders that come and go in a second; nearly so: in three."""
    gap = 3 * MS if is_near else floor.chance.randint(1 * MS, 2 * MS)
    for _ in range(floor.chance.randint(400, 600)):
        order_id = floor.order(Side.BUY, 100, MIDDLE - 1_000, ACTOR)
        floor.time_ns += gap
        floor.cancel(order_id)
        floor.time_ns += gap // 2 if not is_near else gap
    floor.wait(2_000)


def ratio(floor: Floor, is_near: bool) -> None:
    """Orders and cancels all day, and no trade; nearly so: one share in fifty trades."""
    for number in range(floor.chance.randint(240, 400)):
        order_id = floor.order(Side.SELL, 100, MIDDLE + 1_200, ACTOR)
        floor.wait(50, 200)
        floor.cancel(order_id)
        if is_near and number % 20 == 0:
            floor.order(Side.BUY, 200, MIDDLE + 500, ACTOR, time_in_force=TimeInForce.IOC)
            floor.honest(4)
    floor.send(c.StartBusinessDay(date=20261124, ends_ns=0))


def front(floor: Floor, is_near: bool) -> None:
    """The house buys before its client's block; nearly so: long before."""
    floor.order(Side.SELL, 30_000, MIDDLE + floor.chance.choice((600, 700, 900)), NOISE[4])
    floor.order(Side.BUY, floor.size(200, 400), floor.best(Side.SELL), ACTOR, time_in_force=TimeInForce.IOC)
    floor.wait(5_500 if is_near else 100, 9_000 if is_near else 5_500)
    floor.order(Side.BUY, floor.size(12_000, 20_000), MIDDLE + 900, CLIENT)


def mark_close(floor: Floor, is_near: bool) -> None:
    """Aggressive purchases before the close carry it up; nearly so: somebody else carries it."""
    floor.time_ns += 11 * MINUTE
    buyer = ACTOR
    for step in range(1, 6):
        price = MIDDLE + step * floor.chance.choice((100, 150, 200, 250))
        if is_near:
            buyer = (ACTOR, ACCOMPLICE, THIRD, *NOISE)[step % 8]
            price = MIDDLE + step * 50 // 100 * 100
        floor.order(Side.SELL, 400, price, MAKERS[0])
        floor.order(Side.BUY, floor.size(2_000, 4_000), price, buyer, time_in_force=TimeInForce.IOC)
        floor.wait(20_000, 80_000)
    floor.send(c.SetPhase(symbol_id=1, phase=Phase.CLOSED, reason="close"))


def mark_auction(floor: Floor, is_near: bool) -> None:
    """A large bid moves the indicated price and goes; nearly so: long before the auction."""
    floor.send(c.CancelOrders(participant_id=0, account_id=0, symbol_id=1, side=0))
    floor.send(c.SetPhase(symbol_id=1, phase=Phase.OPENING_AUCTION, reason="open"))
    floor.order(Side.BUY, 500, MIDDLE, NOISE[0])
    floor.order(Side.SELL, 500, MIDDLE, NOISE[1])
    far = MIDDLE + floor.chance.choice((800, 1_200, 1_500, 2_000))
    floor.order(Side.SELL, 1_500, far, NOISE[2])
    floor.wait(60_000)
    bait = floor.order(Side.BUY, floor.size(800, 1_500), far, ACTOR)
    floor.wait(5_000, 20_000)
    floor.cancel(bait)
    floor.wait(35_000 if is_near else 1_000, 60_000 if is_near else 32_000)
    floor.send(c.SetPhase(symbol_id=1, phase=Phase.CONTINUOUS, reason="open"))


def error(floor: Floor, is_near: bool) -> None:
    """A trade beyond the guideline that stands; nearly so: within it."""
    floor.send(c.CancelOrders(participant_id=0, account_id=0, symbol_id=1, side=0))
    away = floor.chance.randint(400, 900) if is_near else floor.chance.randint(950, 2_000)
    price = MIDDLE * (10_000 + away) // 10_000 // 100 * 100
    floor.order(Side.SELL, 100, price, NOISE[0])
    floor.order(Side.BUY, 100, price, ACTOR)
    floor.send(c.StartBusinessDay(date=20261124, ends_ns=0))


PATTERNS: dict[str, Callable[[Floor, bool], None]] = {
    "SPOOF-1": spoof, "LAYER-1": layer, "WASH-1": wash, "WASH-2": circle, "MTC-1": mark_close, "MTO-1": mark_auction,
    "RAMP-1": ramp, "STUFF-1": stuff, "OTR-1": ratio, "FRONT-1": front, "CE-1": error,
}  # fmt: skip


class Count(NamedTuple):
    """Of one detector: patterns found and missed, near misses and honest markets that it accused."""

    found: int
    missed: int
    near: int
    honest: int


def play(seed: int, act: Callable[[Floor, bool], None] | None, is_near: bool) -> tuple[list[Alert], Floor]:
    """Play one market; return what the watcher raises."""
    floor = Floor(seed)
    floor.honest(120)
    if act is not None:
        act(floor, is_near)
    floor.honest(20)
    if act is None:
        floor.send(c.StartBusinessDay(date=20261124, ends_ns=0))
    return Watcher().take(b"".join(floor.events)), floor


def accuses(alerts: list[Alert], code: str) -> bool:
    """Tell whether a detector makes a case; of CE-1, which only lists, a note is one."""
    return any(a.detector == code and (a.level.value == "alert" or code == "CE-1") for a in alerts)


def count(code: str, trials: int, seed: int) -> Count:
    """Let one detector judge patterns and near misses of its own, and honest markets."""
    act = PATTERNS[code]
    place = list(PATTERNS).index(code)
    found = near = honest = 0
    for number in range(trials):
        own = seed * 1_000_003 + place * 10_007 + number
        found += any(1 in a.participants for a in play(own, act, False)[0] if accuses([a], code))
        near += accuses(play(own, act, True)[0], code)
        honest += accuses(play(own, None, False)[0], code)
    return Count(found, trials - found, near, honest)


def speed(seed: int) -> tuple[int, float]:
    """Look through one long honest market; return its events and the seconds of processor time."""
    floor = Floor(seed)
    floor.honest(60_000)
    records = b"".join(floor.events)
    watcher = Watcher()
    begin = time.process_time()
    watcher.take(records)
    return sum(1 for _ in split(records)), time.process_time() - begin


def main() -> None:
    """Print the table and the speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=40)
    options = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {options.seed}, {options.trials} markets of each kind for each detector")
    assert set(PATTERNS) == {kind.CODE for kind in DETECTORS.values()}
    print("\n| detector | found | missed | near misses accused | honest accused | recall | precision |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for code in PATTERNS:
        of = count(code, options.trials, options.seed)
        raised = of.found + of.near + of.honest
        precision = f"{of.found / raised:.0%}" if raised else "none raised"
        print(
            f"| {code} | {of.found} | {of.missed} | {of.near} | {of.honest} | {of.found / options.trials:.0%} | "
            f"{precision} |"
        )
    events, taken_s = speed(options.seed)
    print(
        f"\n{events:,} events through all detectors in {taken_s:.2f} s of one processor: {events / taken_s:,.0f}/s"
    )


if __name__ == "__main__":
    main()
