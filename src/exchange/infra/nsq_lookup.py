"""Asks nsqlookupd which nsqd have a topic."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

import aiohttp
import msgspec

from exchange.infra.errors import InfraError

ANSWER_S = 3.0
ANSWER_BYTES_MAX = 1 << 20
PRODUCERS_MAX = 64
"""More nsqd of one topic are left out."""


class LookupFailed(InfraError):
    """No nsqlookupd gave an answer."""


class Producer(msgspec.Struct):
    """An nsqd as nsqlookupd knows it."""

    broadcast_address: str
    tcp_port: int


class _Answer(msgspec.Struct):
    producers: list[Producer] = []


async def find_nsqd(lookupds: Sequence[str], topic: str) -> list[str]:
    """Return the addresses of all nsqd that have a topic, in order. Raise `LookupFailed` where none answers."""
    limit = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(timeout=limit) as session:
        answers = await asyncio.gather(*(_ask(session, url, topic) for url in lookupds))
    found = [answer for answer in answers if isinstance(answer, list)]
    if not found:
        raise LookupFailed("; ".join(str(answer) for answer in answers))
    addresses = {f"{each.broadcast_address}:{each.tcp_port}" for answer in found for each in answer}
    return sorted(addresses)[:PRODUCERS_MAX]


async def _ask(session: aiohttp.ClientSession, url: str, topic: str) -> list[Producer] | str:
    """Return the producers of a topic, or why they are not known."""
    try:
        async with session.get(f"{url}/lookup?topic={quote(topic)}") as answer:
            if answer.status == 404:
                return []
            body = await answer.content.read(ANSWER_BYTES_MAX)
            if answer.status != 200:
                return f"nsqlookupd at {url} answered {answer.status}"
            return msgspec.json.decode(body, type=_Answer).producers
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return f"nsqlookupd at {url} cannot be asked: {str(error) or f'no answer within {ANSWER_S:g} s'}"
    except msgspec.DecodeError as error:
        return f"nsqlookupd at {url} answered nonsense: {error}"
