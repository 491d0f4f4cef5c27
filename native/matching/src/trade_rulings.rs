//! Busts and corrections of trades; each command carries the trade's facts as its event had them.

use exchange_wire::commands::{Ruling, BUST_TRADE, CORRECT_TRADE};
use exchange_wire::events::{TRADE_BUSTED, TRADE_CORRECTED};

use crate::holdings::Exchanged;
use crate::order_book::{public_id, sequence_of};
use crate::order_checks::{NOTIONAL_MAX, PRICE_MAX};
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

const BUST_REASONS: &[u8] = b"ECSX";

type Check = Result<(), Refusal>;

impl State {
    /// Breaks a trade: moves back what it moved.
    pub fn bust(&mut self, ruling: &Ruling) {
        if let Err(refusal) = self.check_ruling(ruling) {
            return self.events.command_rejected(BUST_TRADE, ruling.match_id, ruling.symbol_id, refusal);
        }
        let standing = self.standing(ruling);
        self.holdings.undo_trade(exchanged(ruling, standing));
        self.corrected.remove(&ruling.match_id);
        self.busted.insert(ruling.match_id);
        let market = self.market_mut(ruling.symbol_id);
        market.reference.bust(ruling.match_id);
        if let Some(guard) = market.guard.as_deref_mut() {
            guard.bust(sequence_of(ruling.match_id), standing.0);
        }
        let body = ruling_body(ruling, standing);
        self.events.write(TRADE_BUSTED, ruling.symbol_id, &[&body]);
    }

    /// Gives a trade another price or less quantity: moves back what it moved, and moves the new values.
    pub fn correct(&mut self, ruling: &Ruling, new: (u32, u32)) {
        let check = self.check_ruling(ruling).and_then(|()| self.check_correction(ruling, new));
        if let Err(refusal) = check {
            return self.events.command_rejected(CORRECT_TRADE, ruling.match_id, ruling.symbol_id, refusal);
        }
        let standing = self.standing(ruling);
        self.holdings.undo_trade(exchanged(ruling, standing));
        self.holdings.trade(exchanged(ruling, new));
        self.corrected.insert(ruling.match_id, new);
        let market = self.market_mut(ruling.symbol_id);
        market.reference.correct(ruling.match_id, new.0);
        if let Some(guard) = market.guard.as_deref_mut() {
            guard.correct(sequence_of(ruling.match_id), standing.0, new.0);
        }
        let (body, price, quantity) =
            (ruling_body(ruling, standing), new.0.to_le_bytes(), new.1.to_le_bytes());
        self.events.write(TRADE_CORRECTED, ruling.symbol_id, &[&body, &price, &quantity]);
    }

    /// The (price, quantity) at which a trade stands: its facts, or its last correction.
    fn standing(&self, ruling: &Ruling) -> (u32, u32) {
        self.corrected.get(&ruling.match_id).copied().unwrap_or((ruling.price, ruling.quantity))
    }

    fn check_ruling(&self, ruling: &Ruling) -> Check {
        if !BUST_REASONS.contains(&ruling.reason) {
            return Err(Refusal::measured(reason::COMMAND_MALFORMED, ruling.reason));
        }
        for account_id in [ruling.buy_account_id, ruling.sell_account_id] {
            if !self.directory.has_account(account_id) {
                return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id));
            }
        }
        if !self.directory.has_symbol(ruling.symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, ruling.symbol_id));
        }
        let header = &self.events.header;
        let sequence = sequence_of(ruling.match_id);
        let is_ours = ruling.match_id == public_id(header.partition, sequence);
        let happened = 0 < sequence && sequence <= header.sequence;
        if !(is_ours && happened && ruling.price > 0 && ruling.quantity > 0) {
            return Err(Refusal::measured(reason::UNKNOWN_TRADE, ruling.match_id));
        }
        if self.busted.contains(&ruling.match_id) {
            return Err(Refusal::measured(reason::TRADE_ALREADY_BUSTED, ruling.match_id));
        }
        let split_at = self.markets[ruling.symbol_id as usize - 1].split_sequence;
        if sequence < split_at {
            return Err(Refusal::limited(reason::TRADE_BEFORE_SPLIT, ruling.match_id, split_at));
        }
        let rulings = (self.busted.len() + self.corrected.len()) as u64;
        if !self.corrected.contains_key(&ruling.match_id) && rulings >= self.limits.rulings {
            return Err(Refusal::limited(reason::DIRECTORY_FULL, rulings, self.limits.rulings));
        }
        Ok(())
    }

    fn check_correction(&self, ruling: &Ruling, new: (u32, u32)) -> Check {
        let (price, quantity) = new;
        let market = &self.markets[ruling.symbol_id as usize - 1];
        let on_tick = 0 < price && price <= PRICE_MAX && price % market.tick_at(price) == 0;
        let less = 0 < quantity && quantity <= ruling.quantity;
        let fits = u64::from(price) * u64::from(quantity) <= NOTIONAL_MAX;
        if !(on_tick && less && fits && new != self.standing(ruling)) {
            return Err(Refusal::limited(reason::CORRECTION_INVALID, quantity, ruling.quantity));
        }
        Ok(())
    }
}

fn exchanged(ruling: &Ruling, (price, quantity): (u32, u32)) -> Exchanged {
    let (buyer, seller) = (ruling.buy_account_id, ruling.sell_account_id);
    Exchanged { buyer, seller, symbol_id: ruling.symbol_id, price, quantity }
}

/// What the events of both rulings share. standing: (price, quantity) before.
fn ruling_body(ruling: &Ruling, standing: (u32, u32)) -> Vec<u8> {
    let mut body = Vec::from(ruling.match_id.to_le_bytes());
    for number in [standing.0, standing.1, ruling.buy_account_id, ruling.sell_account_id] {
        body.extend(number.to_le_bytes());
    }
    for number in [ruling.buy_order_id, ruling.sell_order_id, ruling.executed_ns, ruling.ruling_id] {
        body.extend(number.to_le_bytes());
    }
    body.push(ruling.reason);
    body
}
