"""Sends the actions of a LOBSTER file to an engine by REST, in their order, and remembers what came of them.

Orders that stand together go in one request; everything waits for the answer before it, for the order of the file is
the order of the market. Every order carries a client order id made from the file, so what is sent twice is entered
once: after a lost connection the request in doubt is sent again, and `entered_so_far` finds where a replay stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from exchange.domain.units import format_price
from exchange.simulation.lobster_flow import Action, Cancel, Enter, Execute, Halt, Reduce
from exchange.simulation.rest import ConnectionFailed, RequestRefused, RestSession, items
from exchange.wire.rest.orders import (
    ORDERS_PER_REQUEST_MAX,
    SIDE_TEXT,
    AmendedOrder,
    AmendRequest,
    CanceledOrder,
    NewOrder,
    Order,
    OrderResult,
    OrderResults,
)

BATCH_MAX = min(500, ORDERS_PER_REQUEST_MAX)
"""Orders in one request."""
REJECTS_KEPT = 20
"""Rejects that are remembered in full; the others are only counted."""
RECONNECT_S = 60
"""How long the engine may be away before the replay gives up."""
RECONNECT_EVERY_S = 0.25

Timed = tuple[int, Action]
_GONE = ("unknown_order", "not_found", "nothing_to_amend")


@dataclass
class ReplayOutcome:
    """What came of the actions so far.

    sequences: (sequence of the event that answered an action, row), rising; unanswered: row whose answer was lost
    with the connection, though it was carried out → last row answered before; engine_ids: LOBSTER id → order id.
    """

    requests: int = 0
    orders: int = 0
    duplicates: int = 0
    volume: int = 0
    rejects: int = 0
    reconnects: int = 0
    first_rejects: list[str] = field(default_factory=list)
    sequences: list[tuple[int, int]] = field(default_factory=list)
    unanswered: dict[int, int] = field(default_factory=dict)
    engine_ids: dict[int, str] = field(default_factory=dict)

    def note_unanswered(self, row: int) -> None:
        """Note that a row was carried out already."""
        self.unanswered[row] = self.sequences[-1][1] if self.sequences else 0

    def note_reject(self, row: int, message: str) -> None:
        """Count a reject and remember it if it is among the first."""
        self.rejects += 1
        if len(self.first_rejects) < REJECTS_KEPT:
            self.first_rejects.append(f"row {row}: {message}")


class LobsterReplay:
    """Carries out actions in one symbol. resting, aggressing: sessions of the two members; operator: for halts.

    in_doubt: the exchange may have the next cancels and amendments already, as after a resumption.
    """

    def __init__(
        self,
        symbol: str,
        resting: RestSession,
        aggressing: RestSession,
        operator: RestSession,
        *,
        in_doubt: bool = False,
    ) -> None:
        self.symbol = symbol
        self.outcome = ReplayOutcome()
        self._resting = resting
        self._aggressing = aggressing
        self._operator = operator
        self._in_doubt = in_doubt

    async def run(self, groups: AsyncIterator[list[Action]], progress: Callable[[int], None]) -> None:
        """Carry out groups of actions as they come; report the row after each."""
        async for group in groups:
            await self._patiently(group)
            self._in_doubt = self._in_doubt and not isinstance(group[0], Enter | Execute)
            progress(group[-1].row)

    async def _patiently(self, group: list[Action]) -> None:
        """Carry out a group, again where the connection was lost under it, until the engine is given up."""
        doubted = self._in_doubt
        for _ in range(int(RECONNECT_S / RECONNECT_EVERY_S)):
            try:
                await self._carry_out(group)
                self._in_doubt = doubted
                return
            except ConnectionFailed:
                if not self.outcome.requests:
                    raise
                self.outcome.reconnects += 1
                self._in_doubt = True
            except RequestRefused as refused:
                if not refused.error.retry:
                    raise
            await asyncio.sleep(RECONNECT_EVERY_S)
        raise ConnectionFailed(
            f"{self._resting.url} has not answered for {RECONNECT_S} s; what was sent is safe, "
            "so when it is back go on with --resume"
        )

    async def _carry_out(self, group: list[Action]) -> None:
        first = group[0]
        match first:
            case Enter():
                await self._enter(self._resting, group)
            case Execute():
                await self._enter(self._aggressing, group)
            case Reduce():
                await self._reduce(first)
            case Cancel():
                await self._cancel(first)
            case Halt():
                verb = "suspend" if first.suspended else "resume"
                await self._operator.post(f"/api/v1/symbols/{self.symbol}/{verb}", {"reason": "halt"}, object)
        self.outcome.requests += 1

    async def _enter(self, session: RestSession, group: list[Action]) -> None:
        orders = [self._new_order(action) for action in group]
        results = await session.post("/api/v1/orders", orders, OrderResults)
        for action, result in zip(group, results.items, strict=True):
            self._note_entered(action, result)

    def _new_order(self, action: Action) -> NewOrder:
        assert isinstance(action, Enter | Execute)
        return NewOrder(
            symbol=self.symbol,
            side=SIDE_TEXT[action.side],
            qty=action.quantity,
            price=format_price(action.price),
            time_in_force="gtc" if isinstance(action, Enter) else "ioc",
            client_order_id=client_order_id(action),
        )

    def _note_entered(self, action: Action, result: OrderResult) -> None:
        order = result.order
        if order is None:
            error = result.error
            self.outcome.note_reject(action.row, error.message if error else f"status {result.status}")
            return
        self.outcome.orders += 1
        self.outcome.duplicates += result.status == 200
        self.outcome.sequences.append((order.seq, action.row))
        if isinstance(action, Enter):
            self.outcome.engine_ids[action.order_id] = order.id
        else:
            self.outcome.volume += int(order.filled_qty)

    async def _cancel(self, action: Cancel) -> None:
        path = f"/api/v1/order/{self.outcome.engine_ids.get(action.order_id, 0)}"
        try:
            done = await self._resting.ask("DELETE", path, CanceledOrder)
        except RequestRefused as refused:
            self._refused(action.row, refused)
        else:
            self.outcome.sequences.append((done.seq, action.row))

    async def _reduce(self, action: Reduce) -> None:
        path = f"/api/v1/order/{self.outcome.engine_ids.get(action.order_id, 0)}"
        try:
            if self._in_doubt:
                order = await self._resting.get(path, Order)
                if order.leaves_qty == "0" or int(order.qty) <= action.quantity:
                    self.outcome.note_unanswered(action.row)
                    return
            done = await self._resting.ask("PATCH", path, AmendedOrder, AmendRequest(qty=action.quantity))
        except RequestRefused as refused:
            self._refused(action.row, refused)
        else:
            self.outcome.sequences.append((done.seq, action.row))

    def _refused(self, row: int, refused: RequestRefused) -> None:
        """Count what the exchange would not do, unless it may have done it before the connection was lost."""
        if refused.error.retry:
            raise refused
        if self._in_doubt and refused.error.reason in _GONE:
            self.outcome.note_unanswered(row)
        else:
            self.outcome.note_reject(row, refused.error.message)


class Pace:
    """Lets actions through at a multiple of the speed at which they happened. speed: 0 for no waiting at all."""

    def __init__(
        self,
        speed: int,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.speed = speed
        self._now = now
        self._sleep = sleep
        self._started_at: float | None = None
        self._first_ns = 0

    def lead_s(self, time_ns: int) -> float:
        """Return in how many seconds an action is due; 0 or less: now."""
        if not self.speed:
            return 0.0
        if self._started_at is None:
            self._started_at, self._first_ns = self._now(), time_ns
        return self._started_at + (time_ns - self._first_ns) / 1e9 / self.speed - self._now()

    async def wait(self, time_ns: int) -> None:
        """Wait until an action is due."""
        lead_s = self.lead_s(time_ns)
        if lead_s > 0:
            await self._sleep(lead_s)


async def grouped(
    actions: Iterable[Timed], pace: Pace, batch_max: int = BATCH_MAX
) -> AsyncIterator[list[Action]]:
    """Give actions in groups that can go in one request: orders of one member that are due, else one by one."""
    group: list[Action] = []
    for time_ns, action in actions:
        if group and (
            len(group) >= batch_max
            or type(action) is not type(group[0])
            or not isinstance(action, Enter | Execute)
            or pace.lead_s(time_ns) > 0
        ):
            yield group
            group = []
        await pace.wait(time_ns)
        group.append(action)
    if group:
        yield group


def client_order_id(entry: Enter | Execute) -> str:
    """Name an order by the file: a resting one by its LOBSTER id, an execution by its row."""
    return f"x{entry.row}" if isinstance(entry, Execute) else str(entry.order_id)


def skip_entered(actions: Iterator[Timed], entered: int) -> Timed | None:
    """Go over the actions that an exchange has, by the number of orders among them; return the last one."""
    last = None
    while entered > 0:
        last = next(actions)
        entered -= isinstance(last[1], Enter | Execute)
    return last


async def entered_so_far(
    entries: list[Enter | Execute], resting: RestSession, aggressing: RestSession
) -> int:
    """Return how many of the orders to enter the exchange has; they are sent in order, so it has the first ones."""
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        entry = entries[middle]
        session = aggressing if isinstance(entry, Execute) else resting
        if await _has(session, client_order_id(entry)):
            low = middle + 1
        else:
            high = middle
    return low


async def live_orders(session: RestSession, symbol: str) -> dict[int, str]:
    """Return the live orders of a resting member: LOBSTER id → order id."""
    orders = await items(session, "/api/v1/orders", Order, status="open", symbol=symbol)
    return {int(order.client_order_id): order.id for order in orders}


async def _has(session: RestSession, name: str) -> bool:
    try:
        await session.get("/api/v1/orders:by_client_order_id", Order, client_order_id=name)
    except RequestRefused as refused:
        if refused.status == 404:
            return False
        raise
    return True
