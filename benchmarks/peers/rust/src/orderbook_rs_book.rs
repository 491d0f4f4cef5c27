//! orderbook-rs: one `OrderBook` per symbol with a trade listener, good-till-cancelled limit orders.

use std::sync::{Arc, Mutex};

use orderbook_rs::{OrderBook, TradeResult};
use pricelevel::{Id, Side, TimeInForce};

use crate::messages::{Fills, Message, ADD, CANCEL};
use crate::Engine;

pub struct Books {
    books: Vec<OrderBook<()>>,
    fills: Arc<Mutex<Fills>>,
}

impl Books {
    pub fn new(symbols: usize) -> Self {
        let fills = Arc::new(Mutex::new(Fills::default()));
        let books = (0..symbols).map(|symbol| {
            let told = Arc::clone(&fills);
            let listener = move |result: &TradeResult| {
                let mut fills = told.lock().expect("one thread");
                for trade in result.match_result.trades().as_vec() {
                    let (maker, taker) = (number(trade.maker_order_id()), number(trade.taker_order_id()));
                    fills.fill(maker, taker, trade.price().as_u128() as u64, trade.quantity().as_u64());
                }
            };
            OrderBook::with_trade_listener(&format!("S{symbol}"), Arc::new(listener))
        });
        Self { books: books.collect(), fills }
    }
}

/// `Id::from_u64` makes a UUID whose first eight bytes are the number.
fn number(id: Id) -> u64 {
    match id {
        Id::Uuid(uuid) => uuid.as_u64_pair().0,
        Id::Sequential(number) => number,
        other => panic!("{other}: an id that was never given"),
    }
}

impl Engine for Books {
    fn apply(&mut self, messages: &[Message]) {
        for m in messages {
            let book = &self.books[usize::from(m.symbol)];
            let mut rejects = 0;
            if m.kind != ADD {
                let cancelled = book.cancel_order(Id::from_u64(m.reference.into()));
                rejects += u64::from(!matches!(cancelled, Ok(Some(_))));
            }
            if m.kind != CANCEL {
                let side = if m.is_buy { Side::Buy } else { Side::Sell };
                let id = Id::from_u64(m.id.into());
                let (price, quantity) = (m.price.into(), m.quantity.into());
                let added = book.add_limit_order(id, price, quantity, side, TimeInForce::Gtc, None);
                rejects += u64::from(added.is_err());
            }
            if rejects > 0 {
                self.fills.lock().expect("one thread").rejects += rejects;
            }
        }
    }

    fn take_fills(&mut self) -> Fills {
        std::mem::take(&mut *self.fills.lock().expect("one thread"))
    }
}
