//! What rests, order by order, as far as it is told of: `market_data/book_builder.py` without its price levels.
//!
//! The queue of a price is known by when each order came to it; it is put in order only where a day begins.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

pub const BUY: u8 = 1;

/// One order. leaves: the shares that stand in the queue; display, reserve: of an iceberg; place: when it came to
/// its queue; rests: whether what is left of it may rest; reference: what messages call it; is_told_gone: whether
/// a message said that this reference is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub order_id: u64,
    pub reference: u64,
    pub place: u64,
    pub symbol_id: u32,
    pub price: u32,
    pub leaves: u32,
    pub reserve: u32,
    pub display: u32,
    pub side: u8,
    pub is_hidden: bool,
    pub rests: bool,
    pub is_told_gone: bool,
}

/// Spreads ids that count up; they come from the engine, nobody chooses them.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only ids are hashed");
    }

    #[inline(always)]
    fn write_u64(&mut self, id: u64) {
        let spread = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }
}

pub type ById<T> = HashMap<u64, T, BuildHasherDefault<IdHasher>>;

/// All orders by their id, and the sequence of each book that ever had one.
#[derive(Default)]
pub struct Books {
    pub orders: ById<Order>,
    pub sequences: BTreeMap<u32, u64>,
    changed: Vec<u32>,
    places: u64,
}

impl Books {
    /// Lets an order rest, last in its queue.
    pub fn add(&mut self, mut order: Order) {
        self.places += 1;
        order.place = self.places;
        if !order.is_hidden {
            self.touch(order.symbol_id);
        }
        self.orders.insert(order.order_id, order);
    }

    /// The book of a symbol is another than before.
    #[inline(always)]
    pub fn touch(&mut self, symbol_id: u32) {
        if self.changed.last() != Some(&symbol_id) {
            self.changed.push(symbol_id);
        }
    }

    /// The command is over whose last event has this sequence.
    #[inline(always)]
    pub fn end_command(&mut self, sequence: u64) {
        while let Some(symbol_id) = self.changed.pop() {
            self.sequences.insert(symbol_id, sequence);
        }
    }

    /// Nothing was changed yet.
    pub fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// What the public sees: by symbol, bids before offers, best price first, oldest first.
    pub fn shown(&self) -> Vec<Order> {
        let mut shown: Vec<Order> = self.orders.values().filter(|order| !order.is_hidden).copied().collect();
        shown.sort_unstable_by_key(|order| {
            let is_offer = order.side != BUY;
            let price = if is_offer { order.price } else { !order.price };
            (order.symbol_id, is_offer, price, order.place)
        });
        shown
    }

    /// What it does not see, by order id.
    pub fn hidden(&self) -> Vec<Order> {
        let mut hidden: Vec<Order> = self.orders.values().filter(|order| order.is_hidden).copied().collect();
        hidden.sort_unstable_by_key(|order| order.order_id);
        hidden
    }
}
