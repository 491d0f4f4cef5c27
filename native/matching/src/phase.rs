//! The words of a trading day, as `src/exchange/domain/phase.py` has them.

pub const CONTINUOUS: u8 = 1;
pub const PRE_OPEN: u8 = 2;
pub const OPENING_NO_CANCEL: u8 = 4;
pub const CLOSING_AUCTION: u8 = 5;
pub const CLOSING_NO_CANCEL: u8 = 6;
pub const POST_CLOSE: u8 = 7;
pub const CLOSED: u8 = 8;
pub const HALTED: u8 = 9;
pub const REOPENING_AUCTION: u8 = 10;
pub const VOLATILITY_AUCTION: u8 = 11;

/// Why a phase changed.
pub mod cause {
    pub const OPERATOR: u8 = 1;
    pub const SCHEDULE: u8 = 2;
    pub const HALT: u8 = 3;
    pub const RESUMPTION: u8 = 4;
    pub const TIME_OVER: u8 = 5;
    pub const LISTING: u8 = 6;
    pub const PRICE_LIMIT: u8 = 7;
    pub const BREAKER: u8 = 8;
}

/// Which auction it is.
pub mod auction {
    pub const OPENING: u8 = b'O';
    pub const CLOSING: u8 = b'C';
    pub const REOPENING: u8 = b'H';
    pub const VOLATILITY: u8 = b'V';
}

pub const COLLAR_BPS_MAX: u16 = 10_000;
pub const EXTENSIONS_MAX: u8 = 20;
pub const CALL_NS_MAX: u64 = 86_400_000_000_000;
pub const SCHEDULE_ROWS_MAX: usize = 10_000;

pub fn is_phase(phase: u8) -> bool {
    (CONTINUOUS..=VOLATILITY_AUCTION).contains(&phase)
}

pub fn is_opening(phase: u8) -> bool {
    (PRE_OPEN..=OPENING_NO_CANCEL).contains(&phase)
}

pub fn is_closing(phase: u8) -> bool {
    matches!(phase, CLOSING_AUCTION | CLOSING_NO_CANCEL)
}

/// Whether orders are taken and do not trade before their auction.
pub fn gathers(phase: u8) -> bool {
    is_opening(phase) || is_closing(phase) || matches!(phase, REOPENING_AUCTION | VOLATILITY_AUCTION)
}

pub fn is_indicated(phase: u8) -> bool {
    gathers(phase) && phase != PRE_OPEN
}

/// Whether members cannot take orders back.
pub fn takes_no_cancels(phase: u8) -> bool {
    matches!(phase, OPENING_NO_CANCEL | CLOSING_NO_CANCEL)
}

/// Whether an operator or a schedule may name a phase.
pub fn is_settable(phase: u8) -> bool {
    (CONTINUOUS..=CLOSED).contains(&phase)
}

/// The auction that ends one phase and leads to another.
pub fn auction_between(old: u8, new: u8) -> Option<u8> {
    match new {
        CONTINUOUS => Some(auction_of(old).unwrap_or(auction::OPENING)),
        POST_CLOSE | CLOSED if is_closing(old) => Some(auction::CLOSING),
        _ => None,
    }
}

/// The auction for which orders gather, or would after a halt.
pub fn auction_of(phase: u8) -> Option<u8> {
    match phase {
        _ if is_opening(phase) => Some(auction::OPENING),
        _ if is_closing(phase) => Some(auction::CLOSING),
        HALTED | REOPENING_AUCTION => Some(auction::REOPENING),
        VOLATILITY_AUCTION => Some(auction::VOLATILITY),
        _ => None,
    }
}

/// A number from 0 to `most` that only the seed decides. SplitMix64, by Steele, Lea and Flood.
pub fn drawn(seed: u64, most: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let mixed = u128::from(mixed ^ (mixed >> 31));
    (mixed % (u128::from(most) + 1)) as u64
}
