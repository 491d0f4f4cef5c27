//! The sections of a snapshot that hold order lists, pegs and quotes.

use exchange_wire::events::Kind;
use exchange_wire::quotes::Protection;
use exchange_wire::reader::Reader;
use exchange_wire::terms::Terms;
use exchange_wire::NO_CLIENT_ORDER_ID;

use crate::order_book::{
    sequence_of, Order, ALL_OR_NONE, BUY, HIDDEN, LINKED, PEGGED, QUOTED, SELL, SEQUENCE_BITS,
};
use crate::order_lists::{contingency, OrderList, WaitingOrder};
use crate::pegs::{is_peg_kind, Peg};
use crate::quotes::QuoteDesk;
use crate::snapshot::{known, section, Restored};
use crate::state::State;

/// Orders that may wait in one list.
const WAITING_MAX: usize = 2;

pub fn write(state: &State, content: &mut Vec<u8>) {
    section(content, |out| {
        for list in state.order_lists.values() {
            out.extend(list.list_id.to_le_bytes());
            out.push(list.contingency);
            for number in [list.account_id, list.symbol_id] {
                out.extend(number.to_le_bytes());
            }
            out.extend(list.first.to_le_bytes());
            out.extend(list.second.to_le_bytes());
            out.extend(list.filled.to_le_bytes());
        }
        state.order_lists.len()
    });
    section(content, |out| {
        let mut count = 0;
        for list in state.order_lists.values() {
            for WaitingOrder { order, client_order_id, terms } in &list.waiting {
                out.extend(list.list_id.to_le_bytes());
                out.extend(order.order_id.to_le_bytes());
                out.extend(order.kind.bytes());
                out.extend(order.price.to_le_bytes());
                out.extend(client_order_id);
                out.extend(terms.bytes());
                count += 1;
            }
        }
        count
    });
    section(content, |out| {
        let (last, count) = state.reserved;
        let is_due = last != 0 && last == state.events.header.command_sequence;
        if is_due {
            out.extend(last.to_le_bytes());
            out.extend(count.to_le_bytes());
        }
        usize::from(is_due)
    });
    section(content, |out| {
        let pegs = state.markets.iter().flat_map(|market| &market.pegs);
        let mut pegs: Vec<_> = pegs.map(|(&order_id, &peg)| (order_id, peg)).collect();
        pegs.sort_unstable_by_key(|&(order_id, _)| order_id);
        for (order_id, peg) in &pegs {
            out.extend(order_id.to_le_bytes());
            out.push(peg.kind);
            out.extend(peg.offset.to_le_bytes());
            out.extend(peg.limit.to_le_bytes());
        }
        pegs.len()
    });
    section(content, |out| write_quote_desks(state, out));
}

/// Writes quotes and protections as if nobody remembered orders that have ended.
fn write_quote_desks(state: &State, out: &mut Vec<u8>) -> usize {
    let live = |order_id| state.orders.find(order_id).map_or(0, |_| order_id);
    let lasting = state
        .quote_desks
        .iter()
        .map(|(&key, desk)| (key, QuoteDesk { bid: live(desk.bid), ask: live(desk.ask), ..*desk }));
    let mut count = 0;
    for ((account_id, symbol_id), desk) in lasting.filter(|(_, desk)| !desk.is_empty()) {
        out.extend(account_id.to_le_bytes());
        out.extend(symbol_id.to_le_bytes());
        out.extend(desk.bid.to_le_bytes());
        out.extend(desk.ask.to_le_bytes());
        out.extend(desk.limits.bytes());
        out.extend(desk.from_ns.to_le_bytes());
        out.extend(desk.quantity.to_le_bytes());
        out.extend(desk.executions.to_le_bytes());
        out.extend(desk.percent_bps.to_le_bytes());
        out.extend(desk.bought.to_le_bytes());
        out.push(desk.is_reached.into());
        count += 1;
    }
    count
}

/// Restores the lists; the live orders are there already.
pub fn read(state: &mut State, reader: &mut Reader) -> Restored<()> {
    for _ in 0..reader.u32()? {
        let (list_id, contingency) = (reader.u64()?, reader.u8()?);
        let (account_id, symbol_id) = (reader.u32()?, reader.u32()?);
        let (first, second, filled) = (reader.u64()?, reader.u64()?, reader.u32()?);
        known(state.directory.has_account(account_id) && state.directory.has_symbol(symbol_id))?;
        let is_live = |order_id| {
            state.orders.find(order_id).is_some_and(|slot| {
                state.orders.at(slot).symbol_id == symbol_id && !state.list_of.contains_key(&order_id)
            })
        };
        known(is_live(first) && (second == 0 || (second != first && is_live(second))))?;
        known(!state.order_lists.contains_key(&list_id))?;
        state.mark(first, LINKED);
        state.mark(second, LINKED);
        let waiting = Vec::new();
        state.add_list(OrderList {
            list_id,
            contingency,
            account_id,
            symbol_id,
            first,
            second,
            filled,
            waiting,
        });
    }
    for _ in 0..reader.u32()? {
        read_waiting(state, reader)?;
    }
    for _ in 0..reader.u32()? {
        state.reserved = (reader.u64()?, reader.u32()?);
        known(state.reserved.0 == state.events.header.command_sequence)?;
        known(u64::from(state.reserved.1) <= state.reserved.0)?;
    }
    for _ in 0..reader.u32()? {
        let (order_id, kind) = (reader.u64()?, reader.u8()?);
        let peg = Peg { kind, offset: reader.u32()? as i32, limit: reader.u32()? };
        let slot = state.orders.find(order_id);
        let order = slot.map(|slot| *state.orders.at(slot)).filter(|order| order.kind.flags == HIDDEN);
        known(order.is_some() && is_peg_kind(kind))?;
        if let Some(order) = order {
            state.mark(order_id, PEGGED);
            state.pegged.insert(order.symbol_id);
            state.market_mut(order.symbol_id).pegs.insert(order_id, peg);
        }
    }
    for _ in 0..reader.u32()? {
        let key = (reader.u32()?, reader.u32()?);
        let desk = QuoteDesk {
            bid: reader.u64()?,
            ask: reader.u64()?,
            limits: Protection::read(reader)?,
            from_ns: reader.u64()?,
            quantity: reader.u64()?,
            executions: reader.u32()?,
            percent_bps: reader.u64()?,
            bought: reader.i64()?,
            is_reached: reader.u8()? != 0,
        };
        known(state.directory.has_account(key.0) && (key.1 == 0 || state.directory.has_symbol(key.1)))?;
        known(desk.from_ns <= state.events.header.time_ns)?;
        state.quote_desks.insert(key, desk);
        if desk.bid != 0 || desk.ask != 0 {
            known(key.1 != 0)?;
            state.market_mut(key.1).has_quotes = true;
            state.market_mut(key.1).needs_care = true;
            state.mark(desk.bid, QUOTED);
            state.mark(desk.ask, QUOTED);
        }
    }
    known(state.order_lists.values().all(|list| (list.second == 0) != list.waiting.is_empty()))
}

impl State {
    /// Marks a live order; 0 is none.
    fn mark(&mut self, order_id: u64, mark: u8) {
        if let Some(slot) = self.orders.find(order_id) {
            self.orders.mark(slot, mark);
        }
    }
}

fn read_waiting(state: &mut State, reader: &mut Reader) -> Restored<()> {
    let (list_id, order_id) = (reader.u64()?, reader.u64()?);
    let [side, order_type, time_in_force, flags] = reader.array()?;
    let (price, client_order_id, terms) = (reader.u32()?, reader.array()?, Terms::read(reader)?);
    let header = &state.events.header;
    let is_ours = order_id >> SEQUENCE_BITS == u64::from(header.partition);
    let is_entered =
        sequence_of(order_id) <= header.command_sequence && state.orders.find(order_id).is_none();
    let is_entered = is_entered && !state.list_of.contains_key(&order_id);
    known(is_ours && is_entered && matches!(side, BUY | SELL))?;
    let kind = Kind { side, order_type, time_in_force, flags };
    let has_terms = terms != Terms::default();
    let list = state.order_lists.get_mut(&list_id);
    known(list.is_some())?;
    if let Some(list) = list {
        known(list.waiting.len() < WAITING_MAX)?;
        let order = Order {
            order_id,
            account_id: list.account_id,
            symbol_id: list.symbol_id,
            price,
            asked_minimum: if flags & ALL_OR_NONE == 0 { terms.minimum_quantity } else { u32::MAX },
            kind,
            marks: if list.contingency == contingency::ONE_TRIGGERS_OTHER { 0 } else { LINKED },
            is_special: true,
            has_terms,
            has_client_order_id: client_order_id != NO_CLIENT_ORDER_ID,
            ..Order::default()
        };
        list.waiting.push(WaitingOrder { order, client_order_id, terms });
        state.list_of.insert(order_id, list_id);
    }
    Ok(())
}
