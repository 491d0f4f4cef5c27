//! lobster: one `OrderBook` per symbol with its default capacities, as its documentation shows.

use lobster::{OrderBook, OrderEvent, OrderType, Side};

use crate::messages::{Fills, Message, ADD, CANCEL};
use crate::Engine;

pub struct Books {
    books: Vec<OrderBook>,
    fills: Fills,
}

impl Books {
    pub fn new(symbols: usize) -> Self {
        Self { books: (0..symbols).map(|_| OrderBook::default()).collect(), fills: Fills::default() }
    }
}

impl Engine for Books {
    fn apply(&mut self, messages: &[Message]) {
        for m in messages {
            let book = &mut self.books[usize::from(m.symbol)];
            if m.kind != ADD {
                book.execute(OrderType::Cancel { id: m.reference.into() });
            }
            if m.kind != CANCEL {
                let side = if m.is_buy { Side::Bid } else { Side::Ask };
                let (id, qty, price) = (m.id.into(), m.quantity.into(), m.price.into());
                let event = book.execute(OrderType::Limit { id, side, qty, price });
                if let OrderEvent::Filled { fills, .. } | OrderEvent::PartiallyFilled { fills, .. } = event {
                    for fill in fills {
                        self.fills.fill(fill.order_2 as u64, fill.order_1 as u64, fill.price, fill.qty);
                    }
                }
            }
        }
    }

    fn take_fills(&mut self) -> Fills {
        std::mem::take(&mut self.fills)
    }
}
