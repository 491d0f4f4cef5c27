"""FRONT-1, front running: a member trades for itself just before a client's block on the same side, at a better price.

What belongs to a client and what to the member the data does not say; two accounts of one member are looked at, and
where the settings name house accounts, only those as the ones in front.
"""

from __future__ import annotations

import msgspec

from exchange.domain.trade import BASIS_POINTS
from exchange.surveillance.alert import Finding, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill, PriceChange
from exchange.surveillance.order_book import BUY, LiveOrder, symbol_of
from exchange.surveillance.settings import MS, FrontRunning

TRADES_KEPT_MAX = 64
"""Latest trades of one member on one side of a symbol that are remembered."""


class Early(msgspec.Struct, gc=False):
    """A trade of an account. entered_ns: when its order came in."""

    account_id: int
    entered_ns: int
    time_ns: int
    price: int
    quantity: int
    sequence: int


class Block(msgspec.Struct):
    """A large order, with what other accounts of its member traded just before it came in, and its own trades since."""

    account_id: int
    entered_sequence: int
    early: list[Early]
    filled: int = 0
    notional: int = 0


class FrontState(msgspec.Struct):
    """What the detector remembers. early: by owner, symbol and side, oldest first; blocks: by order."""

    early: dict[int, list[Early]] = {}
    blocks: dict[int, Block] = {}


class FrontRunningDetector(Detector):
    """Looks at what was traded in the seconds before a block."""

    CODE = "FRONT-1"
    VERSION = 2
    State = FrontState
    settings: FrontRunning
    state: FrontState

    def entered(self, order: LiveOrder) -> None:
        """Take note of a block and of what came before it."""
        if order.quantity < self.settings.block:
            return
        oldest_ns = self.market.now_ns - self.settings.before_ms * MS
        early = [
            trade
            for trade in self.state.early.get(order.side_key, ())
            if trade.account_id != order.account_id and trade.entered_ns >= oldest_ns
        ]
        if early:
            self.state.blocks[order.order_id] = Block(order.account_id, order.entered_sequence, early)

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Forget a block that is over."""
        if self.state.blocks:
            self.state.blocks.pop(order.order_id, None)

    def traded(self, fill: Fill) -> None:
        """Judge the trades of a block; take note of trades that may turn out to be early."""
        blocks = self.state.blocks
        for order in (fill.maker, fill.taker):
            if order.order_id in blocks:
                self._judge(order, fill)
            elif not self.settings.house_accounts or order.account_id in self.settings.house_accounts:
                self._keep(order, fill)

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Forget the trades before the break."""
        state, orders = self.state, self.market.orders
        state.early = {key: kept for key, kept in state.early.items() if symbol_of(key) != symbol_id}
        state.blocks = {
            order_id: block
            for order_id, block in state.blocks.items()
            if order_id in orders and orders[order_id].symbol_id != symbol_id
        }

    def day_ended(self) -> None:
        """Forget the day's trades."""
        self.state.early = {}

    def _keep(self, order: LiveOrder, fill: Fill) -> None:
        kept = self.state.early.setdefault(order.side_key, [])
        kept.append(
            Early(
                order.account_id, order.entered_ns, fill.time_ns, fill.price, fill.quantity, fill.sequence
            )
        )  # fmt: skip
        if len(kept) > TRADES_KEPT_MAX:
            del kept[: TRADES_KEPT_MAX // 2]

    def _judge(self, order: LiveOrder, fill: Fill) -> None:
        settings, block = self.settings, self.state.blocks[order.order_id]
        block.filled += fill.quantity
        block.notional += fill.quantity * fill.price
        paid = block.notional // block.filled
        quantity = sum(trade.quantity for trade in block.early)
        average = sum(trade.quantity * trade.price for trade in block.early) // quantity
        benefit = paid - average if order.side == BUY else average - paid
        benefit_bps = benefit * BASIS_POINTS // average
        if benefit_bps < settings.benefit_bps:
            return
        del self.state.blocks[order.order_id]
        accounts = tuple(sorted({order.account_id, *(trade.account_id for trade in block.early)}))
        before_ms = (order.entered_ns - block.early[0].time_ns) // MS
        verb = "bought" if order.side == BUY else "sold"
        self.report(
            Finding(
                symbol_id=fill.symbol_id, accounts=accounts, begins_ns=block.early[0].time_ns,
                score=score_of(55, 5, benefit_bps // max(1, settings.benefit_bps)),
                summary=f"Another account of the same member {verb} {quantity} at {price_text(average)} on average "
                f"just before a block of {order.quantity} that then traded at {price_text(paid)} on average.",
                measures=(
                    Measure("size of the block", str(order.quantity), str(settings.block)),
                    Measure("first trade before the block", f"{before_ms} ms", f"{settings.before_ms} ms"),
                    Measure("better price than the block's", f"{benefit_bps} bps", f"{settings.benefit_bps} bps"),
                ),
                evidence=evidence_of((*(t.sequence for t in block.early), block.entered_sequence, fill.sequence)),
            )
        )  # fmt: skip
