"""Lets the house traders act through the engine's public REST, with keys of their own like everybody else.

One loop gives each trader its turn in every symbol, in an order that is shuffled by the seed. A turn is: look at the
market, decide, let the oldest quotes make way, send what is wanted. The rate is bounded: after a turn the loop waits
as long as its orders take at the rate that was set. A market maker quotes several times before the first round, so
that there is a book at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import structlog

from exchange.domain.symbol import TickRow, TickTable
from exchange.domain.units import Price, format_money, format_price, parse_price
from exchange.infra.config import SimulationConfig
from exchange.simulation.rest import ConnectionFailed, RequestRefused, RestSession, items
from exchange.simulation.traders import PRICES_SEEN_MAX, Market, Trader, Wish, make_trader
from exchange.wire.rest.admin import (
    AccountView,
    CreatedKey,
    KeyView,
    Movement,
    MovementDone,
    NewAccount,
    NewKey,
    NewParticipant,
    ParticipantView,
    RevokedKey,
)
from exchange.wire.rest.book import Book
from exchange.wire.rest.orders import SIDE_TEXT, CanceledOrder, CanceledOrders, NewOrder, OrderResults
from exchange.wire.rest.symbols import SymbolView

log = structlog.get_logger(component="house")

OPENING_TURNS = 10
PRICES_EVERY_S = 0.5
"""How often the last prices are looked at; a trader remembers `PRICES_SEEN_MAX` of them."""
AWAY_S = 1.0
"""How long the house waits when the engine does not answer."""


class HouseKey(NamedTuple):
    """A house trader's member of the exchange."""

    key_id: str
    account: str
    key: str


@dataclass
class Seat:
    """One trader in one symbol. quotes: ids of its orders in the book, oldest first."""

    trader: Trader
    symbol: str
    session: RestSession
    quotes: deque[str] = field(default_factory=deque)


@dataclass
class HouseCounts:
    """What the house has done. missed: turns in which the engine did not answer."""

    turns: int = 0
    orders: int = 0
    cancels: int = 0
    refused: int = 0
    missed: int = 0


class House:
    """All house traders of one exchange. `open` makes them members, `run` trades until cancelled, `close` cleans up."""

    def __init__(
        self, engine_url: str, operator_key: str, symbols: Sequence[str], config: SimulationConfig
    ) -> None:
        self.counts = HouseCounts()
        self.config = config
        self._url = engine_url
        self._operator = RestSession(engine_url, operator_key)
        self._symbols = list(symbols)
        self._chance = Random(f"{config.seed}/house")
        self._keys: dict[str, HouseKey] = {}
        self._sessions: list[RestSession] = []
        self._seats: list[Seat] = []
        self._listed: dict[str, SymbolView] = {}
        self._prices: dict[str, deque[int]] = {}
        self._prices_due_at = 0.0
        self._absent: set[str] = set()
        self._turning = asyncio.Lock()

    async def open(self) -> None:
        """Make the traders members with a fresh key each, and let the market makers begin."""
        for name in self.config.traders:
            self._keys[name] = key = await self._admit(name)
            session = RestSession(self._url, key.key)
            self._sessions.append(session)
            await session.ask("DELETE", "/api/v1/orders", CanceledOrders)
            self._seats += [
                Seat(make_trader(name, symbol, self.config.seed), symbol, session) for symbol in self._symbols
            ]
        makers = [seat for seat in self._seats if seat.trader.quotes_kept]
        for _ in range(OPENING_TURNS):
            for seat in makers:
                await self._turn(seat)
        log.info("house_opened", traders=list(self._keys), symbols=self._symbols, seed=self.config.seed)

    async def run(self) -> None:
        """Trade until the task is cancelled."""
        while True:
            self._chance.shuffle(self._seats)
            for seat in self._seats:
                try:
                    async with self._turning:
                        orders = 0 if seat.symbol in self._absent else await self._turn(seat)
                except ConnectionFailed:
                    self.counts.missed += 1
                    await asyncio.sleep(AWAY_S)
                else:
                    await asyncio.sleep(max(orders, 1) / self.config.orders_per_second)
            if not self._seats:
                await asyncio.sleep(AWAY_S)

    async def stand_back(self, symbol: str) -> None:
        """Trade a symbol no more; what was under way in it is over when this returns."""
        async with self._turning:
            self._absent.add(symbol)

    def come_back(self, symbol: str) -> None:
        """Trade a symbol again."""
        self._absent.discard(symbol)

    def forget_prices(self) -> None:
        """Look at all prices anew, for those remembered are of other shares, such as before a split."""
        self._prices.clear()
        self._prices_due_at = 0.0

    @property
    def symbols(self) -> list[str]:
        """Return what the house trades."""
        return list(self._symbols)

    async def send(self, orders: Sequence[NewOrder]) -> None:
        """Send orders from outside, buys by one of the house's members and sales by another."""
        for side, session in zip(SIDE_TEXT.values(), (self._sessions[0], self._sessions[-1]), strict=True):
            wanted = [order for order in orders if order.side == side]
            if wanted:
                results = await session.post("/api/v1/orders", wanted, OrderResults)
                self.counts.orders += len(wanted)
                self.counts.refused += sum(1 for result in results.items if result.order is None)

    async def close(self) -> None:
        """Take every order out of the book, give the keys back and disconnect."""
        try:
            for session in self._sessions:
                await session.ask("DELETE", "/api/v1/orders", CanceledOrders)
            for key in self._keys.values():
                await self._operator.ask("DELETE", f"/api/v1/keys/{key.key_id}", RevokedKey)
        except (ConnectionFailed, RequestRefused) as error:
            log.warning("house_not_closed", error=str(error))
        for session in [*self._sessions, self._operator]:
            await session.close()

    # --- a turn -----------------------------------------------------------------------------------

    async def _turn(self, seat: Seat) -> int:
        """Let one trader look, decide and act; return how many orders it sent."""
        self.counts.turns += 1
        try:
            market = await self._look(seat)
            wishes = seat.trader.decide(market)
            if not wishes:
                return 0
            await self._make_way(seat, len(wishes))
            results = await seat.session.post(
                "/api/v1/orders", [self._order(seat, wish) for wish in wishes], OrderResults
            )
        except RequestRefused as refused:
            self.counts.refused += 1
            log.debug("turn_refused", trader=seat.trader.name, symbol=seat.symbol, error=str(refused))
            return 1
        for wish, result in zip(wishes, results.items, strict=True):
            if result.order is None:
                self.counts.refused += 1
            elif wish.resting:
                seat.quotes.append(result.order.id)
        self.counts.orders += len(wishes)
        return len(wishes)

    async def _look(self, seat: Seat) -> Market:
        await self._look_at_prices()
        (book,) = await items(seat.session, "/api/v1/book", Book, symbol=seat.symbol, depth=1)
        prices = self._prices[seat.symbol]
        listed = self._listed[seat.symbol]
        ticks = TickTable(
            tuple(TickRow(_row_start(row.from_price), parse_price(row.tick)) for row in listed.ticks)
        )
        return Market(
            seat.symbol,
            ticks.tick_at(prices[-1]),
            int(listed.round_lot),
            parse_price(book.bids[0].price) if book.bids else 0,
            parse_price(book.asks[0].price) if book.asks else 0,
            tuple(prices),
        )

    async def _look_at_prices(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._prices_due_at:
            return
        self._prices_due_at = now + PRICES_EVERY_S
        for symbol in await items(self._operator, "/api/v1/symbols", SymbolView):
            self._listed[symbol.symbol] = symbol
            prices = self._prices.setdefault(symbol.symbol, deque(maxlen=PRICES_SEEN_MAX))
            prices.append(parse_price(symbol.reference_price))

    async def _make_way(self, seat: Seat, coming: int) -> None:
        """Cancel the oldest quotes so that those that come leave no more than the trader keeps."""
        while len(seat.quotes) + coming > seat.trader.quotes_kept > 0 and seat.quotes:
            oldest = seat.quotes.popleft()
            try:
                await seat.session.ask("DELETE", f"/api/v1/order/{oldest}", CanceledOrder)
                self.counts.cancels += 1
            except RequestRefused as refused:
                if refused.error.reason not in ("unknown_order", "not_found"):
                    raise

    def _order(self, seat: Seat, wish: Wish) -> NewOrder:
        return NewOrder(
            symbol=seat.symbol,
            side=SIDE_TEXT[wish.side],
            qty=wish.quantity,
            price=format_price(wish.price),
            time_in_force="day" if wish.resting else "ioc",
            post_only=wish.resting,
        )

    # --- becoming a member ------------------------------------------------------------------------

    async def _admit(self, trader: str) -> HouseKey:
        """Find a trader's participant, or admit it with cash and shares; give it a fresh key, the old ones away."""
        name = f"house {trader.replace('_', ' ')}"
        known = await items(self._operator, "/api/v1/participants", ParticipantView)
        found = next((participant for participant in known if participant.name == name), None)
        if found is None or not found.accounts:
            found = await self._create(name)
        for key in await items(self._operator, "/api/v1/keys", KeyView):
            if key.participant == found.id:
                await self._operator.ask("DELETE", f"/api/v1/keys/{key.id}", RevokedKey)
        body = NewKey(role="trader", participant=found.id, label=name)
        made = await self._operator.post("/api/v1/keys", body, CreatedKey)
        return HouseKey(made.id, found.accounts[0], made.key)

    async def _create(self, name: str) -> ParticipantView:
        operator = self._operator
        participant = await operator.post("/api/v1/participants", NewParticipant(name=name), ParticipantView)
        account = await operator.post(
            "/api/v1/accounts", NewAccount(participant=participant.id, name="house"), AccountView
        )
        path = f"/api/v1/accounts/{account.id}/deposits"
        if self.config.cash:
            await operator.post(path, Movement(amount=format_money(self.config.cash)), MovementDone)
        for symbol in self._symbols if self.config.shares else ():
            await operator.post(path, Movement(symbol=symbol, qty=self.config.shares), MovementDone)
        return ParticipantView(id=participant.id, name=name, accounts=[account.id])


def _row_start(text: str) -> Price:
    """Read the price from which a tick holds; the first row is from 0, which is no price."""
    return parse_price(text) if text.strip("0.") else Price(0)
