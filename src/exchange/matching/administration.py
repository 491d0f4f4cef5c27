"""What operators do: symbols, participants, accounts, keys, and cash and shares in and out."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.allocation import (
    LEAD_MAKERS_MAX,
    SHARE_MAX,
    STEPS_MAX,
    Allocation,
    first_bad_step,
    lead_makers_fit,
)
from exchange.domain.directory import Directory
from exchange.domain.order import SelfTradeMode
from exchange.domain.participant import Role, is_valid_name
from exchange.domain.reasons import Reason
from exchange.domain.symbol import PROTECTION_BPS_MAX, SYMBOL_PATTERN, SymbolState, TickTable
from exchange.domain.units import MONEY_MAX, PRICE_MAX
from exchange.matching.event_stream import int64
from exchange.matching.market import Market
from exchange.matching.order_checks import Refusal
from exchange.matching.phases import Phases
from exchange.matching.risk_checks import RiskChecks
from exchange.matching.venue_state import VenueState
from exchange.wire.records import number_of

ROLES = tuple(role.value for role in Role)
MODES = tuple(mode.value for mode in SelfTradeMode)
STATES = tuple(state.value for state in SymbolState)
OF_A_MEMBER = (Role.TRADER,)
"""Roles that make no sense for a key of the exchange itself: its authority would be over every order."""


class Administration:
    """Judges and carries out the commands of operators. Enum fields may come as numbers that mean nothing."""

    def __init__(self, state: VenueState, phases: Phases) -> None:
        self._state = state
        self._phases = phases
        self._events = state.events
        self._directory = state.directory
        self._holdings = state.holdings
        self._limits = state.limits
        self._risk = RiskChecks(state)

    # --- symbols -------------------------------------------------------------------------------------

    def add_symbol(self, command: c.AddSymbol) -> None:
        """List a symbol; its id is the number of symbols there are then."""
        refusal = refusal_of_new_symbol(command, self._directory, self._limits.symbols)
        if refusal:
            self._refuse(command, 0, refusal)
            return
        symbol_id = len(self._directory.symbols) + 1
        self._note(
            e.SymbolAdded, symbol_id=symbol_id, symbol=command.symbol, name=command.name,
            reference_price=command.reference_price, round_lot=command.round_lot,
            state=SymbolState(command.state), ticks=command.ticks,
        )  # fmt: skip
        market = self._state.markets[symbol_id] = Market(self._directory.symbols[symbol_id])
        self._phases.begin_listed(market)

    def set_symbol_state(self, command: c.SetSymbolState) -> None:
        """Suspend a symbol or let it trade again; its resting orders stay."""
        refusal = None
        if command.symbol_id not in self._directory.symbols:
            refusal = Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        elif command.reason and not is_valid_name(command.reason):
            refusal = Refusal(Reason.NAME_INVALID)
        elif command.state not in STATES:
            refusal = Refusal(Reason.SYMBOL_STATE_INVALID, command.state)
        if refusal:
            self._refuse(command, command.symbol_id, refusal)
            return
        state = SymbolState(command.state)
        self._note(e.SymbolStateChanged, symbol_id=command.symbol_id, state=state, reason=command.reason)
        market = self._state.markets[command.symbol_id]
        market.state = state
        self._phases.follow_state(market)

    def set_reference_price(self, command: c.SetReferencePrice) -> None:
        """Set the price that the next trade is compared with; trades before it no longer count."""
        symbol = self._directory.symbols.get(command.symbol_id)
        if symbol is None:
            self._refuse(command, command.symbol_id, Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id))
            return
        refusal = refusal_of_reference_price(command.reference_price, symbol.ticks)
        if refusal:
            self._refuse(command, command.symbol_id, refusal)
            return
        self._note(e.ReferencePriceSet, symbol_id=command.symbol_id, reference_price=command.reference_price)
        self._state.markets[command.symbol_id].reference.set(command.reference_price)

    def set_market_protection(self, command: c.SetMarketProtection) -> None:
        """Set how far from the reference price market orders may trade."""
        refusal = None
        if command.symbol_id not in self._directory.symbols:
            refusal = Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        elif command.protection_bps > PROTECTION_BPS_MAX:
            refusal = Refusal(Reason.PROTECTION_INVALID, command.protection_bps, PROTECTION_BPS_MAX)
        if refusal:
            self._refuse(command, command.symbol_id, refusal)
            return
        self._note(e.MarketProtectionSet, symbol_id=command.symbol_id, protection_bps=command.protection_bps)
        self._state.markets[command.symbol_id].protection_bps = command.protection_bps

    def set_allocation(self, command: c.SetAllocation) -> None:
        """Set how trades are shared out among the orders at one price; nobody is the top order any more."""
        refusal = self._refusal_of_allocation(command)
        if refusal:
            self._refuse(command, command.symbol_id, refusal)
            return
        self._note(
            e.AllocationSet, symbol_id=command.symbol_id, steps=command.steps, lead_makers=command.lead_makers
        )
        self._state.markets[command.symbol_id].set_allocation(Allocation(command.steps, command.lead_makers))

    def _refusal_of_allocation(self, command: c.SetAllocation) -> Refusal | None:
        accounts = [maker.account_id for maker in command.lead_makers]
        unknown = next((number for number in accounts if number not in self._directory.accounts), None)
        if unknown is not None:
            return Refusal(Reason.UNKNOWN_ACCOUNT, unknown)
        if command.symbol_id not in self._directory.symbols:
            return Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        for listed, maximum in ((command.steps, STEPS_MAX), (command.lead_makers, LEAD_MAKERS_MAX)):
            if len(listed) > maximum:
                return Refusal(Reason.ALLOCATION_TOO_LONG, len(listed), maximum)
        if bad := first_bad_step(command.steps):
            return Refusal(Reason.ALLOCATION_STEP_INVALID, bad, len(command.steps))
        if not lead_makers_fit(Allocation(command.steps, command.lead_makers)):
            shares = sum(maker.share_bps for maker in command.lead_makers)
            return Refusal(Reason.LEAD_MAKERS_INVALID, shares, SHARE_MAX)
        return None

    # --- participants, accounts, keys ----------------------------------------------------------------

    def create_participant(self, command: c.CreateParticipant) -> None:
        """Admit a member; ids count from 1."""
        count = len(self._directory.participants)
        refusal = refusal_of_name(command.name, taken=command.name in self._directory.participant_ids)
        refusal = refusal or refusal_of_count(count, self._limits.participants)
        if refusal:
            self._refuse(command, 0, refusal)
            return
        self._note(e.ParticipantCreated, participant_id=count + 1, name=command.name)

    def set_self_trade_prevention(self, command: c.SetSelfTradePrevention) -> None:
        """Put a member into a self-trade group, or take it out."""
        refusal = None
        if command.participant_id not in self._directory.participants:
            refusal = Refusal(Reason.UNKNOWN_PARTICIPANT, command.participant_id)
        elif command.mode not in MODES or (command.group == 0) != (command.mode == SelfTradeMode.NONE):
            refusal = Refusal(Reason.SELF_TRADE_MODE_INVALID, command.mode)
        if refusal:
            self._refuse(command, command.participant_id, refusal)
            return
        mode = SelfTradeMode(command.mode)
        self._note(
            e.SelfTradePreventionSet, participant_id=command.participant_id, group=command.group, mode=mode
        )
        self._state.note_self_trade_group(command.participant_id, command.group, mode)

    def create_account(self, command: c.CreateAccount) -> None:
        """Open an account of a participant; ids count from 1 over all participants."""
        count = len(self._directory.accounts)
        named = (command.participant_id, command.name)
        refusal = None
        if command.participant_id not in self._directory.participants:
            refusal = Refusal(Reason.UNKNOWN_PARTICIPANT, command.participant_id)
        refusal = refusal or refusal_of_name(command.name, taken=named in self._state.account_names)
        refusal = refusal or refusal_of_count(count, self._limits.accounts)
        if refusal:
            self._refuse(command, command.participant_id, refusal)
            return
        self._note(
            e.AccountCreated, account_id=count + 1, participant_id=command.participant_id, name=command.name
        )
        self._state.account_names[named] = count + 1

    def create_key(self, command: c.CreateKey) -> None:
        """Make a key known; ids count from 1 and are not used again after a key is revoked."""
        refusal = self._refusal_of_key(command)
        if refusal:
            self._refuse(command, command.participant_id, refusal)
            return
        self._note(
            e.KeyCreated, key_id=self._directory.keys_created + 1, participant_id=command.participant_id,
            role=Role(command.role), sha256=command.sha256, label=command.label,
        )  # fmt: skip

    def revoke_key(self, command: c.RevokeKey) -> None:
        """Make a key worthless."""
        if command.key_id not in self._directory.keys:
            self._refuse(command, command.key_id, Refusal(Reason.UNKNOWN_KEY, command.key_id))
            return
        self._note(e.KeyRevoked, key_id=command.key_id)

    def _refusal_of_key(self, command: c.CreateKey) -> Refusal | None:
        of_the_exchange = command.participant_id == 0 and command.role not in OF_A_MEMBER
        if not of_the_exchange and command.participant_id not in self._directory.participants:
            return Refusal(Reason.UNKNOWN_PARTICIPANT, command.participant_id)
        if not is_valid_name(command.label):
            return Refusal(Reason.NAME_INVALID)
        if command.role not in ROLES:
            return Refusal(Reason.ROLE_INVALID, command.role)
        if command.sha256 in self._directory.key_ids:
            return Refusal(Reason.KEY_TAKEN)
        return refusal_of_count(len(self._directory.keys), self._limits.keys)

    # --- cash and shares -----------------------------------------------------------------------------

    def deposit(self, command: c.Deposit) -> None:
        """Bring cash or shares into an account."""
        balance = self._holdings.balance(command.account_id, command.symbol_id)
        most = min(MONEY_MAX, MONEY_MAX - balance)
        refusal = self._refusal_of_holding(command, most)
        if refusal:
            self._refuse(command, command.account_id, refusal)
            return
        balance = self._holdings.add(command.account_id, command.symbol_id, command.amount)
        self._events.write(
            e.Deposited, symbol_id=command.symbol_id, account_id=command.account_id, amount=command.amount,
            balance=int64(balance),
        )  # fmt: skip

    def withdraw(self, command: c.Withdraw) -> None:
        """Take cash or shares out of an account that has them, and whose open orders do not need them."""
        balance = self._holdings.balance(command.account_id, command.symbol_id)
        refusal = self._refusal_of_holding(command, MONEY_MAX)
        if not refusal:
            balance -= self._risk.reserved(command.account_id, command.symbol_id)
        if not refusal and command.amount > balance:
            refusal = Refusal(Reason.INSUFFICIENT_BALANCE, command.amount, balance)
        if refusal:
            self._refuse(command, command.account_id, refusal)
            return
        balance = self._holdings.add(command.account_id, command.symbol_id, -command.amount)
        self._events.write(
            e.Withdrawn, symbol_id=command.symbol_id, account_id=command.account_id, amount=command.amount,
            balance=int64(balance),
        )  # fmt: skip

    def _refusal_of_holding(self, command: c.Deposit | c.Withdraw, most: int) -> Refusal | None:
        if command.account_id not in self._directory.accounts:
            return Refusal(Reason.UNKNOWN_ACCOUNT, command.account_id)
        if command.symbol_id and command.symbol_id not in self._directory.symbols:
            return Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        if not 0 < command.amount <= most:
            return Refusal(Reason.AMOUNT_NOT_POSITIVE, command.amount, most)
        return None

    # --- what they share -----------------------------------------------------------------------------

    def _note(self, event_type: type[e.Event], *, symbol_id: int = 0, **fields: object) -> None:
        """Write an event of the directory and take it in."""
        self._directory.apply(self._events.write(event_type, symbol_id=symbol_id, **fields))

    def _refuse(self, command: c.Command, subject: int, refusal: Refusal) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=subject, measured=refusal.measured,
            limit=refusal.limit, symbol_id=getattr(command, "symbol_id", 0),
        )  # fmt: skip


def refusal_of_new_symbol(
    command: c.AddSymbol | c.ConfigureSymbol, directory: Directory, symbols_max: int
) -> Refusal | None:
    """Check a symbol that is to be listed."""
    ticks = TickTable(command.ticks)
    if not is_valid_name(command.name):
        return Refusal(Reason.NAME_INVALID)
    if not SYMBOL_PATTERN.match(command.symbol):
        return Refusal(Reason.SYMBOL_INVALID)
    if command.symbol in directory.symbol_ids:
        return Refusal(Reason.SYMBOL_TAKEN)
    if command.symbol in directory.former_names:
        return Refusal(Reason.SYMBOL_RENAMED, directory.former_names[command.symbol])
    if not ticks.is_valid():
        return Refusal(Reason.TICK_TABLE_INVALID)
    if command.round_lot <= 0:
        return Refusal(Reason.ROUND_LOT_INVALID, command.round_lot)
    if refusal := refusal_of_reference_price(command.reference_price, ticks):
        return refusal
    if command.state not in STATES:
        return Refusal(Reason.SYMBOL_STATE_INVALID, command.state)
    return refusal_of_count(len(directory.symbols), symbols_max)


def refusal_of_reference_price(price: int, ticks: TickTable) -> Refusal | None:
    """Check that a reference price is one an order could have."""
    if 0 < price <= PRICE_MAX and price % ticks.tick_at(price) == 0:
        return None
    return Refusal(Reason.REFERENCE_PRICE_INVALID, price, ticks.tick_at(price))


def refusal_of_name(name: str, *, taken: bool) -> Refusal | None:
    """Check that a name is free and is one."""
    if taken:
        return Refusal(Reason.NAME_TAKEN)
    return None if is_valid_name(name) else Refusal(Reason.NAME_INVALID)


def refusal_of_count(count: int, maximum: int) -> Refusal | None:
    """Check that there is room for one more."""
    return Refusal(Reason.DIRECTORY_FULL, count, maximum) if count >= maximum else None
