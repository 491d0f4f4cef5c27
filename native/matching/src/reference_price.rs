//! The price that a symbol's next trade is compared with, and the recent trades it can fall back to.

use std::collections::VecDeque;

/// Trades kept per symbol; the oldest goes when full.
pub const REFERENCE_TRADES_MAX: usize = 1_024;
const BASIS_POINTS: u64 = 10_000;

pub struct ReferencePrice {
    /// The price set at listing or by an operator since.
    listed: u32,
    pub price: u32,
    /// (match id, price) of the eligible trades since the price was set, oldest first.
    pub trades: VecDeque<(u64, u32)>,
}

impl ReferencePrice {
    pub fn new(listed: u32) -> Self {
        Self { listed, price: listed, trades: VecDeque::new() }
    }

    /// Takes an operator's price; trades before it no longer count.
    pub fn set(&mut self, price: u32) {
        (self.listed, self.price) = (price, price);
        self.trades.clear();
    }

    /// Moves to a trade's price unless it is an outlier against the price its event was compared with.
    #[inline(always)]
    pub fn trade(&mut self, match_id: u64, price: u32, compared_with: u32) {
        if !is_outlier(price, compared_with) {
            self.push(match_id, price);
        }
    }

    /// Lets one more trade count.
    #[inline(always)]
    pub fn push(&mut self, match_id: u64, price: u32) {
        if self.trades.len() == REFERENCE_TRADES_MAX {
            self.trades.pop_front();
        }
        self.trades.push_back((match_id, price));
        self.price = price;
    }

    /// Forgets a trade: the reference goes back to the last eligible one that is left.
    pub fn bust(&mut self, match_id: u64) {
        self.trades.retain(|trade| trade.0 != match_id);
        self.settle();
    }

    /// Gives a trade that counts its corrected price.
    pub fn correct(&mut self, match_id: u64, price: u32) {
        self.trades.iter_mut().filter(|trade| trade.0 == match_id).for_each(|trade| trade.1 = price);
        self.settle();
    }

    fn settle(&mut self) {
        self.price = self.trades.back().map_or(self.listed, |trade| trade.1);
    }
}

/// Tells whether a price equals or exceeds the guideline around its reference. Nasdaq 11890(a)(2)(C)(1).
#[inline(always)]
fn is_outlier(price: u32, reference_price: u32) -> bool {
    let bps = match reference_price {
        0..=250_000 => 1_000,
        250_001..=500_000 => 500,
        _ => 300,
    };
    u64::from(price.abs_diff(reference_price)) * BASIS_POINTS >= u64::from(reference_price) * bps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_move_the_reference_and_a_bust_takes_it_back() {
        let mut reference = ReferencePrice::new(100_000);
        reference.trade(1, 101_000, 100_000);
        reference.trade(2, 110_000, 100_000);
        assert_eq!(reference.price, 101_000);
        reference.bust(1);
        assert_eq!(reference.price, 100_000);
    }

    #[test]
    fn only_the_last_trades_are_kept() {
        let mut reference = ReferencePrice::new(100_000);
        (0..=REFERENCE_TRADES_MAX as u64).for_each(|id| reference.trade(id, 100_000, 100_000));
        assert_eq!((reference.trades.len(), reference.trades[0].0), (REFERENCE_TRADES_MAX, 1));
    }
}
