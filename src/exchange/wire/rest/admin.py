"""Access and administration as JSON: participants, accounts, keys, deposits, the day, rulings on trades."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.domain.participant import Account, Key, Participant, Role
from exchange.domain.trade import BustReason
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    SELF_TRADE_MODES,
    AmountNumber,
    AmountText,
    Cursor,
    DateOrEmpty,
    Id,
    IdNumber,
    KeyLabelText,
    Limit,
    MoneyText,
    NameText,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SharesText,
    SymbolOrEmpty,
    SymbolText,
    TimeOrNever,
    TimeText,
    choice,
    whole,
)

GROUP_MAX = 2**32 - 1
ROLES = {role.name.lower(): role for role in Role}
ROLE_TEXT = {int(role): text for text, role in ROLES.items()}
BUST_REASONS = {reason.name.lower(): reason for reason in BustReason}
BUST_REASON_TEXT = {int(reason): text for text, reason in BUST_REASONS.items()}

RoleText = Annotated[str, choice(ROLES)]
BustReasonText = Annotated[str, choice(BUST_REASONS)]


# --- participants, accounts, keys -----------------------------------------------------------------


class PageQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which page of a list."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class NewParticipant(Struct, kw_only=True, forbid_unknown_fields=True):
    """A member to admit."""

    name: NameText


class ParticipantView(Struct, kw_only=True):
    """A member with its accounts; members of one self-trade group, 0 for none, do not trade together."""

    id: Id
    name: str
    accounts: list[Id]
    self_trade_group: int = 0
    self_trade_mode: Annotated[str, choice(SELF_TRADE_MODES)] = "none"


class SelfTradePrevention(Struct, kw_only=True, forbid_unknown_fields=True):
    """A member's self-trade group, 0 for none, and what its incoming orders do where they would trade within it."""

    group: Annotated[int, whole(0, GROUP_MAX)]
    mode: Annotated[str, choice(SELF_TRADE_MODES)]


class ParticipantList(Struct):
    """A page of members."""

    items: list[ParticipantView]
    next: str | None = None


class NewAccount(Struct, kw_only=True, forbid_unknown_fields=True):
    """An account to open."""

    participant: Id
    name: NameText


class AccountView(Struct, kw_only=True):
    """An account."""

    id: Id
    participant: Id
    name: str


class AccountList(Struct):
    """A page of accounts."""

    items: list[AccountView]
    next: str | None = None


class Holding(Struct, kw_only=True):
    """Shares of one symbol in an account; below zero where more was sold than was there."""

    symbol: SymbolText
    qty: SharesText


class AccountBalances(Struct, kw_only=True):
    """An account and what it holds after an event."""

    id: Id
    participant: Id
    name: str
    currency: str
    cash: MoneyText
    holdings: list[Holding]
    seq: int


class NewKey(Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to make. participant: left out for a key of the exchange itself."""

    role: RoleText
    participant: Id = "0"
    label: KeyLabelText = "key"


class KeyView(Struct, kw_only=True):
    """A key without its text, which nobody keeps."""

    id: Id
    participant: Id
    role: RoleText
    label: str


class CreatedKey(KeyView, kw_only=True):
    """A new key. key: shown here once and never again; send it as `Authorization: Bearer KEY`."""

    key: str


class KeyList(Struct):
    """A page of keys."""

    items: list[KeyView]
    next: str | None = None


class RevokedKey(Struct, kw_only=True):
    """A key that is worthless from now on."""

    id: Id
    seq: int


class Movement(Struct, kw_only=True, forbid_unknown_fields=True):
    """Cash (amount) or shares (symbol and qty) to bring in or take out."""

    amount: AmountText | AmountNumber | None = None
    symbol: SymbolOrEmpty = ""
    qty: SharesIn | SharesNumber | None = None


MovementBody = Annotated[
    Movement,
    Meta(
        extra_json_schema={
            "oneOf": [
                {
                    "required": ["amount"],
                    "properties": {
                        "amount": {"type": ["string", "integer"]},
                        "symbol": {"const": ""},
                        "qty": {"type": "null"},
                    },
                },
                {
                    "required": ["symbol", "qty"],
                    "properties": {
                        "amount": {"type": "null"},
                        "symbol": {"minLength": 1},
                        "qty": {"type": ["string", "integer"]},
                    },
                },
            ]
        }
    ),
]


class MovementDone(Struct, kw_only=True, omit_defaults=True):
    """Cash or shares that came in or went out, and what the account holds of it now."""

    account: Id
    seq: int
    balance: str
    amount: str = ""
    symbol: str = ""
    qty: str = ""


# --- the day and rulings on trades ----------------------------------------------------------------


class NewBusinessDay(Struct, kw_only=True, forbid_unknown_fields=True):
    """The business date to begin. date: where left out the next; ends_at: where left out by `day_ends`."""

    date: DateOrEmpty = ""
    ends_at: TimeOrNever = ""


class BusinessDay(Struct, kw_only=True):
    """The business date and when it ends by itself. seq: of the event that began it, 0 where not known."""

    date: str
    ends_at: TimeText | None
    seq: int = 0


class BustRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A ruling that breaks a trade. ruling_id: clearing's, 0 for none."""

    reason: BustReasonText = "erroneous"
    ruling_id: Id | IdNumber = "0"


class CorrectRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A ruling that gives a trade another price, less quantity, or both; what is left out stays."""

    price: PriceText | None = None
    qty: SharesIn | SharesNumber | None = None
    reason: BustReasonText = "erroneous"
    ruling_id: Id | IdNumber = "0"


class Ruling(Struct, kw_only=True):
    """A trade after a ruling. price, qty: as it stood; already: busted before, nothing changed now."""

    match_id: Id
    status: Annotated[str, Meta(extra_json_schema={"enum": ["busted", "corrected"]})]
    symbol: SymbolText
    price: PriceText
    qty: QuantityText
    reason: str
    ruling_id: Id
    seq: int
    new_price: PriceText | None = None
    new_qty: QuantityText | None = None
    already: bool = False


# --- from the directory ---------------------------------------------------------------------------


def participant_view(participant: Participant, accounts: list[Account]) -> ParticipantView:
    """Write a participant with its accounts."""
    return ParticipantView(
        id=str(participant.participant_id),
        name=participant.name,
        accounts=[str(account.account_id) for account in accounts],
        self_trade_group=participant.self_trade_group,
        self_trade_mode=participant.self_trade_mode.name.lower(),
    )


def account_view(account: Account) -> AccountView:
    """Write an account."""
    return AccountView(id=str(account.account_id), participant=str(account.participant_id), name=account.name)


def key_view(key: Key) -> KeyView:
    """Write what may be shown of a key."""
    return KeyView(
        id=str(key.key_id), participant=str(key.participant_id), role=ROLE_TEXT[key.role], label=key.label
    )
