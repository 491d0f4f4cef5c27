//! One symbol's market: its order book, its terms of trading and its reference price.

use std::collections::BTreeMap;

use exchange_wire::allocation::{Allocation, TOP};
use exchange_wire::commands::AuctionTerms;
use exchange_wire::events::Kind;

use crate::auction::{is_for_auction, Indication};
use crate::order_book::{BookSide, Order, OrderBook, BUY, WORST_RANK};
use crate::order_checks::PRICE_MAX;
use crate::pegs::Peg;
use crate::phase::CONTINUOUS;
use crate::price_guard::Guard;
use crate::reference_price::ReferencePrice;
use crate::short_sales::ShortSales;
use crate::stop_orders::StopOrders;

pub const TICK_ROWS_MAX: usize = 16;
pub const ACTIVE: u8 = 1;
pub const SUSPENDED: u8 = 2;
pub const BASIS_POINTS: u64 = 10_000;

/// What pegged orders follow: best bid and best offer shown, 0 for none; lowest and highest price of the symbol's guard.
pub type PegPrices = (u32, u32, u32, u32);

pub struct Market {
    pub book: OrderBook,
    pub reference: ReferencePrice,
    pub round_lot: u32,
    pub state: u8,
    pub phase: u8,
    /// Where the schedule has got, whatever keeps the symbol from being there.
    pub scheduled_phase: u8,
    /// How often the auction has been extended.
    pub extensions: u8,
    /// How far from the reference price market orders may trade, 0 for any price.
    pub protection_bps: u16,
    /// Of the last trade, 0 before the first.
    pub last_price: u32,
    /// Of the event of the last split, 0 for none; trades before it are not ruled on.
    pub split_sequence: u64,
    pub short_sales: ShortSales,
    pub stops: StopOrders,
    /// Orders that trade in an auction only.
    pub auction_bids: BookSide,
    pub auction_asks: BookSide,
    pub auction_terms: AuctionTerms,
    /// When the phase ends by itself, 0 for not.
    pub phase_ends_ns: u64,
    /// What protects from sudden prices.
    pub guard: Option<Box<Guard>>,
    /// What was last told of the auction.
    pub indicated: Indication,
    /// How trades are shared out among the orders at one price.
    pub allocation: Allocation,
    /// The bid and the ask that bettered the price, 0 for none; they may have gone since.
    pub tops: [u64; 2],
    /// By the ids of the symbol's pegged orders, which is the sequence of their entry.
    pub pegs: BTreeMap<u64, Peg>,
    /// What they have followed; nothing where they must look again.
    pub peg_prices: Option<PegPrices>,
    /// Pegged orders that have no price.
    pub parked: BookSide,
    /// Whether a market maker has quoted: its orders are noted when they trade.
    pub has_quotes: bool,
    /// Order lists of the symbol: their orders are noted when they trade.
    pub followed: u32,
    /// Whether more than price and time may matter to an order that comes in; see `asks_for_care`.
    pub needs_care: bool,
    tick_rows: usize,
    tick_starts: [u32; TICK_ROWS_MAX],
    tick_sizes: [u32; TICK_ROWS_MAX],
}

impl Market {
    /// Whether orders that come in now gather: for its phase, or because its corridor has just been left.
    pub fn gathers(&self) -> bool {
        self.phase != CONTINUOUS || self.guard.as_deref().is_some_and(Guard::is_left)
    }

    /// ticks: (from price, tick), a valid table.
    pub fn new(round_lot: u32, state: u8, reference_price: u32, ticks: &[(u32, u32)]) -> Self {
        let (tick_starts, tick_sizes) = ([0; TICK_ROWS_MAX], [0; TICK_ROWS_MAX]);
        let (book, reference) = (OrderBook::default(), ReferencePrice::new(reference_price));
        let mut market = Self {
            book,
            reference,
            round_lot,
            state,
            phase: CONTINUOUS,
            scheduled_phase: CONTINUOUS,
            extensions: 0,
            protection_bps: 0,
            last_price: 0,
            split_sequence: 0,
            short_sales: ShortSales::default(),
            stops: StopOrders::default(),
            auction_bids: BookSide::default(),
            auction_asks: BookSide::lowest_first(),
            auction_terms: AuctionTerms::default(),
            phase_ends_ns: 0,
            guard: None,
            indicated: Indication::default(),
            allocation: Allocation::default(),
            tops: [0; 2],
            pegs: BTreeMap::new(),
            peg_prices: None,
            parked: BookSide::default(),
            has_quotes: false,
            followed: 0,
            needs_care: false,
            tick_rows: 0,
            tick_starts,
            tick_sizes,
        };
        market.set_ticks(ticks);
        market
    }

    /// Where orders of a side lie that trade in an auction only.
    pub fn auction_side(&mut self, side: u8) -> &mut BookSide {
        if side == BUY {
            &mut self.auction_bids
        } else {
            &mut self.auction_asks
        }
    }

    /// Where a live order lies that is no stop order.
    pub fn home_of(&mut self, kind: Kind) -> &mut BookSide {
        match is_for_auction(kind) {
            true => self.auction_side(kind.side),
            false => self.book.home(kind),
        }
    }

    /// Takes another tick table over; what rests in the book stays as it is.
    pub fn set_ticks(&mut self, ticks: &[(u32, u32)]) {
        self.peg_prices = None;
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

    /// The nearest price on a tick that is not above this one; 0 where there is none.
    pub fn price_down(&self, mut price: u64) -> u64 {
        while price > 0 && price % self.wide_tick_at(price) != 0 {
            price -= price % self.wide_tick_at(price);
        }
        price
    }

    /// The nearest price on a tick that is not below this one; it may be above the highest price.
    pub fn price_up(&self, mut price: u64) -> u64 {
        while price % self.wide_tick_at(price) != 0 {
            price += self.wide_tick_at(price) - price % self.wide_tick_at(price);
        }
        price
    }

    fn wide_tick_at(&self, price: u64) -> u64 {
        self.tick_at(price.min(u32::MAX.into()) as u32).into()
    }

    /// The nearest price on a tick that is worse for a side than this one; 0 where there is none.
    pub fn price_behind(&self, price: u32, side: u8) -> u32 {
        if side == BUY {
            let mut price = price - 1;
            while price > 0 && price % self.tick_at(price) != 0 {
                price -= price % self.tick_at(price);
            }
            return price;
        }
        let mut price = price + 1;
        while price <= PRICE_MAX && price % self.tick_at(price) != 0 {
            price = price.saturating_add(self.tick_at(price) - price % self.tick_at(price));
        }
        if price <= PRICE_MAX {
            price
        } else {
            0
        }
    }

    /// Whether an order is hidden here, or waits for its stop price.
    pub fn has_unseen(&self) -> bool {
        let OrderBook { hidden_bids, hidden_asks, .. } = &self.book;
        !(hidden_bids.is_empty() && hidden_asks.is_empty() && self.stops.is_empty())
    }

    /// Notes whether an order that comes in is to be looked at closely.
    pub fn note_care(&mut self) {
        self.needs_care = self.phase != CONTINUOUS || self.asks_for_care();
    }

    /// Whether trades are shared out among the orders at one price, rather than the oldest first.
    pub fn shares_out(&self) -> bool {
        !self.allocation.steps.is_empty()
    }

    /// Whether an order that comes in may meet one that is hidden, trigger one that waits or a restriction of short
    /// sales, be shared out, or be kept from a price.
    pub fn asks_for_care(&self) -> bool {
        self.has_unseen()
            || self.shares_out()
            || self.short_sales.trigger_price != 0
            || self.guard.is_some()
            || self.followed > 0
            || self.has_quotes
    }

    /// Shares trades out by other steps; nobody is the top order any more.
    pub fn set_allocation(&mut self, allocation: Allocation) {
        self.allocation = allocation;
        self.tops = [0; 2];
        self.note_care();
    }

    /// Sees, just before an order comes to rest, whether it betters the price of what is shown on its side.
    ///
    /// The order that did so before loses its rank, also where this one is smaller than the minimum and gets none.
    pub fn note_top(&mut self, order: &Order) {
        let top = self.allocation.steps.iter().find(|step| step.kind == TOP);
        let minimum = top.map_or(0, |step| step.minimum);
        let side = self.book.own_side(order.kind.side);
        if side.best_rank().is_none_or(|best| side.rank(order.price) > best) {
            let has_rank = order.leaves - order.reserve >= minimum;
            self.tops[top_place(order.kind.side)] = if has_rank { order.order_id } else { 0 };
        } else {
            self.lose_top(order.kind.side, order.order_id);
        }
    }

    /// Takes its rank from an order that has lost its place.
    pub fn lose_top(&mut self, side: u8, order_id: u64) {
        let top = &mut self.tops[top_place(side)];
        if *top == order_id {
            *top = 0;
        }
    }

    /// The rank, on the opposite side, of the worst price at which a market order trades.
    pub fn protective_rank(&mut self, side: u8) -> u32 {
        match self.protective_price(side) {
            0 => WORST_RANK,
            price => self.book.opposite_side(side).rank(price),
        }
    }

    /// The worst price at which a market order may trade, 0 for any.
    pub fn protective_price(&self, side: u8) -> u32 {
        if self.protection_bps == 0 {
            return 0;
        }
        let reference = self.reference.price;
        let band = (u64::from(reference) * u64::from(self.protection_bps) / BASIS_POINTS) as u32;
        if side == BUY {
            reference + band
        } else {
            (reference - band).max(1)
        }
    }
}

/// Where the top order of a side stands.
pub fn top_place(side: u8) -> usize {
    usize::from(side != BUY)
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
