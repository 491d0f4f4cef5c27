//! One symbol's market: its order book, its terms of trading and its reference price.

use crate::order_book::OrderBook;
use crate::reference_price::ReferencePrice;

pub const TICK_ROWS_MAX: usize = 16;
pub const ACTIVE: u8 = 1;
pub const SUSPENDED: u8 = 2;

pub struct Market {
    pub book: OrderBook,
    pub reference: ReferencePrice,
    pub round_lot: u32,
    pub state: u8,
    tick_rows: usize,
    tick_starts: [u32; TICK_ROWS_MAX],
    tick_sizes: [u32; TICK_ROWS_MAX],
}

impl Market {
    /// ticks: (from price, tick), a valid table.
    pub fn new(round_lot: u32, state: u8, reference_price: u32, ticks: &[(u32, u32)]) -> Self {
        let (tick_starts, tick_sizes) = ([0; TICK_ROWS_MAX], [0; TICK_ROWS_MAX]);
        let (book, reference) = (OrderBook::default(), ReferencePrice::new(reference_price));
        let mut market = Self { book, reference, round_lot, state, tick_rows: 0, tick_starts, tick_sizes };
        market.set_ticks(ticks);
        market
    }

    /// Takes another tick table over; what rests in the book stays as it is.
    pub fn set_ticks(&mut self, ticks: &[(u32, u32)]) {
        self.tick_rows = ticks.len();
        for (row, &(from_price, tick)) in ticks.iter().enumerate() {
            (self.tick_starts[row], self.tick_sizes[row]) = (from_price, tick);
        }
    }

    /// The tick that holds at a price.
    #[inline(always)]
    pub fn tick_at(&self, price: u32) -> u32 {
        let mut row = self.tick_rows - 1;
        while self.tick_starts[row] > price {
            row -= 1;
        }
        self.tick_sizes[row]
    }
}

/// Tells whether the rows are few, start at 0, rise, and have ticks above 0.
pub fn is_valid_tick_table(rows: &[(u32, u32)]) -> bool {
    (1..=TICK_ROWS_MAX).contains(&rows.len())
        && rows[0].0 == 0
        && rows.windows(2).all(|pair| pair[0].0 < pair[1].0)
        && rows.iter().all(|row| row.1 > 0)
}

/// The tick that holds at a price in a valid table.
pub fn tick_in(rows: &[(u32, u32)], price: u32) -> u32 {
    rows[rows.partition_point(|row| row.0 <= price) - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_holds_from_its_price_on() {
        let rows = [(0, 1), (10_000, 100)];
        let market = Market::new(1, ACTIVE, 1, &rows);
        for price in [0, 1, 9_999, 10_000, u32::MAX] {
            assert_eq!(market.tick_at(price), tick_in(&rows, price));
        }
        assert_eq!((market.tick_at(9_999), market.tick_at(10_000)), (1, 100));
        assert!(
            !is_valid_tick_table(&[]) && !is_valid_tick_table(&[(1, 1)]) && !is_valid_tick_table(&[(0, 0)])
        );
    }
}
