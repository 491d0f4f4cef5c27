//! What one connection asks for: orders, cancels, replacements and crossing orders, and what it knows of them.
//!
//! 45 % new orders that rest, 45 % cancels, 5 % replacements, 5 % immediate-or-cancel orders that cross. The share of
//! new orders leans against the number of live ones, so that the book keeps its size. Only orders whose acceptance was
//! seen are cancelled or replaced; each request has one answer, or is overtaken by a fill that ends its order.

use crate::histogram::Histogram;
use crate::random::Random;

/// Requests kept by number at a time; one that is still awaited when its place is needed again counts as lost.
const SLOTS: usize = 1 << 20;
const MIDDLE: u64 = 100_0000;
const TICK: u64 = 100;
const CROSSING_TICKS: u64 = 200;
const RESTING_TICKS: u64 = 50;

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Awaited {
    #[default]
    Nothing,
    Entry,
    Crossing,
    Cancel,
    Replacement,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    number: u32,
    leaves: u32,
    /// Its place among the live orders, counted from 1; 0 where it is none.
    live_at: u32,
    /// The order that a replacement takes the place of, or the one that is to take the place of this.
    other: u32,
    buy: bool,
    awaited: Awaited,
    due_ns: u64,
}

/// What came of the requests. overtaken: cancels and replacements of an order that was filled meanwhile.
#[derive(Default)]
pub struct Tally {
    pub sent: u64,
    pub answered: u64,
    pub overtaken: u64,
    pub rejected: u64,
    pub executions: u64,
    pub lost: u64,
    /// entered, cancelled, replaced, crossing
    pub kinds: [u64; 4],
    pub latency: Histogram,
}

pub struct Flow {
    pub tally: Tally,
    pub awaited: u64,
    random: Random,
    symbols: Vec<[u8; 8]>,
    slots: Vec<Slot>,
    live: Vec<u32>,
    live_wanted: u64,
    next_number: u32,
    measured_from_ns: u64,
}

impl Flow {
    pub fn new(seed: u64, symbols: Vec<[u8; 8]>, live_wanted: u64) -> Self {
        Self {
            tally: Tally::default(),
            awaited: 0,
            random: Random::new(seed),
            symbols,
            slots: vec![Slot::default(); SLOTS],
            live: Vec::new(),
            live_wanted,
            next_number: 1,
            measured_from_ns: u64::MAX,
        }
    }

    /// Asks for the next usable number, on which the flow goes on.
    pub fn query(&mut self, out: &mut Vec<u8>) {
        self.next_number = 0;
        out.extend([0, 2, b'U', b'Q']);
    }

    pub fn knows_its_number(&self) -> bool {
        self.next_number > 0
    }

    /// Counts from now on, and the latency of what is due from a moment on.
    pub fn measure_from(&mut self, due_ns: u64) {
        self.tally = Tally::default();
        self.measured_from_ns = due_ns;
    }

    pub fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Writes an order that rests.
    pub fn enter(&mut self, due_ns: u64, out: &mut Vec<u8>) {
        let buy = self.random.below(2) == 0;
        let (price, quantity) = (self.resting_price(buy), self.quantity());
        self.write_enter(buy, price, quantity, b'0', Awaited::Entry, due_ns, out);
        self.tally.kinds[0] += 1;
    }

    /// Writes the next request of the mix.
    pub fn next(&mut self, due_ns: u64, out: &mut Vec<u8>) {
        let live = self.live.len() as u64;
        let drawn = self.random.below(1000);
        // 450 of 1,000 at the wanted size; up to 500 with an empty book, down to 400 with a double one.
        let entries = 400
            + 100 * self.live_wanted.saturating_mul(2).saturating_sub(live).min(self.live_wanted * 2)
                / (self.live_wanted * 2);
        if drawn < 50 {
            let buy = self.random.below(2) == 0;
            let away = CROSSING_TICKS * TICK;
            let price = if buy { MIDDLE + away } else { MIDDLE - away };
            self.write_enter(buy, price, 100, b'3', Awaited::Crossing, due_ns, out);
            self.tally.kinds[3] += 1;
        } else if live < 4 || drawn < 50 + entries {
            self.enter(due_ns, out);
        } else if drawn < 950 {
            self.cancel(due_ns, out);
        } else {
            self.replace(due_ns, out);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn write_enter(
        &mut self,
        buy: bool,
        price: u64,
        quantity: u32,
        time_in_force: u8,
        awaited: Awaited,
        due_ns: u64,
        out: &mut Vec<u8>,
    ) {
        let number = self.take_number(Slot { leaves: quantity, buy, awaited, due_ns, ..Slot::default() });
        let symbol = self.symbols[self.random.below(self.symbols.len() as u64) as usize];
        out.extend([0, 48, b'U', b'O']);
        out.extend(number.to_be_bytes());
        out.push(if buy { b'B' } else { b'S' });
        out.extend(quantity.to_be_bytes());
        out.extend(symbol);
        out.extend(price.to_be_bytes());
        out.extend([time_in_force, b'Y', b'P', b'N', b'N']);
        out.extend(*b"LOAD          ");
        out.extend([0, 0]);
    }

    fn cancel(&mut self, due_ns: u64, out: &mut Vec<u8>) {
        let number = self.take_live();
        let slot = self.slot(number);
        (slot.awaited, slot.due_ns) = (Awaited::Cancel, due_ns);
        self.awaited += 1;
        self.tally.sent += 1;
        self.tally.kinds[1] += 1;
        out.extend([0, 10, b'U', b'X']);
        out.extend(number.to_be_bytes());
        out.extend([0; 4]);
    }

    fn replace(&mut self, due_ns: u64, out: &mut Vec<u8>) {
        let old = self.take_live();
        let buy = self.slot(old).buy;
        let (price, quantity) = (self.resting_price(buy), self.quantity());
        let slot = Slot {
            leaves: quantity,
            buy,
            other: old,
            awaited: Awaited::Replacement,
            due_ns,
            ..Slot::default()
        };
        let number = self.take_number(slot);
        self.slot(old).other = number;
        self.tally.kinds[2] += 1;
        out.extend([0, 41, b'U', b'U']);
        out.extend(old.to_be_bytes());
        out.extend(number.to_be_bytes());
        out.extend(quantity.to_be_bytes());
        out.extend(price.to_be_bytes());
        out.extend(*b"0YN");
        out.extend(*b"LOAD          ");
        out.extend([0, 0]);
    }

    fn resting_price(&mut self, buy: bool) -> u64 {
        let away = (1 + self.random.below(RESTING_TICKS)) * TICK;
        if buy {
            MIDDLE - away
        } else {
            MIDDLE + away
        }
    }

    fn quantity(&mut self) -> u32 {
        (1 + self.random.below(5) as u32) * 100
    }

    fn take_number(&mut self, slot: Slot) -> u32 {
        let number = self.next_number;
        self.next_number += 1;
        if self.slot(number).awaited != Awaited::Nothing {
            self.tally.lost += 1;
            self.awaited -= 1;
        }
        *self.slot(number) = Slot { number, ..slot };
        self.awaited += 1;
        self.tally.sent += 1;
        number
    }

    fn slot(&mut self, number: u32) -> &mut Slot {
        &mut self.slots[number as usize % SLOTS]
    }

    fn take_live(&mut self) -> u32 {
        let at = self.random.below(self.live.len() as u64) as usize;
        let number = self.live[at];
        self.remove_live(number);
        number
    }

    fn add_live(&mut self, number: u32) {
        self.live.push(number);
        self.slot(number).live_at = self.live.len() as u32;
    }

    fn remove_live(&mut self, number: u32) {
        let at = std::mem::take(&mut self.slot(number).live_at) as usize;
        if at == 0 {
            return;
        }
        self.live.swap_remove(at - 1);
        if let Some(&moved) = self.live.get(at - 1) {
            self.slot(moved).live_at = at as u32;
        }
    }

    /// Takes one OUCH message of the exchange.
    pub fn hear(&mut self, message: &[u8], now_ns: u64) {
        let number_at = |at: usize| u32::from_be_bytes(message[at..at + 4].try_into().expect("four bytes"));
        let number = if message.len() >= 13 { number_at(9) } else { return };
        match message[0] {
            b'Q' => self.next_number = number,
            b'A' => {
                let was = self.answered(number, now_ns);
                if was == Awaited::Entry && message[47] == b'L' {
                    self.add_live(number);
                }
            }
            b'U' => {
                let new = number_at(13);
                self.slot(number).leaves = 0;
                self.answered(new, now_ns);
                self.add_live(new);
            }
            b'C' => {
                let decrement = number_at(13);
                let slot = self.slot(number);
                slot.leaves = slot.leaves.saturating_sub(decrement);
                if slot.awaited == Awaited::Cancel {
                    self.answered(number, now_ns);
                }
                self.remove_live(number);
            }
            b'E' => {
                let quantity = number_at(13);
                self.tally.executions += 1;
                self.executed(number, quantity);
            }
            b'J' => self.rejected(number, now_ns),
            b'I' if self.slot(number).awaited == Awaited::Cancel => self.overtaken(number),
            _ => {}
        }
    }

    fn executed(&mut self, number: u32, quantity: u32) {
        let slot = self.slot(number);
        slot.leaves = slot.leaves.saturating_sub(quantity);
        if slot.leaves == 0 {
            self.remove_live(number);
            let slot = *self.slot(number);
            if slot.awaited == Awaited::Cancel {
                self.overtaken(number);
            } else if slot.awaited == Awaited::Nothing && slot.other > number {
                // A replacement of an order that is gone has no answer.
                if self.slot(slot.other).awaited == Awaited::Replacement {
                    self.overtaken(slot.other);
                }
            }
        }
    }

    fn rejected(&mut self, number: u32, now_ns: u64) {
        let slot = *self.slot(number);
        if slot.awaited == Awaited::Nothing {
            return;
        }
        if slot.awaited == Awaited::Replacement {
            if self.slot(slot.other).leaves == 0 {
                self.overtaken(number);
                return;
            }
            self.add_live(slot.other);
        }
        self.tally.rejected += 1;
        self.answered(number, now_ns);
    }

    fn overtaken(&mut self, number: u32) {
        self.slot(number).awaited = Awaited::Nothing;
        self.awaited -= 1;
        self.tally.overtaken += 1;
    }

    fn answered(&mut self, number: u32, now_ns: u64) -> Awaited {
        let slot = self.slot(number);
        let was = std::mem::take(&mut slot.awaited);
        let due_ns = slot.due_ns;
        if slot.number == number && was != Awaited::Nothing {
            self.awaited -= 1;
            self.tally.answered += 1;
            if due_ns >= self.measured_from_ns {
                self.tally.latency.record(now_ns.saturating_sub(due_ns));
            }
        }
        was
    }
}
