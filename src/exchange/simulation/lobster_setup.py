"""What a replay needs at an exchange: a fresh symbol, and two members with a key each; kept for a resumption."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from itertools import count
from pathlib import Path

import msgspec

from exchange.domain.order import Side
from exchange.domain.symbol import DEFAULT_TICKS, SYMBOL_PATTERN, TickTable
from exchange.domain.units import format_price
from exchange.simulation.lobster import LobsterError, OpeningOrder
from exchange.simulation.rest import RequestRefused, RestSession
from exchange.wire.rest.admin import (
    AccountView,
    CreatedKey,
    Movement,
    MovementDone,
    NewAccount,
    NewKey,
    NewParticipant,
    ParticipantView,
)
from exchange.wire.rest.symbols import NewSymbol, SymbolView

SYMBOL_CHARACTERS_MAX = 8
NAMES_TRIED_MAX = 99
"""Fresh names AAPL.R1 … that are tried before a symbol must be given."""
CASH = "1000000000.00"
SHARES = 1_000_000_000


class Member(msgspec.Struct, frozen=True):
    """One side of the replay."""

    participant: str
    account: str
    key: str


class ReplayPlace(msgspec.Struct, frozen=True):
    """Where a replay happens; enough to resume it. digest: of the message file."""

    symbol: str
    messages: str
    digest: str
    resting: Member
    aggressing: Member


async def prepare(
    operator: RestSession, messages: Path, wanted: str, opening: list[OpeningOrder], first_price: int
) -> ReplayPlace:
    """List a fresh symbol and make both members. wanted: the symbol's name, empty for one made from the file's.

    Raise `LobsterError` where the name cannot be used, `RequestRefused` or `ConnectionFailed`.
    """
    reference = reference_price(opening, first_price)
    symbol = await _list_symbol(operator, messages, wanted, reference)
    digest = digest_of(messages)
    resting = await make_member(operator, f"{symbol} resting {digest[:8]}", [symbol])
    aggressing = await make_member(operator, f"{symbol} aggressing {digest[:8]}", [symbol])
    return ReplayPlace(symbol, str(messages), digest, resting, aggressing)


async def make_member(
    operator: RestSession, name: str, symbols: Iterable[str], cash: str = CASH, shares: int = SHARES
) -> Member:
    """Admit a participant with one account, a trader's key, cash, and shares of some symbols."""
    participant = await operator.post("/api/v1/participants", NewParticipant(name=name), ParticipantView)
    account = await operator.post(
        "/api/v1/accounts", NewAccount(participant=participant.id, name="main"), AccountView
    )
    key = await operator.post(
        "/api/v1/keys", NewKey(role="trader", participant=participant.id, label="simulation"), CreatedKey
    )
    path = f"/api/v1/accounts/{account.id}/deposits"
    await operator.post(path, Movement(amount=cash), MovementDone)
    for symbol in symbols if shares else ():
        await operator.post(path, Movement(symbol=symbol, qty=shares), MovementDone)
    return Member(participant.id, account.id, key.key)


def reference_price(opening: list[OpeningOrder], first_price: int) -> int:
    """Return the middle of the opening book, on a tick; without one, the price of the first message."""
    bids = [order.price for order in opening if order.side == Side.BUY]
    asks = [order.price for order in opening if order.side == Side.SELL]
    middle = (max(bids) + min(asks)) // 2 if bids and asks else first_price
    return middle - middle % TickTable(DEFAULT_TICKS).tick_at(middle)


def fresh_names(messages: Path, wanted: str) -> list[str]:
    """Return the names to try for a symbol: the one wanted, or those made from a file such as AAPL_2012-….csv."""
    if wanted:
        if not SYMBOL_PATTERN.match(wanted):
            raise LobsterError(f"symbol must be 1 to 8 characters A-Z 0-9 . -, got {wanted!r}")
        return [wanted]
    stem = messages.name.split("_")[0].split(".")[0].upper()
    stem = stem if SYMBOL_PATTERN.match(stem) else "LOBSTER"
    return [stem] + [
        f"{stem[: SYMBOL_CHARACTERS_MAX - 2 - len(str(number))]}.R{number}"
        for number in range(1, NAMES_TRIED_MAX + 1)
    ]


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with file.open("rb") as content:
        digest = sha256()
        for _ in count():
            block = content.read(1 << 20)
            if not block:
                break
            digest.update(block)
    return digest.hexdigest()


def save_place(file: Path, place: ReplayPlace) -> None:
    """Write a place so that only its owner can read it, for it holds keys."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(place)))
    beside.replace(file)


def load_place(file: Path, messages: Path) -> ReplayPlace:
    """Read the place of a replay that is to be resumed. Raise `LobsterError` where there is none for this file."""
    try:
        place = msgspec.json.decode(file.read_bytes(), type=ReplayPlace)
    except FileNotFoundError:
        raise LobsterError(
            f"{file} is not there, so there is nothing to resume; leave out --resume"
        ) from None
    except msgspec.DecodeError as error:
        raise LobsterError(f"{file} is damaged: {error}; begin again without --resume") from error
    if place.digest != digest_of(messages):
        raise LobsterError(
            f"{file} belongs to a replay of {place.messages}, which has another content than {messages}"
        )
    return place


async def _list_symbol(operator: RestSession, messages: Path, wanted: str, reference: int) -> str:
    names = fresh_names(messages, wanted)
    for name in names:
        new = NewSymbol(
            symbol=name, name=f"LOBSTER {messages.stem}"[:64], reference_price=format_price(reference)
        )
        try:
            listed = await operator.post("/api/v1/symbols", new, SymbolView)
        except RequestRefused as refused:
            if refused.error.reason != "symbol_taken":
                raise
        else:
            return listed.symbol
    what = (
        f"symbol {wanted} is listed already"
        if wanted
        else f"{names[0]} and {names[1]} to {names[-1]} are taken"
    )
    raise LobsterError(f"{what}; a replay needs a symbol of its own, give a free name with --symbol")
