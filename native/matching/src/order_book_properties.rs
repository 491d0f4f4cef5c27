//! The slab, the queues and the price levels against a list that is searched: the same orders in the same sequence.

use proptest::prelude::*;

use crate::order_book::{Order, OrderBook, Orders, BUY, SELL};
use exchange_wire::events::Kind;
use exchange_wire::NO_CLIENT_ORDER_ID;

/// What is done to both. place: which of the live orders, counted around.
#[derive(Clone, Debug)]
enum Step {
    Rest { is_buy: bool, price: u32, quantity: u32 },
    Take { place: usize },
    Reduce { place: usize },
    Fill { is_buy: bool, quantity: u32 },
}

#[derive(Clone, Copy)]
struct Listed {
    order_id: u64,
    is_buy: bool,
    price: u32,
    leaves: u32,
}

/// Few prices, so that queues form, and far ones that share a place in the table of levels.
fn price() -> impl Strategy<Value = u32> {
    prop_oneof![1..30_u32, (1..9_u32).prop_map(|n| n * 509), 1..2_000_000_000_u32]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), price(), 1..9_u32)
            .prop_map(|(is_buy, price, quantity)| Step::Rest { is_buy, price, quantity }),
        2 => any::<usize>().prop_map(|place| Step::Take { place }),
        1 => any::<usize>().prop_map(|place| Step::Reduce { place }),
        2 => (any::<bool>(), 1..30_u32).prop_map(|(is_buy, quantity)| Step::Fill { is_buy, quantity }),
    ]
}

/// The orders of a side in the sequence in which they would trade.
fn in_sequence(listed: &[Listed], is_buy: bool) -> Vec<(u64, u32)> {
    let mut side: Vec<&Listed> = listed.iter().filter(|order| order.is_buy == is_buy).collect();
    side.sort_by_key(|order| if is_buy { !order.price } else { order.price });
    side.iter().map(|order| (order.order_id, order.leaves)).collect()
}

fn side_of(book: &mut OrderBook, is_buy: bool) -> &mut crate::order_book::BookSide {
    if is_buy {
        &mut book.bids
    } else {
        &mut book.asks
    }
}

proptest! {
    #[test]
    fn orders_stand_as_in_a_list_that_is_searched(steps in prop::collection::vec(step(), 1..200)) {
        let (mut orders, mut book) = (Orders::new(0), OrderBook::default());
        let mut listed: Vec<Listed> = Vec::new();
        let mut next_id = 1;
        for step in steps {
            match step {
                Step::Rest { is_buy, price, quantity } => {
                    let kind = Kind { side: if is_buy { BUY } else { SELL }, ..Kind::default() };
                    let order =
                        Order { order_id: next_id, price, quantity, leaves: quantity, kind, ..Order::default() };
                    orders.rest(side_of(&mut book, is_buy), order, &NO_CLIENT_ORDER_ID);
                    listed.push(Listed { order_id: next_id, is_buy, price, leaves: quantity });
                    next_id += 1;
                }
                Step::Take { place } if !listed.is_empty() => {
                    let gone = listed.remove(place % listed.len());
                    let slot = orders.find(gone.order_id).expect("it lives");
                    let taken = orders.take(side_of(&mut book, gone.is_buy), slot);
                    prop_assert_eq!((taken.order_id, taken.leaves), (gone.order_id, gone.leaves));
                    prop_assert_eq!(orders.find(gone.order_id), None);
                }
                Step::Reduce { place } if !listed.is_empty() => {
                    let at = place % listed.len();
                    if listed[at].leaves > 1 {
                        listed[at].leaves -= 1;
                        let slot = orders.find(listed[at].order_id).expect("it lives");
                        orders.reduce(slot, orders.at(slot).quantity - 1, listed[at].leaves);
                    }
                }
                Step::Fill { is_buy, mut quantity } => {
                    while quantity > 0 && !in_sequence(&listed, is_buy).is_empty() {
                        let (first, leaves) = in_sequence(&listed, is_buy)[0];
                        let fill = orders.fill_best(side_of(&mut book, is_buy), quantity);
                        prop_assert_eq!((fill.order_id, fill.quantity), (first, leaves.min(quantity)));
                        quantity -= fill.quantity;
                        let at = listed.iter().position(|order| order.order_id == first).expect("it lives");
                        listed[at].leaves -= fill.quantity;
                        if listed[at].leaves == 0 {
                            listed.remove(at);
                        }
                    }
                }
                Step::Take { .. } | Step::Reduce { .. } => {}
            }
            prop_assert_eq!(orders.len(), listed.len());
            for is_buy in [true, false] {
                let side = side_of(&mut book, is_buy);
                let seen: Vec<(u64, u32)> =
                    orders.in_sequence(side).map(|slot| (orders.at(slot).order_id, orders.at(slot).leaves)).collect();
                prop_assert_eq!(&seen, &in_sequence(&listed, is_buy));
                let resting: u64 = seen.iter().map(|&(_, leaves)| u64::from(leaves)).sum();
                prop_assert_eq!(orders.depth(side, usize::MAX).iter().map(|level| level.quantity).sum::<u64>(), resting);
                let prices = listed.iter().filter(|order| order.is_buy == is_buy).map(|order| order.price);
                let best = if is_buy { prices.max() } else { prices.min() };
                prop_assert_eq!(orders.depth(side, 1).first().map(|level| level.price), best);
            }
        }
    }

    #[test]
    fn the_index_finds_what_a_map_finds(
        steps in prop::collection::vec((any::<bool>(), 0..40_000_u64), 1..300)
    ) {
        let mut index = crate::order_index::OrderIndex::default();
        let mut map = std::collections::BTreeMap::new();
        for (slot, (is_insert, sequence)) in (0..).zip(steps) {
            if is_insert && !map.contains_key(&sequence) {
                index.insert(sequence, slot);
                map.insert(sequence, slot);
            } else if map.remove(&sequence).is_some() {
                index.remove(sequence);
            }
            prop_assert_eq!(index.get(sequence), map.get(&sequence).copied());
            prop_assert_eq!(index.len(), map.len());
        }
        prop_assert_eq!(index.slots().collect::<Vec<_>>(), map.values().copied().collect::<Vec<_>>());
    }
}
