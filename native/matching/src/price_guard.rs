//! What protects one symbol from sudden prices while it trades continuously: price bands, or a corridor.
//!
//! `src/exchange/matching/price_guard.py` and `src/exchange/domain/volatility.py` have the rules.

use exchange_wire::commands::CorridorTerms;

use crate::market::BASIS_POINTS;
use crate::order_checks::PRICE_MAX;

pub const TIERS_MAX: u8 = 2;
pub const CORRIDOR_BPS_MAX: u16 = 10_000;
pub const BANDS_EVERY_NS: u64 = 30_000_000_000;
pub const BUCKETS: usize = 10;
pub const LIMIT_STATE_NS: u64 = 15_000_000_000;
pub const PAUSE_NS: u64 = 300_000_000_000;
pub const LATE_NS: u64 = 1_500_000_000_000;
pub const BREAKER_LATE_NS: u64 = 2_100_000_000_000;
pub const BREAKER_HALT_NS: u64 = 900_000_000_000;
pub const BREAKER_BPS: [u64; 3] = [700, 1_300, 2_000];
pub const INDEX_LEVEL_MAX: u64 = 1 << 53;
const DEAR_PRICE: u32 = 30_000;
const CHEAP_PRICE: u32 = 7_500;
const CHEAP_AMOUNT: u64 = 1_500;
const CHEAP_BPS: u64 = 7_500;
const MIDDLE_BPS: u64 = 2_000;
const COLLAR_BPS: u64 = 500;

/// Where the best shown prices stand to the bands.
pub mod limit_state {
    pub const NORMAL: u8 = 1;
    pub const LIMIT: u8 = 2;
    pub const STRADDLE: u8 = 3;
}

/// The trades of half a minute.
#[derive(Clone, Copy)]
pub struct Bucket {
    /// The first event that may be one of them.
    pub from_sequence: u64,
    pub trades: u64,
    pub sum: u64,
}

/// The bands of a symbol; they hold while `update_ns` is not 0.
pub struct Bands {
    pub tier: u8,
    /// The last price of the day before, which picks the row of the table.
    pub base: u32,
    /// The price around which they stand, 0 before the first.
    pub reference: u32,
    pub lower: u32,
    pub upper: u32,
    pub is_late: bool,
    pub state: u8,
    /// When a pause follows, 0 for none.
    pub limit_ends_ns: u64,
    /// When the reference is measured next, 0 while they do not hold.
    pub update_ns: u64,
    pub collar_lower: u32,
    /// 0 where the auction has no collar of theirs.
    pub collar_upper: u32,
    pub collar_step: u32,
    /// The newest last.
    pub buckets: Vec<Bucket>,
    /// When they ask for time, as it is noted.
    pub due_ns: u64,
}

impl Bands {
    pub fn new(tier: u8, base: u32) -> Self {
        Self {
            tier,
            base,
            reference: 0,
            lower: 0,
            upper: 0,
            is_late: false,
            state: limit_state::NORMAL,
            limit_ends_ns: 0,
            update_ns: 0,
            collar_lower: 0,
            collar_upper: 0,
            collar_step: 0,
            buckets: Vec::new(),
            due_ns: 0,
        }
    }

    /// Takes a trade into the mean of the last five minutes.
    pub fn note_trade(&mut self, price: u32) {
        if let Some(newest) = self.buckets.last_mut() {
            newest.trades += 1;
            newest.sum += u64::from(price);
        }
    }

    /// The mean price of the trades of the last five minutes, rounded down; 0 where there are none.
    pub fn mean(&self) -> u32 {
        let trades: u64 = self.buckets.iter().map(|bucket| bucket.trades).sum();
        let sum: u64 = self.buckets.iter().map(|bucket| bucket.sum).sum();
        sum.checked_div(trades).map_or(0, |mean| mean.min(PRICE_MAX.into()) as u32)
    }

    /// Begins a new half minute, so many after the last one.
    pub fn forget(&mut self, steps: u64, next_sequence: u64) {
        let empty = Bucket { from_sequence: next_sequence, trades: 0, sum: 0 };
        let steps = steps.min(BUCKETS as u64) as usize;
        self.buckets.extend(std::iter::repeat_n(empty, steps));
        let over = self.buckets.len().saturating_sub(BUCKETS);
        self.buckets.drain(..over);
    }

    fn bucket_of(&mut self, sequence: u64) -> Option<&mut Bucket> {
        let bucket = self.buckets.iter_mut().rev().find(|bucket| bucket.from_sequence <= sequence);
        bucket.filter(|bucket| bucket.trades > 0)
    }

    fn stop(&mut self) {
        (self.update_ns, self.limit_ends_ns, self.state) = (0, 0, limit_state::NORMAL);
        (self.collar_lower, self.collar_upper, self.collar_step) = (0, 0, 0);
        self.buckets.clear();
    }
}

/// The corridor of a symbol.
pub struct Corridor {
    pub terms: CorridorTerms,
    pub seed: u64,
    /// Of the last auction; before the first the last price of the day before.
    pub static_price: u32,
    /// The price beyond it at which an order of this command would have traded, and the limits then.
    pub left: Option<[u32; 3]>,
}

pub enum Guard {
    Bands(Bands),
    Corridor(Corridor),
}

impl Guard {
    /// The lowest and highest price at which an order may trade now. last_price: or the reference price.
    pub fn limits(&self, last_price: u32) -> (u32, u32) {
        let corridor = match self {
            Self::Bands(bands) => return (bands.lower, bands.upper),
            Self::Corridor(corridor) => corridor,
        };
        let (mut lowest, mut highest) = (0, PRICE_MAX);
        let CorridorTerms { dynamic_bps, static_bps, .. } = corridor.terms;
        for (price, bps) in [(last_price, dynamic_bps), (corridor.static_price, static_bps)] {
            if bps != 0 {
                let width = (u64::from(price) * u64::from(bps) / BASIS_POINTS) as u32;
                lowest = lowest.max(price - width);
                highest = highest.min(price + width);
            }
        }
        (lowest, highest)
    }

    pub fn is_left(&self) -> bool {
        matches!(self, Self::Corridor(Corridor { left: Some(_), .. }))
    }

    pub fn stop(&mut self) {
        match self {
            Self::Bands(bands) => bands.stop(),
            Self::Corridor(corridor) => corridor.left = None,
        }
    }

    pub fn note_trade(&mut self, price: u32) {
        if let Self::Bands(bands) = self {
            bands.note_trade(price);
        }
    }

    /// Leaves a trade out of the mean from now on.
    pub fn bust(&mut self, sequence: u64, price: u32) {
        let Self::Bands(bands) = self else { return };
        if let Some(bucket) = bands.bucket_of(sequence) {
            bucket.trades -= 1;
            bucket.sum = bucket.sum.saturating_sub(price.into());
        }
    }

    /// Gives a trade another price in the mean from now on.
    pub fn correct(&mut self, sequence: u64, old_price: u32, price: u32) {
        let Self::Bands(bands) = self else { return };
        if let Some(bucket) = bands.bucket_of(sequence) {
            bucket.sum = (bucket.sum + u64::from(price)).saturating_sub(old_price.into());
        }
    }
}

/// How far the lower and the upper band are from the reference.
pub fn band_widths(tier: u8, base: u32, reference: u32, is_late: bool) -> (u32, u32) {
    let reference = u64::from(reference);
    if base >= CHEAP_PRICE {
        let of_tier = if tier == 1 { 500 } else { 1_000 };
        let bps = if base > DEAR_PRICE { of_tier } else { MIDDLE_BPS };
        let doubles = is_late && (tier == 1 || base <= DEAR_PRICE);
        let width = (reference * bps * (1 + u64::from(doubles)) / BASIS_POINTS) as u32;
        return (width, width);
    }
    let width = CHEAP_AMOUNT.min(reference * CHEAP_BPS / BASIS_POINTS) as u32;
    let late = (2 * CHEAP_AMOUNT).min(reference * 2 * CHEAP_BPS / BASIS_POINTS) as u32;
    (width, if is_late { late } else { width })
}

/// How wide the auction after a pause is beyond a band, and by how much it gets wider.
pub fn collar_width(price: u32) -> u32 {
    if price > DEAR_PRICE {
        (u64::from(price) * COLLAR_BPS / BASIS_POINTS) as u32
    } else {
        CHEAP_AMOUNT as u32
    }
}

/// The highest level of the breaker that an index has fallen to, 0 for none.
pub fn breaker_level(close_level: u64, level: u64) -> u8 {
    let (close, level) = (u128::from(close_level), u128::from(level));
    let is_reached = |bps: &&u64| level * 10_000 <= close * u128::from(10_000 - **bps);
    BREAKER_BPS.iter().filter(is_reached).count() as u8
}
