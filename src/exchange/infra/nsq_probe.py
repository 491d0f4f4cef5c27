"""Tries whether nsqd and nsqlookupd answer, and which they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from exchange.infra.errors import InfraError
from exchange.infra.nsq_connection import NsqConnection, NsqTimes
from exchange.infra.nsq_lookup import LookupFailed, find_nsqd
from exchange.infra.server_seen import ServerSeen

TIMES = NsqTimes(connect_s=2.0, answer_s=2.0)


class _Features(msgspec.Struct):
    version: str = "of an unknown version"


async def probe(nsqd: Sequence[str], lookupd: Sequence[str], topic: str) -> list[ServerSeen]:
    """Try all of them at once."""
    tries = [*map(_try_nsqd, nsqd), *(_try_lookupd(url, topic) for url in lookupd)]
    return list(await asyncio.gather(*tries))


async def _try_nsqd(address: str) -> ServerSeen:
    what = f"nsqd {address}"
    try:
        connection = await NsqConnection.open(address, TIMES)
    except InfraError as error:
        return ServerSeen(what, problem=str(error))
    await connection.close()
    try:
        return ServerSeen(what, f"nsqd {msgspec.json.decode(connection.features, type=_Features).version}")
    except msgspec.DecodeError:
        return ServerSeen(what, problem=f"what answers at {address} does not speak as nsqd does")


async def _try_lookupd(url: str, topic: str) -> ServerSeen:
    what = f"nsqlookupd {url}"
    try:
        found = await find_nsqd([url], topic)
    except LookupFailed as error:
        return ServerSeen(what, problem=str(error))
    return ServerSeen(what, f"knows {len(found)} nsqd with the topic {topic}")
