"""REST of rulings: clearing and operators bust a trade or correct it; the engine adds the trade's facts."""

from __future__ import annotations

from typing import Any

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import MatchId, Price, Quantity, format_price, public_id, sequence_of
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import id_of, price_of, quantity_of, shown
from exchange.engine.refusals import invalid_field, refusal
from exchange.infra.event_log import EventLog
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.wire.records import decode_event
from exchange.wire.rest.admin import (
    BUST_REASON_TEXT,
    BUST_REASONS,
    BustRequest,
    CorrectRequest,
    Ruling,
)

RULER = frozenset((Role.CLEARING, Role.COMPONENT))
_PATH = {"match_id": "2041"}


class TradesApi:
    """The routes of rulings on trades."""

    def __init__(self, gateway: Gateway, event_log: EventLog) -> None:
        self._gateway = gateway
        self._event_log = event_log

    def routes(self) -> list[Route]:
        """List the routes."""
        path = "/api/v1/trades/{match_id}"
        return [
            Route(
                "POST", path + "/bust", self.bust, "Bust a trade, finally", "rulings", RULER,
                body=BustRequest, returns=Ruling, errors=(404, 422, 503),
                example={"reason": "erroneous", "ruling_id": "12"}, path_examples=_PATH,
                description="A trade that is busted already answers 200 with already=true.",
            ),
            Route(
                "POST", path + "/correct", self.correct, "Correct a trade's price, or its quantity downwards",
                "rulings", RULER, body=CorrectRequest, returns=Ruling, errors=(404, 422, 503),
                description="A trade that stands like this already answers 200 with already=true.",
                example={"price": "189.20", "reason": "erroneous"}, path_examples=_PATH,
            ),
        ]  # fmt: skip

    async def bust(self, call: Call) -> Ruling:
        """Answer POST /trades/{id}/bust."""
        body: BustRequest = call.body
        facts = self._facts(call.path_id("match_id"))
        reason, ruling_id = bust_reason_of(body.reason), id_of(str(body.ruling_id), "ruling_id")
        command = c.BustTrade(**facts, ruling_id=ruling_id, reason=reason)
        try:
            event = await self._gateway.carry_out_to(command, e.TradeBusted)
        except ApiError as error:
            if error.code != Reason.TRADE_ALREADY_BUSTED:
                raise
            return self._ruled_before("busted", facts, reason, ruling_id, self._stands(facts))
        return self._ruling(event)

    async def correct(self, call: Call) -> Ruling:
        """Answer POST /trades/{id}/correct."""
        body: CorrectRequest = call.body
        facts = self._facts(call.path_id("match_id"))
        reason, ruling_id = bust_reason_of(body.reason), id_of(str(body.ruling_id), "ruling_id")
        stands = self._stands(facts)
        new_price, new_quantity = stands
        if body.price is not None:
            new_price = price_of(body.price)
        if body.qty is not None:
            new_quantity = quantity_of(body.qty)
        command = c.CorrectTrade(
            **facts,
            ruling_id=ruling_id,
            reason=reason,
            new_price=Price(new_price),
            new_quantity=Quantity(new_quantity),
        )
        try:
            event = await self._gateway.carry_out_to(command, e.TradeCorrected)
        except ApiError as error:
            asked_for_something = body.price is not None or body.qty is not None
            if (
                error.code != Reason.CORRECTION_INVALID
                or (new_price, new_quantity) != stands
                or not asked_for_something
            ):
                raise
            return self._ruled_before("corrected", facts, reason, ruling_id, stands)
        ruling = self._ruling(event)
        ruling.new_price, ruling.new_qty = format_price(event.new_price), str(event.new_quantity)
        return ruling

    def _stands(self, facts: dict[str, Any]) -> tuple[int, int]:
        """Return price and quantity at which a trade stands, after corrections."""
        state = self._gateway.venue.trade_state(facts["match_id"])
        if state is not None and not state.busted:
            return state.price, state.quantity
        return facts["price"], facts["quantity"]

    def _facts(self, match_id: int) -> dict[str, Any]:
        """Return the facts of a trade from the event log. Raise `ApiError` 404 where it is none, or not kept."""
        sequence = sequence_of(match_id)
        partition = self._gateway.venue.partition
        record = self._event_log.event_at(sequence) if match_id == public_id(partition, sequence) else None
        trade = decode_event(record) if record else None
        if not isinstance(trade, e.TradeExecuted):
            raise refusal(Reason.UNKNOWN_TRADE, f"there is no trade {match_id}, or it is no longer kept")
        taker_buys = trade.taker_side == Side.BUY
        taker = (trade.taker_account_id, trade.taker_order_id)
        maker = (trade.maker_account_id, trade.maker_order_id)
        (buyer, buy_order), (seller, sell_order) = (taker, maker) if taker_buys else (maker, taker)
        return {
            "match_id": MatchId(match_id), "symbol_id": trade.symbol_id, "price": trade.price,
            "quantity": trade.quantity, "buy_account_id": buyer, "sell_account_id": seller,
            "buy_order_id": buy_order, "sell_order_id": sell_order, "executed_ns": trade.time_ns,
        }  # fmt: skip

    def _ruling(self, event: e.TradeBusted | e.TradeCorrected) -> Ruling:
        return Ruling(
            match_id=str(event.match_id),
            status="busted" if isinstance(event, e.TradeBusted) else "corrected",
            symbol=self._gateway.symbols[event.symbol_id].symbol,
            price=format_price(event.price),
            qty=str(event.quantity),
            reason=BUST_REASON_TEXT[event.reason],
            ruling_id=str(event.ruling_id),
            seq=event.sequence,
        )

    def _ruled_before(
        self, status: str, facts: dict[str, Any], reason: BustReason, ruling_id: int, stands: tuple[int, int]
    ) -> Ruling:
        return Ruling(
            match_id=str(facts["match_id"]),
            status=status,
            symbol=self._gateway.symbols[facts["symbol_id"]].symbol,
            price=format_price(stands[0]),
            qty=str(stands[1]),
            reason=BUST_REASON_TEXT[reason],
            ruling_id=str(ruling_id),
            seq=0,
            already=True,
        )


def bust_reason_of(text: str) -> BustReason:
    """Return the reason that a text names. Raise `ApiError`."""
    reason = BUST_REASONS.get(text)
    if reason is None:
        raise invalid_field("reason", f"reason must be one of {', '.join(BUST_REASONS)}, got {shown(text)}")
    return reason
