//! Reads a day in BinaryFILE form with itchy and prints how many messages of each type, then every price level.

use itchy::{Body, MessageStream, Side};
use std::collections::{BTreeMap, HashMap};

struct Order {
    symbol: String,
    is_buy: bool,
    price: u32,
    shares: u32,
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    let mut orders: HashMap<u64, Order> = HashMap::new();
    for message in MessageStream::from_file(path).expect("a file that opens") {
        let message = message.expect("a message that can be read");
        *counts.entry(char::from(message.tag)).or_default() += 1;
        take(&mut orders, message.body);
    }
    for (kind, count) in &counts {
        println!("count {kind} {count}");
    }
    let mut levels: BTreeMap<(&str, bool, u32), (u64, u64)> = BTreeMap::new();
    for order in orders.values() {
        let level = levels.entry((&order.symbol, order.is_buy, order.price)).or_default();
        level.0 += u64::from(order.shares);
        level.1 += 1;
    }
    for ((symbol, is_buy, price), (shares, count)) in levels {
        println!("level {symbol} {} {price} {shares} {count}", if is_buy { "B" } else { "S" });
    }
}

fn take(orders: &mut HashMap<u64, Order>, body: Body) {
    match body {
        Body::AddOrder(add) => {
            let symbol = add.stock.trim().to_string();
            let is_buy = add.side == Side::Buy;
            orders.insert(add.reference, Order { symbol, is_buy, price: add.price.raw(), shares: add.shares });
        }
        Body::OrderExecuted { reference, executed, .. }
        | Body::OrderExecutedWithPrice { reference, executed, .. } => reduce(orders, reference, executed),
        Body::OrderCancelled { reference, cancelled } => reduce(orders, reference, cancelled),
        Body::DeleteOrder { reference } => {
            orders.remove(&reference).expect("an order that rests");
        }
        Body::ReplaceOrder(new) => {
            let old = orders.remove(&new.old_reference).expect("an order that rests");
            orders.insert(new.new_reference, Order { price: new.price.raw(), shares: new.shares, ..old });
        }
        _ => {}
    }
}

fn reduce(orders: &mut HashMap<u64, Order>, reference: u64, shares: u32) {
    let order = orders.get_mut(&reference).expect("an order that rests");
    order.shares = order.shares.checked_sub(shares).expect("no more than it has");
    if order.shares == 0 {
        orders.remove(&reference);
    }
}
