//! The codes of OUCH 5.0, and which of ours they stand for: `wire/ouch_codes.py`.

pub const INVALID_DISPLAY: u8 = 0x03;
pub const INVALID_MAX_FLOOR: u8 = 0x04;
pub const INVALID_PEG_TYPE: u8 = 0x05;
pub const ISO_NOT_ALLOWED: u8 = 0x08;
pub const INVALID_SIDE: u8 = 0x09;
pub const FIRM_NOT_AUTHORISED: u8 = 0x0C;
pub const INVALID_MIN_QUANTITY: u8 = 0x0D;
pub const OTHER: u8 = 0x0F;
pub const PEGGING_NOT_ALLOWED: u8 = 0x11;
pub const INVALID_CROSS_ORDER: u8 = 0x14;
pub const REPLACE_NOT_ALLOWED: u8 = 0x15;
pub const ROUTING_NOT_ALLOWED: u8 = 0x16;
pub const INVALID_SYMBOL: u8 = 0x17;
pub const RETAIL_NOT_ALLOWED: u8 = 0x1A;
pub const INVALID_PRICE: u8 = 0x1D;

/// A price that means: at market.
pub const MARKET_PRICE: u64 = 0x7FFF_FFFF;
/// The highest price of an order, in 1/10,000.
pub const PRICE_MAX: u64 = 1_999_999_900;

pub const BUY: u8 = 1;
pub const SELL: u8 = 2;
pub const MARKET: u8 = 1;
pub const LIMIT: u8 = 2;
pub const DAY: u8 = 0;
pub const IOC: u8 = 3;
pub const FOK: u8 = 4;
pub const GTD: u8 = 6;
const AT_THE_OPEN: u8 = 2;
const AT_THE_CLOSE: u8 = 7;
const GOOD_FOR_AUCTION: u8 = b'B';
pub const CONTINUOUS: u8 = b'N';
pub const POST_ONLY: u8 = 1;
pub const HIDDEN: u8 = 8;
/// A short sale, one that is exempt, and the statement that shares to borrow are located.
pub const SHORT: u8 = 16;
pub const SHORT_EXEMPT: u8 = 32;
pub const LOCATED: u8 = 64;
/// The display of an order that is not shown.
pub const HIDDEN_DISPLAY: u8 = b'N';
/// The reason of what a prevented match took away.
pub const PREVENTED: u8 = b'Q';

pub mod tag {
    pub const FIRM: u8 = 2;
    pub const MIN_QUANTITY: u8 = 3;
    pub const MAX_FLOOR: u8 = 5;
    pub const POST_ONLY: u8 = 12;
    pub const EXPIRE_TIME: u8 = 15;
    pub const DISPLAY_QUANTITY: u8 = 22;
    pub const DISPLAY_PRICE: u8 = 23;
}

/// Our side of a code, 0 for none.
pub fn side_of(code: u8) -> u8 {
    match code {
        b'B' => BUY,
        b'S' | b'T' | b'E' => SELL,
        _ => 0,
    }
}

/// The flags of a side: who sends a short sale states that shares to borrow are located.
pub fn flags_of_side(code: u8) -> u8 {
    match code {
        b'T' => SHORT | LOCATED,
        b'E' => SHORT_EXEMPT | LOCATED,
        _ => 0,
    }
}

pub fn time_in_force_of(code: u8) -> Option<u8> {
    match code {
        b'0' => Some(DAY),
        b'3' => Some(IOC),
        b'6' => Some(GTD),
        _ => None,
    }
}

pub fn time_in_force_code(time_in_force: u8) -> u8 {
    match time_in_force {
        IOC | FOK => b'3',
        GTD => b'6',
        _ => b'0',
    }
}

/// The time in force of an order that trades in an auction only, by its cross type.
pub fn cross_of(code: u8) -> Option<u8> {
    match code {
        b'O' => Some(AT_THE_OPEN),
        b'C' => Some(AT_THE_CLOSE),
        b'H' => Some(GOOD_FOR_AUCTION),
        _ => None,
    }
}

pub fn cross_code(time_in_force: u8) -> u8 {
    match time_in_force {
        AT_THE_OPEN => b'O',
        AT_THE_CLOSE => b'C',
        GOOD_FOR_AUCTION => b'H',
        _ => CONTINUOUS,
    }
}

pub fn is_post_only_display(display: u8) -> bool {
    matches!(display, b'P' | b'L')
}

pub fn is_display(display: u8) -> bool {
    matches!(display, b'Y' | b'A' | HIDDEN_DISPLAY) || is_post_only_display(display)
}

pub fn is_capacity(code: u8) -> bool {
    matches!(code, b'A' | b'P' | b'R' | b'O')
}

/// How long the value of an option is; none for an option that is not known.
pub fn option_bytes(tag: u8) -> Option<usize> {
    match tag {
        1 | 9 | 19 | 23 => Some(8),
        2 | 3 | 5 | 7 | 11 | 13 | 14 | 15 | 22 => Some(4),
        4 | 6 | 10 | 12 | 16 | 17 | 18 | 20 => Some(1),
        _ => None,
    }
}

/// Why an option with a value is refused; `None` where the option is not known for orders at all.
pub fn option_refusal(tag: u8, value: &[u8]) -> Option<u8> {
    let is_blank = value == b" ";
    let is_zero = value.iter().all(|&byte| byte == 0);
    let (allowed, reason) = match tag {
        4 => (is_blank || value == b"N", RETAIL_NOT_ALLOWED),
        6 => (value == b"L", INVALID_PEG_TYPE),
        7 | 9 | 11 => (is_zero, PEGGING_NOT_ALLOWED),
        10 => (is_blank, PEGGING_NOT_ALLOWED),
        13 => (is_zero, INVALID_MAX_FLOOR),
        14 => (value == b"    ", ROUTING_NOT_ALLOWED),
        16 => (is_blank || value == b"N", OTHER),
        17 => (is_blank, OTHER),
        _ => return None,
    };
    Some(if allowed { 0 } else { reason })
}
