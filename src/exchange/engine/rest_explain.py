"""REST of explanations: why an order fared as it did, for its owner and for operators."""

from __future__ import annotations

from exchange.domain.participant import Role
from exchange.engine.explain.desk import ExplainBusyError, ExplainDesk, ExplainGoneError
from exchange.engine.gateway import RETRY_AFTER, Gateway
from exchange.infra.auth import Principal
from exchange.infra.errors import InfraError
from exchange.infra.http_routes import ApiError, Call, Reply, Route
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.explain import Explanation

READER = frozenset((Role.VIEWER,))


class ExplainApi:
    """The route of explanations."""

    def __init__(self, gateway: Gateway, desk: ExplainDesk) -> None:
        self._gateway = gateway
        self._desk = desk

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/explain/order/{order_id}", self.explain, "Explain why an order fared as it did",
                "orders", READER, returns=Explanation, errors=(404, 410, 503), path_examples={"order_id": "1042"},
                description="Why it was refused, did not fill, or filled at that price: each step with its rule, "
                "the book before and after, who was ahead in shares, and the arithmetic. It is rebuilt by a replay "
                "beside the engine; 410 where the history it needs is no longer kept.",
            ),
        ]  # fmt: skip

    async def explain(self, call: Call) -> Reply:
        """Answer GET /explain/order/{id}."""
        order_id = call.path_id("order_id")
        try:
            await self._gateway.order(order_id, call.who)
        except ApiError:
            if not await self._waits_in_a_list(order_id, call.who):
                raise
        try:
            return Reply(body=await self._desk.explain(order_id))
        except ExplainGoneError as error:
            raise ApiError.of(ErrorCode.GONE, str(error)) from None
        except ExplainBusyError as error:
            raise ApiError.of(ErrorCode.ENGINE_BUSY, str(error), headers=RETRY_AFTER) from None
        except InfraError as error:
            raise ApiError.of(ErrorCode.NOT_READY, str(error), headers=RETRY_AFTER) from None

    async def _waits_in_a_list(self, order_id: int, who: Principal) -> bool:
        """Tell whether an order that waits for its entry, and which no history has yet, is one that a key may see."""
        lists = await self._gateway.read(lambda venue: venue.order_lists())
        return any(
            order.order_id == order_id and self._gateway.entry.may_see(order.account_id, who)
            for one in lists
            for order in one.waiting
        )
