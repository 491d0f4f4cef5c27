"""The HTTP server of every component: routes in, a service out."""

from exchange.infra.http_routes import ApiError, Call, Reply, Route, WsRoute
from exchange.infra.http_service import HttpService

__all__ = ["ApiError", "Call", "HttpService", "Reply", "Route", "WsRoute"]
