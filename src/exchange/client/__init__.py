"""The exchange from a program: `Client` and `AsyncClient`, and `Book`, which keeps itself right."""

from exchange.client.async_client import AsyncClient
from exchange.client.book import Book, Level
from exchange.client.errors import ClientError, Refused, StreamClosed, Unreachable
from exchange.client.frames import to_arrow, to_pandas, to_polars
from exchange.client.stream import MarketStream
from exchange.client.sync_client import Client, Stream
from exchange.infra.webhook_signature import why_not_genuine

__all__ = [
    "AsyncClient",
    "Book",
    "Client",
    "ClientError",
    "Level",
    "MarketStream",
    "Refused",
    "Stream",
    "StreamClosed",
    "Unreachable",
    "to_arrow",
    "to_pandas",
    "to_polars",
    "why_not_genuine",
]
