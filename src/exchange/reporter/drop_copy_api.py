"""Drop copies by REST and over a WebSocket of their own: a participant hears everything that became of its orders.

Both read the store, in the order of the events: so nothing is missed, nothing waits in memory, and a reader that is
slow simply reads on later. The WebSocket is woken when a stored batch concerned one of its accounts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.infra.auth import Principal
from exchange.infra.errors import StoreUnavailable
from exchange.infra.http_routes import PATH_ID_DIGITS_MAX, ApiError, Call, Route, WsRoute
from exchange.infra.json_body import JsonBody
from exchange.infra.websocket import POLICY, Connection
from exchange.reporter.drop_copies import copies_of
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.queries import Queries
from exchange.reporter.stream_resume import wait_for_room
from exchange.wire.rest.drop_copy import (
    DropCopy,
    DropCopyBegun,
    DropCopyHeartbeat,
    DropCopyList,
    DropCopyOperation,
    DropCopyQuery,
)
from exchange.wire.rest.errors import ErrorCode

PATH = "/api/v1/drop-copy"
STREAM_PATH = "/api/v1/drop-copy/stream"
EVERYBODY = frozenset({Role.VIEWER})
SEES_ALL = (Role.RISK, Role.CLEARING, Role.AUDITOR, Role.COMPONENT)
READ_AT_ONCE = 1_000
_EVENT_ACCOUNTS_MAX = 2


class DropCopyApi:
    """Serves drop copies. heartbeat_s: how often an idle WebSocket hears how far it is."""

    def __init__(self, market: LiveMarket, queries: Queries, heartbeat_s: float) -> None:
        self._market = market
        self._queries = queries
        self._heartbeat_s = heartbeat_s
        self._waiting: dict[asyncio.Event, frozenset[int]] = {}
        self._reader = JsonBody(DropCopyOperation)

    def routes(self) -> list[Route | WsRoute]:
        """List the routes."""
        return [
            Route(
                "GET", PATH, self.copies, "List a participant's executions, cancels, busts and corrections",
                "drop copy", EVERYBODY, query=DropCopyQuery, returns=DropCopyList, errors=(400, 404, 422),
                description="Oldest first, after an event. Keys of the exchange itself name a participant.",
            ),
            WsRoute(
                STREAM_PATH, self.stream, "Stream a participant's drop copies", EVERYBODY,
                description="Send {\"op\": \"subscribe\", \"from_seq\": 1}; docs/drop-copy.md has the rest.",
            ),
        ]  # fmt: skip

    def stored(self, accounts: Iterable[int]) -> None:
        """Wake those up whose accounts a batch concerned that is now published."""
        touched = frozenset(accounts)
        for event, own in self._waiting.items():
            if not own.isdisjoint(touched):
                event.set()

    async def copies(self, call: Call) -> DropCopyList:
        """Answer GET /drop-copy."""
        query: DropCopyQuery = call.query
        accounts = self._accounts(participant_named(call.who, query.participant, self._market))
        upto = self._market.sequence
        items, last = await self.read(accounts, query.after, upto, query.limit)
        return DropCopyList(items, last if last < upto else None, upto)

    async def stream(self, connection: Connection, call: Call) -> None:
        """Serve one connection to its end: its first message subscribes."""
        message = await connection.receive()
        if message is None:
            return
        try:
            operation: DropCopyOperation = self._reader.read(message)
            participant_id = participant_named(call.who, operation.participant, self._market)
        except ApiError as error:
            connection.close(POLICY, error)
            return
        sequence = self._market.sequence if operation.from_seq is None else max(0, operation.from_seq - 1)
        connection.send_json(DropCopyBegun(str(participant_id), sequence + 1))
        sending = asyncio.create_task(self._send(connection, participant_id, sequence), name="drop copy")
        try:
            while await connection.receive() is not None:
                text = "this stream takes one operation; open another connection"
                connection.refuse(ApiError.of(ErrorCode.CONFLICT, text))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, connection: Connection, participant_id: int, after: int) -> None:
        """Send everything after an event, then what happens, until it is cancelled."""
        woken = asyncio.Event()
        try:
            while not connection.is_closing:
                accounts = self._accounts(participant_id)
                self._waiting[woken] = frozenset(accounts)
                woken.clear()
                upto = self._market.sequence
                try:
                    while after < upto and not connection.is_closing:
                        items, after = await self.read(accounts, after, upto, READ_AT_ONCE)
                        for item in items:
                            connection.send_json(item, item.seq)
                        await wait_for_room(connection)
                    async with asyncio.timeout(self._heartbeat_s):
                        await woken.wait()
                except TimeoutError:
                    connection.send_json(DropCopyHeartbeat(after))
                except StoreUnavailable:
                    await asyncio.sleep(self._heartbeat_s)
        finally:
            del self._waiting[woken]

    async def read(
        self, accounts: Sequence[int], after: int, upto: int, limit: int
    ) -> tuple[list[DropCopy], int]:
        """Read drop copies after an event, and how far that goes; an event is never cut in two."""
        rows = await asyncio.to_thread(
            self._queries.drop_copies, accounts, after, upto, limit + _EVENT_ACCOUNTS_MAX
        )
        last = upto
        if len(rows) > limit:
            last = rows[limit - 1][0]
            rows = [row for row in rows if row[0] <= last]
        directory = self._market.directory
        return [
            copy for _, account_id, record in rows for copy in copies_of(record, account_id, directory)
        ], last

    def _accounts(self, participant_id: int) -> list[int]:
        return [account.account_id for account in self._market.directory.accounts_of(participant_id)]


def participant_number(named: str) -> int:
    """Return the id that is named, 0 where none is. Raise `ApiError` where it can be none."""
    if named and not (named.isascii() and named.isdigit() and len(named) <= PATH_ID_DIGITS_MAX):
        text = f"participant must be an id such as 2, got {named[:40]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, text, "participant")
    return int(named or "0")


def participant_named(who: Principal, named: str, market: LiveMarket) -> int:
    """Return whose orders are meant: the key's own, or those it names. Raise `ApiError` where it may not see them."""
    number = participant_number(named)
    if not who.is_any(*SEES_ALL):
        if named and number != who.participant_id:
            raise ApiError.of(ErrorCode.ROLE_NOT_ALLOWED, "a participant hears what is its own only")
        return who.participant_id
    if not named:
        text = "participant is missing; a key of the exchange names whose it wants"
        raise ApiError(422, Reason.UNKNOWN_PARTICIPANT, text, "participant")
    if number not in market.directory.participants:
        raise ApiError(404, Reason.UNKNOWN_PARTICIPANT, f"there is no participant {named}", "participant")
    return number
