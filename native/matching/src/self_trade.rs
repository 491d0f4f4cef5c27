//! Self-trade prevention: what happens where two orders of one group would trade.

use exchange_wire::commands::SET_SELF_TRADE_PREVENTION;
use exchange_wire::events::{OrderAmended, MATCH_PREVENTED, SELF_TRADE_PREVENTION_SET};

use crate::matcher::cancel_reason;
use crate::order_book::Order;
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

pub const CANCEL_NEWEST: u8 = 1;
pub const CANCEL_OLDEST: u8 = 2;
const DECREMENT: u8 = 4;

/// The self-trade group of a participant, 0 for none, and the mode of its incoming orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub number: u32,
    pub mode: u8,
}

impl State {
    /// Puts a member into a self-trade group, or takes it out.
    pub fn set_self_trade_prevention(&mut self, participant_id: u32, number: u32, mode: u8) {
        let refusal = if !self.directory.has_participant(participant_id) {
            Some(Refusal::measured(reason::UNKNOWN_PARTICIPANT, participant_id))
        } else if mode > DECREMENT || (number == 0) != (mode == 0) {
            Some(Refusal::measured(reason::SELF_TRADE_MODE_INVALID, mode))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let subject = participant_id.into();
            return self.events.command_rejected(SET_SELF_TRADE_PREVENTION, subject, 0, refusal);
        }
        let parts: [&[u8]; 3] = [&participant_id.to_le_bytes(), &number.to_le_bytes(), &[mode]];
        self.events.write_to_directory(SELF_TRADE_PREVENTION_SET, 0, &parts);
        self.note_self_trade_group(participant_id, Group { number, mode });
    }

    pub fn note_self_trade_group(&mut self, participant_id: u32, group: Group) {
        self.self_trade_groups.remove(&participant_id);
        if group.number != 0 {
            self.self_trade_groups.insert(participant_id, group);
        }
    }

    /// The self-trade group of an account; none where nobody is in one.
    #[inline(always)]
    pub fn group_of(&self, account_id: u32) -> Group {
        if self.self_trade_groups.is_empty() {
            return Group::default();
        }
        self.self_trade_groups.get(&self.directory.owner_of(account_id)).copied().unwrap_or_default()
    }

    /// Whether a resting order is of a group; nothing is of group 0.
    pub fn is_own(&self, group: Group, resting: &Order) -> bool {
        group.number != 0 && self.group_of(resting.account_id).number == group.number
    }

    /// Does to two orders of one group what the incoming one's mode says; a cancelled one has nothing left.
    pub fn prevent(&mut self, slot: u32, incoming: &mut Order, mode: u8) {
        let resting = *self.orders.at(slot);
        let quantity = resting.leaves.min(incoming.leaves);
        let parts: [&[u8]; 7] = [
            &resting.order_id.to_le_bytes(),
            &incoming.order_id.to_le_bytes(),
            &resting.account_id.to_le_bytes(),
            &incoming.account_id.to_le_bytes(),
            &resting.price.to_le_bytes(),
            &quantity.to_le_bytes(),
            &[incoming.kind.side, mode],
        ];
        self.events.write(MATCH_PREVENTED, incoming.symbol_id, &parts);
        let decrements = mode == DECREMENT;
        let resting_goes = if decrements { resting.leaves == quantity } else { mode != CANCEL_NEWEST };
        let incoming_goes = if decrements { incoming.leaves == quantity } else { mode != CANCEL_OLDEST };
        if resting_goes {
            self.cancel_for(slot, cancel_reason::SELF_TRADE);
        } else if decrements {
            self.orders.reduce(slot, resting.quantity - quantity, resting.leaves - quantity);
            let reduced = *self.orders.at(slot);
            self.decremented(&reduced);
        }
        if incoming_goes {
            self.order_cancelled(incoming, cancel_reason::SELF_TRADE);
            incoming.leaves = 0;
        } else if decrements {
            incoming.leaves -= quantity;
            incoming.quantity -= quantity;
            self.decremented(&*incoming);
        }
    }

    /// Says that an order has less whole quantity, as it has already.
    fn decremented(&mut self, order: &Order) {
        let event = OrderAmended {
            symbol_id: order.symbol_id,
            order_id: order.order_id,
            account_id: order.account_id,
            side: order.kind.side,
            kept_priority: true,
            old_price: order.price,
            price: order.price,
            quantity: order.quantity,
            leaves: order.leaves,
        };
        self.events.emit(|header, out| event.write(header, out));
    }
}
