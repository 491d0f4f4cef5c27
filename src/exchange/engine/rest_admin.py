"""REST of access and administration: participants, accounts, keys, deposits and withdrawals, the business day."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeVar

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import Account, Participant, Role, made_by
from exchange.domain.reasons import Reason
from exchange.domain.risk import RiskScope
from exchange.domain.units import (
    AccountId,
    KeyId,
    Money,
    ParticipantId,
    SymbolId,
    UnitError,
    format_date,
    format_money,
    format_time,
    next_date,
    parse_money,
)
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import id_of, name_of, not_a_choice, quantity_of, shown, time_of
from exchange.engine.refusals import invalid_field, not_found
from exchange.engine.rest_orders import READER, cursor_of
from exchange.engine.rest_symbols import OPERATOR
from exchange.infra.auth import Principal, new_key
from exchange.infra.http_routes import Call, Route
from exchange.matching.venue import Venue
from exchange.wire.rest.admin import (
    GROUP_MAX,
    ROLES,
    AccountBalances,
    AccountList,
    AccountView,
    BusinessDay,
    CreatedKey,
    Holding,
    KeyList,
    Movement,
    MovementBody,
    MovementDone,
    NewAccount,
    NewBusinessDay,
    NewKey,
    NewParticipant,
    PageQuery,
    ParticipantList,
    ParticipantView,
    RevokedKey,
    SelfTradePrevention,
    account_view,
    key_view,
    participant_view,
)
from exchange.wire.rest.texts import SELF_TRADE_MODES, SESSION_PREFIX

READS_ALL = frozenset((Role.OPERATOR, Role.AUDITOR))
UINT32_MAX = 2**32 - 1
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_Known = TypeVar("_Known")
_View = TypeVar("_View")


class AdminApi:
    """The routes of administration. day_end_after: the end of a business day that begins at a time, 0 for never."""

    def __init__(self, gateway: Gateway, currency: str, day_end_after: Callable[[int], int]) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory
        self._currency = currency
        self._day_end_after = day_end_after

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._members(), *self._keys(), *self._movements_and_day()]

    def _members(self) -> list[Route]:
        tag = "administration"
        return [
            Route(
                "POST", "/api/v1/participants", self.add_participant, "Admit a participant", tag, OPERATOR,
                body=NewParticipant, returns=ParticipantView, status=201, errors=(409, 422, 503),
                example={"name": "dora"},
            ),
            Route(
                "GET", "/api/v1/participants", self.participants, "List the participants", tag, READS_ALL,
                query=PageQuery, returns=ParticipantList, errors=(503,),
            ),
            Route(
                "PUT", "/api/v1/participants/{participant_id}/self_trade_prevention", self.set_self_trade_prevention,
                "Keep a participant from trading with itself or its group", tag, OPERATOR,
                body=SelfTradePrevention, returns=ParticipantView, errors=(404, 422, 503),
                example={"group": 1, "mode": "cancel_newest"}, path_examples={"participant_id": "1"},
                description="Where two orders of one group would trade, the incoming order's participant decides: "
                "cancel_newest, cancel_oldest, cancel_both, decrement. Group 0 with mode none takes it out.",
            ),
            Route(
                "POST", "/api/v1/accounts", self.add_account, "Open an account", tag, OPERATOR,
                body=NewAccount, returns=AccountView, status=201, errors=(409, 422, 503),
                example={"participant": "1", "name": "main"},
            ),
            Route(
                "GET", "/api/v1/accounts", self.accounts, "List the accounts that the key may see", "accounts",
                READER, query=PageQuery, returns=AccountList, errors=(503,),
            ),
            Route(
                "GET", "/api/v1/accounts/{account_id}", self.balances, "Show an account's cash and shares",
                "accounts", READER, returns=AccountBalances, errors=(404, 503), path_examples={"account_id": "1"},
            ),
        ]  # fmt: skip

    def _keys(self) -> list[Route]:
        tag = "administration"
        return [
            Route(
                "POST", "/api/v1/keys", self.add_key, "Make a key; its text is shown this once", tag, OPERATOR,
                body=NewKey, returns=CreatedKey, status=201, errors=(409, 422, 503),
                example={"participant": "1", "role": "trader", "label": "alice's laptop"},
            ),
            Route(
                "GET", "/api/v1/keys", self.keys, "List the keys, without their texts", tag, READS_ALL,
                query=PageQuery, returns=KeyList, errors=(503,),
            ),
            Route(
                "DELETE", "/api/v1/keys/{key_id}", self.revoke_key, "Make a key worthless", tag, OPERATOR,
                returns=RevokedKey, errors=(404, 503), path_examples={"key_id": "42"},
            ),
        ]  # fmt: skip

    def _movements_and_day(self) -> list[Route]:
        tag = "administration"
        path = "/api/v1/accounts/{account_id}"
        return [
            Route(
                "POST", path + "/deposits", self.deposit, "Bring cash or shares in", tag, OPERATOR,
                body=MovementBody, returns=MovementDone, status=201, errors=(404, 422, 503),
                example={"amount": "1000.00"}, path_examples={"account_id": "1"},
            ),
            Route(
                "POST", path + "/withdrawals", self.withdraw, "Take cash or shares out", tag, OPERATOR,
                body=MovementBody, returns=MovementDone, status=201, errors=(404, 422, 503),
                example={"symbol": "AAPL", "qty": "10"}, path_examples={"account_id": "1"},
            ),
            Route(
                "GET", "/api/v1/business-day", self.business_day, "Show the business date", "accounts",
                returns=BusinessDay, errors=(503,),
            ),
            Route(
                "POST", "/api/v1/business-day", self.start_business_day, "Begin a business date", tag, OPERATOR,
                body=NewBusinessDay, returns=BusinessDay, status=201, errors=(422, 503), example={},
                description="Day orders are cancelled, and client order ids of finished orders are free again.",
            ),
        ]  # fmt: skip

    # --- participants and accounts ----------------------------------------------------------------

    async def add_participant(self, call: Call) -> ParticipantView:
        """Answer POST /participants."""
        event = await self._gateway.carry_out_to(
            c.CreateParticipant(name=name_of(call.body.name)), e.ParticipantCreated
        )
        return ParticipantView(id=str(event.participant_id), name=event.name, accounts=[])

    async def set_self_trade_prevention(self, call: Call) -> ParticipantView:
        """Answer PUT /participants/{participant_id}/self_trade_prevention."""
        participant_id, body = ParticipantId(call.path_id("participant_id")), call.body
        if participant_id not in self._directory.participants:
            raise not_found(f"participant {participant_id}; GET /api/v1/participants lists them")
        if not 0 <= body.group <= GROUP_MAX:
            raise invalid_field("group", f"group must be 0 to {GROUP_MAX}, got {body.group}")
        mode = SELF_TRADE_MODES.get(body.mode)
        if mode is None:
            raise not_a_choice(Reason.SELF_TRADE_MODE_INVALID, body.mode, SELF_TRADE_MODES)
        await self._gateway.carry_out(
            c.SetSelfTradePrevention(participant_id=participant_id, group=body.group, mode=mode)
        )
        known = self._directory.participants[participant_id]
        return self._participant_view(known)

    async def participants(self, call: Call) -> ParticipantList:
        """Answer GET /participants."""
        items, following = await self._page(call.query, self._directory.participants, self._participant_view)
        return ParticipantList(items, following)

    async def add_account(self, call: Call) -> AccountView:
        """Answer POST /accounts."""
        body: NewAccount = call.body
        participant_id = ParticipantId(id32_of(body.participant, "participant"))
        event = await self._gateway.carry_out_to(
            c.CreateAccount(participant_id=participant_id, name=name_of(body.name)), e.AccountCreated
        )
        return AccountView(id=str(event.account_id), participant=str(event.participant_id), name=event.name)

    async def accounts(self, call: Call) -> AccountList:
        """Answer GET /accounts."""
        ids = self._gateway.entry.accounts_seen_by("", call.who)
        known = self._directory.accounts
        seen = known if ids is None else {number: known[number] for number in map(AccountId, ids)}
        items, following = await self._page(call.query, seen, self._account_view)
        return AccountList(items, following)

    async def balances(self, call: Call) -> AccountBalances:
        """Answer GET /accounts/{id}."""
        account = self._account(call.path_id("account_id"), call.who)
        return await self._gateway.read(lambda venue: self._balances(venue, account))

    def _balances(self, venue: Venue, account: Account) -> AccountBalances:
        holdings = [
            Holding(symbol=symbol.symbol, qty=str(quantity))
            for symbol in self._directory.symbols.values()
            if (quantity := venue.balance(account.account_id, symbol.symbol_id))
        ]
        return AccountBalances(
            id=str(account.account_id),
            participant=str(account.participant_id),
            name=account.name,
            currency=self._currency,
            cash=format_money(venue.balance(account.account_id, 0)),
            holdings=holdings,
            seq=venue.event_sequence,
        )

    # --- keys -------------------------------------------------------------------------------------

    async def add_key(self, call: Call) -> CreatedKey:
        """Answer POST /keys."""
        body: NewKey = call.body
        role = ROLES.get(body.role)
        if role is None:
            raise not_a_choice(Reason.ROLE_INVALID, body.role, ROLES)
        if body.label.startswith(SESSION_PREFIX):
            raise invalid_field(
                "label", f"label must not begin with {SESSION_PREFIX}; POST /api/v1/sessions makes OUCH users"
            )
        text, sha256 = new_key()
        participant_id = ParticipantId(id32_of(body.participant, "participant"))
        label = name_of(body.label, "label")
        if not participant_id:
            label = name_of(made_by(label, call.who.label), "label")
        event = await self._gateway.carry_out_to(
            c.CreateKey(participant_id=participant_id, role=role, sha256=sha256, label=label),
            e.KeyCreated,
        )
        return CreatedKey(
            id=str(event.key_id), participant=str(participant_id), role=body.role, label=event.label, key=text
        )

    async def keys(self, call: Call) -> KeyList:
        """Answer GET /keys."""
        items, following = await self._page(call.query, self._directory.keys, key_view)
        return KeyList(items, following)

    async def revoke_key(self, call: Call) -> RevokedKey:
        """Answer DELETE /keys/{id}."""
        key_id = call.path_id("key_id")
        if key_id > UINT32_MAX:
            raise not_found(f"key {key_id}")
        event = await self._gateway.carry_out_to(c.RevokeKey(key_id=KeyId(key_id)), e.KeyRevoked)
        return RevokedKey(id=str(key_id), seq=event.sequence)

    # --- deposits, withdrawals, the day -----------------------------------------------------------

    async def deposit(self, call: Call) -> MovementDone:
        """Answer POST /accounts/{id}/deposits."""
        return await self._move(call, c.Deposit)

    async def withdraw(self, call: Call) -> MovementDone:
        """Answer POST /accounts/{id}/withdrawals."""
        return await self._move(call, c.Withdraw)

    async def _move(self, call: Call, kind: type[c.Deposit] | type[c.Withdraw]) -> MovementDone:
        account = self._account(call.path_id("account_id"), call.who)
        body: Movement = call.body
        symbol_id, amount = self._what_moves(body)
        command = kind(account_id=account.account_id, symbol_id=SymbolId(symbol_id), amount=Money(amount))
        told: type[e.Deposited | e.Withdrawn] = e.Deposited if kind is c.Deposit else e.Withdrawn
        event = await self._gateway.carry_out_to(command, told, in_money=not symbol_id)
        if symbol_id:
            return MovementDone(
                account=str(account.account_id), seq=event.sequence, balance=str(event.balance),
                symbol=body.symbol, qty=str(event.amount),
            )  # fmt: skip
        return MovementDone(
            account=str(account.account_id), seq=event.sequence, balance=format_money(event.balance),
            amount=format_money(event.amount),
        )  # fmt: skip

    def _what_moves(self, body: Movement) -> tuple[int, int]:
        """Return (0, money) or (symbol, shares)."""
        is_cash = body.amount is not None and not body.symbol and body.qty is None
        is_shares = body.amount is None and body.symbol and body.qty is not None
        if is_cash:
            try:
                return 0, parse_money(str(body.amount))
            except UnitError as error:
                raise invalid_field("amount", error) from error
        if is_shares:
            assert body.qty is not None
            return self._gateway.entry.symbol_id(body.symbol), quantity_of(body.qty)
        raise invalid_field("amount", "give either amount, for cash, or symbol and qty, for shares")

    async def business_day(self, _: Call) -> BusinessDay:
        """Answer GET /business_day."""
        return await self._gateway.read(
            lambda venue: business_day_view(venue.business_date, venue.next_deadline)
        )

    async def start_business_day(self, call: Call) -> BusinessDay:
        """Answer POST /business_day."""
        body: NewBusinessDay = call.body
        venue = self._gateway.venue
        date = date_of(body.date) if body.date else next_date(venue.business_date)
        ends_ns = self._day_end_after(max(venue.time_ns, venue.next_deadline))
        if body.ends_at:
            ends_ns = 0 if body.ends_at == "never" else time_of(body.ends_at, "ends_at")
        event = await self._gateway.carry_out_to(
            c.StartBusinessDay(date=date, ends_ns=ends_ns), e.BusinessDayStarted
        )
        return business_day_view(event.date, event.ends_ns, event.sequence)

    def _participant_view(self, known: Participant) -> ParticipantView:
        number, directory = known.participant_id, self._directory
        is_blocked = (RiskScope.PARTICIPANT, number) in directory.blocks
        return participant_view(known, directory.accounts_of(number), is_blocked=is_blocked)

    def _account_view(self, known: Account) -> AccountView:
        return account_view(known, is_blocked=(RiskScope.ACCOUNT, known.account_id) in self._directory.blocks)

    # --- parts ------------------------------------------------------------------------------------

    def _account(self, account_id: int, principal: Principal) -> Account:
        account = self._directory.accounts.get(AccountId(account_id))
        if account is None or not self._gateway.entry.may_see(account_id, principal):
            raise not_found(f"account {account_id} that this key may see")
        return account

    async def _page(
        self, query: PageQuery, known: Mapping[Any, _Known], view: Callable[[_Known], _View]
    ) -> tuple[list[_View], str | None]:
        """Return a page of a table whose ids rise, and the cursor of the next one."""
        after = cursor_of(query.cursor)

        def page(_: Venue) -> tuple[list[_View], str | None]:
            ids = list(islice((number for number in known if number > after), query.limit + 1))
            following = str(ids[query.limit - 1]) if len(ids) > query.limit else None
            return [view(known[number]) for number in ids[: query.limit]], following

        return await self._gateway.read(page)


def business_day_view(date: int, ends_ns: int, sequence: int = 0) -> BusinessDay:
    """Write a business date."""
    return BusinessDay(
        date=format_date(date) if date else "",
        ends_at=format_time(ends_ns) if ends_ns else None,
        seq=sequence,
    )


def id32_of(text: str, field: str) -> int:
    """Return an id that fits 32 bits, 0 included; one that does not is nobody's. Raise `ApiError`."""
    return min(id_of(text, field), UINT32_MAX)


def date_of(text: str) -> int:
    """Return YYYY-MM-DD as the number YYYYMMDD; whether it is a date the venue judges. Raise `ApiError`."""
    if not _DATE.match(text):
        raise invalid_field("date", f"date must be YYYY-MM-DD such as 2026-11-23, got {shown(text)}")
    return int(text.replace("-", ""))
