//! Orders in, changed and out: enter, cancel, amend, replace and cancel en masse.

use exchange_wire::commands::{
    AmendOrder, CancelOrder, CancelOrders, EnterOrder, EnterSpecialOrder, ReplaceOrder, AMEND_ORDER,
    CANCEL_ORDER, CANCEL_ORDERS, CANCEL_ORDERS_WITHIN, ENTER_ORDER, ENTER_SPECIAL_ORDER, REPLACE_ORDER,
};
use exchange_wire::events::{self, OrderAccepted, OrderAmended, OrderRejected, OrderReplaced};
use exchange_wire::terms::Terms;
use exchange_wire::{has_client_order_id, ClientOrderId, NO_CLIENT_ORDER_ID};
use xxhash_rust::xxh3::xxh3_128;

use crate::client_order_ids::FirstUse;
use crate::market::Market;
use crate::matcher::cancel_reason;
use crate::order_book::{
    is_special, public_id, Order, ALL_OR_NONE, BUY, HIDDEN, LINKED, PEGGED, QUOTED, SELL,
};
use crate::order_checks::{
    check_cancels, check_changes, check_display, check_handling, check_kind, check_market_to_limit,
    check_post_only, check_session, check_special, check_terms, first_stop_price, is_client_order_id,
    may_rest, GOOD_TILL_DATE, LIMIT,
};
use crate::reasons::{self as reason, int64, Refusal};
use crate::risk_checks::Proposal;
use crate::short_sales::SHORT_FLAGS;
use crate::state::State;
use crate::stop_orders::trails;

type Check = Result<(), Refusal>;

impl State {
    // --- enter ---------------------------------------------------------------------------------------

    #[inline(always)]
    pub fn enter(&mut self, command: &EnterOrder) {
        self.enter_with(ENTER_ORDER, command, None);
    }

    #[cold]
    pub fn enter_special(&mut self, mut command: EnterSpecialOrder, body: &[u8]) {
        command.entry.body[..16].copy_from_slice(&xxh3_128(body).to_be_bytes());
        command.entry.body[16..].fill(0);
        self.enter_with(ENTER_SPECIAL_ORDER, &command.entry, Some(&command.terms));
    }

    #[inline(always)]
    fn enter_with(&mut self, command_type: u8, command: &EnterOrder, terms: Option<&Terms>) {
        let has_id = has_client_order_id(&command.client_order_id);
        if has_id {
            let first = FirstUse { order_id: 0, command_type, body: command.body };
            if self.is_repetition(command.account_id, &command.client_order_id, first) {
                return;
            }
        }
        let header = &self.events.header;
        let order_id = public_id(header.partition, header.command_sequence);
        let mut checked = self.check_entry(command, has_id, terms);
        if self.risk.has_books && checked.is_ok() {
            checked = self.check_entered_risk(command);
        }
        if let Err(refusal) = checked {
            self.order_rejected(command, order_id, refusal);
            return;
        }
        let EnterOrder { account_id, symbol_id, mut kind, price, quantity, .. } = *command;
        let mut asked_minimum = terms.map_or(0, |terms| terms.minimum_quantity);
        if kind.flags & ALL_OR_NONE != 0 {
            asked_minimum = u32::MAX;
        }
        if asked_minimum != 0 && may_rest(kind) {
            kind.flags |= HIDDEN;
        }
        let accepted = OrderAccepted { symbol_id, order_id, account_id, kind, price, quantity };
        self.events.emit(|header, out| accepted.write(header, &command.client_order_id, out));
        self.events.counters.orders += 1;
        if let Some(&terms) = terms {
            let mut terms = terms;
            if trails(&terms) {
                let market = &self.markets[symbol_id as usize - 1];
                terms.stop_price = first_stop_price(market, kind.side, &terms) as u32;
            }
            let (order, account) = (order_id.to_le_bytes(), account_id.to_le_bytes());
            self.events.write(events::SPECIAL_TERMS_ACCEPTED, symbol_id, &[&order, &account, &terms.bytes()]);
            self.terms_in_hand = terms;
        }
        if has_id {
            let first = FirstUse { order_id, command_type, body: command.body };
            self.client_order_ids.remember(account_id, command.client_order_id, first);
        }
        let order = Order {
            order_id,
            entered_ns: self.events.header.time_ns,
            account_id,
            symbol_id,
            price,
            quantity,
            leaves: quantity,
            asked_minimum,
            kind,
            has_client_order_id: has_id,
            has_terms: terms.is_some(),
            is_special: is_special(kind, terms.is_some()),
            ..Order::default()
        };
        self.execute(order, &command.client_order_id);
    }

    #[inline(always)]
    fn check_entry(&self, command: &EnterOrder, has_id: bool, terms: Option<&Terms>) -> Check {
        let EnterOrder { account_id, symbol_id, kind, price, quantity, .. } = *command;
        check_kind(kind)?;
        if !self.directory.has_account(account_id) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id));
        }
        let Some(market) = self.market(symbol_id) else {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        };
        if has_id {
            self.check_client_order_id(account_id, &command.client_order_id)?;
        }
        self.check_access(account_id, symbol_id, &command.client_order_id)?;
        check_session(market, kind)?;
        check_terms(Some(market), kind.order_type, price, quantity)?;
        let is_special = is_special(kind, terms.is_some());
        let needs_marking = market.short_sales.terms.needs_marking;
        if is_special || kind.flags != 0 || kind.time_in_force == GOOD_TILL_DATE || needs_marking {
            return self.check_special_entry(command, market, terms.copied().unwrap_or_default());
        }
        check_handling(kind)
    }

    #[inline(never)]
    fn check_special_entry(&self, command: &EnterOrder, market: &Market, terms: Terms) -> Check {
        let EnterOrder { account_id, symbol_id, kind, price, quantity, .. } = *command;
        check_market_to_limit(&self.orders, market, kind, quantity)?;
        check_handling(kind)?;
        check_special(market, kind, quantity, &terms, self.events.header.time_ns)?;
        if kind.flags & SHORT_FLAGS != 0 || market.short_sales.terms.needs_marking {
            self.check_short_sale(market, (account_id, symbol_id), kind, price, (quantity, 0))?;
        }
        check_post_only(&self.orders, market, kind, price, quantity)
    }

    /// Checks an order that is right in itself against the limits.
    #[cold]
    fn check_entered_risk(&mut self, command: &EnterOrder) -> Check {
        let EnterOrder { account_id, symbol_id, kind, price, quantity, .. } = *command;
        let proposal =
            Proposal { account_id, symbol_id, kind, price, quantity, leaves: quantity, replaces: None };
        self.check_risk(&proposal)
    }

    #[cold]
    pub fn order_rejected(&mut self, command: &EnterOrder, order_id: u64, refusal: Refusal) {
        self.events.counters.rejects[usize::from(refusal.reason)] += 1;
        let event = OrderRejected {
            symbol_id: command.symbol_id,
            order_id,
            account_id: command.account_id,
            kind: command.kind,
            price: command.price,
            quantity: command.quantity,
            reason: refusal.reason,
            measured: int64(refusal.measured),
            limit: int64(refusal.limit),
        };
        let is_id = is_client_order_id(&command.client_order_id);
        let client_order_id = if is_id { &command.client_order_id } else { &NO_CLIENT_ORDER_ID };
        self.events.emit(|header, out| event.write(header, client_order_id, out));
    }

    // --- client order ids ----------------------------------------------------------------------------

    /// Answers a command that came before under its client order id; tells whether it did.
    pub fn is_repetition(&mut self, account_id: u32, client_order_id: &ClientOrderId, now: FirstUse) -> bool {
        let Some(&first) = self.client_order_ids.find(account_id, client_order_id) else {
            return false;
        };
        if (first.command_type, first.body) != (now.command_type, now.body) {
            return false;
        }
        let (order, account) = (first.order_id.to_le_bytes(), account_id.to_le_bytes());
        self.events.write(events::ORDER_DUPLICATED, 0, &[&order, &account]);
        true
    }

    /// Checks a client order id that is not all zeros.
    pub fn check_client_order_id(&self, account_id: u32, client_order_id: &ClientOrderId) -> Check {
        if !is_client_order_id(client_order_id) {
            return Err(Refusal::new(reason::CLIENT_ORDER_ID_INVALID));
        }
        if let Some(first) = self.client_order_ids.find(account_id, client_order_id) {
            return Err(Refusal::measured(reason::CLIENT_ORDER_ID_REUSED, first.order_id));
        }
        let (used, maximum) = (self.client_order_ids.count(account_id) as u64, self.limits.client_order_ids);
        if used >= maximum {
            return Err(Refusal::limited(reason::CLIENT_ORDER_ID_TABLE_FULL, used, maximum));
        }
        Ok(())
    }

    // --- cancel --------------------------------------------------------------------------------------

    #[inline(always)]
    pub fn cancel(&mut self, command: &CancelOrder) {
        let CancelOrder { order_id, participant_id } = *command;
        let slot = self.own_order(order_id, participant_id);
        if let Some(slot) = slot.filter(|_| self.risk.has_books && participant_id != 0) {
            self.count_cancel(slot);
        }
        match slot {
            Some(slot) if participant_id == 0 => self.cancel_for(slot, cancel_reason::OPERATOR),
            Some(slot) => self.cancel_of_member(slot, order_id),
            None => {
                let refusal = Refusal::measured(reason::UNKNOWN_ORDER, order_id);
                self.events.command_rejected(CANCEL_ORDER, order_id, 0, refusal);
            }
        }
    }

    #[inline(always)]
    fn cancel_of_member(&mut self, slot: u32, order_id: u64) {
        let symbol_id = self.orders.at(slot).symbol_id;
        match check_cancels(&self.markets[symbol_id as usize - 1]) {
            Ok(()) => self.cancel_for(slot, cancel_reason::REQUESTED),
            Err(refusal) => self.events.command_rejected(CANCEL_ORDER, order_id, symbol_id, refusal),
        }
    }

    /// Cancels every live order that fits, in the sequence of their entry, and says how many.
    pub fn cancel_orders(&mut self, command: &CancelOrders) {
        if let Err(refusal) = self.check_cancel_orders(command) {
            let number = if command.prices.is_some() { CANCEL_ORDERS_WITHIN } else { CANCEL_ORDERS };
            self.events.command_rejected(number, command.participant_id.into(), 0, refusal);
            return;
        }
        let by_owner = command.participant_id != 0;
        let reason = if by_owner { cancel_reason::MASS_CANCEL } else { cancel_reason::OPERATOR };
        let fitting: Vec<u32> = self.orders.live().filter(|&slot| self.fits(slot, command)).collect();
        for &slot in &fitting {
            self.cancel_for(slot, reason);
        }
        let (participant, count) =
            (command.participant_id.to_le_bytes(), (fitting.len() as u32).to_le_bytes());
        self.events.write(events::ORDERS_CANCELLED, command.symbol_id, &[&participant, &count]);
    }

    fn check_cancel_orders(&self, command: &CancelOrders) -> Check {
        let CancelOrders { participant_id, account_id, symbol_id, side, .. } = *command;
        if !matches!(side, 0 | BUY | SELL) {
            return Err(Refusal::measured(reason::SIDE_INVALID, side));
        }
        if account_id != 0 {
            let owned = self.directory.has_account(account_id)
                && (participant_id == 0 || participant_id == self.directory.owner_of(account_id));
            if !owned {
                return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id));
            }
        }
        if symbol_id != 0 && !self.directory.has_symbol(symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        }
        if participant_id != 0 && !self.directory.has_participant(participant_id) {
            return Err(Refusal::measured(reason::UNKNOWN_PARTICIPANT, participant_id));
        }
        Ok(())
    }

    fn fits(&self, slot: u32, command: &CancelOrders) -> bool {
        let order = self.orders.at(slot);
        let any_or = |wanted: u32, is: u32| wanted == 0 || wanted == is;
        any_or(command.account_id, order.account_id)
            && any_or(command.symbol_id, order.symbol_id)
            && any_or(command.side.into(), order.kind.side.into())
            && any_or(command.participant_id, self.directory.owner_of(order.account_id))
            && (command.participant_id == 0
                || check_cancels(&self.markets[order.symbol_id as usize - 1]).is_ok())
            && command.prices.is_none_or(|(lowest, highest)| {
                lowest <= order.price && (highest == 0 || order.price <= highest)
            })
    }

    // --- amend and replace ---------------------------------------------------------------------------

    pub fn amend(&mut self, command: &AmendOrder) {
        let AmendOrder { order_id, participant_id, price, quantity } = *command;
        let slot = self.own_order(order_id, participant_id);
        let filled = slot.map_or(0, |slot| self.orders.at(slot).filled());
        let checked = self.check_change(slot, command, quantity.saturating_sub(filled));
        let checked = checked.and_then(|slot| self.check_amend(slot, command));
        let slot = match checked.and_then(|slot| self.check_changed_risk(slot, command, quantity - filled)) {
            Ok(slot) => slot,
            Err(refusal) => return self.refuse_change(AMEND_ORDER, slot, order_id, refusal),
        };
        let order = *self.orders.at(slot);
        let leaves = quantity - order.filled();
        let kept_priority = price == order.price && quantity < order.quantity;
        let event = OrderAmended {
            symbol_id: order.symbol_id,
            order_id,
            account_id: order.account_id,
            side: order.kind.side,
            kept_priority,
            old_price: order.price,
            price,
            quantity,
            leaves,
        };
        self.events.emit(|header, out| event.write(header, out));
        if kept_priority {
            if self.risk.has_books {
                self.risk_reduced(&order, order.leaves - leaves);
            }
            self.orders.reduce(slot, quantity, leaves);
        } else {
            let client_order_id = *self.orders.client_order_id(slot);
            if order.has_terms {
                self.terms_in_hand = self.orders.terms(&order);
            }
            let taken = self.take_out(slot);
            self.execute(Order { price, quantity, leaves, reserve: 0, ..taken }, &client_order_id);
        }
    }

    fn check_amend(&self, slot: u32, command: &AmendOrder) -> Result<u32, Refusal> {
        let order = self.orders.at(slot);
        if (command.price, command.quantity) == (order.price, order.quantity) {
            return Err(Refusal::new(reason::NOTHING_TO_AMEND));
        }
        if command.quantity <= order.filled() {
            return Err(Refusal::limited(reason::AMEND_BELOW_FILLED, command.quantity, order.filled()));
        }
        self.check_in_list(order, command.quantity, order.quantity)?;
        Ok(slot)
    }

    #[inline(always)]
    pub fn replace(&mut self, command: &ReplaceOrder) {
        let AmendOrder { order_id, participant_id, price, quantity } = command.amend;
        let slot = self.own_order(order_id, participant_id);
        let account_id = match slot {
            Some(slot) => self.orders.at(slot).account_id,
            None => self.account_of_replaced(order_id, participant_id),
        };
        let has_id = has_client_order_id(&command.client_order_id);
        if has_id {
            let first = FirstUse { order_id: 0, command_type: REPLACE_ORDER, body: command.body };
            if self.is_repetition(account_id, &command.client_order_id, first) {
                return;
            }
            if let Err(refusal) = self.check_client_order_id(account_id, &command.client_order_id) {
                return self.refuse_change(REPLACE_ORDER, slot, order_id, refusal);
            }
        }
        let checked = self.check_change(slot, &command.amend, quantity).and_then(|slot| {
            let order = self.orders.at(slot);
            self.check_in_list(order, quantity, order.leaves).map(|()| slot)
        });
        let slot = match checked.and_then(|slot| self.check_changed_risk(slot, &command.amend, quantity)) {
            Ok(slot) => slot,
            Err(refusal) => return self.refuse_change(REPLACE_ORDER, slot, order_id, refusal),
        };
        if self.orders.at(slot).has_terms {
            self.terms_in_hand = self.orders.terms(self.orders.at(slot));
        }
        let old = self.take_out(slot);
        let header = &self.events.header;
        let new_order_id = public_id(header.partition, header.command_sequence);
        if old.marks & LINKED != 0 {
            self.follow_in_list(order_id, new_order_id);
        }
        let event = OrderReplaced {
            symbol_id: old.symbol_id,
            order_id,
            new_order_id,
            account_id,
            kind: old.kind,
            cancelled_quantity: old.leaves,
            price,
            quantity,
        };
        self.events.emit(|header, out| event.write(header, &command.client_order_id, out));
        self.events.counters.orders += 1;
        if has_id {
            let first = FirstUse { order_id: new_order_id, command_type: REPLACE_ORDER, body: command.body };
            self.client_order_ids.remember(account_id, command.client_order_id, first);
        }
        let entered_ns = self.events.header.time_ns;
        let new = Order {
            order_id: new_order_id,
            entered_ns,
            price,
            quantity,
            leaves: quantity,
            reserve: 0,
            has_client_order_id: has_id,
            ..old
        };
        self.execute(new, &command.client_order_id);
    }

    /// Checks the new terms of a live order and gives its slot; of one that is none, what holds for all orders.
    #[inline(always)]
    fn check_change(&self, slot: Option<u32>, command: &AmendOrder, leaves: u32) -> Result<u32, Refusal> {
        let AmendOrder { order_id, price, quantity, .. } = *command;
        let Some(slot) = slot else {
            check_terms(None, LIMIT, price, quantity)?;
            return Err(Refusal::measured(reason::UNKNOWN_ORDER, order_id));
        };
        let order = self.orders.at(slot);
        let market = &self.markets[order.symbol_id as usize - 1];
        if order.marks & PEGGED != 0 {
            return Err(Refusal::measured(reason::PEG_NOT_CHANGED, order_id));
        }
        if order.marks & QUOTED != 0 {
            return Err(Refusal::measured(reason::QUOTE_NOT_CHANGED, order_id));
        }
        self.check_access(order.account_id, order.symbol_id, self.orders.client_order_id(slot))?;
        check_changes(market)?;
        check_terms(Some(market), order.kind.order_type, price, quantity)?;
        if order.has_terms {
            check_display(self.orders.terms(order).display_quantity, quantity)?;
        }
        if order.kind.flags & SHORT_FLAGS != 0 || market.short_sales.terms.needs_marking {
            let whose = (order.account_id, order.symbol_id);
            self.check_short_sale(market, whose, order.kind, price, (leaves, order.leaves))?;
        }
        check_post_only(&self.orders, market, order.kind, price, leaves)?;
        Ok(slot)
    }

    /// Checks the new terms of a live order, right in themselves, against the limits.
    #[inline(always)]
    fn check_changed_risk(&mut self, slot: u32, command: &AmendOrder, leaves: u32) -> Result<u32, Refusal> {
        if self.risk.has_books {
            let order = *self.orders.at(slot);
            let (account_id, symbol_id, kind) = (order.account_id, order.symbol_id, order.kind);
            let AmendOrder { price, quantity, .. } = *command;
            let replaces = Some((order.price, order.leaves));
            self.check_risk(&Proposal { account_id, symbol_id, kind, price, quantity, leaves, replaces })?;
        }
        Ok(slot)
    }

    // --- what they share -----------------------------------------------------------------------------

    /// The slot of a live order if it belongs to the participant; nobody learns that another's order exists.
    #[inline(always)]
    fn own_order(&self, order_id: u64, participant_id: u32) -> Option<u32> {
        let slot = self.orders.find(order_id)?;
        let owned =
            participant_id == 0 || self.directory.owner_of(self.orders.at(slot).account_id) == participant_id;
        owned.then_some(slot)
    }

    fn account_of_replaced(&self, order_id: u64, participant_id: u32) -> u32 {
        let account_id = self.client_order_ids.account_of_replaced(order_id);
        let owned =
            account_id != 0 && (participant_id == 0 || participant_id == self.directory.owner_of(account_id));
        if owned {
            account_id
        } else {
            0
        }
    }

    #[cold]
    fn refuse_change(&mut self, command_type: u8, slot: Option<u32>, order_id: u64, refusal: Refusal) {
        let symbol_id = slot.map_or(0, |slot| self.orders.at(slot).symbol_id);
        self.events.command_rejected(command_type, order_id, symbol_id, refusal);
    }
}
