//! The venue: command records in, event records out, the same from the same everywhere.

use exchange_wire::commands::{
    is_command, AmendOrder, CancelOrder, Command, EnterOrder, EnterSpecialOrder, Header, ReplaceOrder,
    AMEND_ORDER, CANCEL_ORDER, ENTER_ORDER, ENTER_SPECIAL_ORDER, REPLACE_ORDER, START_ENGINE,
};
use exchange_wire::events::ENGINE_STARTED;
use exchange_wire::numbering::number;
use exchange_wire::terms::Terms;
use exchange_wire::{ClientOrderId, COMMAND_HEADER_BYTES, VERSION};

use crate::auction::{is_for_auction, Indication};
use crate::event_stream::Counters;
use crate::linked_snapshot;
use crate::order_book::{BookSide, Level, Order, QueuePlace, HIDDEN, TOUCHED_MAX};
use crate::phase::CONTINUOUS;
use crate::phases::ScheduledPhase;
use crate::price_guard::{limit_state, Guard};
use crate::reasons::{self as reason, Refusal};
use crate::risk_desk::RiskUsage;
use crate::snapshot::{self, SnapshotError};
use crate::state::{Limits, State};
use crate::stop_orders::is_waiting;
use crate::RULES_VERSION;

/// From so many bytes of commands on, looking ahead gains more than it costs.
const TOUCH_FROM_BYTES: usize = 512;
/// With fewer live orders they lie in a near cache anyway.
const TOUCH_FROM_ORDERS: usize = 16_384;

/// A batch that the sequencer must not give: time went back, or records are not numbered or framed as they must be.
#[derive(Debug, PartialEq, Eq)]
pub struct VenueError(pub String);

/// What became of a trade by rulings.
#[derive(Debug, PartialEq, Eq)]
pub enum TradeState {
    Busted,
    Corrected { price: u32, quantity: u32 },
}

/// A resting order with its client order id.
pub type LiveOrder<'a> = (&'a Order, &'a ClientOrderId);

/// All markets of one partition.
pub struct Venue {
    state: State,
}

impl Venue {
    pub fn new(partition: u8, limits: Limits) -> Self {
        Self { state: State::new(partition, limits) }
    }

    /// Carries out a run of command records, numbered on from `command_sequence`; gives the event records.
    pub fn apply(&mut self, commands: &[u8], time_ns: u64) -> Result<&[u8], VenueError> {
        self.begin_batch(time_ns)?;
        self.apply_records(commands)?;
        Ok(self.state.events.events())
    }

    /// Numbers the records of several submissions, carries them out at one time, and gives all their events.
    ///
    /// numbered: takes the commands; ends: where the events of each submission end.
    pub fn apply_batch<'a>(
        &mut self,
        submissions: impl Iterator<Item = &'a [u8]>,
        time_ns: u64,
        numbered: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<&[u8], VenueError> {
        self.begin_batch(time_ns)?;
        numbered.clear();
        ends.clear();
        for submission in submissions {
            let start = numbered.len();
            let first = self.command_sequence() + 1;
            number(submission, first, self.partition(), numbered)
                .map_err(|_| VenueError("a submission is not a run of whole records".to_owned()))?;
            self.apply_records(&numbered[start..])?;
            ends.push(self.state.events.events().len());
        }
        Ok(self.state.events.events())
    }

    fn begin_batch(&mut self, time_ns: u64) -> Result<(), VenueError> {
        let last_ns = self.state.events.header.time_ns;
        if time_ns < last_ns {
            return Err(VenueError(format!("time went back from {last_ns} to {time_ns}")));
        }
        self.state.events.begin_batch(time_ns);
        Ok(())
    }

    fn apply_records(&mut self, commands: &[u8]) -> Result<(), VenueError> {
        let mut left = commands;
        while !left.is_empty() {
            if left.len() >= TOUCH_FROM_BYTES && self.state.orders.len() >= TOUCH_FROM_ORDERS {
                self.state.touch(left);
            }
            let applied = self.apply_some(&mut left);
            if applied.is_err() || left.is_empty() {
                self.state.events.hash_commands();
            }
            applied?;
        }
        Ok(())
    }

    /// Carries out the next commands, as many as are touched in one go.
    #[inline(always)]
    fn apply_some(&mut self, left: &mut &[u8]) -> Result<(), VenueError> {
        let mut expected = self.state.events.header.command_sequence;
        for _ in 0..TOUCHED_MAX {
            if left.is_empty() {
                break;
            }
            expected += 1;
            let Some(header) = Header::read(left) else {
                return Err(VenueError(format!("{} bytes are left, a record has at least 16", left.len())));
            };
            if header.sequence != expected {
                let seen = header.sequence;
                return Err(VenueError(format!("command {seen} came where {expected} was due")));
            }
            if header.length < COMMAND_HEADER_BYTES || header.length > left.len() {
                let (length, there) = (header.length, left.len());
                return Err(VenueError(format!("record of {length} bytes with {there} left")));
            }
            let (record, rest) = left.split_at(header.length);
            *left = rest;
            self.state.events.begin_command(expected);
            self.state.apply(&header, record);
            if !self.state.noted.is_empty() {
                self.state.settle();
            }
            if !self.state.pegged.is_empty() {
                self.state.follow_pegs();
            }
            if !self.state.guarded.is_empty() {
                self.state.watch_limits();
            }
            if !self.state.indicated.is_empty() {
                self.state.tell_indications();
            }
            self.state.events.end_command();
        }
        Ok(())
    }

    /// The events of the last batch once more.
    pub fn last_events(&self) -> &[u8] {
        self.state.events.events()
    }

    /// The events of the directory since they were last taken.
    pub fn take_directory_events(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.state.events.directory_events)
    }

    pub fn has_directory_events(&self) -> bool {
        !self.state.events.directory_events.is_empty()
    }

    // --- where it stands -----------------------------------------------------------------------------

    pub fn partition(&self) -> u8 {
        self.state.events.header.partition
    }

    pub fn epoch(&self) -> u32 {
        self.state.events.header.epoch
    }

    pub fn time_ns(&self) -> u64 {
        self.state.events.header.time_ns
    }

    pub fn business_date(&self) -> u32 {
        self.state.business_date
    }

    pub fn command_sequence(&self) -> u64 {
        self.state.events.header.command_sequence
    }

    pub fn event_sequence(&self) -> u64 {
        self.state.events.header.sequence
    }

    pub fn running_hash(&self) -> u64 {
        self.state.events.running_hash
    }

    pub fn live_orders(&self) -> usize {
        self.state.orders.len()
    }

    pub fn next_deadline(&self) -> u64 {
        let expires_ns = self.state.orders.next_expiry().map_or(0, |(expires_ns, _)| expires_ns);
        let own = [self.state.next_phase_ns(), self.state.risk.timers.next_ns()];
        let deadlines = [self.state.day_ends_ns, expires_ns].into_iter().chain(own);
        deadlines.filter(|&deadline| deadline != 0).min().unwrap_or(0)
    }

    pub fn counters(&self) -> &Counters {
        &self.state.events.counters
    }

    // --- snapshots -----------------------------------------------------------------------------------

    /// All that later events depend on, as canonical bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&self.state)
    }

    /// Makes the venue that wrote a snapshot.
    pub fn restore(data: &[u8], limits: Limits) -> Result<Self, SnapshotError> {
        let content = snapshot::content_of(data)?;
        let partition = *content.first().ok_or(SnapshotError("snapshot: it is empty"))?;
        let mut venue = Self::new(partition, limits);
        snapshot::read_into(&mut venue.state, content)?;
        Ok(venue)
    }

    // --- queries -------------------------------------------------------------------------------------

    /// The best price levels, bids and asks, best first.
    pub fn depth(&self, symbol_id: u32, levels: usize) -> (Vec<Level>, Vec<Level>) {
        self.sides(symbol_id).map_or_else(Default::default, |(bids, asks)| {
            (self.state.orders.depth(bids, levels), self.state.orders.depth(asks, levels))
        })
    }

    /// The orders that are shown, bids and asks, in the sequence in which they would trade.
    pub fn orders(&self, symbol_id: u32) -> (Vec<LiveOrder<'_>>, Vec<LiveOrder<'_>>) {
        self.sides(symbol_id)
            .map_or_else(Default::default, |(bids, asks)| (self.orders_of(bids), self.orders_of(asks)))
    }

    /// The orders that are not shown, bids and asks, in the sequence in which they would trade.
    pub fn hidden_orders(&self, symbol_id: u32) -> (Vec<LiveOrder<'_>>, Vec<LiveOrder<'_>>) {
        self.state.market(symbol_id).map_or_else(Default::default, |market| {
            (self.orders_of(&market.book.hidden_bids), self.orders_of(&market.book.hidden_asks))
        })
    }

    /// The stop orders that wait, buys and sales, in the sequence in which trades reach them.
    pub fn stop_orders(&self, symbol_id: u32) -> (Vec<LiveOrder<'_>>, Vec<LiveOrder<'_>>) {
        self.state.market(symbol_id).map_or_else(Default::default, |market| {
            (self.orders_of(&market.stops.buys), self.orders_of(&market.stops.sells))
        })
    }

    /// The orders that trade in an auction only, buys and sales, in the sequence in which they would.
    pub fn auction_orders(&self, symbol_id: u32) -> (Vec<LiveOrder<'_>>, Vec<LiveOrder<'_>>) {
        self.state.market(symbol_id).map_or_else(Default::default, |market| {
            (self.orders_of(&market.auction_bids), self.orders_of(&market.auction_asks))
        })
    }

    /// What was told last of the auction for which orders gather.
    pub fn indication(&self, symbol_id: u32) -> Option<Indication> {
        let market = self.state.market(symbol_id)?;
        self.state.indicated.contains(&symbol_id).then_some(market.indicated)
    }

    /// The phase of the market as a whole, in which new symbols begin.
    pub fn market_phase(&self) -> u8 {
        self.state.market_phase
    }

    /// The phases that are scheduled, soonest first.
    pub fn schedule(&self) -> &[ScheduledPhase] {
        &self.state.schedule
    }

    /// What a snapshot says of order lists.
    pub fn linked_sections(&self) -> Vec<u8> {
        let mut content = Vec::new();
        linked_snapshot::write(&self.state, &mut content);
        content
    }

    /// The special terms of a live order.
    pub fn terms(&self, order: &Order) -> Terms {
        self.state.orders.terms(order)
    }

    pub fn order(&self, order_id: u64) -> Option<LiveOrder<'_>> {
        self.state.orders.find(order_id).map(|slot| self.order_at(slot))
    }

    pub fn place_in_queue(&self, order_id: u64) -> Option<QueuePlace> {
        let slot = self.state.orders.find(order_id)?;
        let kind = self.state.orders.at(slot).kind;
        let is_shown = kind.flags & HIDDEN == 0 && !is_waiting(kind) && !is_for_auction(kind);
        is_shown.then(|| self.state.orders.place_in_queue(slot))
    }

    pub fn reference_price(&self, symbol_id: u32) -> u32 {
        self.state.market(symbol_id).map_or(0, |market| market.reference.price)
    }

    /// Where a symbol's price limits stand: reference price, 0 for a corridor's, lowest, highest, limit state, and when
    /// that leads to a pause.
    pub fn price_limits(&self, symbol_id: u32) -> Option<(u32, u32, u32, u8, u64)> {
        let market = self.state.market(symbol_id).filter(|market| market.phase == CONTINUOUS)?;
        let guard = market.guard.as_deref()?;
        let (lowest, highest) = market.limits(guard);
        Some(match guard {
            Guard::Bands(bands) => (bands.reference, lowest, highest, bands.state, bands.limit_ends_ns),
            Guard::Corridor(_) => (0, lowest, highest, limit_state::NORMAL, 0),
        })
    }

    pub fn balance(&self, account_id: u32, symbol_id: u32) -> i128 {
        self.state.holdings.balance(account_id, symbol_id)
    }

    /// When a participant's cancel timer ends, 0 where it has none.
    pub fn cancel_timer(&self, participant_id: u32) -> u64 {
        self.state.risk.timers.expires_ns.get(&participant_id).copied().unwrap_or(0)
    }

    /// What is measured for the limits of a subject.
    pub fn risk_usage(&self, scope: u8, subject_id: u32) -> Option<RiskUsage> {
        self.state.risk_usage(scope, subject_id)
    }

    pub fn trade_state(&self, match_id: u64) -> Option<TradeState> {
        if self.state.busted.contains(&match_id) {
            return Some(TradeState::Busted);
        }
        let corrected = self.state.corrected.get(&match_id);
        corrected.map(|&(price, quantity)| TradeState::Corrected { price, quantity })
    }

    fn sides(&self, symbol_id: u32) -> Option<(&BookSide, &BookSide)> {
        self.state.market(symbol_id).map(|market| (&market.book.bids, &market.book.asks))
    }

    fn orders_of(&self, side: &BookSide) -> Vec<LiveOrder<'_>> {
        self.state.orders.in_sequence(side).map(|slot| self.order_at(slot)).collect()
    }

    fn order_at(&self, slot: u32) -> LiveOrder<'_> {
        (self.state.orders.at(slot), self.state.orders.client_order_id(slot))
    }
}

/// Whether a command's body begins with the id of a live order.
#[inline(always)]
fn names_an_order(number: u8) -> bool {
    (number == CANCEL_ORDER) | (number == AMEND_ORDER) | (number == REPLACE_ORDER)
}

impl State {
    /// Loads the orders that the next commands name, so that their cache misses overlap.
    ///
    /// Which command names an order cannot be foretold, so each place is written, and kept only by counting it.
    fn touch(&self, commands: &[u8]) {
        let mut order_ids = [u64::MAX; TOUCHED_MAX];
        let (mut left, mut count) = (commands, 0);
        for _ in 0..TOUCHED_MAX {
            let Some((header, body)) = Header::read(left).zip(left.get(COMMAND_HEADER_BYTES..)) else {
                break;
            };
            let Some(bytes) = body.first_chunk() else { break };
            order_ids[count] = u64::from_le_bytes(*bytes);
            count += usize::from(names_an_order(header.number));
            left = left.get(header.length.max(COMMAND_HEADER_BYTES)..).unwrap_or_default();
        }
        std::hint::black_box(self.orders.touch(&order_ids[..count]));
    }

    /// Carries out one command; those that come most are known by type and length.
    #[inline(always)]
    fn apply(&mut self, header: &Header, record: &[u8]) {
        let body = &record[COMMAND_HEADER_BYTES..];
        if header.version == VERSION {
            match (header.number, record.len()) {
                (ENTER_ORDER, EnterOrder::BYTES) => {
                    if let Ok(command) = EnterOrder::read(body) {
                        return self.enter(&command);
                    }
                }
                (CANCEL_ORDER, CancelOrder::BYTES) => {
                    if let Ok(command) = CancelOrder::read(body) {
                        return self.cancel(&command);
                    }
                }
                (REPLACE_ORDER, ReplaceOrder::BYTES) => {
                    if let Ok(command) = ReplaceOrder::read(body) {
                        return self.replace(&command);
                    }
                }
                (AMEND_ORDER, AmendOrder::BYTES) => {
                    if let Ok(command) = AmendOrder::read(body) {
                        return self.amend(&command);
                    }
                }
                (ENTER_SPECIAL_ORDER, EnterSpecialOrder::BYTES) => return self.apply_special(header, record),
                _ => {}
            }
        }
        self.apply_other(header, record);
    }

    #[cold]
    #[inline(never)]
    fn apply_special(&mut self, header: &Header, record: &[u8]) {
        let body = &record[COMMAND_HEADER_BYTES..];
        match EnterSpecialOrder::read(body) {
            Ok(command) => self.enter_special(command, body),
            Err(_) => self.apply_other(header, record),
        }
    }

    #[cold]
    fn apply_other(&mut self, header: &Header, record: &[u8]) {
        let number = header.number;
        if !is_command(number) {
            let refusal = Refusal::measured(reason::UNKNOWN_COMMAND, number);
            return self.events.command_rejected(number, 0, 0, refusal);
        }
        let seen = if header.version == VERSION { record.len() as u64 } else { header.version.into() };
        let command = match Command::read(number, record) {
            Ok(command) if header.version == VERSION => command,
            _ => {
                let refusal = Refusal::measured(reason::COMMAND_MALFORMED, seen);
                return self.events.command_rejected(number, 0, 0, refusal);
            }
        };
        match command {
            Command::StartEngine { epoch } => self.start_engine(epoch),
            Command::Tick => self.pass_time(),
            Command::StartBusinessDay { date, ends_ns } => self.start_business_day(date, ends_ns),
            Command::AddSymbol(command) => self.add_symbol(command),
            Command::SetSymbolState { symbol_id, state, reason } => {
                self.set_symbol_state(symbol_id, state, reason);
            }
            Command::SetReferencePrice { symbol_id, reference_price } => {
                self.set_reference_price(symbol_id, reference_price);
            }
            Command::SetMarketProtection { symbol_id, protection_bps } => {
                self.set_market_protection(symbol_id, protection_bps);
            }
            Command::SetSelfTradePrevention { participant_id, group, mode } => {
                self.set_self_trade_prevention(participant_id, group, mode);
            }
            Command::SetAllocation { symbol_id, allocation } => self.set_allocation(symbol_id, allocation),
            Command::CreateParticipant { name } => self.create_participant(name),
            Command::CreateAccount { participant_id, name } => self.create_account(participant_id, name),
            Command::CreateKey(command) => self.create_key(command),
            Command::RevokeKey { key_id } => self.revoke_key(key_id),
            Command::Deposit(movement) => self.deposit(&movement),
            Command::Withdraw(movement) => self.withdraw(&movement),
            Command::MassQuote(command) => self.mass_quote(&command),
            Command::CancelQuotes(command) => self.cancel_quotes(&command),
            Command::SetQuoteProtection(command) => self.set_quote_protection(&command),
            Command::ResetQuoteProtection { account_id, symbol_id } => {
                self.reset_quote_protection(account_id, symbol_id);
            }
            Command::EnterPeggedOrder(command) => self.enter_pegged(&command),
            Command::ReserveOrderId => self.reserve_order_id(),
            Command::EnterOrderList(command) => self.enter_list(&command),
            Command::CancelOrders(command) => self.cancel_orders(&command),
            Command::SetCancelTimer { participant_id, timeout_ms } => {
                self.set_cancel_timer(participant_id, timeout_ms);
            }
            Command::BlockTrading(command) => self.block_trading(&command),
            Command::UnblockTrading(command) => self.unblock_trading(&command),
            Command::SetRiskLimit(command) => self.set_risk_limit(&command),
            Command::BustTrade(ruling) => self.bust(&ruling),
            Command::CorrectTrade { ruling, new_price, new_quantity } => {
                self.correct(&ruling, (new_price, new_quantity));
            }
            Command::ConfigureSymbol(command) => self.configure_symbol(command),
            Command::ConfigureRule(command) => self.configure_rule(&command),
            Command::ConfirmConfiguration(command) => self.confirm_configuration(&command),
            Command::SetPhase { symbol_id, phase, reason } => self.set_phase(symbol_id, phase, reason),
            Command::SchedulePhase(command) => self.schedule_phase(&command),
            Command::ClearSchedule { symbol_id } => self.clear_schedule(symbol_id),
            Command::SetAuctionTerms { symbol_id, terms } => self.set_auction_terms(symbol_id, terms),
            Command::SetPriceBands { symbol_id, tier } => self.set_price_bands(symbol_id, tier),
            Command::SetPriceCorridor { symbol_id, terms, seed } => {
                self.set_price_corridor(symbol_id, terms, seed);
            }
            Command::SetMarketBreaker { close_level } => self.set_market_breaker(close_level),
            Command::ReportIndexLevel { level } => self.report_index_level(level),
            Command::HaltTrading { symbol_id, reason } => self.halt_trading(symbol_id, reason),
            Command::ResumeTrading(command) => self.resume_trading(&command),
            Command::SplitSymbol(command) => self.split_symbol(&command),
            Command::RenameSymbol(command) => self.rename_symbol(&command),
            Command::SetShortSaleTerms { symbol_id, terms } => self.set_short_sale_terms(symbol_id, terms),
            Command::PayDividend(command) => self.pay_dividend(&command),
        }
    }

    fn start_engine(&mut self, epoch: u32) {
        let last = self.events.header.epoch;
        if epoch <= last {
            let refusal = Refusal::limited(reason::COMMAND_MALFORMED, epoch, u64::from(last) + 1);
            return self.events.command_rejected(START_ENGINE, 0, 0, refusal);
        }
        self.events.header.epoch = epoch;
        self.events.write(ENGINE_STARTED, 0, &[&u32::from(RULES_VERSION).to_le_bytes()]);
    }
}
