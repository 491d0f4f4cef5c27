//! Call auctions: who takes part in which sequence, and the price at which most is traded.
//!
//! `src/exchange/matching/auction.py` and `uncross.py` have the rules.

use exchange_wire::events::{Kind, TradeExecuted, AUCTION_EXECUTED};

use crate::holdings::Exchanged;
use crate::market::Market;
use crate::matcher::{cancel_reason, refreshed};
use crate::order_book::{public_id, BookSide, Order, Orders, BUY, NOTED, SELL};
use crate::order_checks::{AT_THE_CLOSE, AT_THE_OPEN, GOOD_FOR_AUCTION, MARKET};
use crate::phase::auction;
use crate::state::State;

/// Of trades: in an auction.
const IN_AUCTION: u8 = 3;

/// How an auction would end; surplus: what is left over, below 0 of sales.
#[derive(Clone, Copy)]
pub struct Outcome {
    pub price: u32,
    pub volume: u64,
    pub surplus: i64,
}

impl Outcome {
    pub fn imbalance(&self) -> (u64, u8) {
        let side = match self.surplus {
            0 => 0,
            surplus if surplus > 0 => BUY,
            _ => SELL,
        };
        (self.surplus.unsigned_abs(), side)
    }
}

/// What is told while orders gather.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Indication {
    pub price: u32,
    pub far_price: u32,
    pub reference_price: u32,
    pub paired: u64,
    pub imbalance: u64,
    pub side: u8,
}

/// What one side asks for: at any price, and (price, quantity), best first.
#[derive(Default)]
struct Interest {
    at_any_price: u64,
    levels: Vec<(u32, u64)>,
}

impl Interest {
    fn add(&mut self, order: &Order) {
        let quantity = u64::from(order.leaves);
        match order.kind.order_type {
            MARKET => self.at_any_price += quantity,
            _ => self.levels.push((order.price, quantity)),
        }
    }
}

/// Whether a time in force is that of orders that trade in an auction only.
#[inline(always)]
pub fn is_auction_time(time_in_force: u8) -> bool {
    matches!(time_in_force, AT_THE_OPEN | AT_THE_CLOSE | GOOD_FOR_AUCTION)
}

/// Whether a live order trades in an auction only, as market orders that wait do.
#[inline(always)]
pub fn is_for_auction(kind: Kind) -> bool {
    kind.order_type == MARKET || is_auction_time(kind.time_in_force)
}

/// Whether an order that waits for an auction is for this one.
fn is_for(order: &Order, auction: u8) -> bool {
    match order.kind.time_in_force {
        AT_THE_OPEN => auction == auction::OPENING,
        AT_THE_CLOSE => auction == auction::CLOSING,
        _ => true,
    }
}

/// At which price an order for an auction is queued: a market order before all others.
pub fn queue_price(order: &Order) -> u32 {
    match (order.kind.order_type, order.kind.side) {
        (MARKET, BUY) => u32::MAX,
        (MARKET, _) => 0,
        _ => order.price,
    }
}

fn sides_of(market: &Market, side: u8) -> (&BookSide, &BookSide, &BookSide) {
    let book = &market.book;
    match side {
        BUY => (&book.bids, &market.auction_bids, &book.hidden_bids),
        _ => (&book.asks, &market.auction_asks, &book.hidden_asks),
    }
}

/// The slots of those who take part in an auction on a side, who trades first first.
fn in_sequence(orders: &Orders, market: &Market, side: u8, auction: u8) -> Vec<u32> {
    let (shown, waiting, hidden) = sides_of(market, side);
    let waiting = orders.in_sequence(waiting).filter(|&slot| is_for(orders.at(slot), auction));
    let everybody = orders.in_sequence(shown).chain(waiting).chain(orders.in_sequence(hidden));
    let mut slots: Vec<u32> = everybody.filter(|&slot| orders.at(slot).minimum() == 0).collect();
    slots.sort_by_key(|&slot| std::cmp::Reverse(shown.rank(queue_price(orders.at(slot)))));
    slots
}

/// What a side asks for, and what of it is for this auction alone.
fn interest_of(orders: &Orders, market: &Market, side: u8, auction: u8) -> (Interest, Interest) {
    let (shown, waiting, hidden) = sides_of(market, side);
    let (mut all, mut alone) = (Interest::default(), Interest::default());
    all.levels.extend(orders.whole_levels(shown));
    for order in orders.in_sequence(hidden).map(|slot| orders.at(slot)).filter(|order| order.minimum() == 0) {
        all.add(order);
    }
    for order in orders.in_sequence(waiting).map(|slot| orders.at(slot)) {
        if is_for(order, auction) && order.minimum() == 0 {
            all.add(order);
            alone.add(order);
        }
    }
    (all, alone)
}

/// The price of an auction between two sides, and what it trades.
fn find_price(buys: &Interest, sells: &Interest, reference_price: u32) -> Outcome {
    let levels = buys.levels.iter().chain(&sells.levels);
    let mut prices: Vec<u32> = levels.map(|level| level.0).chain([reference_price]).collect();
    prices.sort_unstable();
    prices.dedup();
    let (mut bought, mut sold) = (vec![0; prices.len()], vec![0; prices.len()]);
    let place = |price: u32| prices.binary_search(&price).expect("each price is among them");
    buys.levels.iter().for_each(|&(price, quantity)| bought[place(price)] += quantity);
    sells.levels.iter().for_each(|&(price, quantity)| sold[place(price)] += quantity);
    let mut total = buys.at_any_price;
    for sum in bought.iter_mut().rev() {
        total += *sum;
        *sum = total;
    }
    let mut total = sells.at_any_price;
    for sum in &mut sold {
        total += *sum;
        *sum = total;
    }
    let outcomes = prices.iter().zip(bought.iter().zip(&sold)).map(|(&price, (&bought, &sold))| Outcome {
        price,
        volume: bought.min(sold),
        surplus: bought as i64 - sold as i64,
    });
    let mut outcomes: Vec<Outcome> = outcomes.collect();
    let most = outcomes.iter().map(|outcome| outcome.volume).max().unwrap_or(0);
    if most == 0 {
        return Outcome { price: 0, volume: 0, surplus: outcomes[place(reference_price)].surplus };
    }
    outcomes.retain(|outcome| outcome.volume == most);
    let least = outcomes.iter().map(|outcome| outcome.surplus.abs()).min().unwrap_or(0);
    outcomes.retain(|outcome| outcome.surplus.abs() == least);
    if outcomes.iter().all(|outcome| outcome.surplus > 0) {
        return outcomes[outcomes.len() - 1];
    }
    if outcomes.iter().all(|outcome| outcome.surplus < 0) {
        return outcomes[0];
    }
    let nearest = outcomes.iter().min_by_key(|outcome| outcome.price.abs_diff(reference_price));
    *nearest.expect("there is an outcome of the most volume")
}

/// How an auction would end now, and what is told of it.
pub fn indicate(orders: &Orders, market: &Market, auction: u8) -> (Outcome, Indication) {
    let reference_price = market.reference.price;
    let (buys, buys_alone) = interest_of(orders, market, BUY, auction);
    let (sells, sells_alone) = interest_of(orders, market, SELL, auction);
    let outcome = find_price(&buys, &sells, reference_price);
    let has_waiting = !market.auction_bids.is_empty() || !market.auction_asks.is_empty();
    let far_price = match has_waiting {
        true => find_price(&buys_alone, &sells_alone, reference_price).price,
        false => 0,
    };
    let (imbalance, side) = outcome.imbalance();
    let Outcome { price, volume, .. } = outcome;
    (outcome, Indication { price, far_price, reference_price, paired: volume, imbalance, side })
}

/// Whether an auction would leave market orders over.
pub fn leaves_market_orders(orders: &Orders, market: &Market, auction: u8, outcome: Outcome) -> bool {
    let (_, side) = outcome.imbalance();
    side != 0 && interest_of(orders, market, side, auction).0.at_any_price > outcome.volume
}

impl State {
    /// Lets an order wait for an auction: in the book, or where it trades in an auction only, beside it.
    #[cold]
    pub fn gather_apart(&mut self, mut order: Order, client_order_id: &exchange_wire::ClientOrderId) {
        order.is_special = true;
        if self.risk.has_books {
            self.risk_opened(&order);
        }
        let side = self.markets[order.symbol_id as usize - 1].auction_side(order.kind.side);
        let slot = self.orders.rest_at(side, queue_price(&order), order, client_order_id);
        if order.has_terms {
            let terms = self.terms_in_hand;
            self.orders.keep_terms(slot, terms);
        }
    }

    /// Trades what an auction's outcome says, then cancels what was for this auction alone.
    pub fn uncross(&mut self, symbol_id: u32, auction: u8, outcome: Outcome) {
        let place = symbol_id as usize - 1;
        let (imbalance, side) = outcome.imbalance();
        let parts: [&[u8]; 6] = [
            &[auction],
            &outcome.price.to_le_bytes(),
            &self.markets[place].reference.price.to_le_bytes(),
            &outcome.volume.to_le_bytes(),
            &imbalance.to_le_bytes(),
            &[side],
        ];
        self.events.write(AUCTION_EXECUTED, symbol_id, &parts);
        if outcome.volume > 0 {
            self.trade_in_auction(place, auction, outcome);
        }
        for side in [BUY, SELL] {
            let waiting = sides_of(&self.markets[place], side).1;
            let ending =
                self.orders.in_sequence(waiting).filter(|&slot| is_for(self.orders.at(slot), auction));
            for slot in ending.collect::<Vec<u32>>() {
                self.cancel_for(slot, cancel_reason::AUCTION_ENDED);
            }
        }
    }

    fn trade_in_auction(&mut self, place: usize, auction: u8, outcome: Outcome) {
        let sequence = |side| in_sequence(&self.orders, &self.markets[place], side, auction).into_iter();
        let (mut buys, mut sells) = (sequence(BUY), sequence(SELL));
        let reference_price = self.markets[place].reference.price;
        let (mut left, mut buy, mut sell) = (outcome.volume, None, None);
        while left > 0 {
            let bid = *buy.get_or_insert_with(|| buys.next().expect("the volume is bought"));
            let ask = *sell.get_or_insert_with(|| sells.next().expect("the volume is sold"));
            let displayed = |slot| self.orders.at(slot).leaves - self.orders.at(slot).reserve;
            let shown: u32 = displayed(bid).min(displayed(ask));
            let quantity = u64::from(shown).min(left) as u32;
            left -= u64::from(quantity);
            self.trade_pair(place, (bid, ask), quantity, outcome.price, reference_price);
            if self.refresh_after_auction(place, bid) {
                buy = None;
            }
            if self.refresh_after_auction(place, ask) {
                sell = None;
            }
        }
        self.markets[place].last_price = outcome.price;
        self.note_decline(place as u32 + 1, outcome.price);
    }

    /// Fills two orders, each of which keeps its slot, and says so.
    fn trade_pair(
        &mut self,
        place: usize,
        pair: (u32, u32),
        quantity: u32,
        price: u32,
        reference_price: u32,
    ) {
        let [bought, sold] = [pair.0, pair.1].map(|slot| {
            let mut order = *self.orders.at(slot);
            order.leaves -= quantity;
            order
        });
        for slot in [pair.0, pair.1] {
            self.orders.fill_some(slot, quantity);
        }
        let buyer_is_older = bought.order_id < sold.order_id;
        let (maker, taker) = if buyer_is_older { (&bought, &sold) } else { (&sold, &bought) };
        let event = TradeExecuted {
            symbol_id: bought.symbol_id,
            maker_order_id: maker.order_id,
            taker_order_id: taker.order_id,
            maker_account_id: maker.account_id,
            taker_account_id: taker.account_id,
            price,
            quantity,
            reference_price,
            maker_leaves: maker.leaves,
            taker_leaves: taker.leaves,
            taker_side: taker.kind.side,
            state: IN_AUCTION,
        };
        self.events.emit(|header, out| event.write(header, out));
        self.events.counters.trades += 1;
        if (maker.marks | taker.marks) & NOTED != 0 {
            self.note_trade(maker, taker, quantity);
        }
        let match_id = public_id(self.events.header.partition, self.events.header.sequence);
        self.markets[place].reference.trade(match_id, price, price);
        let (buyer, seller) = (bought.account_id, sold.account_id);
        self.holdings.trade(Exchanged { buyer, seller, symbol_id: bought.symbol_id, price, quantity });
        if self.risk.has_books {
            self.risk_traded_in_auction(maker, taker, price, quantity);
        }
    }

    /// Shows the next part of an order whose shown part is used up; tells whether nothing is left of it.
    fn refresh_after_auction(&mut self, place: usize, slot: u32) -> bool {
        let order = *self.orders.at(slot);
        if order.leaves == 0 {
            let side = self.markets[place].home_of(order.kind);
            self.orders.take(side, slot);
            return true;
        }
        if order.leaves == order.reserve {
            refreshed(&mut self.events, self.orders.refresh(slot));
            self.markets[place].lose_top(order.kind.side, order.order_id);
        }
        false
    }
}
