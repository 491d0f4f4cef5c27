"""REST of the OUCH sessions: make and remove users, see how each session stands; and the gateway's figures."""

from __future__ import annotations

import asyncio
import re

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.units import AccountId, KeyId
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import id_of, shown
from exchange.engine.ouch_acceptor import OuchAcceptor
from exchange.engine.refusals import invalid_field, not_found, refusal
from exchange.engine.rest_orders import READER
from exchange.engine.rest_symbols import OPERATOR
from exchange.infra.auth import new_password, session_digest
from exchange.infra.http_routes import Call, Route
from exchange.wire.ouch_reference import SESSIONS_MAX
from exchange.wire.ouch_session import Session, SessionTerms
from exchange.wire.rest.sessions import CreatedSession, NewSession, RemovedSession, SessionList, SessionView

LIVE_SESSIONS_MAX = 1_000
"""OUCH users at a time; more are refused."""
_USER = re.compile(r"[A-Z0-9]{1,6}\Z")


class SessionsApi:
    """The routes of sessions. ouch: None where the configuration has it switched off."""

    def __init__(self, gateway: Gateway, ouch: OuchAcceptor | None) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory
        self._acceptor = ouch
        self._changing = asyncio.Lock()

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/sessions", self.sessions, "List the OUCH sessions that the key may see", "sessions",
                READER, returns=SessionList, errors=(503,),
            ),
            Route(
                "POST", "/api/v1/sessions", self.add_session, "Make an OUCH user; its password is shown this once",
                "sessions", OPERATOR, body=NewSession, returns=CreatedSession, status=201,
                errors=(404, 409, 422, 503), example={"user": "ALICE2", "account": "1"},
            ),
            Route(
                "DELETE", "/api/v1/sessions/{user}", self.remove_session,
                "Remove an OUCH user: disconnect it and cancel its orders", "sessions", OPERATOR,
                returns=RemovedSession, errors=(404, 503), path_examples={"user": "ALICE2"},
            ),
        ]  # fmt: skip

    async def sessions(self, call: Call) -> SessionList:
        """Answer GET /sessions."""
        ouch = self._acceptor
        if ouch is None:
            return SessionList([])
        seen = [
            _view(ouch, session)
            for session in ouch.sessions.translator.state.sessions.values()
            if self._gateway.entry.may_see(session.account_id, call.who)
        ]
        return SessionList(seen)

    async def add_session(self, call: Call) -> CreatedSession:
        """Answer POST /sessions."""
        body: NewSession = call.body
        ouch = self._ouch()
        if not _USER.match(body.user):
            raise invalid_field(
                "user", f"user must be 1 to 6 characters of A to Z and 0 to 9, got {shown(body.user)}"
            )
        account = self._directory.accounts.get(AccountId(id_of(body.account, "account")))
        if account is None:
            raise not_found(f"account {body.account}")
        password = new_password()
        digest = await asyncio.to_thread(session_digest, body.user, password)
        terms = SessionTerms(body.user, account.account_id, body.cancel_on_disconnect)
        async with self._changing:
            sessions = ouch.sessions.translator.state.sessions
            if self._named(body.user) is not None:
                raise refusal(Reason.NAME_TAKEN, f"there is an OUCH user {body.user} already", field="user")
            if len(sessions) >= LIVE_SESSIONS_MAX or self._directory.keys_created >= SESSIONS_MAX:
                raise refusal(Reason.DIRECTORY_FULL, measured=len(sessions), limit=LIVE_SESSIONS_MAX)
            event = await self._gateway.carry_out_to(
                c.CreateKey(
                    participant_id=account.participant_id,
                    role=Role.TRADER,
                    sha256=digest,
                    label=terms.label(),
                ),
                e.KeyCreated,
            )
        return CreatedSession(
            id=str(event.key_id),
            user=body.user,
            password=password,
            participant=str(account.participant_id),
            account=str(account.account_id),
            cancel_on_disconnect=body.cancel_on_disconnect,
            port=ouch.port,
        )

    async def remove_session(self, call: Call) -> RemovedSession:
        """Answer DELETE /sessions/{user}."""
        ouch, user = self._ouch(), call.path["user"]
        session = self._named(user)
        if session is None:
            raise not_found(f"OUCH user {shown(user)}")
        async with self._changing:
            await ouch.expel(session)
            event = await self._gateway.carry_out_to(c.RevokeKey(key_id=KeyId(session.session)), e.KeyRevoked)
        return RemovedSession(id=str(session.session), user=session.user, seq=event.sequence)

    def _ouch(self) -> OuchAcceptor:
        if self._acceptor is None:
            raise not_found("OUCH gateway here: [engine.ouch] enabled is false")
        return self._acceptor

    def _named(self, user: str) -> Session | None:
        sessions = self._ouch().sessions.translator.state.sessions.values()
        return next((session for session in sessions if session.user == user), None)


def _view(ouch: OuchAcceptor, session: Session) -> SessionView:
    translator = ouch.sessions.translator
    connection = ouch.by_session.get(session.session)
    return SessionView(
        id=str(session.session),
        user=session.user,
        participant=str(session.participant_id),
        account=str(session.account_id),
        cancel_on_disconnect=session.cancel_on_disconnect,
        connected=connection is not None,
        address=connection.address if connection else "",
        session=ouch.sessions.name,
        sequence=session.sequence,
        sent=connection.next_sequence - 1 if connection else 0,
        next_user_ref_num=session.last_number + 1,
        live_orders=translator.live_orders(session.session),
        waiting_orders=translator.waiting(session.session),
        received_messages=connection.received_messages if connection else 0,
    )
