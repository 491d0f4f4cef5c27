//! Order lists in: all orders of one are checked before any of them comes in.

use exchange_wire::commands::ENTER_ORDER_LIST;
use exchange_wire::events::ORDER_LIST_ACCEPTED;
use exchange_wire::has_client_order_id;
use exchange_wire::listed::{EnterOrderList, ListedOrder};
use exchange_wire::terms::Terms;
use xxhash_rust::xxh3::xxh3_128;

use crate::client_order_ids::FirstUse;
use crate::market::{Market, ACTIVE};
use crate::order_book::{public_id, Order, ALL_OR_NONE, BUY, HIDDEN, LINKED};
use crate::order_checks::{
    check_handling, check_kind, check_market_to_limit, check_post_only, check_session, check_special,
    check_terms, first_stop_price, is_client_order_id, may_rest, DAY, GOOD_TILL_CANCELLED, GOOD_TILL_DATE,
    LIMIT,
};
use crate::order_lists::{contingency, OrderList, WaitingOrder, ORDER_LISTS_MAX};
use crate::reasons::{self as reason, Refusal};
use crate::risk_checks::Proposal;
use crate::short_sales::SHORT_FLAGS;
use crate::state::State;
use crate::stop_orders::{is_waiting, trails};

type Check = Result<(), Refusal>;

impl State {
    /// Keeps the id that an order of this command would have for one of the next command.
    #[cold]
    pub fn reserve_order_id(&mut self) {
        self.reserved = (self.events.header.command_sequence, self.ids_reserved() + 1);
    }

    /// How many order ids the commands just before this one have reserved for it.
    pub fn ids_reserved(&self) -> u32 {
        let (last, count) = self.reserved;
        if last.wrapping_add(1) == self.events.header.command_sequence {
            count
        } else {
            0
        }
    }

    /// The id of an order of a command: the command's, then those that were reserved for it.
    pub fn id_at(&self, place: usize) -> u64 {
        let header = &self.events.header;
        public_id(header.partition, header.command_sequence - place as u64)
    }

    /// Takes an order list as a whole, or says which of its orders is refused and why.
    #[cold]
    pub fn enter_list(&mut self, command: &EnterOrderList) {
        let mut body = [0; 20];
        body[..16].copy_from_slice(&xxh3_128(command.body).to_be_bytes());
        let first = command.orders.iter().find(|order| has_client_order_id(&order.client_order_id));
        if let Some(row) = first {
            let now = FirstUse { order_id: 0, command_type: ENTER_ORDER_LIST, body };
            if self.is_repetition(command.account_id, &row.client_order_id, now) {
                return;
            }
        }
        if let Err((place, refusal)) = self.check_list(command) {
            let known = self.directory.has_symbol(command.symbol_id);
            let symbol_id = if known { command.symbol_id } else { 0 };
            return self.events.command_rejected(ENTER_ORDER_LIST, place, symbol_id, refusal);
        }
        let mut orders: Vec<WaitingOrder> =
            (0..command.orders.len()).map(|place| self.listed(command, place)).collect();
        for listed in orders.iter().filter(|listed| listed.order.has_client_order_id) {
            let first = FirstUse { order_id: listed.order.order_id, command_type: ENTER_ORDER_LIST, body };
            self.client_order_ids.remember(command.account_id, listed.client_order_id, first);
        }
        let list_id = orders[0].order.order_id;
        let parts: [&[u8]; 4] = [
            &list_id.to_le_bytes(),
            &command.account_id.to_le_bytes(),
            &[command.contingency],
            command.rows(),
        ];
        self.events.write(ORDER_LIST_ACCEPTED, command.symbol_id, &parts);
        let is_pair = command.contingency == contingency::ONE_CANCELS_OTHER;
        let others = orders.split_off(1);
        let second = if is_pair { others[0].order.order_id } else { 0 };
        let (account_id, symbol_id) = (command.account_id, command.symbol_id);
        let (at_once, mut waiting) = if is_pair { (others, Vec::new()) } else { (Vec::new(), others) };
        for listed in &mut waiting {
            (listed.order.quantity, listed.order.leaves) = (0, 0);
        }
        let contingency = command.contingency;
        let list = OrderList {
            list_id,
            contingency,
            account_id,
            symbol_id,
            first: list_id,
            second,
            filled: 0,
            waiting,
        };
        self.add_list(list);
        for listed in at_once.into_iter().chain(orders) {
            self.let_in_listed(listed);
        }
    }

    fn let_in_listed(&mut self, listed: WaitingOrder) {
        let WaitingOrder { order, client_order_id, mut terms } = listed;
        if trails(&terms) {
            let market = &self.markets[order.symbol_id as usize - 1];
            terms.stop_price = first_stop_price(market, order.kind.side, &terms) as u32;
        }
        self.accept_listed(&order, &terms, &client_order_id);
        self.terms_in_hand = terms;
        self.execute(order, &client_order_id);
    }

    /// Makes an order of a list. Each but the only one that waits for an entry depends on another.
    fn listed(&self, command: &EnterOrderList, place: usize) -> WaitingOrder {
        let row = &command.orders[place];
        let mut kind = row.kind;
        let waits_alone = place != 0 && command.contingency == contingency::ONE_TRIGGERS_OTHER;
        let terms = row.terms;
        let is_whole = kind.flags & ALL_OR_NONE != 0;
        if (is_whole || terms.minimum_quantity != 0) && may_rest(kind) {
            kind.flags |= HIDDEN;
        }
        let header = &self.events.header;
        let has_terms = terms != Terms::default();
        let order = Order {
            order_id: self.id_at(place),
            entered_ns: header.time_ns,
            account_id: command.account_id,
            symbol_id: command.symbol_id,
            price: row.price,
            quantity: row.quantity,
            leaves: row.quantity,
            asked_minimum: if is_whole { u32::MAX } else { terms.minimum_quantity },
            kind,
            marks: if waits_alone { 0 } else { LINKED },
            has_client_order_id: has_client_order_id(&row.client_order_id),
            has_terms,
            is_special: true,
            ..Order::default()
        };
        WaitingOrder { order, client_order_id: row.client_order_id, terms }
    }

    // --- checks --------------------------------------------------------------------------------------

    /// Gives the first thing that is wrong, with the place of its order in the list, 0 where it is the list's.
    fn check_list(&mut self, command: &EnterOrderList) -> Result<(), (u64, Refusal)> {
        let (count, due) = (command.orders.len(), orders_of(command.contingency));
        if due == 0 || count != due {
            return Err((0, Refusal::limited(reason::ORDER_LIST_INVALID, count as u64, due as u64)));
        }
        let reserved = self.ids_reserved();
        if (reserved as usize) < due - 1 {
            return Err((0, Refusal::limited(reason::ORDER_IDS_MISSING, reserved, due as u64 - 1)));
        }
        for place in 0..count {
            self.check_order_listed(command, place).map_err(|refusal| (place as u64 + 1, refusal))?;
        }
        let market = &self.markets[command.symbol_id as usize - 1];
        for place in 0..count {
            check_place(command, market, place).map_err(|refusal| (place as u64 + 1, refusal))?;
        }
        let lists = self.order_lists.len();
        if lists >= ORDER_LISTS_MAX {
            let refusal = Refusal::limited(reason::DIRECTORY_FULL, lists as u64, ORDER_LISTS_MAX as u64);
            return Err((0, refusal));
        }
        self.check_list_risk(command).map_err(|refusal| (1, refusal))
    }

    fn check_order_listed(&self, command: &EnterOrderList, place: usize) -> Check {
        let row = &command.orders[place];
        let ListedOrder { kind, price, quantity, .. } = *row;
        let waits = place > 0 && command.contingency != contingency::ONE_CANCELS_OTHER;
        check_kind(kind)?;
        if !self.directory.has_account(command.account_id) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, command.account_id));
        }
        let Some(market) = self.market(command.symbol_id) else {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, command.symbol_id));
        };
        self.check_listed_id(command, place)?;
        self.check_access(command.account_id, command.symbol_id, &row.client_order_id)?;
        if !waits {
            check_session(market, kind)?;
        } else if market.state != ACTIVE {
            return Err(Refusal::new(reason::SYMBOL_SUSPENDED));
        }
        check_terms(Some(market), kind.order_type, price, quantity)?;
        if !waits {
            check_market_to_limit(&self.orders, market, kind, quantity)?;
        }
        check_handling(kind)?;
        match check_special(market, kind, quantity, &row.terms, self.events.header.time_ns) {
            Err(refusal) if waits && refusal.reason == reason::STOP_ALREADY_REACHED => Ok(()),
            Ok(()) if !waits => {
                if kind.flags & SHORT_FLAGS != 0 || market.short_sales.terms.needs_marking {
                    let whose = (command.account_id, command.symbol_id);
                    self.check_short_sale(market, whose, kind, price, (quantity, 0))?;
                }
                check_post_only(&self.orders, market, kind, price, quantity)
            }
            checked => checked,
        }
    }

    fn check_listed_id(&self, command: &EnterOrderList, place: usize) -> Check {
        let id = &command.orders[place].client_order_id;
        if !has_client_order_id(id) {
            return Ok(());
        }
        if !is_client_order_id(id) {
            return Err(Refusal::new(reason::CLIENT_ORDER_ID_INVALID));
        }
        if let Some(first) = self.client_order_ids.find(command.account_id, id) {
            return Err(Refusal::measured(reason::CLIENT_ORDER_ID_REUSED, first.order_id));
        }
        let before = &command.orders[..place];
        if let Some(place) = before.iter().position(|row| row.client_order_id == *id) {
            return Err(Refusal::measured(reason::CLIENT_ORDER_ID_REUSED, self.id_at(place)));
        }
        let named = before.iter().filter(|row| has_client_order_id(&row.client_order_id)).count();
        let used = (self.client_order_ids.count(command.account_id) + named) as u64;
        match used >= self.limits.client_order_ids {
            true => {
                let maximum = self.limits.client_order_ids;
                Err(Refusal::limited(reason::CLIENT_ORDER_ID_TABLE_FULL, used, maximum))
            }
            false => Ok(()),
        }
    }

    /// Checks the order that comes in first against the limits; the others are when they come in.
    fn check_list_risk(&mut self, command: &EnterOrderList) -> Check {
        if !self.risk.has_books {
            return Ok(());
        }
        let ListedOrder { kind, price, quantity, .. } = command.orders[0];
        let (account_id, symbol_id) = (command.account_id, command.symbol_id);
        let proposal =
            Proposal { account_id, symbol_id, kind, price, quantity, leaves: quantity, replaces: None };
        self.check_risk(&proposal)
    }
}

/// How many orders a list has, 0 where there is no such list.
fn orders_of(contingency: u8) -> usize {
    match contingency {
        contingency::ONE_CANCELS_OTHER | contingency::ONE_TRIGGERS_OTHER => 2,
        contingency::BRACKET => 3,
        _ => 0,
    }
}

/// Checks an order, right in itself, against its place in the list.
fn check_place(command: &EnterOrderList, market: &Market, place: usize) -> Check {
    let (row, first) = (&command.orders[place], &command.orders[0]);
    let is_pair = command.contingency == contingency::ONE_CANCELS_OTHER;
    let wrong = Err(Refusal::measured(reason::LIST_ORDER_INVALID, place as u64 + 1));
    let is_stop = is_waiting(row.kind);
    let is_plain = row.kind.flags & !HIDDEN == 0
        && row.terms.minimum_quantity == 0
        && (row.kind.order_type == LIMIT || is_stop)
        && matches!(row.kind.time_in_force, DAY | GOOD_TILL_CANCELLED | GOOD_TILL_DATE);
    if (is_pair || place > 0) && !is_plain {
        return wrong;
    }
    if !is_pair && place > 0 && trails(&row.terms) {
        return wrong;
    }
    let in_pair = if is_pair { Some(place) } else { place.checked_sub(1) };
    if let Some(in_pair) = in_pair.filter(|_| command.contingency != contingency::ONE_TRIGGERS_OTHER) {
        if is_stop != (in_pair == 1) {
            return wrong;
        }
        if in_pair == 1 && !is_behind(market, &command.orders[place - 1], row) {
            return wrong;
        }
        if !is_pair && row.kind.side == first.kind.side {
            return Err(Refusal::measured(reason::LIST_SIDES_INVALID, place as u64 + 1));
        }
    }
    if row.quantity != first.quantity {
        return Err(Refusal::limited(reason::LIST_QUANTITIES_DIFFER, row.quantity, first.quantity));
    }
    Ok(())
}

/// Whether two orders are of one side, and the stop price is worse for it than the limit.
fn is_behind(market: &Market, limit: &ListedOrder, stop: &ListedOrder) -> bool {
    let stop_price = match trails(&stop.terms) {
        true => first_stop_price(market, stop.kind.side, &stop.terms),
        false => i64::from(stop.terms.stop_price),
    };
    let limit_price = i64::from(limit.price);
    let is_worse = if stop.kind.side == BUY { stop_price > limit_price } else { stop_price < limit_price };
    is_worse && limit.kind.side == stop.kind.side
}
