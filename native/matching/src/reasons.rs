//! Why the exchange says no; `src/exchange/domain/reasons.py` has the sentences.

pub const UNKNOWN_COMMAND: u16 = 1;
pub const COMMAND_MALFORMED: u16 = 41;
pub const SIDE_INVALID: u16 = 2;
pub const ORDER_TYPE_INVALID: u16 = 3;
pub const TIME_IN_FORCE_INVALID: u16 = 4;
pub const UNKNOWN_ACCOUNT: u16 = 5;
pub const UNKNOWN_SYMBOL: u16 = 6;
pub const CLIENT_ORDER_ID_INVALID: u16 = 42;
pub const CLIENT_ORDER_ID_REUSED: u16 = 7;
pub const CLIENT_ORDER_ID_TABLE_FULL: u16 = 8;
pub const SYMBOL_SUSPENDED: u16 = 9;
pub const SYMBOL_HALTED: u16 = 120;
pub const PHASE_TAKES_NO_ORDERS: u16 = 121;
pub const PHASE_TAKES_NO_CANCELS: u16 = 122;
pub const ORDER_NOT_IN_PHASE: u16 = 123;
pub const AUCTION_OVER: u16 = 124;
pub const QUANTITY_NOT_POSITIVE: u16 = 10;
pub const QUANTITY_NOT_IN_LOTS: u16 = 11;
pub const PRICE_MISSING: u16 = 12;
pub const PRICE_NOT_ALLOWED: u16 = 13;
pub const PRICE_TOO_HIGH: u16 = 14;
pub const PRICE_NOT_ON_TICK: u16 = 15;
pub const NOTIONAL_OVERFLOW: u16 = 16;
pub const TIME_IN_FORCE_NOT_ALLOWED: u16 = 17;
pub const POST_ONLY_NOT_ALLOWED: u16 = 18;
pub const POST_ONLY_WOULD_TRADE: u16 = 19;
pub const UNKNOWN_ORDER: u16 = 20;
pub const NOTHING_TO_AMEND: u16 = 21;
pub const AMEND_BELOW_FILLED: u16 = 22;
pub const UNKNOWN_PARTICIPANT: u16 = 23;
pub const UNKNOWN_KEY: u16 = 24;
pub const NAME_TAKEN: u16 = 25;
pub const NAME_INVALID: u16 = 26;
pub const ROLE_INVALID: u16 = 27;
pub const KEY_TAKEN: u16 = 28;
pub const SYMBOL_INVALID: u16 = 43;
pub const SYMBOL_TAKEN: u16 = 29;
pub const TICK_TABLE_INVALID: u16 = 30;
pub const ROUND_LOT_INVALID: u16 = 31;
pub const REFERENCE_PRICE_INVALID: u16 = 32;
pub const SYMBOL_STATE_INVALID: u16 = 33;
pub const AMOUNT_NOT_POSITIVE: u16 = 34;
pub const INSUFFICIENT_BALANCE: u16 = 35;
pub const UNKNOWN_TRADE: u16 = 36;
pub const TRADE_ALREADY_BUSTED: u16 = 37;
pub const CORRECTION_INVALID: u16 = 38;
pub const BUSINESS_DATE_NOT_LATER: u16 = 39;
pub const DIRECTORY_FULL: u16 = 40;
pub const EXPIRY_INVALID: u16 = 54;
pub const MINIMUM_QUANTITY_INVALID: u16 = 55;
pub const DISPLAY_NOT_ALLOWED: u16 = 56;
pub const DISPLAY_QUANTITY_INVALID: u16 = 57;
pub const PROTECTION_INVALID: u16 = 58;
pub const STOP_PRICE_NOT_ALLOWED: u16 = 59;
pub const STOP_PRICE_MISSING: u16 = 60;
pub const STOP_PRICE_INVALID: u16 = 61;
pub const STOP_ALREADY_REACHED: u16 = 62;
pub const TRAIL_INVALID: u16 = 63;
pub const SELF_TRADE_MODE_INVALID: u16 = 65;
pub const PEG_INVALID: u16 = 195;
pub const PEG_NOT_CHANGED: u16 = 196;
pub const QUOTES_NOT_RESET: u16 = 197;
pub const QUOTE_INVALID: u16 = 198;
pub const QUOTE_CROSSED: u16 = 199;
pub const QUOTE_PROTECTION_INVALID: u16 = 200;
pub const QUOTE_NOT_CHANGED: u16 = 201;
pub const ORDER_LIST_INVALID: u16 = 190;
pub const ORDER_IDS_MISSING: u16 = 194;
pub const LIST_ORDER_INVALID: u16 = 191;
pub const LIST_SIDES_INVALID: u16 = 192;
pub const LIST_QUANTITIES_DIFFER: u16 = 193;
pub const PHASE_INVALID: u16 = 125;
pub const PHASE_TIME_INVALID: u16 = 126;
pub const AUCTION_TERMS_INVALID: u16 = 127;
pub const NOT_HALTED: u16 = 128;
pub const PRICE_BANDS_INVALID: u16 = 170;
pub const PRICE_CORRIDOR_INVALID: u16 = 171;
pub const INDEX_LEVEL_INVALID: u16 = 172;
pub const NO_BREAKER: u16 = 173;
pub const ALLOCATION_TOO_LONG: u16 = 71;
pub const ALLOCATION_STEP_INVALID: u16 = 72;
pub const LEAD_MAKERS_INVALID: u16 = 73;
pub const CONFIGURATION_SUPERSEDED: u16 = 70;
pub const MARKET_BLOCKED: u16 = 80;
pub const PARTICIPANT_BLOCKED: u16 = 81;
pub const ACCOUNT_BLOCKED: u16 = 82;
pub const SYMBOL_BLOCKED: u16 = 83;
pub const SYMBOL_BARRED: u16 = 84;
pub const MAX_QUANTITY: u16 = 85;
pub const MAX_NOTIONAL: u16 = 86;
pub const PRICE_COLLAR: u16 = 87;
pub const DUPLICATE_ORDERS: u16 = 88;
pub const MESSAGE_RATE: u16 = 89;
pub const POSITION_LIMIT: u16 = 90;
pub const BUYING_POWER: u16 = 91;
pub const SHORT_SALE: u16 = 92;
pub const GROSS_LIMIT: u16 = 93;
pub const LOSS_LIMIT: u16 = 94;
pub const SCOPE_INVALID: u16 = 95;
pub const ALREADY_BLOCKED: u16 = 96;
pub const NOT_BLOCKED: u16 = 97;
pub const ANOTHER_ROLE_NEEDED: u16 = 98;
pub const TIMER_INVALID: u16 = 99;
pub const RISK_LIMIT_INVALID: u16 = 100;
pub const CORPORATE_ACTION_NOT_NOW: u16 = 220;
pub const SPLIT_INVALID: u16 = 221;
pub const DIVIDEND_INVALID: u16 = 222;
pub const HOLDING_TOO_LARGE: u16 = 223;
pub const SYMBOL_RENAMED: u16 = 224;
pub const TRADE_BEFORE_SPLIT: u16 = 225;
pub const SHORT_FLAG_INVALID: u16 = 226;
pub const SHORT_SALE_NOT_PERMITTED: u16 = 227;
pub const LOCATE_MISSING: u16 = 228;
pub const SHORT_SALE_UNMARKED: u16 = 229;
pub const SHORT_SALE_PRICE: u16 = 230;
pub const SHORT_TERMS_INVALID: u16 = 231;
pub const SESSION_BLOCKED: u16 = 232;

/// One more than the highest number.
pub const REASONS_END: usize = 240;

/// A reason with what was measured and the limit it broke.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub reason: u16,
    pub measured: i128,
    pub limit: i128,
}

impl Refusal {
    pub fn new(reason: u16) -> Self {
        Self { reason, measured: 0, limit: 0 }
    }

    pub fn measured(reason: u16, measured: impl Into<i128>) -> Self {
        Self { reason, measured: measured.into(), limit: 0 }
    }

    pub fn limited(reason: u16, measured: impl Into<i128>, limit: impl Into<i128>) -> Self {
        Self { reason, measured: measured.into(), limit: limit.into() }
    }
}

/// The nearest number that fits a signed 64-bit field.
pub fn int64(number: i128) -> i64 {
    number.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
