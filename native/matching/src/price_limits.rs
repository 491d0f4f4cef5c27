//! The price guards of all symbols as time and phases pass: bands move, limit states begin and end, corridors are left.
//!
//! `src/exchange/matching/price_limits.py` has the rules.

use exchange_wire::events as e;

use crate::auction::{leaves_market_orders, Outcome};
use crate::market::Market;
use crate::matcher::cancel_reason;
use crate::order_book::{BUY, SELL};
use crate::order_checks::PRICE_MAX;
use crate::phase::CONTINUOUS;
use crate::price_guard::{
    band_widths, collar_width, limit_state, Bands, Guard, BANDS_EVERY_NS, LATE_NS, LIMIT_STATE_NS,
};
use crate::state::State;

impl Market {
    pub fn bands(&mut self) -> Option<&mut Bands> {
        match self.guard.as_deref_mut() {
            Some(Guard::Bands(bands)) => Some(bands),
            _ => None,
        }
    }

    /// The lowest and highest price at which a guard lets an order trade now.
    pub fn limits(&self, guard: &Guard) -> (u32, u32) {
        guard.limits(if self.last_price == 0 { self.reference.price } else { self.last_price })
    }

    /// The best prices that are shown, bid and ask, 0 for none.
    fn best(&self) -> (u32, u32) {
        let (bids, asks) = (&self.book.bids, &self.book.asks);
        let price = |side: &crate::order_book::BookSide| side.best_rank().map_or(0, |rank| side.rank(rank));
        (price(bids), price(asks))
    }
}

impl State {
    /// Begins or ends with continuous trading. auction_price: of the auction just over, 0 for none.
    pub fn follow_phase(&mut self, symbol_id: u32, auction_price: u32) {
        let (now_ns, next_sequence) = (self.events.header.time_ns, self.events.header.sequence + 1);
        let is_late = self.is_late(symbol_id, LATE_NS);
        let market = self.market_mut(symbol_id);
        let (is_continuous, last_reference) = (market.phase == CONTINUOUS, market.reference.price);
        let Some(guard) = market.guard.as_deref_mut() else { return };
        guard.stop();
        match guard {
            Guard::Corridor(corridor) if auction_price != 0 => corridor.static_price = auction_price,
            Guard::Bands(bands) if is_continuous => {
                bands.forget(1, next_sequence);
                bands.update_ns = now_ns / BANDS_EVERY_NS * BANDS_EVERY_NS + BANDS_EVERY_NS;
                let choices = [auction_price, bands.reference, last_reference];
                let reference = choices.into_iter().find(|&price| price != 0).unwrap_or(0);
                bands.is_late = is_late;
                self.move_bands(symbol_id, reference);
            }
            _ => {}
        }
        self.note_due(symbol_id);
    }

    /// Takes the last prices of the day that is over as those that pick the rows of the table.
    pub fn begin_day_of_guards(&mut self) {
        for market in &mut self.markets {
            let last = market.reference.price;
            match market.guard.as_deref_mut() {
                Some(Guard::Bands(bands)) => {
                    bands.base = last;
                    if bands.update_ns == 0 {
                        bands.reference = 0;
                    }
                }
                Some(Guard::Corridor(corridor)) => corridor.static_price = last,
                None => {}
            }
        }
    }

    /// Stands around the price that a corporate action has given a symbol; what traded before it counts no more.
    pub fn follow_action(&mut self, symbol_id: u32) {
        let next_sequence = self.events.header.sequence + 1;
        let market = self.market_mut(symbol_id);
        let price = market.reference.price;
        match market.guard.as_deref_mut() {
            Some(Guard::Corridor(corridor)) => corridor.static_price = price,
            Some(Guard::Bands(bands)) => {
                (bands.base, bands.reference) = (price, price);
                (bands.collar_lower, bands.collar_upper, bands.collar_step) = (0, 0, 0);
                bands.buckets.clear();
                if bands.update_ns != 0 {
                    bands.forget(1, next_sequence);
                    self.move_bands(symbol_id, price);
                }
            }
            None => {}
        }
    }

    // --- time ----------------------------------------------------------------------------------------

    /// Does what is due: ends limit states, measures bands. Orders that ended by then are no limit state any more.
    pub fn tick_guards(&mut self, now_ns: u64) {
        let mut due: Vec<u32> =
            self.guards_due.iter().take_while(|due| due.0 <= now_ns).map(|due| due.1).collect();
        due.sort_unstable();
        for symbol_id in due {
            self.watch_bands(symbol_id);
            let ends_ns = self.market_mut(symbol_id).bands().map_or(0, |bands| bands.limit_ends_ns);
            if 0 < ends_ns && ends_ns <= now_ns {
                self.end_limit_state(symbol_id);
            }
            let update_ns = self.market_mut(symbol_id).bands().map_or(0, |bands| bands.update_ns);
            if 0 < update_ns && update_ns <= now_ns {
                self.measure(symbol_id);
            }
            self.note_due(symbol_id);
        }
    }

    fn end_limit_state(&mut self, symbol_id: u32) {
        let market = self.market_mut(symbol_id);
        let (bid, _) = market.best();
        let Some(bands) = market.bands() else { return };
        let (lower, upper) = (bands.lower, bands.upper);
        let is_upper = bid >= upper;
        let reached = if is_upper { upper } else { lower };
        let step = collar_width(reached);
        self.pause(symbol_id);
        let Some(bands) = self.market_mut(symbol_id).bands() else { return };
        bands.collar_step = step;
        (bands.collar_lower, bands.collar_upper) = match is_upper {
            true => (lower, (upper + step).min(PRICE_MAX)),
            false => (lower.saturating_sub(step), upper),
        };
        self.say_collar(symbol_id, reached);
    }

    fn measure(&mut self, symbol_id: u32) {
        let now_ns = self.events.header.time_ns;
        let is_late = self.is_late(symbol_id, LATE_NS);
        let Some(bands) = self.market_mut(symbol_id).bands() else { return };
        let steps = (now_ns - bands.update_ns) / BANDS_EVERY_NS + 1;
        let (mean, mut reference) = (bands.mean(), bands.reference);
        if mean != 0 && u64::from(mean.abs_diff(reference)) * 100 >= u64::from(reference) {
            reference = mean;
        }
        let is_other = (reference, is_late) != (bands.reference, bands.is_late);
        if bands.state != limit_state::LIMIT && is_other {
            bands.is_late = is_late;
            self.move_bands(symbol_id, reference);
        }
        let next_sequence = self.events.header.sequence + 1;
        let Some(bands) = self.market_mut(symbol_id).bands() else { return };
        bands.forget(steps, next_sequence);
        bands.update_ns += steps * BANDS_EVERY_NS;
    }

    /// Puts the bands around a reference, each on the next tick away from it; cancels what is beyond them.
    fn move_bands(&mut self, symbol_id: u32, reference: u32) {
        let market = self.market_mut(symbol_id);
        let Some(&mut Bands { tier, base, is_late, .. }) = market.bands() else { return };
        let (below, above) = band_widths(tier, base, reference, is_late);
        let is_doubled = is_late && (below, above) != band_widths(tier, base, reference, false);
        let lower = market.price_behind(reference.saturating_sub(below) + 1, BUY);
        let upper = match market.price_behind((reference + above).min(PRICE_MAX) - 1, SELL) {
            0 => PRICE_MAX,
            upper => upper,
        };
        if let Some(bands) = market.bands() {
            (bands.reference, bands.lower, bands.upper) = (reference, lower, upper);
        }
        let parts: [&[u8]; 4] =
            [&reference.to_le_bytes(), &lower.to_le_bytes(), &upper.to_le_bytes(), &[u8::from(is_doubled)]];
        self.events.write(e::PRICE_BANDS_MOVED, symbol_id, &parts);
        let book = &self.markets[symbol_id as usize - 1].book;
        let is_beyond = |&slot: &u32| {
            let order = self.orders.at(slot);
            if order.kind.side == BUY {
                order.price > upper
            } else {
                order.price < lower
            }
        };
        let sides = [&book.bids, &book.hidden_bids, &book.asks, &book.hidden_asks];
        let each = sides.into_iter().flat_map(|side| self.orders.in_sequence(side).take_while(is_beyond));
        for slot in each.collect::<Vec<u32>>() {
            self.cancel_for(slot, cancel_reason::PRICE_LIMIT);
        }
    }

    // --- after each command --------------------------------------------------------------------------

    /// Sees where the books stand that the command's events so far concern.
    #[cold]
    pub fn watch_limits(&mut self) {
        for symbol_id in self.events.symbols_of_command(|symbol_id| self.guarded.contains(&symbol_id)) {
            let left = match self.market_mut(symbol_id).guard.as_deref() {
                Some(Guard::Bands(_)) => {
                    self.watch_bands(symbol_id);
                    self.note_due(symbol_id);
                    continue;
                }
                Some(Guard::Corridor(corridor)) => corridor.left,
                None => continue,
            };
            if let Some(prices) = left {
                let parts = prices.map(u32::to_le_bytes);
                self.events.write(e::CORRIDOR_LEFT, symbol_id, &[&parts[0], &parts[1], &parts[2]]);
                self.pause(symbol_id);
            }
        }
    }

    fn watch_bands(&mut self, symbol_id: u32) {
        let now_ns = self.events.header.time_ns;
        let market = self.market_mut(symbol_id);
        let (bid, ask) = market.best();
        let Some(bands) = market.bands().filter(|bands| bands.update_ns != 0) else { return };
        let state = if bid >= bands.upper || (0 < ask && ask <= bands.lower) {
            limit_state::LIMIT
        } else if (0 < bid && bid < bands.lower) || ask > bands.upper {
            limit_state::STRADDLE
        } else {
            limit_state::NORMAL
        };
        if state == bands.state {
            return;
        }
        bands.state = state;
        bands.limit_ends_ns = if state == limit_state::LIMIT { now_ns + LIMIT_STATE_NS } else { 0 };
        let ends_ns = bands.limit_ends_ns.to_le_bytes();
        let parts: [&[u8]; 4] = [&[state], &bid.to_le_bytes(), &ask.to_le_bytes(), &ends_ns];
        self.events.write(e::LIMIT_STATE_CHANGED, symbol_id, &parts);
    }

    // --- the auction after a pause -------------------------------------------------------------------

    /// The collar of the auction after a pause where that would end beyond it, or leave market orders over.
    pub fn collar_to_widen(&self, symbol_id: u32, auction: u8, outcome: Outcome) -> Option<(u32, u32)> {
        let market = &self.markets[symbol_id as usize - 1];
        let Some(Guard::Bands(bands)) = market.guard.as_deref() else { return None };
        let collar = (bands.collar_lower, bands.collar_upper);
        let is_outside = outcome.volume > 0 && !(collar.0..=collar.1).contains(&outcome.price);
        let needs_time = is_outside || leaves_market_orders(&self.orders, market, auction, outcome);
        (collar.1 != 0 && needs_time).then_some(collar)
    }

    /// Makes the collar wider on the side to which the auction leans.
    pub fn widen(&mut self, symbol_id: u32, outcome: Outcome) {
        let Some(bands) = self.market_mut(symbol_id).bands() else { return };
        let is_below = outcome.volume > 0 && outcome.price < bands.collar_lower;
        let is_above = outcome.price > bands.collar_upper || (!is_below && outcome.surplus > 0);
        let reached = if is_above {
            bands.collar_upper = (bands.collar_upper + bands.collar_step).min(PRICE_MAX);
            bands.upper
        } else {
            bands.collar_lower = bands.collar_lower.saturating_sub(bands.collar_step);
            bands.lower
        };
        self.say_collar(symbol_id, reached);
    }

    fn say_collar(&mut self, symbol_id: u32, reference_price: u32) {
        let market = self.market_mut(symbol_id);
        let extension = market.extensions;
        let Some(&mut Bands { collar_lower, collar_upper, .. }) = market.bands() else { return };
        let prices = [reference_price, collar_lower, collar_upper].map(u32::to_le_bytes);
        let parts: [&[u8]; 4] = [&prices[0], &prices[1], &prices[2], &[extension]];
        self.events.write(e::AUCTION_COLLAR_SET, symbol_id, &parts);
    }

    /// Notes when a symbol's guard asks for time next.
    pub fn note_due(&mut self, symbol_id: u32) {
        let market = &mut self.markets[symbol_id as usize - 1];
        let Some(bands) = market.bands() else { return };
        self.guards_due.remove(&(bands.due_ns, symbol_id));
        let own = [bands.update_ns, bands.limit_ends_ns].into_iter().filter(|&ns| ns != 0);
        bands.due_ns = if bands.update_ns == 0 { 0 } else { own.min().unwrap_or(0) };
        if bands.due_ns != 0 {
            self.guards_due.insert((bands.due_ns, symbol_id));
        }
    }

    /// Whether the schedule ends continuous trading of a symbol, or with 0 of the market, within so long.
    pub fn is_late(&self, symbol_id: u32, before_ns: u64) -> bool {
        let ends = |row: &&crate::phases::ScheduledPhase| {
            (row.symbol_id == 0 || row.symbol_id == symbol_id) && row.phase != CONTINUOUS
        };
        let end = self.schedule.iter().find(ends);
        end.is_some_and(|row| row.at_ns <= self.events.header.time_ns + before_ns)
    }
}
