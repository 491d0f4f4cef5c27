//! What a run of events means for the table of orders, as `src/exchange/engine/order_projection.py` defines it.

use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use exchange_wire::{events, EVENT_HEADER_BYTES};

use crate::envelope::malformed;
use crate::Error;

const EXPIRED: i64 = 5;
const CANCELED: i64 = 4;
const REJECTED: i64 = 6;
const REPLACED: i64 = 7;
/// Reasons of a cancel by which an order expires.
const EXPIRED_REASONS: [u8; 2] = [4, 17];
const FILL_CORRECTED: i64 = 1;
const FILL_BUSTED: i64 = 2;
const SEQUENCE_BITS: u32 = 56;

/// A place in the run of events.
pub(crate) type Span = Range<usize>;

/// What happened to an order: when it came, and since. None: as it was.
#[derive(Default)]
pub(crate) struct OrderChange {
    pub order_id: u64,
    pub placed: Option<Placed>,
    pub update: Option<Update>,
}

/// An order as it came; record: of the event that placed it.
pub(crate) struct Placed {
    pub account_id: u32,
    pub symbol_id: u32,
    pub client_order_id: Span,
    pub leaves: u32,
    pub ended: i64,
    pub record: Span,
}

/// See `order_projection.Update`; filled, notional and busted are differences.
#[derive(Default)]
pub(crate) struct Update {
    pub kind: Kind,
    pub updated_ns: u64,
    pub leaves: Option<u32>,
    pub filled: i64,
    /// Fits: an order's quantity and its price have less than 32 and 31 bits.
    pub notional: i64,
    pub ended: Option<i64>,
    pub reason: Option<u8>,
    pub busted: i64,
    pub replaced_by: Option<u64>,
    pub price: Option<u32>,
    pub quantity: Option<u32>,
    pub terms: Option<Span>,
    pub triggered_ns: Option<u64>,
}

/// Which columns an update has touched: of a trade, of a cancel too, or any.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    #[default]
    Traded,
    Cancelled,
    Any,
}

pub(crate) struct Fill {
    pub account_id: u32,
    pub match_id: u64,
    pub side: u8,
    pub order_id: u64,
    pub symbol_id: u32,
    pub price: u32,
    pub quantity: u32,
    pub is_maker: bool,
    pub executed_ns: u64,
}

/// A trade that was busted, or corrected to a price and quantity.
pub(crate) struct Ruling {
    pub corrected: Option<(u32, u32)>,
    pub match_id: u64,
    pub accounts: [u32; 2],
}

impl Ruling {
    pub fn state(&self) -> i64 {
        self.corrected.map_or(FILL_BUSTED, |_| FILL_CORRECTED)
    }
}

pub(crate) struct Prevented {
    pub sequence: u64,
    pub symbol_id: u32,
    pub order_ids: [u64; 2],
    pub account_ids: [u32; 2],
    pub price: u32,
    pub quantity: u32,
    pub taker_side: u8,
    pub mode: u8,
    pub at_ns: u64,
}

/// What a run of events does to the tables; kept, so that a steady flow allocates nothing.
#[derive(Default)]
pub(crate) struct Changes {
    pub orders: Vec<OrderChange>,
    pub fills: Vec<Fill>,
    pub rulings: Vec<Ruling>,
    pub prevented: Vec<Prevented>,
    by_id: HashMap<u64, usize, BuildHasherDefault<OrderIdHasher>>,
}

impl Changes {
    /// Takes a run of whole event records in, in the place of what was here.
    pub fn project(&mut self, events: &[u8]) -> Result<(), Error> {
        self.orders.clear();
        self.fills.clear();
        self.rulings.clear();
        self.prevented.clear();
        self.by_id.clear();
        let mut offset = 0;
        while offset < events.len() {
            let length =
                events[offset..].first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes) as usize);
            let record = events.get(offset..offset + length).filter(|_| length >= EVENT_HEADER_BYTES);
            let record = record.ok_or_else(|| {
                malformed(format!(
                    "event record at offset {offset}: length {length} of {} bytes",
                    events.len()
                ))
            })?;
            self.take(&Record { bytes: record, offset }).ok_or_else(|| {
                malformed(format!("event record at offset {offset}: type {} with {length} bytes", record[4]))
            })?;
            offset += length;
        }
        Ok(())
    }

    /// Takes one event in; none where it is shorter than its type says.
    fn take(&mut self, record: &Record<'_>) -> Option<()> {
        match record.bytes[4] {
            events::ORDER_ACCEPTED => self.place(record.u64(40)?, record.placed(48, 60, 64)?),
            events::ORDER_REJECTED => {
                self.place(
                    record.u64(40)?,
                    Placed { leaves: 0, ended: REJECTED, ..record.placed(48, 60, 64)? },
                );
            }
            events::TRADE_EXECUTED => self.execute(record)?,
            events::ORDER_CANCELLED => self.cancel(record)?,
            events::ORDER_AMENDED => {
                let update = self.update(record.u64(40)?, record.time_ns(), Kind::Any);
                update.price = Some(record.u32(58)?);
                update.quantity = Some(record.u32(62)?);
                update.leaves = Some(record.u32(66)?);
            }
            events::ORDER_REPLACED => self.replace(record)?,
            events::ORDER_REPRICED => {
                let price = record.u32(54)?;
                self.update(record.u64(40)?, record.time_ns(), Kind::Any).price = Some(price);
            }
            events::SPECIAL_TERMS_ACCEPTED | events::PEG_ACCEPTED | events::SPECIAL_TERMS_ADJUSTED => {
                self.update(record.u64(40)?, record.time_ns(), Kind::Any).terms = Some(record.span());
            }
            events::ORDER_TRIGGERED => {
                let at_ns = record.time_ns();
                self.update(record.u64(40)?, at_ns, Kind::Any).triggered_ns = Some(at_ns);
            }
            events::MATCH_PREVENTED => self.prevent(record)?,
            events::TRADE_BUSTED => self.rule(record, None)?,
            events::TRADE_CORRECTED => self.rule(record, Some((record.u32(97)?, record.u32(101)?)))?,
            _ => {}
        }
        Some(())
    }

    fn place(&mut self, order_id: u64, placed: Placed) {
        match self.by_id.entry(order_id) {
            Entry::Occupied(entry) if self.orders[*entry.get()].placed.is_none() => {
                self.orders[*entry.get()].placed = Some(placed);
            }
            entry => {
                // The same id twice cannot be; the table then refuses the second.
                entry.or_insert(self.orders.len());
                self.orders.push(OrderChange { order_id, placed: Some(placed), update: None });
            }
        }
    }

    fn update(&mut self, order_id: u64, time_ns: u64, kind: Kind) -> &mut Update {
        let place = *self.by_id.entry(order_id).or_insert(self.orders.len());
        if place == self.orders.len() {
            self.orders.push(OrderChange { order_id, ..OrderChange::default() });
        }
        let update = self.orders[place].update.get_or_insert_default();
        update.updated_ns = time_ns;
        update.kind = update.kind.max(kind);
        update
    }

    fn execute(&mut self, record: &Record<'_>) -> Option<()> {
        let (symbol_id, executed_ns, match_id) = (record.symbol_id(), record.time_ns(), record.public_id());
        let (price, quantity, taker_side) = (record.u32(64)?, record.u32(68)?, record.u8(84)?);
        let other_side = if taker_side == 1 { 2 } else { 1 };
        for (order_at, account_at, leaves_at, is_maker) in [(40, 56, 76, true), (48, 60, 80, false)] {
            let (order_id, account_id) = (record.u64(order_at)?, record.u32(account_at)?);
            let leaves = record.u32(leaves_at)?;
            let update = self.update(order_id, executed_ns, Kind::Traded);
            update.leaves = Some(leaves);
            update.filled += i64::from(quantity);
            update.notional += i64::from(price) * i64::from(quantity);
            let side = if is_maker { other_side } else { taker_side };
            self.fills.push(Fill {
                account_id,
                match_id,
                side,
                order_id,
                symbol_id,
                price,
                quantity,
                is_maker,
                executed_ns,
            });
        }
        Some(())
    }

    fn cancel(&mut self, record: &Record<'_>) -> Option<()> {
        let reason = record.u8(53)?;
        let update = self.update(record.u64(40)?, record.time_ns(), Kind::Cancelled);
        update.leaves = Some(0);
        update.ended = Some(if EXPIRED_REASONS.contains(&reason) { EXPIRED } else { CANCELED });
        update.reason = Some(reason);
        Some(())
    }

    fn replace(&mut self, record: &Record<'_>) -> Option<()> {
        let new = record.u64(48)?;
        let update = self.update(record.u64(40)?, record.time_ns(), Kind::Any);
        update.leaves = Some(0);
        update.ended = Some(REPLACED);
        update.replaced_by = Some(new);
        self.place(new, record.placed(56, 72, 76)?);
        Some(())
    }

    fn prevent(&mut self, record: &Record<'_>) -> Option<()> {
        self.prevented.push(Prevented {
            sequence: record.sequence(),
            symbol_id: record.symbol_id(),
            order_ids: [record.u64(40)?, record.u64(48)?],
            account_ids: [record.u32(56)?, record.u32(60)?],
            price: record.u32(64)?,
            quantity: record.u32(68)?,
            taker_side: record.u8(72)?,
            mode: record.u8(73)?,
            at_ns: record.time_ns(),
        });
        Some(())
    }

    fn rule(&mut self, record: &Record<'_>, corrected: Option<(u32, u32)>) -> Option<()> {
        let (price, quantity) = (record.u32(48)?, record.u32(52)?);
        let (new_price, new_quantity) = corrected.unwrap_or((0, 0));
        let fewer = i64::from(quantity) - i64::from(new_quantity);
        let less = i64::from(price) * i64::from(quantity) - i64::from(new_price) * i64::from(new_quantity);
        for order_at in [64, 72] {
            let update = self.update(record.u64(order_at)?, record.time_ns(), Kind::Any);
            update.filled -= fewer;
            update.notional -= less;
            update.busted += fewer;
        }
        let accounts = [record.u32(56)?, record.u32(60)?];
        self.rulings.push(Ruling { corrected, match_id: record.u64(40)?, accounts });
        Some(())
    }
}

/// One event record: at least its header.
struct Record<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Record<'_> {
    fn u8(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.bytes.get(at..)?.first_chunk().map(|&bytes| u32::from_le_bytes(bytes))
    }

    fn u64(&self, at: usize) -> Option<u64> {
        self.bytes.get(at..)?.first_chunk().map(|&bytes| u64::from_le_bytes(bytes))
    }

    fn sequence(&self) -> u64 {
        self.u64(8).unwrap_or(0)
    }

    fn time_ns(&self) -> u64 {
        self.u64(24).unwrap_or(0)
    }

    fn symbol_id(&self) -> u32 {
        self.u32(36).unwrap_or(0)
    }

    fn public_id(&self) -> u64 {
        u64::from(self.bytes[7]) << SEQUENCE_BITS | self.sequence()
    }

    fn span(&self) -> Span {
        self.offset..self.offset + self.bytes.len()
    }

    /// Reads an order as it came, by where its account, its leaves and its client order id lie.
    fn placed(&self, account_at: usize, leaves_at: usize, client_at: usize) -> Option<Placed> {
        let padded = self.bytes.get(client_at..client_at + exchange_wire::CLIENT_ORDER_ID_BYTES)?;
        let size = padded.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let start = self.offset + client_at;
        Some(Placed {
            account_id: self.u32(account_at)?,
            symbol_id: self.symbol_id(),
            client_order_id: start..start + size,
            leaves: self.u32(leaves_at)?,
            ended: 0,
            record: self.span(),
        })
    }
}

/// Order ids count up, so one multiplication spreads them.
#[derive(Default)]
struct OrderIdHasher(u64);

impl Hasher for OrderIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, order_id: u64) {
        self.0 = (self.0 ^ order_id).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }
}
