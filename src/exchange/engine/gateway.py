"""The way of a request through the engine: a command record in, durable events back, a result out.

The pure ends of the way are `order_entry` (what REST takes → records) and `order_results` (events → answers).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from exchange.domain.commands import Command
from exchange.domain.events import Event, OrderReplaced
from exchange.domain.reasons import Reason
from exchange.domain.units import AccountId, Price, Quantity
from exchange.engine import order_entry, order_results
from exchange.engine.order_entry import OrderEntry
from exchange.engine.order_history import HistoryBehindError, OrderHistory
from exchange.engine.order_results import Duplicate
from exchange.engine.order_store import StoredOrder
from exchange.engine.order_views import order_view
from exchange.engine.refusals import BUSINESS_REJECT, error_body, refusal
from exchange.engine.sequencer import EngineBusy, EngineHalted, Sequencer
from exchange.infra.auth import Principal
from exchange.infra.http_routes import ApiError
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue import Venue
from exchange.wire.records import decode_event, encode_command
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.orders import (
    AmendedOrder,
    AmendRequest,
    CanceledOrder,
    CanceledOrders,
    CancelQuery,
    NewOrder,
    Order,
    OrderResult,
    ReplaceRequest,
)

RETRY_AFTER = {"Retry-After": "1"}
Answer = TypeVar("Answer")
Told = TypeVar("Told", bound=Event)


class Gateway:
    """Carries requests to the sequencer and their results back."""

    def __init__(self, venue: Venue, sequencer: Sequencer, history: OrderHistory) -> None:
        self.venue = venue
        self.sequencer = sequencer
        self.history = history
        self.symbols = venue.directory.symbols
        self.entry = OrderEntry(venue.directory)

    # --- orders -----------------------------------------------------------------------------------

    async def enter(self, order: NewOrder, principal: Principal) -> tuple[int, Order]:
        """Enter an order; return (201, the order), or (200, the first one) where it came before.

        Raise `ApiError` where it is refused.
        """
        events = await self.submit(self.entry.enter(order, principal), 1)
        outcome, _ = order_results.entered(events, 0, self.symbols)
        return await self._placed(outcome)

    async def enter_all(
        self, orders: Sequence[NewOrder], principal: Principal, request_id: str
    ) -> list[OrderResult]:
        """Enter orders one after the other, in one submission; each has its own result, in their order."""
        records: list[bytes | ApiError] = [self._record_or_error(order, principal) for order in orders]
        commands = [record for record in records if isinstance(record, bytes)]
        events = await self.submit(b"".join(commands), len(commands)) if commands else b""
        results: list[OrderResult] = []
        offset = 0
        for record in records:
            if isinstance(record, ApiError):
                results.append(OrderResult(status=record.status, error=error_body(record, request_id)))
                continue
            outcome, offset = order_results.entered(events, offset, self.symbols)
            if isinstance(outcome, Order):
                results.append(OrderResult(status=201, order=outcome))
            else:
                results.append(await self._result(outcome, request_id))
        return results

    async def cancel(self, order_id: int, principal: Principal) -> CanceledOrder:
        """Cancel an order. Raise `ApiError` where it is not there, not the key's, or finished."""
        command = order_entry.cancel(order_id, order_entry.authority(principal))
        outcome = order_results.cancelled(await self.submit(command, 1), self.symbols)
        if isinstance(outcome, ApiError):
            raise await self._refused_change(outcome, order_id, principal)
        return outcome

    async def cancel_all(self, query: CancelQuery, principal: Principal) -> CanceledOrders:
        """Cancel every live order of the key's participant that fits the filter."""
        participant_id = order_entry.authority(principal)
        account_id = 0
        if query.account:
            account_id = (self.entry.accounts_seen_by(query.account, principal) or [0])[0]
        command = order_entry.cancel_all(
            participant_id, account_id, self.entry.symbol_id(query.symbol), query.side,
            (
                order_entry.price_of(query.min_price or None, "min_price"),
                order_entry.price_of(query.max_price or None, "max_price"),
            ),
        )  # fmt: skip
        outcome = order_results.all_cancelled(await self.submit(command, 1))
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    async def amend(self, order_id: int, change: AmendRequest, principal: Principal) -> AmendedOrder:
        """Change an order in place."""
        live = self._own_live_order(order_id, principal)
        if live is None:
            raise await self._not_live(order_id, principal)
        quantity = live.quantity if change.qty is None else order_entry.quantity_of(change.qty)
        price = live.price if change.price is None else order_entry.price_of(change.price)
        command = order_entry.amend(
            order_id, order_entry.authority(principal), Quantity(quantity), Price(price)
        )
        outcome = order_results.amended(await self.submit(command, 1), self.symbols)
        if isinstance(outcome, ApiError):
            raise await self._refused_change(outcome, order_id, principal)
        return outcome

    async def replace(self, order_id: int, change: ReplaceRequest, principal: Principal) -> tuple[int, Order]:
        """Cancel an order and enter another in its place; return the new one as `enter` does."""
        live = self._own_live_order(order_id, principal)
        if live is None:
            return 200, await self._replaced_before(order_id, change, principal)
        quantity = live.leaves if change.qty is None else order_entry.quantity_of(change.qty)
        price = live.price if change.price is None else order_entry.price_of(change.price)
        command = order_entry.replace(
            order_id,
            order_entry.authority(principal),
            Quantity(quantity),
            Price(price),
            change.client_order_id,
        )
        outcome = order_results.replaced(await self.submit(command, 1), self.symbols)
        if isinstance(outcome, ApiError):
            raise await self._refused_change(outcome, order_id, principal)
        return await self._placed(outcome)

    async def order(self, order_id: int, principal: Principal) -> Order:
        """Return an order, finished ones too. Raise `ApiError` 404 where the key has no such order."""
        stored = await self.stored_order(order_id)
        if stored is None or not self.entry.may_see(stored.account_id, principal):
            raise unknown_order(order_id)
        return order_view(stored, self.symbols, self.venue.order(order_id))

    async def stored_order(self, order_id: int) -> StoredOrder | None:
        """Return what the history has of an order, once it has all that was released so far."""
        return await self.from_history(self.history.order, order_id)

    # --- commands and reads of any kind -----------------------------------------------------------

    async def submit(self, commands: bytes, count: int) -> bytes:
        """Return the durable events of commands. Raise `ApiError` 503 where the engine takes none."""
        try:
            return await self.sequencer.submit(commands, count)
        except EngineBusy as error:
            raise ApiError.of(ErrorCode.ENGINE_BUSY, f"{error}", headers=RETRY_AFTER) from None
        except EngineHalted as error:
            raise halted(error) from None

    async def carry_out(self, command: Command, *, in_money: bool = False) -> bytes:
        """Carry out an operator's command; return its events. Raise `ApiError` where it is refused."""
        events = await self.submit(encode_command(command), 1)
        if order_results.is_refused(events):
            raise order_results.command_refusal(events, in_money=in_money)
        return events

    async def carry_out_to(self, command: Command, told: type[Told], *, in_money: bool = False) -> Told:
        """Do what `carry_out` does; return the command's last event of a type, whatever follows from it."""
        events = await self.carry_out(command, in_money=in_money)
        event = decode_event(events, order_results.last_of(events, told))
        assert isinstance(event, told)
        return event

    async def read(self, query: Callable[[Venue], Answer]) -> Answer:
        """Return what a query reads from the venue, once all it may have seen is durable."""
        answer = query(self.venue)
        try:
            await self.sequencer.barrier()
        except EngineHalted as error:
            raise halted(error) from None
        return answer

    async def from_history(self, query: Callable[..., Awaitable[Answer]], *arguments: object) -> Answer:
        """Return what a query reads from the order history. Raise `ApiError` 503 where it stands still."""
        try:
            return await query(*arguments)
        except HistoryBehindError as error:
            raise ApiError.of(ErrorCode.NOT_READY, str(error), headers=RETRY_AFTER) from None

    # --- parts of the way -------------------------------------------------------------------------

    def _record_or_error(self, order: NewOrder, principal: Principal) -> bytes | ApiError:
        try:
            return self.entry.enter(order, principal)
        except ApiError as error:
            return error

    async def _placed(self, outcome: Order | Duplicate | ApiError) -> tuple[int, Order]:
        if isinstance(outcome, Order):
            return 201, outcome
        if isinstance(outcome, ApiError):
            raise outcome
        stored = await self.stored_order(outcome.order_id)
        assert stored is not None, f"order {outcome.order_id} is not in the history"
        return 200, order_view(stored, self.symbols)

    async def _result(self, outcome: Duplicate | ApiError, request_id: str) -> OrderResult:
        try:
            status, order = await self._placed(outcome)
        except ApiError as error:
            return OrderResult(status=error.status, error=error_body(error, request_id))
        return OrderResult(status=status, order=order)

    def _own_live_order(self, order_id: int, principal: Principal) -> RestingOrder | None:
        """Return a live order that the key may change."""
        live = self.venue.order(order_id)
        if live is None:
            return None
        participant_id = order_entry.authority(principal)
        owner = self.venue.directory.accounts[AccountId(live.account_id)].participant_id
        return live if participant_id in (0, owner) else None

    async def _replaced_before(self, order_id: int, change: ReplaceRequest, principal: Principal) -> Order:
        """Return the order that took a finished one's place, if this is the same request again."""
        old = await self.stored_order(order_id)
        if old is None or not old.replaced_by or not self.entry.may_see(old.account_id, principal):
            raise await self._not_live(order_id, principal)
        new = await self.stored_order(old.replaced_by)
        if new is None or not change.client_order_id or new.client_order_id != change.client_order_id:
            raise await self._not_live(order_id, principal)
        order = order_view(new, self.symbols)
        placed = decode_event(new.placed)
        assert isinstance(placed, OrderReplaced)
        if change.qty is not None and order_entry.quantity_of(change.qty) != placed.quantity:
            raise refusal(Reason.CLIENT_ORDER_ID_REUSED, measured=new.order_id)
        if change.price is not None and order_entry.price_of(change.price) != placed.price:
            raise refusal(Reason.CLIENT_ORDER_ID_REUSED, measured=new.order_id)
        return order

    async def _refused_change(self, error: ApiError, order_id: int, principal: Principal) -> ApiError:
        return await self._not_live(order_id, principal) if error.code == Reason.UNKNOWN_ORDER else error

    async def _not_live(self, order_id: int, principal: Principal) -> ApiError:
        """Make the error of a change to an order that is finished, or is none of the key's."""
        stored = await self.stored_order(order_id)
        if stored is None or not self.entry.may_see(stored.account_id, principal):
            return unknown_order(order_id)
        status = order_view(stored, self.symbols).status
        error = refusal(
            Reason.UNKNOWN_ORDER,
            f"order {order_id} is {status.replace('_', ' ')}; only a live order can be changed or cancelled",
            extra={"status": status},
        )
        error.status = BUSINESS_REJECT
        return error


def unknown_order(order_id: int) -> ApiError:
    """Make the error of an order that is not there, or not the key's."""
    return refusal(Reason.UNKNOWN_ORDER, f"there is no order {order_id} of this key's participant")


def halted(error: EngineHalted) -> ApiError:
    """Make the error of an engine that takes nothing more."""
    text = f"{error}; whether a command under way took effect, the next start tells"
    return ApiError.of(ErrorCode.ENGINE_HALTED, text, headers=RETRY_AFTER)
