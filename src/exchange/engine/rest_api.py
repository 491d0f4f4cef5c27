"""All routes of the engine's REST, in the order in which its description shows them."""

from __future__ import annotations

from collections.abc import Callable

from exchange.engine.explain.desk import ExplainDesk
from exchange.engine.gateway import Gateway
from exchange.engine.ouch_acceptor import OuchAcceptor
from exchange.engine.rest_admin import AdminApi
from exchange.engine.rest_book import BookApi
from exchange.engine.rest_corporate import CorporateActionsApi
from exchange.engine.rest_events import EventsApi
from exchange.engine.rest_explain import ExplainApi
from exchange.engine.rest_order_lists import OrderListsApi
from exchange.engine.rest_orders import OrdersApi
from exchange.engine.rest_phases import PhasesApi
from exchange.engine.rest_quotes import QuotesApi
from exchange.engine.rest_risk import RiskApi
from exchange.engine.rest_sessions import SessionsApi
from exchange.engine.rest_stats import StatsApi
from exchange.engine.rest_symbols import SymbolsApi
from exchange.engine.rest_trades import TradesApi
from exchange.engine.rest_volatility import VolatilityApi
from exchange.infra.event_log import EventLog
from exchange.infra.event_source import LocalEventSource
from exchange.infra.http import Route


def engine_routes(
    gateway: Gateway,
    event_log: EventLog,
    source: LocalEventSource,
    stats: StatsApi,
    *,
    currency: str,
    day_end_after: Callable[[int], int],
    ouch: OuchAcceptor | None,
    explain: ExplainDesk,
) -> list[Route]:
    """List the routes."""
    return [
        *OrdersApi(gateway).routes(),
        *OrderListsApi(gateway).routes(),
        *QuotesApi(gateway).routes(),
        *ExplainApi(gateway, explain).routes(),
        *BookApi(gateway).routes(),
        *SymbolsApi(gateway).routes(),
        *CorporateActionsApi(gateway).routes(),
        *PhasesApi(gateway).routes(),
        *VolatilityApi(gateway).routes(),
        *AdminApi(gateway, currency, day_end_after).routes(),
        *RiskApi(gateway).routes(),
        *SessionsApi(gateway, ouch).routes(),
        *TradesApi(gateway, event_log).routes(),
        *EventsApi(source).routes(),
        *stats.routes(),
    ]
