//! What operators and members do about risk: the kill switch, cancel timers, and limits.

use exchange_wire::commands::{
    SetRiskLimit, Switch, BLOCK_TRADING, SET_CANCEL_TIMER, SET_RISK_LIMIT, UNBLOCK_TRADING,
};
use exchange_wire::events::{
    CANCEL_TIMER_EXPIRED, CANCEL_TIMER_SET, RISK_LIMIT_SET, TRADING_BLOCKED, TRADING_UNBLOCKED,
};

use crate::matcher::cancel_reason;
use crate::names::is_valid_name;
use crate::order_book::{BUY, SELL};
use crate::reasons::{self as reason, Refusal};
use crate::risk_book::{kind, Limit, RiskBook};
use crate::risk_checks::{block_body, scope, session_of, Block, Subject, BY_ORDER};
use crate::state::State;

type Check = Result<(), Refusal>;

/// The longest a cancel timer runs: an hour.
const TIMER_MS_MAX: u32 = 3_600_000;
const NS_OF_MS: u64 = 1_000_000;
const RATE_MAX: i64 = 1_000_000;
const COLLAR_BPS_MAX: i64 = 10_000;
const MONEY_MAX: i64 = 1_000_000_000_000_000_000;
const RISK: u8 = 3;
const OPERATOR: u8 = 5;

/// What a subject uses of its limits, in money: open on each side, traded today, lost by today's trades.
pub struct RiskUsage {
    pub open_buys: i128,
    pub open_sells: i128,
    pub gross: i128,
    pub loss: i128,
}

/// What a limit of a kind may be.
struct LimitTerms {
    scopes: &'static [u8],
    least: i64,
    most: i64,
    span_most: u32,
    symbol: bool,
    needs_symbol: bool,
}

impl LimitTerms {
    fn of(kind: u8) -> Option<Self> {
        const ACCOUNT: &[u8] = &[scope::ACCOUNT];
        const MEMBER: &[u8] = &[scope::PARTICIPANT, scope::ACCOUNT];
        const ALL: &[u8] = &[scope::SYMBOL, scope::PARTICIPANT, scope::ACCOUNT];
        let quantity = i64::from(u32::MAX);
        let (scopes, least, most, span_most, symbol) = match kind {
            kind::SYMBOL_BARRED => (MEMBER, 1, 1, 0, true),
            kind::MAX_QUANTITY => (ALL, 1, quantity, 0, false),
            kind::MAX_NOTIONAL => (ALL, 1, MONEY_MAX, 0, false),
            kind::COLLAR => (ALL, 1, COLLAR_BPS_MAX, 0, false),
            kind::DUPLICATES | kind::EXECUTIONS => (MEMBER, 1, RATE_MAX, TIMER_MS_MAX, false),
            kind::MESSAGES => (MEMBER, 1, RATE_MAX, RATE_MAX as u32, false),
            kind::POSITION => (ACCOUNT, 0, quantity, 0, true),
            kind::BUYING_POWER => (ACCOUNT, 0, MONEY_MAX, 0, false),
            kind::SHORT_SALES => (ACCOUNT, 1, 1, 0, true),
            kind::GROSS => (MEMBER, 1, MONEY_MAX, 0, false),
            kind::LOSS => (ACCOUNT, 1, MONEY_MAX, 0, false),
            _ => return None,
        };
        let needs_symbol = kind == kind::SYMBOL_BARRED;
        Some(Self { scopes, least, most, span_most, symbol, needs_symbol })
    }

    fn allow(&self, command: &SetRiskLimit) -> bool {
        let symbol_fits = match command.symbol_id {
            0 => !self.needs_symbol,
            _ => self.symbol,
        };
        let span_fits = match self.span_most {
            0 => command.span == 0,
            most => (1..=most).contains(&command.span),
        };
        let value_fits = (self.least..=self.most).contains(&command.value);
        self.scopes.contains(&command.scope) && symbol_fits && (!command.is_set || (value_fits && span_fits))
    }
}

impl State {
    // --- kill switch ---------------------------------------------------------------------------------

    /// Blocks a subject, and cancels its live orders in the sequence of their entry where that is asked for.
    pub fn block_trading(&mut self, command: &Switch) {
        let subject = (command.scope, command.subject_id);
        let check = self.check_switch(command).and_then(|()| match self.risk.blocks.contains_key(&subject) {
            true => Err(Refusal::new(reason::ALREADY_BLOCKED)),
            false => Ok(()),
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(BLOCK_TRADING, command.subject_id.into(), 0, refusal);
        }
        let count = match command.cancels_orders {
            true => self.cancel_of(subject, cancel_reason::KILL_SWITCH),
            false => 0,
        };
        let (key_id, role, note) = (command.key_id, command.role, command.note.to_owned());
        let block = Block { key_id, role, cause: BY_ORDER, note };
        let body = block_body(subject, &block, count);
        self.events.write_to_directory(TRADING_BLOCKED, symbol_of(subject), &[&body]);
        self.risk.blocks.insert(subject, block);
    }

    /// Lifts a block, by another role than pulled the switch.
    pub fn unblock_trading(&mut self, command: &Switch) {
        let subject = (command.scope, command.subject_id);
        if let Err(refusal) = self.check_switch(command).and_then(|()| self.check_lift(subject, command.role))
        {
            return self.events.command_rejected(UNBLOCK_TRADING, command.subject_id.into(), 0, refusal);
        }
        let parts: [&[u8]; 6] = [
            &[command.scope],
            &command.subject_id.to_le_bytes(),
            &command.key_id.to_le_bytes(),
            &[command.role],
            &(command.note.len() as u16).to_le_bytes(),
            command.note.as_bytes(),
        ];
        self.events.write_to_directory(TRADING_UNBLOCKED, symbol_of(subject), &parts);
        self.risk.blocks.remove(&subject);
    }

    fn check_switch(&self, command: &Switch) -> Check {
        self.check_subject((command.scope, command.subject_id))?;
        if !command.note.is_empty() && !is_valid_name(command.note) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        Ok(())
    }

    fn check_lift(&self, subject: Subject, role: u8) -> Check {
        let Some(block) = self.risk.blocks.get(&subject) else {
            return Err(Refusal::new(reason::NOT_BLOCKED));
        };
        if !matches!(role, RISK | OPERATOR) || role == block.role {
            return Err(Refusal::limited(reason::ANOTHER_ROLE_NEEDED, role, block.role));
        }
        Ok(())
    }

    fn is_of(&self, slot: u32, (scope, subject_id): Subject) -> bool {
        let order = self.orders.at(slot);
        match scope {
            scope::SESSION => session_of(self.orders.client_order_id(slot)) == subject_id,
            scope::SYMBOL => order.symbol_id == subject_id,
            scope::PARTICIPANT => self.directory.owner_of(order.account_id) == subject_id,
            scope::ACCOUNT => order.account_id == subject_id,
            _ => true,
        }
    }

    fn cancel_of(&mut self, subject: Subject, reason: u8) -> u32 {
        let fits = |&slot: &u32| self.is_of(slot, subject);
        let fitting: Vec<u32> = self.orders.live().filter(fits).collect();
        for &slot in &fitting {
            self.cancel_for(slot, reason);
        }
        fitting.len() as u32
    }

    // --- cancel timers -------------------------------------------------------------------------------

    /// Lets a participant's timer run from now on, or stops it.
    pub fn set_cancel_timer(&mut self, participant_id: u32, timeout_ms: u32) {
        let refusal = if !self.directory.has_participant(participant_id) {
            Some(Refusal::measured(reason::UNKNOWN_PARTICIPANT, participant_id))
        } else if timeout_ms > TIMER_MS_MAX {
            Some(Refusal::limited(reason::TIMER_INVALID, timeout_ms, TIMER_MS_MAX))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.events.command_rejected(SET_CANCEL_TIMER, participant_id.into(), 0, refusal);
        }
        let expires_ns = match timeout_ms {
            0 => 0,
            ms => self.events.header.time_ns + u64::from(ms) * NS_OF_MS,
        };
        self.risk.timers.set(participant_id, expires_ns);
        let parts: [&[u8]; 2] = [&participant_id.to_le_bytes(), &expires_ns.to_le_bytes()];
        self.events.write(CANCEL_TIMER_SET, 0, &parts);
    }

    /// Cancels the orders of those whose timer is over, the soonest first.
    pub fn expire_timers(&mut self, now_ns: u64) {
        while let Some(participant_id) = self.risk.timers.take_due(now_ns) {
            let count = self.cancel_of((scope::PARTICIPANT, participant_id), cancel_reason::CANCEL_TIMER);
            let parts: [&[u8]; 2] = [&participant_id.to_le_bytes(), &count.to_le_bytes()];
            self.events.write(CANCEL_TIMER_EXPIRED, 0, &parts);
        }
    }

    // --- limits --------------------------------------------------------------------------------------

    /// Sets a limit or takes it away. The books of a subject begin with its first limit.
    pub fn set_risk_limit(&mut self, command: &SetRiskLimit) {
        if let Err(refusal) = self.check_limit(command) {
            return self.events.command_rejected(SET_RISK_LIMIT, command.subject_id.into(), 0, refusal);
        }
        let limit = match command.is_set {
            true => Limit { value: command.value, span: command.span },
            false => Limit { value: 0, span: 0 },
        };
        let subject = (command.scope, command.subject_id);
        let body = limit_body(subject, command.kind, command.is_set, limit);
        self.events.write_to_directory(RISK_LIMIT_SET, command.symbol_id, &[&body]);
        self.note_limit(subject, (command.kind, command.symbol_id), command.is_set.then_some(limit));
    }

    fn note_limit(&mut self, subject: Subject, key: (u8, u32), limit: Option<Limit>) {
        if let Some(limit) = limit {
            if !self.risk.books.contains_key(&subject) {
                let mut book = RiskBook::default();
                for slot in self.orders.live() {
                    let order = self.orders.at(slot);
                    if self.is_of(slot, subject) && !self.reserves_nothing(order) {
                        book.open(order.kind.side, order.symbol_id, order.price, order.leaves.into());
                    }
                }
                self.risk.books.insert(subject, book);
            }
            self.risk.books.entry(subject).or_default().limits.insert(key, limit);
        } else if let Some(book) = self.risk.books.get_mut(&subject) {
            book.limits.remove(&key);
            if book.limits.is_empty() {
                self.risk.books.remove(&subject);
            }
        }
        self.risk.has_books = !self.risk.books.is_empty();
    }

    fn check_limit(&self, command: &SetRiskLimit) -> Check {
        let SetRiskLimit { scope, subject_id, symbol_id, kind, is_set, .. } = *command;
        if scope == scope::MARKET {
            return Err(Refusal::measured(reason::SCOPE_INVALID, subject_id));
        }
        self.check_subject((scope, subject_id))?;
        if symbol_id != 0 && !self.directory.has_symbol(symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        }
        if !LimitTerms::of(kind).is_some_and(|terms| terms.allow(command)) {
            return Err(Refusal::measured(reason::RISK_LIMIT_INVALID, kind));
        }
        let books = &self.risk.books;
        let is_known =
            books.get(&(scope, subject_id)).is_some_and(|b| b.limits.contains_key(&(kind, symbol_id)));
        let count = books.values().map(|book| book.limits.len() as u64).sum::<u64>();
        if is_set && !is_known && count >= self.limits.risk_limits {
            return Err(Refusal::limited(reason::DIRECTORY_FULL, count, self.limits.risk_limits));
        }
        Ok(())
    }

    pub fn check_subject(&self, (scope, subject_id): Subject) -> Check {
        let is_known = match scope {
            scope::MARKET => subject_id == 0,
            scope::SYMBOL => self.directory.has_symbol(subject_id),
            scope::PARTICIPANT => self.directory.has_participant(subject_id),
            scope::ACCOUNT => self.directory.has_account(subject_id),
            scope::SESSION => (1..=self.directory.keys_created).contains(&subject_id),
            _ => false,
        };
        match is_known {
            true => Ok(()),
            false => Err(Refusal::measured(reason::SCOPE_INVALID, subject_id)),
        }
    }

    // --- queries -------------------------------------------------------------------------------------

    pub fn risk_usage(&self, scope: u8, subject_id: u32) -> Option<RiskUsage> {
        let book = self.risk.books.get(&(scope, subject_id))?;
        let (open_buys, open_sells) = (book.open_notional(BUY), book.open_notional(SELL));
        Some(RiskUsage { open_buys, open_sells, gross: book.gross, loss: self.loss_of(book) })
    }
}

/// The body of a `RiskLimitSet`.
pub fn limit_body((scope, subject_id): Subject, kind: u8, is_set: bool, limit: Limit) -> Vec<u8> {
    let mut body = vec![scope];
    body.extend(subject_id.to_le_bytes());
    body.extend([kind, u8::from(is_set)]);
    body.extend(limit.value.to_le_bytes());
    body.extend(limit.span.to_le_bytes());
    body
}

/// The symbol that an event of a subject concerns, 0 for none.
fn symbol_of((scope, subject_id): Subject) -> u32 {
    if scope == scope::SYMBOL {
        subject_id
    } else {
        0
    }
}
