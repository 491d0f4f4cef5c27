"""A receiver of webhooks for a person to watch: `exchange webhooks listen`. It takes what is genuine, and only that."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import msgspec
from aiohttp import web

from exchange.cli.failures import InputError
from exchange.cli.output import print_json
from exchange.infra.webhook_signature import ID_HEADER, signature, why_not_genuine
from exchange.wire.rest.webhooks import Delivery

BODY_BYTES_MAX = 16 << 20
_HOST = "127.0.0.1"
_SEEN_MAX = 10_000


def receive(secret: str, port: int, count: int, as_json: bool) -> None:
    """Print deliveries until Ctrl-C. count: end after so many, 0 for never."""
    try:
        signature(secret, "", 0, b"")
    except ValueError as error:
        raise InputError(f"{error}; `exchange webhooks add` shows it once") from error
    asyncio.run(_Receiver(secret, count, as_json).run(port))


class _Receiver:
    def __init__(self, secret: str, count: int, as_json: bool) -> None:
        self._secret = secret
        self._count = count
        self._as_json = as_json
        self._seen: dict[str, None] = {}
        self._is_done = asyncio.Event()

    async def run(self, port: int) -> None:
        runner = web.ServerRunner(web.Server(self._serve, client_max_size=BODY_BYTES_MAX))
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, _HOST, port).start()
            except OSError as error:
                raise InputError(
                    f"port {port} cannot be listened on: {error.strerror}; name another with --port"
                ) from error
            print(f"listening on http://{_HOST}:{runner.addresses[0][1]}/", file=sys.stderr, flush=True)
            await self._is_done.wait()
        finally:
            await runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        if problem := why_not_genuine(self._secret, request.headers, body, time.time()):
            print(f"refused: {problem}", file=sys.stderr, flush=True)
            return web.Response(status=401, text=problem)
        try:
            delivery = msgspec.json.decode(body, type=Delivery)
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=str(error))
        name = request.headers[ID_HEADER]
        if name not in self._seen:
            self._seen[name] = None
            if len(self._seen) > _SEEN_MAX:
                del self._seen[next(iter(self._seen))]
            print_delivery(msgspec.to_builtins(delivery), self._as_json)
        if self._count and len(self._seen) >= self._count:
            asyncio.get_running_loop().call_soon(self._is_done.set)
        return web.Response(status=200)


def print_delivery(delivery: dict[str, Any], as_json: bool) -> None:
    """Print a delivery's messages, one to a line."""
    for message in delivery["messages"]:
        if as_json:
            print_json(message)
            continue
        told = [f"{name}={message[name]}" for name in _TOLD if message.get(name) not in (None, "")]
        print(f"{message['seq']:>8}  {message['type']:<11} {'  '.join(told)}", flush=True)


_TOLD = ("symbol", "side", "qty", "price", "liquidity", "match_id", "order_id", "state", "phase", "reason")
