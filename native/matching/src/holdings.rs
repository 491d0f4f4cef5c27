//! Cash and shares per account, as deposits, withdrawals, trades, busts and corrections move them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Stands where a symbol id would: the account's money.
pub const CASH: u32 = 0;

/// Spreads the ids that the exchange itself gave, so nobody can choose them to collide.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    #[inline(always)]
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}

/// What every account has. A trade may overdraw both sides.
#[derive(Default)]
pub struct Holdings {
    /// By account id.
    cash: Vec<i128>,
    /// By account id in the upper half and symbol id in the lower.
    shares: HashMap<u64, i128, BuildHasherDefault<IdHasher>>,
}

/// A trade as it moves shares from the seller to the buyer, and the money the other way.
#[derive(Clone, Copy)]
pub struct Exchanged {
    pub buyer: u32,
    pub seller: u32,
    pub symbol_id: u32,
    pub price: u32,
    pub quantity: u32,
}

impl Holdings {
    pub fn balance(&self, account_id: u32, symbol_id: u32) -> i128 {
        if symbol_id == CASH {
            self.cash.get(account_id as usize).copied().unwrap_or(0)
        } else {
            self.shares.get(&key(account_id, symbol_id)).copied().unwrap_or(0)
        }
    }

    /// Brings in shares or cash, or takes them out where negative; gives the balance afterwards. The account exists.
    #[inline(always)]
    pub fn add(&mut self, account_id: u32, symbol_id: u32, amount: i128) -> i128 {
        let balance = if symbol_id == CASH {
            let account = account_id as usize;
            if account >= self.cash.len() {
                self.cash.resize(account + 1, 0);
            }
            &mut self.cash[account]
        } else {
            self.shares.entry(key(account_id, symbol_id)).or_insert(0)
        };
        *balance += amount;
        *balance
    }

    #[inline(always)]
    pub fn trade(&mut self, exchanged: Exchanged) {
        let Exchanged { buyer, seller, symbol_id, price, quantity } = exchanged;
        let notional = i128::from(u64::from(price) * u64::from(quantity));
        self.add(buyer, symbol_id, quantity.into());
        self.add(seller, symbol_id, -i128::from(quantity));
        self.add(seller, CASH, notional);
        self.add(buyer, CASH, -notional);
    }

    /// Moves back what a trade moved.
    pub fn undo_trade(&mut self, exchanged: Exchanged) {
        self.trade(Exchanged { buyer: exchanged.seller, seller: exchanged.buyer, ..exchanged });
    }

    /// (account id, symbol id, balance) other than 0, by account and symbol.
    pub fn sorted(&self) -> Vec<(u32, u32, i128)> {
        let cash = self.cash.iter().enumerate().map(|(account, &balance)| (account as u32, CASH, balance));
        let shares = self.shares.iter().map(|(&key, &balance)| ((key >> 32) as u32, key as u32, balance));
        let mut all: Vec<_> = cash.chain(shares).filter(|&(_, _, balance)| balance != 0).collect();
        all.sort_unstable();
        all
    }
}

fn key(account_id: u32, symbol_id: u32) -> u64 {
    u64::from(account_id) << 32 | u64::from(symbol_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_and_its_undoing_leave_nothing() {
        let trade = Exchanged { buyer: 1, seller: 2, symbol_id: 3, price: 10, quantity: 5 };
        let mut holdings = Holdings::default();
        holdings.trade(trade);
        assert_eq!(holdings.sorted(), [(1, 0, -50), (1, 3, 5), (2, 0, 50), (2, 3, -5)]);
        holdings.undo_trade(trade);
        assert_eq!(holdings.sorted(), []);
    }
}
