//! The resting orders: slabs of orders and price levels, queues as intrusive lists, sides as sorted levels.
//!
//! An order fills one cache line and names its level and its neighbours in the queue by their slots, so that a cancel
//! searches nothing. A side keeps its levels sorted with the best one last, where nearly everything happens. Slots are
//! used again, so a steady market allocates nothing.

use exchange_wire::events::Kind;
use exchange_wire::{ClientOrderId, NO_CLIENT_ORDER_ID};

use crate::order_index::{OrderIndex, NONE};

pub const BUY: u8 = 1;
pub const SELL: u8 = 2;
/// The low bits of a public id are a sequence, the top eight the partition.
pub const SEQUENCE_BITS: u32 = 56;
/// The rank of the worst price there could be.
pub const WORST_RANK: u32 = 0;

/// Orders that are touched in one go.
pub const TOUCHED_MAX: usize = 16;

/// An order as it stands in the book. quantity: whole, filled part included; leaves: what is unfilled.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub struct Order {
    pub order_id: u64,
    pub entered_ns: u64,
    pub account_id: u32,
    pub symbol_id: u32,
    pub price: u32,
    pub quantity: u32,
    pub leaves: u32,
    pub(crate) level: u32,
    pub(crate) previous: u32,
    pub(crate) next: u32,
    pub kind: Kind,
    pub has_client_order_id: bool,
}

impl Order {
    fn neighbours(&self) -> (u32, u32) {
        (self.previous, self.next)
    }

    pub fn filled(&self) -> u32 {
        self.quantity - self.leaves
    }
}

/// A price with the sum of what rests there and the number of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub price: u32,
    pub quantity: u64,
    pub orders: u32,
}

/// Where an order stands at its price: what stands ahead of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePlace {
    pub orders_ahead: u64,
    pub quantity_ahead: u64,
}

/// The orders at one price, oldest first.
#[derive(Clone, Copy)]
struct Queue {
    quantity: u64,
    price: u32,
    head: u32,
    tail: u32,
    orders: u32,
}

/// Places in a side's table of levels by price. A prime, so that prices on any tick spread over all of them.
const NEAR_LEVELS: u32 = 509;
/// Levels that a side has had before it gets that table: to search fewer costs less than to load one more line.
const NEAR_FROM_LEVELS: usize = 128;

/// All bids or all asks of a symbol. A price's rank rises as the price gets better.
#[derive(Default)]
pub struct BookSide {
    is_ask: bool,
    ranks: Vec<u32>,
    queues: Vec<u32>,
    /// The level last looked for of those that share a place, `NONE` for none; empty while there are few levels.
    near: Vec<u32>,
}

impl BookSide {
    #[inline(always)]
    pub fn rank(&self, price: u32) -> u32 {
        if self.is_ask {
            !price
        } else {
            price
        }
    }

    /// The rank of the best price, if anything rests.
    #[inline(always)]
    pub fn best_rank(&self) -> Option<u32> {
        self.ranks.last().copied()
    }

    pub fn best_price(&self) -> Option<u32> {
        self.best_rank().map(|rank| self.rank(rank))
    }

    /// Where a rank stands or would stand, looked for from the best price on in steps that double.
    #[inline(always)]
    fn find(&self, rank: u32) -> Result<usize, usize> {
        let ranks = &self.ranks[..];
        let mut high = ranks.len();
        let mut step = 4;
        while high > 0 {
            let low = high.saturating_sub(step);
            if ranks[low] <= rank {
                return match ranks[low..high].binary_search(&rank) {
                    Ok(place) => Ok(low + place),
                    Err(place) => Err(low + place),
                };
            }
            high = low;
            step *= 2;
        }
        Err(0)
    }

    #[inline(always)]
    fn remove(&mut self, rank: u32) {
        let place = self.find(rank).expect("a level of the book stands in its side");
        self.ranks.remove(place);
        let slot = self.queues.remove(place);
        if let Some(near) = self.near.get_mut(near_place(rank)) {
            if *near == slot {
                *near = NONE;
            }
        }
    }
}

#[inline(always)]
fn near_place(rank: u32) -> usize {
    (rank % NEAR_LEVELS) as usize
}

/// The two sides of one symbol.
pub struct OrderBook {
    pub bids: BookSide,
    pub asks: BookSide,
}

impl Default for OrderBook {
    fn default() -> Self {
        Self { bids: BookSide::default(), asks: BookSide { is_ask: true, ..BookSide::default() } }
    }
}

impl OrderBook {
    #[inline(always)]
    pub fn own_side(&mut self, side: u8) -> &mut BookSide {
        if side == BUY {
            &mut self.bids
        } else {
            &mut self.asks
        }
    }

    #[inline(always)]
    pub fn opposite_side(&mut self, side: u8) -> &mut BookSide {
        if side == BUY {
            &mut self.asks
        } else {
            &mut self.bids
        }
    }
}

/// What of a resting order a trade took.
pub struct Fill {
    pub order_id: u64,
    pub account_id: u32,
    pub price: u32,
    pub leaves: u32,
    pub quantity: u32,
}

/// The orders and price levels of all books.
pub struct Orders {
    partition: u64,
    slots: Vec<Order>,
    /// By slot, valid where the order has one.
    client_order_ids: Vec<ClientOrderId>,
    free_slots: Vec<u32>,
    queues: Vec<Queue>,
    free_queues: Vec<u32>,
    index: OrderIndex,
}

impl Orders {
    pub fn new(partition: u8) -> Self {
        Self {
            partition: partition.into(),
            slots: Vec::new(),
            client_order_ids: Vec::new(),
            free_slots: Vec::new(),
            queues: Vec::new(),
            free_queues: Vec::new(),
            index: OrderIndex::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The slot of a live order.
    #[inline(always)]
    pub fn find(&self, order_id: u64) -> Option<u32> {
        if order_id >> SEQUENCE_BITS != self.partition {
            return None;
        }
        self.index.get(sequence_of(order_id))
    }

    #[inline(always)]
    pub fn at(&self, slot: u32) -> &Order {
        &self.slots[slot as usize]
    }

    /// Loads what will be needed of orders, all at once rather than one after the other; the number means nothing.
    /// At least one order must have been there.
    #[inline(always)]
    pub fn touch(&self, order_ids: &[u64]) -> u32 {
        let mut touched = [(NONE, NONE); TOUCHED_MAX];
        for (neighbours, &order_id) in touched.iter_mut().zip(order_ids) {
            let slot = self.find(order_id).unwrap_or(NONE);
            *neighbours = self.slots.get(slot as usize).map_or((NONE, NONE), Order::neighbours);
        }
        let last = self.slots.len() as u32 - 1;
        let leaves = |slot: u32| self.slots[slot.min(last) as usize].leaves;
        let known = &touched[..order_ids.len().min(TOUCHED_MAX)];
        known.iter().fold(0, |sum, &(previous, next)| sum ^ leaves(previous) ^ leaves(next))
    }

    pub fn client_order_id(&self, slot: u32) -> &ClientOrderId {
        if self.at(slot).has_client_order_id {
            &self.client_order_ids[slot as usize]
        } else {
            &NO_CLIENT_ORDER_ID
        }
    }

    /// The slots of all live orders in the sequence of their entry.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.index.slots()
    }

    /// Puts an order last in the queue at its price.
    #[inline(always)]
    pub fn rest(&mut self, side: &mut BookSide, mut order: Order, client_order_id: &ClientOrderId) {
        let queue_slot = self.queue_at(side, order.price);
        let slot = self.free_slots.pop().unwrap_or(self.slots.len() as u32);
        let queue = &mut self.queues[queue_slot as usize];
        order.level = queue_slot;
        order.previous = queue.tail;
        order.next = NONE;
        if queue.tail == NONE {
            queue.head = slot;
        } else {
            self.slots[queue.tail as usize].next = slot;
        }
        queue.tail = slot;
        queue.orders += 1;
        queue.quantity += u64::from(order.leaves);
        if slot as usize == self.slots.len() {
            self.slots.push(order);
            self.client_order_ids.push(NO_CLIENT_ORDER_ID);
        } else {
            self.slots[slot as usize] = order;
        }
        if order.has_client_order_id {
            self.client_order_ids[slot as usize] = *client_order_id;
        }
        self.index.insert(sequence_of(order.order_id), slot);
    }

    /// Takes an order out of its queue; gives it as it was.
    #[inline(always)]
    pub fn take(&mut self, side: &mut BookSide, slot: u32) -> Order {
        let order = self.slots[slot as usize];
        let queue = &mut self.queues[order.level as usize];
        if order.previous == NONE {
            queue.head = order.next;
        } else {
            self.slots[order.previous as usize].next = order.next;
        }
        if order.next == NONE {
            queue.tail = order.previous;
        } else {
            self.slots[order.next as usize].previous = order.previous;
        }
        queue.orders -= 1;
        queue.quantity -= u64::from(order.leaves);
        if queue.orders == 0 {
            side.remove(side.rank(order.price));
            self.free_queues.push(order.level);
        }
        self.free_slots.push(slot);
        self.index.remove(sequence_of(order.order_id));
        order
    }

    /// Gives an order less whole quantity; it keeps its place, and something is left of it.
    pub fn reduce(&mut self, slot: u32, quantity: u32, leaves: u32) {
        let order = &mut self.slots[slot as usize];
        self.queues[order.level as usize].quantity -= u64::from(order.leaves - leaves);
        (order.quantity, order.leaves) = (quantity, leaves);
    }

    /// Fills the order that stands first at the best price, with at most the quantity wanted.
    #[inline(always)]
    pub fn fill_best(&mut self, side: &mut BookSide, wanted: u32) -> Fill {
        let queue_slot = *side.queues.last().expect("an order rests at the best price");
        let queue = &mut self.queues[queue_slot as usize];
        let slot = queue.head;
        let order = &mut self.slots[slot as usize];
        let (order_id, account_id, price) = (order.order_id, order.account_id, order.price);
        let quantity = wanted.min(order.leaves);
        let leaves = order.leaves - quantity;
        if leaves == 0 {
            self.take(side, slot);
        } else {
            order.leaves = leaves;
            queue.quantity -= u64::from(quantity);
        }
        Fill { order_id, account_id, price, leaves, quantity }
    }

    /// The sum of what rests at this rank or better, counting no further than what is wanted.
    pub fn quantity_down_to(&self, side: &BookSide, rank: u32, wanted: u64) -> u64 {
        let mut total = 0;
        for (&at, &queue) in side.ranks.iter().zip(&side.queues).rev() {
            if total >= wanted || at < rank {
                break;
            }
            total += self.queues[queue as usize].quantity;
        }
        total
    }

    /// The best price levels of a side, best first.
    pub fn depth(&self, side: &BookSide, levels: usize) -> Vec<Level> {
        let queues = side.queues.iter().rev().take(levels).map(|&slot| &self.queues[slot as usize]);
        queues
            .map(|queue| Level { price: queue.price, quantity: queue.quantity, orders: queue.orders })
            .collect()
    }

    /// The slots of a side's orders in the sequence in which they would trade.
    pub fn in_sequence<'a>(&'a self, side: &'a BookSide) -> impl Iterator<Item = u32> + 'a {
        side.queues.iter().rev().flat_map(|&slot| self.queue(&self.queues[slot as usize]))
    }

    /// Counts what stands ahead of a resting order at its price.
    pub fn place_in_queue(&self, slot: u32) -> QueuePlace {
        let queue = &self.queues[self.at(slot).level as usize];
        let ahead = self.queue(queue).take_while(|&other| other != slot);
        ahead.fold(QueuePlace { orders_ahead: 0, quantity_ahead: 0 }, |place, other| QueuePlace {
            orders_ahead: place.orders_ahead + 1,
            quantity_ahead: place.quantity_ahead + u64::from(self.at(other).leaves),
        })
    }

    fn queue<'a>(&'a self, queue: &'a Queue) -> impl Iterator<Item = u32> + 'a {
        let first = (queue.head != NONE).then_some(queue.head);
        std::iter::successors(first, |&slot| {
            let next = self.at(slot).next;
            (next != NONE).then_some(next)
        })
    }

    /// The queue at a price, made where there is none.
    #[inline(always)]
    fn queue_at(&mut self, side: &mut BookSide, price: u32) -> u32 {
        let rank = side.rank(price);
        if let Some(&slot) = side.near.get(near_place(rank)) {
            if self.queues.get(slot as usize).is_some_and(|queue| queue.price == price) {
                return slot;
            }
        }
        self.look_for_queue_at(side, rank, price)
    }

    #[inline(never)]
    fn look_for_queue_at(&mut self, side: &mut BookSide, rank: u32, price: u32) -> u32 {
        let slot = match side.find(rank) {
            Ok(place) => side.queues[place],
            Err(place) => {
                let slot = self.new_queue(price);
                side.ranks.insert(place, rank);
                side.queues.insert(place, slot);
                slot
            }
        };
        if side.near.is_empty() && side.ranks.len() >= NEAR_FROM_LEVELS {
            side.near.resize(NEAR_LEVELS as usize, NONE);
        }
        if let Some(near) = side.near.get_mut(near_place(rank)) {
            *near = slot;
        }
        slot
    }

    fn new_queue(&mut self, price: u32) -> u32 {
        let queue = Queue { quantity: 0, price, head: NONE, tail: NONE, orders: 0 };
        match self.free_queues.pop() {
            Some(slot) => {
                self.queues[slot as usize] = queue;
                slot
            }
            None => {
                self.queues.push(queue);
                (self.queues.len() - 1) as u32
            }
        }
    }
}

/// The sequence inside a public id.
#[inline(always)]
pub fn sequence_of(public_id: u64) -> u64 {
    public_id & ((1 << SEQUENCE_BITS) - 1)
}

/// The id that outsiders see.
#[inline(always)]
pub fn public_id(partition: u8, sequence: u64) -> u64 {
    u64::from(partition) << SEQUENCE_BITS | sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(order_id: u64, price: u32, leaves: u32) -> Order {
        Order { order_id, price, quantity: leaves, leaves, ..Order::default() }
    }

    fn ids(orders: &Orders, side: &BookSide) -> Vec<u64> {
        orders.in_sequence(side).map(|slot| orders.at(slot).order_id).collect()
    }

    #[test]
    fn orders_stand_by_price_and_then_by_time() {
        let (mut orders, mut book) = (Orders::new(0), OrderBook::default());
        for (id, price) in [(1, 10), (2, 12), (3, 11), (4, 12)] {
            orders.rest(&mut book.bids, order(id, price, 5), &NO_CLIENT_ORDER_ID);
            orders.rest(&mut book.asks, order(id + 4, price, 5), &NO_CLIENT_ORDER_ID);
        }
        assert_eq!(ids(&orders, &book.bids), [2, 4, 3, 1]);
        assert_eq!(ids(&orders, &book.asks), [5, 7, 6, 8]);
        let fill = orders.fill_best(&mut book.bids, 5);
        assert_eq!((fill.order_id, fill.leaves, fill.quantity), (2, 0, 5));
        let slot = orders.find(4).unwrap();
        orders.take(&mut book.bids, slot);
        assert_eq!(orders.depth(&book.bids, 1), [Level { price: 11, quantity: 5, orders: 1 }]);
        assert_eq!(orders.quantity_down_to(&book.bids, 10, 99), 10);
    }

    #[test]
    fn a_sorted_side_finds_every_rank_from_the_best_on() {
        let (mut orders, mut book) = (Orders::new(0), OrderBook::default());
        for n in 0..200_u32 {
            let price = (n * 7_919) % 1_000 + 1;
            orders.rest(&mut book.asks, order(u64::from(n) + 1, price, 1), &NO_CLIENT_ORDER_ID);
        }
        assert!(book.asks.ranks.is_sorted());
        for (place, &rank) in book.asks.ranks.iter().enumerate() {
            assert_eq!(book.asks.find(rank), Ok(place));
        }
    }

    #[test]
    fn an_order_fills_one_cache_line() {
        assert_eq!(std::mem::size_of::<Order>(), 64);
    }
}
