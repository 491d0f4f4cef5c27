//! Event records: their types, their header, and how the bodies that orders cause lie in bytes.

use crate::record::Fields;
use crate::{ClientOrderId, EVENT_HEADER_BYTES, VERSION};

pub const ENGINE_STARTED: u8 = 101;
pub const BUSINESS_DAY_STARTED: u8 = 103;
pub const SYMBOL_ADDED: u8 = 110;
pub const SYMBOL_STATE_CHANGED: u8 = 111;
pub const REFERENCE_PRICE_SET: u8 = 112;
pub const SYMBOL_CONFIGURED: u8 = 113;
pub const PARTICIPANT_CREATED: u8 = 120;
pub const ACCOUNT_CREATED: u8 = 121;
pub const KEY_CREATED: u8 = 122;
pub const KEY_REVOKED: u8 = 123;
pub const DEPOSITED: u8 = 130;
pub const WITHDRAWN: u8 = 131;
pub const ORDER_ACCEPTED: u8 = 140;
pub const ORDER_CANCELLED: u8 = 141;
pub const ORDER_AMENDED: u8 = 142;
pub const ORDER_REPLACED: u8 = 143;
pub const ORDERS_CANCELLED: u8 = 144;
pub const ORDER_REJECTED: u8 = 145;
pub const ORDER_DUPLICATED: u8 = 146;
pub const COMMAND_REJECTED: u8 = 147;
pub const TRADE_EXECUTED: u8 = 150;
pub const TRADE_BUSTED: u8 = 151;
pub const TRADE_CORRECTED: u8 = 152;
pub const RULE_CONFIGURED: u8 = 160;
pub const CONFIGURATION_CHANGED: u8 = 161;
pub const ALLOCATION_SET: u8 = 162;
pub const SPECIAL_TERMS_ACCEPTED: u8 = 163;
pub const ORDER_REPRICED: u8 = 164;
pub const ORDER_REFRESHED: u8 = 165;
pub const MARKET_PROTECTION_SET: u8 = 166;
pub const ORDER_TRIGGERED: u8 = 167;
pub const SELF_TRADE_PREVENTION_SET: u8 = 168;
pub const MATCH_PREVENTED: u8 = 169;
pub const PHASE_CHANGED: u8 = 185;
pub const PHASE_SCHEDULED: u8 = 186;
pub const SCHEDULE_CLEARED: u8 = 187;
pub const AUCTION_TERMS_SET: u8 = 188;
pub const AUCTION_INDICATED: u8 = 189;
pub const AUCTION_EXECUTED: u8 = 190;
pub const AUCTION_EXTENDED: u8 = 191;
pub const PRICE_BANDS_SET: u8 = 192;
pub const PRICE_CORRIDOR_SET: u8 = 193;
pub const PRICE_BANDS_MOVED: u8 = 194;
pub const LIMIT_STATE_CHANGED: u8 = 195;
pub const AUCTION_COLLAR_SET: u8 = 196;
pub const CORRIDOR_LEFT: u8 = 197;
pub const MARKET_BREAKER_SET: u8 = 198;
pub const INDEX_LEVEL_REPORTED: u8 = 199;
pub const MARKET_BREAKER_TRIPPED: u8 = 200;
pub const TRADING_BLOCKED: u8 = 170;
pub const TRADING_UNBLOCKED: u8 = 171;
pub const CANCEL_TIMER_SET: u8 = 172;
pub const CANCEL_TIMER_EXPIRED: u8 = 173;
pub const RISK_LIMIT_SET: u8 = 174;
pub const RISK_ALERTED: u8 = 175;
pub const SYMBOL_SPLIT: u8 = 220;
pub const SYMBOL_RENAMED: u8 = 221;
pub const DIVIDEND_PAID: u8 = 222;
pub const HOLDING_ADJUSTED: u8 = 223;
pub const SPECIAL_TERMS_ADJUSTED: u8 = 224;
pub const SHORT_SALE_TERMS_SET: u8 = 225;
pub const SHORT_SALE_RESTRICTED: u8 = 226;

pub const ORDER_LIST_ACCEPTED: u8 = 205;
pub const ORDER_LIST_TRIGGERED: u8 = 206;
pub const ORDER_LIST_ENDED: u8 = 207;
pub const PEG_ACCEPTED: u8 = 208;
pub const QUOTE_ACCEPTED: u8 = 209;
pub const QUOTE_REJECTED: u8 = 210;
pub const QUOTES_CANCELLED: u8 = 211;
pub const QUOTE_PROTECTION_SET: u8 = 212;
pub const QUOTE_PROTECTION_REACHED: u8 = 213;
pub const QUOTE_PROTECTION_RESET: u8 = 214;

/// What all events of one command share.
#[derive(Clone, Copy, Default)]
pub struct Header {
    pub partition: u8,
    pub sequence: u64,
    pub command_sequence: u64,
    pub time_ns: u64,
    pub epoch: u32,
}

impl Header {
    /// Begins a record of `N` bytes.
    #[inline(always)]
    pub fn begin<'a, const N: usize>(
        &self,
        out: &'a mut [u8; N],
        number: u8,
        symbol_id: u32,
    ) -> Fields<'a, N> {
        self.begin_sized(out, N, number, symbol_id)
    }

    /// Writes the header of a record whose body and tail follow.
    pub fn write(&self, out: &mut [u8; EVENT_HEADER_BYTES], number: u8, symbol_id: u32, body_bytes: usize) {
        self.begin_sized(out, EVENT_HEADER_BYTES + body_bytes, number, symbol_id).end();
    }

    #[inline(always)]
    fn begin_sized<'a, const N: usize>(
        &self,
        out: &'a mut [u8; N],
        length: usize,
        number: u8,
        symbol_id: u32,
    ) -> Fields<'a, N> {
        Fields::new(out)
            .u32(length as u32)
            .u8(number)
            .u8(VERSION)
            .u8(0)
            .u8(self.partition)
            .u64(self.sequence)
            .u64(self.command_sequence)
            .u64(self.time_ns)
            .u32(self.epoch)
            .u32(symbol_id)
    }
}

/// What an order is: the part of its record that entry, acceptance and replacement share.
#[derive(Clone, Copy, Default)]
pub struct Kind {
    pub side: u8,
    pub order_type: u8,
    pub time_in_force: u8,
    pub flags: u8,
}

impl Kind {
    #[inline(always)]
    pub fn bytes(self) -> [u8; 4] {
        [self.side, self.order_type, self.time_in_force, self.flags]
    }
}

pub struct OrderAccepted {
    pub symbol_id: u32,
    pub order_id: u64,
    pub account_id: u32,
    pub kind: Kind,
    pub price: u32,
    pub quantity: u32,
}

impl OrderAccepted {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 60;

    #[inline(always)]
    pub fn write(&self, header: &Header, client_order_id: &ClientOrderId, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, ORDER_ACCEPTED, self.symbol_id)
            .u64(self.order_id)
            .u32(self.account_id)
            .put(self.kind.bytes())
            .u32(self.price)
            .u32(self.quantity)
            .put(*client_order_id)
            .end();
    }
}

pub struct OrderCancelled {
    pub symbol_id: u32,
    pub order_id: u64,
    pub account_id: u32,
    pub side: u8,
    pub reason: u8,
    pub price: u32,
    pub quantity: u32,
}

impl OrderCancelled {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 22;

    #[inline(always)]
    pub fn write(&self, header: &Header, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, ORDER_CANCELLED, self.symbol_id)
            .u64(self.order_id)
            .u32(self.account_id)
            .u8(self.side)
            .u8(self.reason)
            .u32(self.price)
            .u32(self.quantity)
            .end();
    }
}

pub struct OrderReplaced {
    pub symbol_id: u32,
    pub order_id: u64,
    pub new_order_id: u64,
    pub account_id: u32,
    pub kind: Kind,
    pub cancelled_quantity: u32,
    pub price: u32,
    pub quantity: u32,
}

impl OrderReplaced {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 72;

    #[inline(always)]
    pub fn write(&self, header: &Header, client_order_id: &ClientOrderId, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, ORDER_REPLACED, self.symbol_id)
            .u64(self.order_id)
            .u64(self.new_order_id)
            .u32(self.account_id)
            .put(self.kind.bytes())
            .u32(self.cancelled_quantity)
            .u32(self.price)
            .u32(self.quantity)
            .put(*client_order_id)
            .end();
    }
}

pub struct OrderAmended {
    pub symbol_id: u32,
    pub order_id: u64,
    pub account_id: u32,
    pub side: u8,
    pub kept_priority: bool,
    pub old_price: u32,
    pub price: u32,
    pub quantity: u32,
    pub leaves: u32,
}

impl OrderAmended {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 30;

    pub fn write(&self, header: &Header, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, ORDER_AMENDED, self.symbol_id)
            .u64(self.order_id)
            .u32(self.account_id)
            .u8(self.side)
            .u8(u8::from(self.kept_priority))
            .u32(self.old_price)
            .u32(self.price)
            .u32(self.quantity)
            .u32(self.leaves)
            .end();
    }
}

pub struct OrderRejected {
    pub symbol_id: u32,
    pub order_id: u64,
    pub account_id: u32,
    pub kind: Kind,
    pub price: u32,
    pub quantity: u32,
    pub reason: u16,
    pub measured: i64,
    pub limit: i64,
}

impl OrderRejected {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 78;

    pub fn write(&self, header: &Header, client_order_id: &ClientOrderId, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, ORDER_REJECTED, self.symbol_id)
            .u64(self.order_id)
            .u32(self.account_id)
            .put(self.kind.bytes())
            .u32(self.price)
            .u32(self.quantity)
            .put(*client_order_id)
            .u16(self.reason)
            .i64(self.measured)
            .i64(self.limit)
            .end();
    }
}

pub struct CommandRejected {
    pub symbol_id: u32,
    pub command_type: u8,
    pub reason: u16,
    pub subject: u64,
    pub measured: i64,
    pub limit: i64,
}

impl CommandRejected {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 27;

    pub fn write(&self, header: &Header, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, COMMAND_REJECTED, self.symbol_id)
            .u8(self.command_type)
            .u16(self.reason)
            .u64(self.subject)
            .i64(self.measured)
            .i64(self.limit)
            .end();
    }
}

pub struct TradeExecuted {
    pub symbol_id: u32,
    pub maker_order_id: u64,
    pub taker_order_id: u64,
    pub maker_account_id: u32,
    pub taker_account_id: u32,
    pub price: u32,
    pub quantity: u32,
    pub reference_price: u32,
    pub maker_leaves: u32,
    pub taker_leaves: u32,
    pub taker_side: u8,
    pub state: u8,
}

impl TradeExecuted {
    pub const BYTES: usize = EVENT_HEADER_BYTES + 46;

    #[inline(always)]
    pub fn write(&self, header: &Header, out: &mut [u8; Self::BYTES]) {
        header
            .begin(out, TRADE_EXECUTED, self.symbol_id)
            .u64(self.maker_order_id)
            .u64(self.taker_order_id)
            .u32(self.maker_account_id)
            .u32(self.taker_account_id)
            .u32(self.price)
            .u32(self.quantity)
            .u32(self.reference_price)
            .u32(self.maker_leaves)
            .u32(self.taker_leaves)
            .u8(self.taker_side)
            .u8(self.state)
            .end();
    }
}
