"""What an engine does at its start, by commands like any other: a business day, the listed symbols, keys, the demo."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from secrets import randbits
from typing import Any

import msgspec
import structlog

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import Role
from exchange.domain.symbol import Symbol, TickTable
from exchange.domain.units import SCALE, AccountId, Money, ParticipantId, SymbolId, date_number
from exchange.engine.sequencer import Sequencer
from exchange.infra import disk
from exchange.infra.auth import new_key, new_password, session_digest
from exchange.infra.component_key import given_component_key
from exchange.infra.config import Config
from exchange.infra.config_sections import PriceLimitsConfig, SymbolConfig
from exchange.infra.errors import InfraError
from exchange.matching.venue import Venue
from exchange.wire.ouch_session import SessionTerms, terms_of
from exchange.wire.records import decode_events, encode_command

NS_PER_S = 1_000_000_000
log = structlog.get_logger(component="engine")

DEMO_PARTICIPANTS = ("alice", "bob", "carol")
DEMO_CASH = Money(1_000_000 * SCALE)
DEMO_SHARES = Money(10_000)
EXCHANGE_ROLES = (Role.OPERATOR, Role.COMPONENT, Role.CLEARING, Role.AUDITOR, Role.RISK)
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
COMMANDS_PER_SUBMISSION = 1_000
"""So that a long list of symbols or a large demo stays within one submission's size."""


class MemberKey(msgspec.Struct, kw_only=True):
    """What a demo participant trades with."""

    participant_id: int
    account_id: int
    key: str
    ouch_user: str = ""
    ouch_password: str = ""


class KeyFile(msgspec.Struct, kw_only=True):
    """The keys made at the first start; the file is its owner's alone."""

    operator: str
    component: str
    clearing: str
    auditor: str
    participants: dict[str, MemberKey] = {}
    risk: str = ""
    """Empty where an earlier version made the file; `exchange keys create risk` makes one."""


class Bootstrap:
    """Brings a venue that has started to where the configuration wants it; what is there already stays."""

    def __init__(self, config: Config, venue: Venue, sequencer: Sequencer) -> None:
        self._config = config
        self._venue = venue
        self._sequencer = sequencer
        self._directory = venue.directory

    async def run(self, now_ns: int) -> KeyFile:
        """Submit what is missing; return the keys of the key file, which is written where it is missing."""
        await self._start_business_day(now_ns)
        await self._list_symbols()
        await self._set_breaker()
        path = self._config.key_file_for()
        keys = self._known_keys(path) or await self._make_keys(path)
        await self._admit_component_key(given_component_key())
        return keys

    def _known_keys(self, path: Path) -> KeyFile | None:
        """Read the key file; None where there is none, or where its keys are not those of this exchange."""
        if not path.exists():
            return None
        keys = read_keys(path)
        if sha256(keys.operator.encode()).digest() in self._directory.key_ids:
            return keys
        log.warning("keys_unknown", path=str(path), done="made new ones")
        return None

    async def _start_business_day(self, now_ns: int) -> None:
        if not self._venue.business_date:
            ends_ns = day_end_after(now_ns, self._config.engine.day_ends)
            await self.submit([c.StartBusinessDay(date=date_number(now_ns), ends_ns=ends_ns)])

    async def _list_symbols(self) -> None:
        is_ours = is_ours_of(self._config)
        wanted = [symbol for symbol in self._config.symbols if is_ours(symbol.symbol)]
        known = self._directory.symbol_ids.keys() | self._directory.former_names.keys()
        missing = [symbol for symbol in wanted if symbol.symbol not in known]
        await self.submit([_add_symbol(symbol) for symbol in missing])
        await self.submit([
            c.SetAllocation(symbol_id=SymbolId(self._directory.symbol_ids[symbol.symbol]), steps=symbol.steps)
            for symbol in missing
            if symbol.allocation
        ])  # fmt: skip
        await self.submit([
            command
            for symbol in missing
            for command in _protection(
                symbol, SymbolId(self._directory.symbol_ids[symbol.symbol]), self._config.engine.price_limits
            )
        ])  # fmt: skip
        for symbol in wanted:
            if present := self._directory.present_name(symbol.symbol):
                log.warning("symbol_was_renamed", symbol=symbol.symbol, now=present, applied=False)
            listed = self._directory.symbol_named(symbol.symbol)
            if listed is not None and (changes := _differences(symbol, listed)):
                log.warning(
                    "symbol_differs_from_configuration", symbol=symbol.symbol, keys=changes, applied=False
                )

    async def _set_breaker(self) -> None:
        """Let the breaker watch the index of the configuration, unless it watches one already."""
        close_level = self._config.engine.price_limits.breaker_close
        if close_level and not self._directory.breaker_close:
            await self.submit([c.SetMarketBreaker(close_level=close_level)])

    async def _make_keys(self, path: Path) -> KeyFile:
        """Make the exchange's own keys and the demo's; write them where only their owner reads them."""
        texts: dict[str, str] = {}
        commands: list[c.Command] = []
        for role in EXCHANGE_ROLES:
            name = role.name.lower()
            texts[name], digest = new_key()
            commands.append(
                c.CreateKey(participant_id=ParticipantId(0), role=role, sha256=digest, label=name)
            )
        keys = KeyFile(
            operator=texts["operator"],
            component=texts["component"],
            clearing=texts["clearing"],
            auditor=texts["auditor"],
            risk=texts["risk"],
        )
        if self._config.engine.demo:
            for name in self._demo_names():
                keys.participants[name], more = self._demo_participant(name)
                commands += more
        await self.submit(commands)
        write_keys(path, keys)
        log.info("keys_written", path=str(path), participants=list(keys.participants))
        return keys

    async def _admit_component_key(self, key: str) -> None:
        """Let in whoever has the key of the environment, where one is given, as reporter and clearing."""
        digest = sha256(key.encode()).digest()
        if key and digest not in self._directory.key_ids:
            await self.submit(
                [
                    c.CreateKey(
                        participant_id=ParticipantId(0),
                        role=Role.COMPONENT,
                        sha256=digest,
                        label="component (environment)",
                    )
                ]
            )

    def _demo_names(self) -> list[str]:
        """Return the demo participants: those to be made on an empty exchange, else those that are there."""
        if not self._directory.participants:
            return list(DEMO_PARTICIPANTS)
        return [name for name in DEMO_PARTICIPANTS if name in self._directory.participant_ids]

    def _demo_participant(self, name: str) -> tuple[MemberKey, list[c.Command]]:
        """Return a demo participant and the commands that make it, or only its new key where it is there."""
        number = DEMO_PARTICIPANTS.index(name) + 1
        participant_id, account_id = ParticipantId(number), AccountId(number)
        commands: list[c.Command] = []
        if name in self._directory.participant_ids:
            participant_id = ParticipantId(self._directory.participant_ids[name])
            account_id = self._directory.accounts_of(participant_id)[0].account_id
        else:
            commands = [
                c.CreateParticipant(name=name),
                c.CreateAccount(participant_id=participant_id, name="main"),
                c.Deposit(account_id=account_id, symbol_id=SymbolId(0), amount=DEMO_CASH),
                *(
                    c.Deposit(account_id=account_id, symbol_id=symbol_id, amount=DEMO_SHARES)
                    for symbol_id in map(SymbolId, self._directory.symbols)
                ),
            ]
        text, digest = new_key()
        label = f"{name} (demo)"
        commands.append(
            c.CreateKey(participant_id=participant_id, role=Role.TRADER, sha256=digest, label=label)
        )
        member = MemberKey(participant_id=participant_id, account_id=account_id, key=text)
        if self._config.engine.ouch.enabled:
            commands += self._demo_session(member, name)
        return member, commands

    def _demo_session(self, member: MemberKey, name: str) -> list[c.Command]:
        """Return the commands that make a demo participant's OUCH user anew."""
        member.ouch_user, member.ouch_password = name.upper(), new_password()
        terms = SessionTerms(member.ouch_user, member.account_id, cancel_on_disconnect=False)
        known = ((key.key_id, terms_of(key.label, key.key_id)) for key in self._directory.keys.values())
        commands: list[c.Command] = [
            c.RevokeKey(key_id=key_id) for key_id, found in known if found and found.user == terms.user
        ]
        commands.append(
            c.CreateKey(
                participant_id=ParticipantId(member.participant_id),
                role=Role.TRADER,
                sha256=session_digest(member.ouch_user, member.ouch_password),
                label=terms.label(),
            )
        )
        return commands

    async def submit(self, commands: Sequence[c.Command]) -> None:
        """Carry commands out. Raise `InfraError` where one is refused: the configuration asks for what cannot be."""
        for start in range(0, len(commands), COMMANDS_PER_SUBMISSION):
            part = commands[start : start + COMMANDS_PER_SUBMISSION]
            events = await self._sequencer.submit(b"".join(map(encode_command, part)), len(part))
            for event in decode_events(events):
                if isinstance(event, e.CommandRejected):
                    raise InfraError(
                        f"the start could not carry out a command of type {event.command_type}: "
                        f"{event.reason.name.lower()}, measured {event.measured}, limit {event.limit}"
                    )


def is_ours_of(config: Config) -> Callable[[str], bool]:
    """Return what tells whether an engine's partition trades a symbol: by a checksum of its name."""
    number, count = map(int, config.engine.partition.split("/"))
    return lambda symbol: zlib.crc32(symbol.encode("ascii")) % count == number


def day_end_after(now_ns: int, time_of_day: str) -> int:
    """Return when the business day ends that begins now, by `[engine] day_ends`: HH:MM in UTC, or never (0)."""
    if time_of_day == "never":
        return 0
    hours, minutes = time_of_day.split(":")
    end_ns = now_ns - now_ns % DAY_NS + (int(hours) * 60 + int(minutes)) * MINUTE_NS
    return end_ns if end_ns > now_ns else end_ns + DAY_NS


def write_keys(path: Path, keys: KeyFile) -> None:
    """Write the keys, whole or not at all, readable by their owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(keys), indent=2)
    disk.write_whole(path, text + b"\n")


def read_keys(path: Path) -> KeyFile:
    """Read the keys that a first start wrote. Raise `InfraError` where the file is not there or not whole."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except (OSError, msgspec.DecodeError) as error:
        if isinstance(error, FileNotFoundError):
            raise InfraError(f"{path} is not there; the engine writes it at its first start") from error
        seen = error.strerror if isinstance(error, OSError) else error
        raise InfraError(
            f"{path} cannot be read: {seen}; restore it, or move it away and start again: the engine makes new keys"
        ) from error


def _add_symbol(symbol: SymbolConfig) -> c.AddSymbol:
    return c.AddSymbol(
        symbol=symbol.symbol,
        name=symbol.name,
        reference_price=symbol.reference_price,
        round_lot=symbol.round_lot,
        ticks=symbol.tick_rows,
    )


def _protection(symbol: SymbolConfig, symbol_id: SymbolId, market: PriceLimitsConfig) -> list[c.Command]:
    has_corridor = symbol.corridor_dynamic_bps or symbol.corridor_static_bps
    is_left_out = has_corridor or symbol.symbol in market.without_bands
    if tier := symbol.bands_tier or (0 if is_left_out else market.bands_tier):
        return [c.SetPriceBands(symbol_id=symbol_id, tier=tier)]
    if not has_corridor:
        return []
    return [c.SetPriceCorridor(
        symbol_id=symbol_id, dynamic_bps=symbol.corridor_dynamic_bps, static_bps=symbol.corridor_static_bps,
        call_ns=symbol.corridor_call_s * NS_PER_S, random_ns_max=symbol.corridor_random_end_s * NS_PER_S,
        seed=randbits(64),
    )]  # fmt: skip


def _differences(wanted: SymbolConfig, listed: Symbol) -> list[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "name": (wanted.name, listed.name),
        "round_lot": (wanted.round_lot, listed.round_lot),
        "ticks": (TickTable(wanted.tick_rows), listed.ticks),
        "allocation": (wanted.steps or listed.allocation.steps, listed.allocation.steps),
    }
    return [name for name, (configured, there) in pairs.items() if configured != there]
