//! The resting orders: slabs of orders and price levels, queues as intrusive lists, sides as sorted levels.
//!
//! An order fills one cache line and names its level and its neighbours in the queue by their slots, so that a cancel
//! searches nothing. A side keeps its levels sorted with the best one last, where nearly everything happens. Slots are
//! used again, so a steady market allocates nothing.

use std::collections::{BTreeSet, HashMap};

use exchange_wire::events::Kind;
use exchange_wire::terms::Terms;
use exchange_wire::{ClientOrderId, NO_CLIENT_ORDER_ID};

use crate::order_checks::{DAY, GOOD_TILL_CANCELLED, IMMEDIATE_OR_CANCEL, LIMIT, MARKET};
use crate::order_index::{OrderIndex, NONE};

pub const BUY: u8 = 1;
pub const SELL: u8 = 2;
/// Bits of an order's flags.
pub const POST_ONLY: u8 = 1;
pub const REPRICE: u8 = 2;
pub const ALL_OR_NONE: u8 = 4;
pub const HIDDEN: u8 = 8;
pub const SHORT: u8 = 16;
pub const SHORT_EXEMPT: u8 = 32;
pub const LOCATED: u8 = 64;
pub const DO_NOT_REDUCE: u8 = 128;
/// Bits of an order's marks, which no member sets: it is in an order list, and what becomes of it matters to the
/// others there.
pub const LINKED: u8 = 1;
/// It is one side of a market maker's quote.
pub const QUOTED: u8 = 2;
/// Its price follows the best prices that are shown.
pub const PEGGED: u8 = 4;
/// The marks of orders whose trades and end are noted, for others depend on them.
pub const NOTED: u8 = LINKED | QUOTED;
/// The low bits of a public id are a sequence, the top eight the partition.
pub const SEQUENCE_BITS: u32 = 56;
/// The rank of the worst price there could be.
pub const WORST_RANK: u32 = 0;

/// Orders that are touched in one go.
pub const TOUCHED_MAX: usize = 16;

/// An order as it stands in the book. quantity: whole, filled part included; leaves: what is unfilled.
///
/// reserve: the part of `leaves` that is not shown yet; asked_minimum: how much at least must trade at once, if so much
/// is left; marks: what the market follows of it.
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
    pub reserve: u32,
    pub asked_minimum: u32,
    pub(crate) level: u32,
    pub(crate) previous: u32,
    pub(crate) next: u32,
    pub kind: Kind,
    pub marks: u8,
    pub has_client_order_id: bool,
    pub has_terms: bool,
    /// It takes the way of those that need care; see `is_special`.
    pub(crate) is_special: bool,
}

impl Order {
    fn neighbours(&self) -> (u32, u32) {
        (self.previous, self.next)
    }

    pub fn filled(&self) -> u32 {
        self.quantity - self.leaves
    }

    /// How much at least must trade at once: never more than what is left, 0 for anything.
    #[inline(always)]
    pub fn minimum(&self) -> u32 {
        self.asked_minimum.min(self.leaves)
    }
}

/// Whether more than price, quantity and time in force makes a difference to such an order, or it must fill whole.
#[inline(always)]
pub fn is_special(kind: Kind, has_terms: bool) -> bool {
    let Kind { order_type, time_in_force, flags, .. } = kind;
    let is_usual = matches!(order_type, MARKET | LIMIT)
        && matches!(time_in_force, DAY | GOOD_TILL_CANCELLED | IMMEDIATE_OR_CANCEL);
    has_terms || flags & !POST_ONLY != 0 || !is_usual
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

/// The orders at one price, oldest first: the sum of what stands in the queue, and of the reserves.
#[derive(Clone, Copy)]
struct Queue {
    quantity: u64,
    reserve: u64,
    price: u32,
    head: u32,
    tail: u32,
    orders: u32,
}

/// Places in a side's table of levels by price. A prime, so that prices on any tick spread over all of them.
const NEAR_LEVELS: u32 = 509;
/// Levels that a side has had before it gets that table: to search fewer costs less than to load one more line.
const NEAR_FROM_LEVELS: usize = 128;

/// All bids or all asks of a symbol, those that are shown or those that are hidden; or what waits on a side.
///
/// A price's rank rises as the price gets better, of what waits as it gets nearer.
#[derive(Default)]
pub struct BookSide {
    is_ask: bool,
    ranks: Vec<u32>,
    queues: Vec<u32>,
    /// The level last looked for of those that share a place, `NONE` for none; empty while there are few levels.
    near: Vec<u32>,
}

impl BookSide {
    /// A side on which the lowest price is the best.
    pub fn lowest_first() -> Self {
        Self { is_ask: true, ..Self::default() }
    }

    /// The slot of the order that stands first, with its queue's price.
    pub fn first(&self, orders: &Orders) -> Option<(u32, u32)> {
        let queue = &orders.queues[*self.queues.last()? as usize];
        Some((queue.head, queue.price))
    }

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

    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
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

/// The sides of one symbol: what is shown, and what is hidden.
pub struct OrderBook {
    pub bids: BookSide,
    pub asks: BookSide,
    pub hidden_bids: BookSide,
    pub hidden_asks: BookSide,
}

impl Default for OrderBook {
    fn default() -> Self {
        let (bids, hidden_bids) = (BookSide::default(), BookSide::default());
        let (asks, hidden_asks) = (BookSide::lowest_first(), BookSide::lowest_first());
        Self { bids, asks, hidden_bids, hidden_asks }
    }
}

impl OrderBook {
    /// The side on which an order of this kind rests.
    #[inline(always)]
    pub fn home(&mut self, kind: Kind) -> &mut BookSide {
        match (kind.flags & HIDDEN != 0, kind.side == BUY) {
            (false, true) => &mut self.bids,
            (false, false) => &mut self.asks,
            (true, true) => &mut self.hidden_bids,
            (true, false) => &mut self.hidden_asks,
        }
    }

    /// The side on which what is shown of an order of this side rests.
    #[inline(always)]
    pub fn own_side(&mut self, side: u8) -> &mut BookSide {
        if side == BUY {
            &mut self.bids
        } else {
            &mut self.asks
        }
    }

    /// What is shown and what is hidden on the side with which an order of this side trades.
    #[inline(always)]
    pub fn opposite_sides(&self, side: u8) -> (&BookSide, &BookSide) {
        if side == BUY {
            (&self.asks, &self.hidden_asks)
        } else {
            (&self.bids, &self.hidden_bids)
        }
    }

    /// The highest price at which anybody sells, shown or hidden; 0 where nobody does.
    pub fn highest_ask(&self) -> u32 {
        let sides = [&self.asks, &self.hidden_asks];
        sides.iter().filter_map(|side| side.ranks.first().map(|&rank| side.rank(rank))).max().unwrap_or(0)
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

/// What an incoming order meets: one it trades with, an own one that is cancelled, an own one behind which it does not
/// come, an own one that ends it before its level.
pub enum Meets {
    Another,
    OwnThatGoes,
    OwnThatEnds,
    OwnThatEndsAll,
}

/// What of a resting order a trade took.
pub struct Fill {
    pub slot: u32,
    /// What was shown is used up, and there is more.
    pub is_used_up: bool,
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
    /// Of the resting orders that have special terms.
    terms: HashMap<u64, Terms>,
    /// (expires_ns, order id) of those that end by themselves.
    expiries: BTreeSet<(u64, u64)>,
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
            terms: HashMap::new(),
            expiries: BTreeSet::new(),
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

    /// Puts an order last in the queue at its price; gives its slot.
    #[inline(always)]
    pub fn rest(&mut self, side: &mut BookSide, order: Order, client_order_id: &ClientOrderId) -> u32 {
        self.rest_at(side, order.price, order, client_order_id)
    }

    /// Puts an order last in the queue at a price that need not be its own; gives its slot.
    #[inline(always)]
    pub fn rest_at(
        &mut self,
        side: &mut BookSide,
        price: u32,
        mut order: Order,
        client_order_id: &ClientOrderId,
    ) -> u32 {
        let queue_slot = self.queue_at(side, price);
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
        queue.quantity += u64::from(order.leaves - order.reserve);
        queue.reserve += u64::from(order.reserve);
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
        slot
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
        queue.quantity -= u64::from(order.leaves - order.reserve);
        if order.reserve != 0 {
            queue.reserve -= u64::from(order.reserve);
        }
        if queue.orders == 0 {
            side.remove(side.rank(queue.price));
            self.free_queues.push(order.level);
        }
        self.free_slots.push(slot);
        self.index.remove(sequence_of(order.order_id));
        if order.has_terms {
            self.forget_terms(order.order_id);
        }
        order
    }

    /// Gives an order less whole quantity, the reserve first; it keeps its place, and something is left of it.
    pub fn reduce(&mut self, slot: u32, quantity: u32, leaves: u32) {
        let order = &mut self.slots[slot as usize];
        let queue = &mut self.queues[order.level as usize];
        let less = order.leaves - leaves;
        let of_reserve = less.min(order.reserve);
        queue.reserve -= u64::from(of_reserve);
        queue.quantity -= u64::from(less - of_reserve);
        (order.quantity, order.leaves) = (quantity, leaves);
        order.reserve -= of_reserve;
    }

    /// Marks a resting order, which then takes the way of those that need care.
    #[cold]
    pub fn mark(&mut self, slot: u32, mark: u8) {
        let order = &mut self.slots[slot as usize];
        (order.marks, order.is_special) = (mark, true);
    }

    // --- special terms -------------------------------------------------------------------------------

    /// The special terms of a resting order; those of another ask for nothing.
    pub fn terms(&self, order: &Order) -> Terms {
        if order.has_terms {
            self.terms[&order.order_id]
        } else {
            Terms::default()
        }
    }

    /// All special terms by order id.
    pub fn sorted_terms(&self) -> Vec<(u64, &Terms)> {
        let mut sorted: Vec<_> = self.terms.iter().map(|(&order_id, terms)| (order_id, terms)).collect();
        sorted.sort_unstable_by_key(|&(order_id, _)| order_id);
        sorted
    }

    /// Keeps the special terms of a resting order.
    #[cold]
    pub fn keep_terms(&mut self, slot: u32, terms: Terms) {
        let order = &mut self.slots[slot as usize];
        (order.has_terms, order.is_special) = (true, true);
        if terms.minimum_quantity != 0 {
            order.asked_minimum = terms.minimum_quantity;
        }
        if terms.expires_ns != 0 {
            self.expiries.insert((terms.expires_ns, order.order_id));
        }
        self.terms.insert(order.order_id, terms);
    }

    #[cold]
    fn forget_terms(&mut self, order_id: u64) {
        let terms = self.terms.remove(&order_id).expect("the terms of a resting order are kept");
        self.expiries.remove(&(terms.expires_ns, order_id));
    }

    /// When the next order ends and which; of one moment the oldest.
    pub fn next_expiry(&self) -> Option<(u64, u64)> {
        self.expiries.first().copied()
    }

    /// Puts the next part of an order, whose shown part is used up, last in its queue; gives the order.
    #[cold]
    pub fn refresh(&mut self, slot: u32) -> &Order {
        let Order { order_id, level, previous, next, reserve, .. } = self.slots[slot as usize];
        let shown = self.terms[&order_id].display_quantity.min(reserve);
        let queue = &mut self.queues[level as usize];
        queue.quantity += u64::from(shown);
        queue.reserve -= u64::from(shown);
        if next != NONE {
            let tail = queue.tail;
            queue.tail = slot;
            if previous == NONE {
                queue.head = next;
            } else {
                self.slots[previous as usize].next = next;
            }
            self.slots[next as usize].previous = previous;
            self.slots[tail as usize].next = slot;
            let order = &mut self.slots[slot as usize];
            (order.previous, order.next) = (tail, NONE);
        }
        let order = &mut self.slots[slot as usize];
        order.reserve -= shown;
        order
    }

    // --- trade ---------------------------------------------------------------------------------------

    /// The price of who trades first with an order of this side that has so much left.
    #[inline(always)]
    pub fn best_willing_price(&self, book: &OrderBook, side: u8, quantity: u32) -> Option<u32> {
        let (shown, hidden) = book.opposite_sides(side);
        if hidden.is_empty() {
            return shown.best_rank().map(|rank| shown.rank(rank));
        }
        self.willing(shown, hidden, quantity).map(|slot| self.at(slot).price)
    }

    /// Who trades first with an order that has so much left, whatever its limit.
    ///
    /// At one price what is shown comes before what is hidden. A hidden order with a minimum above the quantity is
    /// passed over.
    pub fn willing(&self, shown: &BookSide, hidden: &BookSide, quantity: u32) -> Option<u32> {
        let best = shown.best_rank();
        for slot in self.in_sequence(hidden) {
            let order = self.at(slot);
            if best.is_some_and(|best| best >= hidden.rank(order.price)) {
                break;
            }
            if order.minimum() <= quantity {
                return Some(slot);
            }
        }
        shown.queues.last().map(|&queue| self.queues[queue as usize].head)
    }

    /// Fills the order that stands first at the best price, with at most the quantity wanted.
    #[inline(always)]
    pub fn fill_best(&mut self, side: &mut BookSide, wanted: u32) -> Fill {
        let queue_slot = *side.queues.last().expect("an order rests at the best price");
        let slot = self.queues[queue_slot as usize].head;
        self.fill(side, slot, wanted)
    }

    /// Fills an order with at most the quantity wanted, and no more than stands in its queue.
    #[inline(always)]
    pub fn fill(&mut self, side: &mut BookSide, slot: u32, wanted: u32) -> Fill {
        let order = &mut self.slots[slot as usize];
        let (order_id, account_id, price) = (order.order_id, order.account_id, order.price);
        let quantity = wanted.min(order.leaves - order.reserve);
        let leaves = order.leaves - quantity;
        let is_used_up = leaves != 0 && leaves == order.reserve;
        if leaves == 0 {
            self.take(side, slot);
        } else {
            order.leaves = leaves;
            self.queues[order.level as usize].quantity -= u64::from(quantity);
        }
        Fill { slot, is_used_up, order_id, account_id, price, leaves, quantity }
    }

    /// Takes so much from what an order has in its queue; it stays there, even with nothing left.
    pub fn fill_some(&mut self, slot: u32, quantity: u32) {
        let order = &mut self.slots[slot as usize];
        order.leaves -= quantity;
        self.queues[order.level as usize].quantity -= u64::from(quantity);
    }

    /// The price levels of a side with all that rests there, reserves too, best first.
    pub fn whole_levels<'a>(&'a self, side: &'a BookSide) -> impl Iterator<Item = (u32, u64)> + 'a {
        let queues = side.queues.iter().rev().map(|&slot| &self.queues[slot as usize]);
        queues.map(|queue| (queue.price, queue.quantity + queue.reserve))
    }

    /// How much an order would trade at this rank or better, counting no further than what is wanted.
    pub fn available(&self, sides: (&BookSide, &BookSide), rank: u32, leaves: u32, wanted: u32) -> u64 {
        let (shown, hidden) = sides;
        let mut levels = shown.ranks.iter().zip(&shown.queues).rev().peekable();
        let mut unseen = hidden.ranks.iter().zip(&hidden.queues).rev().peekable();
        let mut total = 0;
        while total < u64::from(wanted) {
            let best_shown = levels.peek().map(|level| *level.0);
            let best_hidden = unseen.peek().map(|level| *level.0);
            if best_shown.max(best_hidden).is_none_or(|best| best < rank) {
                break;
            }
            if best_shown >= best_hidden {
                let queue = levels.next().map(|level| &self.queues[*level.1 as usize]);
                total += queue.map_or(0, |queue| queue.quantity + queue.reserve);
            } else if let Some((_, &queue)) = unseen.next() {
                for slot in self.queue(&self.queues[queue as usize]) {
                    let order = self.at(slot);
                    if u64::from(order.minimum()) + total <= u64::from(leaves) {
                        total += u64::from(order.leaves);
                    }
                }
            }
        }
        total
    }

    /// What `available` gives, where own orders are in the way; quantities: (what is left, what is wanted).
    pub fn available_until_own(
        &self,
        (shown, hidden): (&BookSide, &BookSide),
        rank: u32,
        (leaves, wanted): (u32, u32),
        meets: impl Fn(&Order) -> Meets,
    ) -> u64 {
        let first = shown.ranks.iter().zip(&shown.queues).map(|(&rank, &queue)| (rank, 1, queue));
        let then = hidden.ranks.iter().zip(&hidden.queues).map(|(&rank, &queue)| (rank, 0, queue));
        let mut levels: Vec<(u32, u8, u32)> = first.chain(then).collect();
        levels.sort_unstable_by(|one, other| other.cmp(one));
        let mut total = 0;
        for (at, _, queue) in levels {
            if total >= u64::from(wanted) || at < rank {
                break;
            }
            let (mut reserves, before) = (0, total);
            for slot in self.queue(&self.queues[queue as usize]) {
                let order = self.at(slot);
                if u64::from(order.minimum()) > u64::from(leaves).saturating_sub(total) {
                    continue;
                }
                match meets(order) {
                    Meets::Another => {
                        total += u64::from(order.leaves);
                        reserves += u64::from(order.reserve);
                    }
                    Meets::OwnThatGoes => {}
                    Meets::OwnThatEnds => return total - reserves,
                    Meets::OwnThatEndsAll => return before,
                }
            }
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

    /// The slots of the orders at the best price of a side, oldest first.
    pub fn best_queue(&self, side: &BookSide) -> Vec<u32> {
        let best = side.queues.last().map(|&slot| &self.queues[slot as usize]);
        best.map_or_else(Vec::new, |queue| self.queue(queue).collect())
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
            quantity_ahead: place.quantity_ahead + u64::from(self.at(other).leaves - self.at(other).reserve),
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
        let queue = Queue { quantity: 0, reserve: 0, price, head: NONE, tail: NONE, orders: 0 };
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
        assert_eq!(orders.available((&book.bids, &book.hidden_bids), 10, 99, 99), 10);
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
