//! From event records to the messages of each business date: `market_data/itch_stream.py` and `book_builder.py`.
//!
//! An order that comes in stands aside until its command is over. What happens to orders is told first, then what else
//! the command did.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::{
    AUCTION_COLLAR_SET, AUCTION_EXECUTED, AUCTION_EXTENDED, AUCTION_INDICATED, BUSINESS_DAY_STARTED,
    MARKET_BREAKER_SET, MARKET_BREAKER_TRIPPED, ORDER_ACCEPTED, ORDER_AMENDED, ORDER_CANCELLED,
    ORDER_REFRESHED, ORDER_REPLACED, ORDER_REPRICED, ORDER_TRIGGERED, PHASE_CHANGED, PRICE_BANDS_SET,
    PRICE_CORRIDOR_SET, SHORT_SALE_RESTRICTED, SHORT_SALE_TERMS_SET, SPECIAL_TERMS_ACCEPTED,
    SPECIAL_TERMS_ADJUSTED, SYMBOL_ADDED, SYMBOL_CONFIGURED, SYMBOL_RENAMED, SYMBOL_STATE_CHANGED,
    TRADE_BUSTED, TRADE_CORRECTED, TRADE_EXECUTED, TRADING_BLOCKED, TRADING_UNBLOCKED,
};
use crate::reader::Malformed;
use crate::{EVENT_HEADER_BYTES, FLAGS_OFFSET, LAST_OF_COMMAND, VERSION};

use super::book::{Books, Order, BUY};
use super::messages::{At, Imbalance, Packets, Print, Stock, NO_REASON};
use super::snapshot;
pub use super::symbols::Symbol;
use super::symbols::{stock_of, Symbols, CONTINUOUS};

const SEQUENCE_BITS: u32 = 56;
const MOVE_SHIFT: u32 = 40;
const MOVES_MASK: u64 = 0xFFFF;
const BREAKER_LEFT_BPS: [u64; 3] = [9_300, 8_700, 8_000];
const HIDDEN: u8 = 8;
const MARKET: u8 = 1;
const STOP: u8 = 3;
const STOP_LIMIT: u8 = 4;
const DAY: u8 = 0;
const GTC: u8 = 1;
const GTD: u8 = 6;
const IN_AUCTION: u8 = 3;
const VOLATILITY: u8 = b'V';
const KINDS: usize = 256;

/// Why events cannot be taken in; the state is worth nothing then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The record is cut, or its length is none.
    Length { offset: usize },
    /// No event that is known, or one in another version.
    Kind { offset: usize, kind: u16 },
    /// The event speaks of an order or a symbol that is not there, or of more shares than there are.
    State { offset: usize },
}

/// Messages of one business date in order, as `S` packets.
#[derive(Default)]
pub struct Part {
    pub date: u32,
    pub packets: Packets,
    pub begins: bool,
    pub ends: bool,
}

/// What a stream goes on from. references: those of orders that have another than their id.
#[derive(Default)]
pub struct Start {
    pub date: u32,
    pub breaker_close: u64,
    pub symbols: Vec<(u32, Symbol)>,
    pub references: Vec<(u64, u64)>,
    pub matches: Vec<(u64, u64)>,
    pub blocked: Vec<u32>,
}

/// An event record at its offset: numbers by their offset within it.
#[derive(Clone, Copy)]
struct Event<'a> {
    bytes: &'a [u8],
    offset: usize,
}

type Taken = Result<(), Broken>;

/// Turns event records into messages.
pub struct Stream {
    pub date: u32,
    pub breaker_close: u64,
    /// Of the last event taken in.
    pub sequence: u64,
    pub time_ns: u64,
    books: Books,
    symbols: Symbols,
    incoming: Option<Order>,
    matches: BTreeMap<u64, u64>,
    /// Symbols that the kill switch blocks, 0 for the whole market.
    blocked: BTreeSet<u32>,
    breaker_level: u8,
    known: [bool; KINDS],
    /// The command of the event told of last.
    command: u64,
    /// The size of the packets after a delete that may become a replace, and its reference.
    moved: Option<(usize, u64)>,
    out: Part,
    parts: Vec<Part>,
    directory_events: Vec<u8>,
}

impl<'a> Event<'a> {
    #[inline(always)]
    fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Broken> {
        self.bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .ok_or(Broken::Length { offset: self.offset })
    }

    #[inline(always)]
    fn u8(self, at: usize) -> Result<u8, Broken> {
        self.array::<1>(at).map(|[byte]| byte)
    }

    #[inline(always)]
    fn u32(self, at: usize) -> Result<u32, Broken> {
        self.array(at).map(u32::from_le_bytes)
    }

    #[inline(always)]
    fn u64(self, at: usize) -> Result<u64, Broken> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Of a header that was looked at already.
    #[inline(always)]
    fn header<const N: usize>(self, at: usize) -> [u8; N] {
        *self.bytes[at..].first_chunk().expect("a header is whole")
    }

    #[inline(always)]
    fn kind(self) -> u8 {
        self.bytes[4]
    }

    #[inline(always)]
    fn sequence(self) -> u64 {
        u64::from_le_bytes(self.header(8))
    }

    #[inline(always)]
    fn command(self) -> u64 {
        u64::from_le_bytes(self.header(16))
    }

    #[inline(always)]
    fn time_ns(self) -> u64 {
        u64::from_le_bytes(self.header(24))
    }

    #[inline(always)]
    fn symbol_id(self) -> u32 {
        u32::from_le_bytes(self.header(36))
    }

    #[inline(always)]
    fn at(self) -> At {
        At { symbol_id: self.symbol_id(), time_ns: self.time_ns() }
    }

    /// Partition and sequence as one number.
    #[inline(always)]
    fn public_id(self) -> u64 {
        u64::from(self.bytes[7]) << SEQUENCE_BITS | self.sequence()
    }

    fn broken(self) -> Broken {
        Broken::State { offset: self.offset }
    }
}

impl Stream {
    /// books: as `BookBuilder.snapshot` writes them; known: which numbers are events.
    pub fn new(known: &[u8], books: &[u8], start: Start) -> Result<Self, Malformed> {
        let (mut books, (sequence, time_ns)) = snapshot::read(books)?;
        for (order_id, reference) in start.references {
            books.orders.get_mut(&order_id).ok_or(Malformed)?.reference = reference;
        }
        let mut symbols = Symbols::default();
        start.symbols.into_iter().for_each(|(id, symbol)| symbols.set(id, symbol));
        let mut are_known = [false; KINDS];
        known.iter().for_each(|&number| are_known[usize::from(number)] = true);
        Ok(Self {
            date: start.date,
            breaker_close: start.breaker_close,
            sequence,
            time_ns,
            books,
            symbols,
            incoming: None,
            matches: start.matches.into_iter().collect(),
            blocked: start.blocked.into_iter().collect(),
            breaker_level: 0,
            known: are_known,
            command: 0,
            moved: None,
            out: Part::default(),
            parts: Vec::new(),
            directory_events: Vec::new(),
        })
    }

    /// Takes event records of whole commands in.
    pub fn apply(&mut self, events: &[u8]) -> Taken {
        let mut waiting: Vec<Event> = Vec::new();
        let mut offset = 0;
        while offset < events.len() {
            let event = event_at(events, offset)?;
            offset += event.bytes.len();
            if self.take_order(event)? {
                waiting.push(event);
            }
            if event.bytes[FLAGS_OFFSET] & LAST_OF_COMMAND != 0 {
                self.settle(event)?;
                self.books.end_command(event.sequence());
                for event in waiting.drain(..) {
                    self.take(event)?;
                }
            }
            (self.sequence, self.time_ns) = (event.sequence(), event.time_ns());
        }
        self.close_part(false);
        Ok(())
    }

    /// Begins a date in the middle of a market, with what stands there.
    pub fn begin(&mut self, date: u32) {
        self.start_day(date, self.time_ns);
        self.close_part(false);
    }

    /// What was made since the last time.
    pub fn take_parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// The records since the last time by which symbols or the breaker's close changed.
    pub fn take_directory_events(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.directory_events)
    }

    pub fn books(&self) -> Vec<u8> {
        snapshot::write(&self.books, (self.sequence, self.time_ns))
    }

    /// Orders that have another reference than their id, lowest id first.
    pub fn references(&self) -> Vec<(u64, u64)> {
        let orders = self.books.orders.values().filter(|order| order.reference != order.order_id);
        let mut pairs: Vec<(u64, u64)> = orders.map(|order| (order.order_id, order.reference)).collect();
        pairs.sort_unstable();
        pairs
    }

    pub fn matches(&self) -> Vec<(u64, u64)> {
        self.matches.iter().map(|(&match_id, &corrected)| (match_id, corrected)).collect()
    }

    pub fn blocked(&self) -> Vec<u32> {
        self.blocked.iter().copied().collect()
    }

    // --- what happens to orders -------------------------------------------------------------------

    /// Takes what concerns orders; tells whether the event is of something else that is told.
    #[inline(always)]
    fn take_order(&mut self, event: Event) -> Result<bool, Broken> {
        match event.kind() {
            ORDER_ACCEPTED => self.accepted(event)?,
            ORDER_CANCELLED => self.cancelled(event)?,
            TRADE_EXECUTED => self.executed(event)?,
            ORDER_REPLACED => self.replaced(event)?,
            ORDER_AMENDED => self.amended(event)?,
            ORDER_REFRESHED => self.refreshed(event)?,
            ORDER_REPRICED => self.repriced(event)?,
            ORDER_TRIGGERED => self.triggered(event)?,
            SPECIAL_TERMS_ACCEPTED => self.coming(event)?.display = event.u32(56)?,
            SPECIAL_TERMS_ADJUSTED => self.adjusted(event)?,
            number => {
                if !self.known[usize::from(number)] {
                    return Err(unknown(event));
                }
                return Ok(is_told(number));
            }
        }
        Ok(false)
    }

    fn accepted(&mut self, event: Event) -> Taken {
        self.settle(event)?;
        self.incoming = Some(incoming(event, event.u64(40)?, 52, 56)?);
        Ok(())
    }

    fn replaced(&mut self, event: Event) -> Taken {
        let old = self.order(event.u64(40)?, event)?;
        self.remove(old, event)?;
        let order = incoming(event, event.u64(48)?, 60, 68)?;
        self.incoming = Some(Order { display: old.display, ..order });
        Ok(())
    }

    fn cancelled(&mut self, event: Event) -> Taken {
        let order_id = event.u64(40)?;
        if self.is_coming(order_id) {
            self.incoming = None;
            return Ok(());
        }
        let order = self.order(order_id, event)?;
        self.remove(order, event)
    }

    fn amended(&mut self, event: Event) -> Taken {
        let (order_id, price, leaves) = (event.u64(40)?, event.u32(58)?, event.u32(66)?);
        if self.is_coming(order_id) {
            self.coming(event)?.leaves = leaves;
            return Ok(());
        }
        self.settle(event)?;
        let mut order = self.order(order_id, event)?;
        if event.u8(53)? != 0 {
            let shown = order.leaves.min(leaves);
            order.reserve = leaves - shown;
            return self.take_away(order, shown, event);
        }
        let is_told_gone = order.is_told_gone || !order.is_hidden;
        self.remove(order, event)?;
        self.incoming = Some(Order { reserve: 0, price, leaves, is_told_gone, ..order });
        Ok(())
    }

    fn executed(&mut self, event: Event) -> Taken {
        self.trade_resting(event.u64(40)?, event.u32(76)?, event)?;
        let (taker_id, leaves) = (event.u64(48)?, event.u32(80)?);
        if event.u8(85)? == IN_AUCTION {
            return self.trade_resting(taker_id, leaves, event);
        }
        match &mut self.incoming {
            Some(order) if order.order_id == taker_id => order.leaves = leaves,
            _ => return Err(event.broken()),
        }
        Ok(())
    }

    /// Lets an order trade that rests; in an auction both do.
    fn trade_resting(&mut self, order_id: u64, all_leaves: u32, event: Event) -> Taken {
        let order = self.books.orders.get_mut(&order_id).ok_or(event.broken())?;
        let before = *order;
        let leaves = all_leaves.checked_sub(order.reserve).ok_or(event.broken())?;
        let shares = order.leaves.checked_sub(leaves).ok_or(event.broken())?;
        order.leaves = leaves;
        if !before.is_hidden {
            order.is_told_gone |= leaves == 0;
            self.books.touch(before.symbol_id);
        }
        if leaves == 0 && before.reserve == 0 {
            self.books.orders.remove(&order_id);
        }
        self.tell_execution(before, shares, event)
    }

    fn tell_execution(&mut self, order: Order, shares: u32, event: Event) -> Taken {
        let at = self.at(order.symbol_id, event);
        if order.is_hidden {
            let is_printed = event.u8(85)? != IN_AUCTION;
            return if is_printed {
                self.print(at, shares, order.price, event.public_id(), event)
            } else {
                Ok(())
            };
        }
        if self.date == 0 {
            return Ok(());
        }
        let packets = &mut self.out.packets;
        if event.u8(85)? == IN_AUCTION {
            packets.executed_at(at, order.reference, shares, event.public_id(), event.u32(64)?);
        } else {
            packets.executed(at, order.reference, shares, event.public_id());
        }
        Ok(())
    }

    fn refreshed(&mut self, event: Event) -> Taken {
        let mut order = self.order(event.u64(40)?, event)?;
        order.leaves = event.u32(57)?;
        order.reserve = event.u32(61)?.checked_sub(order.leaves).ok_or(event.broken())?;
        self.come_to_rest(order, event)
    }

    fn repriced(&mut self, event: Event) -> Taken {
        let order_id = event.u64(40)?;
        if !self.is_coming(order_id) {
            self.settle(event)?;
            self.incoming = Some(self.books.orders.remove(&order_id).ok_or(event.broken())?);
        }
        self.coming(event)?.price = event.u32(54)?;
        Ok(())
    }

    /// Lets a stop order come in, after what came in before it is done.
    fn triggered(&mut self, event: Event) -> Taken {
        self.settle(event)?;
        let order = self.books.orders.remove(&event.u64(40)?).ok_or(event.broken())?;
        let rests = may_rest(event.u8(53)?, event.u8(54)?);
        self.incoming = Some(Order { is_hidden: event.u8(55)? & HIDDEN != 0, rests, ..order });
        Ok(())
    }

    fn adjusted(&mut self, event: Event) -> Taken {
        self.settle(event)?;
        let display = event.u32(56)?;
        self.books.orders.get_mut(&event.u64(40)?).ok_or(event.broken())?.display = display;
        Ok(())
    }

    // --- parts of that ----------------------------------------------------------------------------

    #[inline(always)]
    fn is_coming(&self, order_id: u64) -> bool {
        self.incoming.as_ref().is_some_and(|order| order.order_id == order_id)
    }

    /// The order that comes in, which must be the one that the event names.
    fn coming(&mut self, event: Event) -> Result<&mut Order, Broken> {
        let order_id = event.u64(40)?;
        self.incoming.as_mut().filter(|order| order.order_id == order_id).ok_or(event.broken())
    }

    fn order(&self, order_id: u64, event: Event) -> Result<Order, Broken> {
        self.books.orders.get(&order_id).copied().ok_or(event.broken())
    }

    fn remove(&mut self, order: Order, event: Event) -> Taken {
        self.take_away(Order { reserve: 0, ..order }, 0, event)
    }

    /// Leaves so much of a resting order, by its owner or the exchange, and tells of it.
    fn take_away(&mut self, mut order: Order, leaves: u32, event: Event) -> Taken {
        let before = order.leaves;
        order.leaves = leaves;
        if !order.is_hidden {
            let at = self.at(order.symbol_id, event);
            if leaves == 0 {
                order.is_told_gone = true;
                if self.date != 0 {
                    self.out.packets.delete(at, order.reference);
                    let may_move = matches!(event.kind(), ORDER_AMENDED | ORDER_REPLACED);
                    if may_move {
                        self.moved = Some((self.out.packets.bytes.len(), order.reference));
                    }
                }
            } else if leaves != before && self.date != 0 {
                self.out.packets.cancel(at, order.reference, before - leaves);
            }
            self.books.touch(order.symbol_id);
        }
        if leaves == 0 && order.reserve == 0 {
            self.books.orders.remove(&order.order_id);
        } else {
            self.books.orders.insert(order.order_id, order);
        }
        Ok(())
    }

    /// Lets what is left of the order that came in rest: had it been cancelled, its event would have said so.
    #[inline(always)]
    fn settle(&mut self, event: Event) -> Taken {
        let Some(mut order) = self.incoming.take().filter(|order| order.leaves > 0) else { return Ok(()) };
        order.is_hidden |= !order.rests;
        if !order.is_hidden && 0 < order.display && order.display < order.leaves {
            order.reserve = order.leaves - order.display;
            order.leaves = order.display;
        }
        self.come_to_rest(order, event)
    }

    fn come_to_rest(&mut self, mut order: Order, event: Event) -> Taken {
        if order.is_hidden {
            self.books.add(order);
            return Ok(());
        }
        let at = self.at(order.symbol_id, event);
        if std::mem::take(&mut order.is_told_gone) {
            order.reference = next_reference(order.reference);
        }
        self.books.add(order);
        match self.moved {
            _ if self.date == 0 => {}
            Some((size, old)) if size == self.out.packets.bytes.len() => {
                self.out.packets.replace_delete(at, old, order.reference, order.leaves, order.price);
                self.moved = None;
            }
            _ => self.tell_order(at, &order, event)?,
        }
        Ok(())
    }

    fn tell_order(&mut self, at: At, order: &Order, event: Event) -> Taken {
        let stock = self.stock(order.symbol_id, event)?;
        self.out.packets.add_order(
            at,
            order.reference,
            side_code(order.side),
            order.leaves,
            stock,
            order.price,
        );
        Ok(())
    }

    /// The time of an event; what belongs to the command before it is forgotten.
    #[inline(always)]
    fn at(&mut self, symbol_id: u32, event: Event) -> At {
        if event.command() != self.command {
            self.command = event.command();
            self.moved = None;
        }
        At { symbol_id, time_ns: event.time_ns() }
    }

    // --- what else happens ------------------------------------------------------------------------

    fn take(&mut self, event: Event) -> Taken {
        self.note_symbol(event)?;
        let at = event.at();
        match event.kind() {
            SYMBOL_ADDED | SYMBOL_CONFIGURED | SYMBOL_RENAMED => {
                self.list(at, event)?;
                self.tell_state(at, NO_REASON, event)?;
            }
            SYMBOL_STATE_CHANGED => self.tell_state(at, NO_REASON, event)?,
            PHASE_CHANGED if at.symbol_id != 0 => {
                let reason = self.reason_of(event.u8(41)?);
                self.tell_state(at, reason, event)?;
            }
            PRICE_BANDS_SET | PRICE_CORRIDOR_SET => self.list(at, event)?,
            SHORT_SALE_RESTRICTED => {
                let (is_restricted, price) = (event.u8(40)? != 0, event.u32(42)?);
                let action = if !is_restricted { b'0' } else { [b'2', b'1'][usize::from(price != 0)] };
                self.tell_restriction(at, action, event)?;
            }
            TRADING_BLOCKED | TRADING_UNBLOCKED => self.note_block(event)?,
            AUCTION_INDICATED => self.tell_indication(event)?,
            AUCTION_EXECUTED => self.tell_cross(event)?,
            AUCTION_EXTENDED => {
                let has_own = self.symbol(at.symbol_id, event)?.tier != 0 && event.u8(40)? == VOLATILITY;
                if !has_own {
                    let (price, lowest, highest) = (event.u32(41)?, event.u32(45)?, event.u32(49)?);
                    self.tell_collar(event, [price, highest, lowest, event.u8(53)?.into()])?;
                }
            }
            AUCTION_COLLAR_SET => {
                let (reference, lower, upper) = (event.u32(40)?, event.u32(44)?, event.u32(48)?);
                self.tell_collar(event, [reference, upper, lower, event.u8(52)?.into()])?;
            }
            MARKET_BREAKER_SET => self.tell_breaker(at.time_ns),
            MARKET_BREAKER_TRIPPED => {
                self.breaker_level = event.u8(40)?;
                if self.date != 0 {
                    self.out.packets.breach(at.time_ns, self.breaker_level);
                }
            }
            BUSINESS_DAY_STARTED => self.start_day(event.u32(40)?, at.time_ns),
            TRADE_BUSTED => self.break_trade(event)?,
            TRADE_CORRECTED => self.correct(event)?,
            _ => {}
        }
        Ok(())
    }

    /// Keeps what symbols are; the events that change them are kept for who wants to know more.
    fn note_symbol(&mut self, event: Event) -> Taken {
        match event.kind() {
            SYMBOL_ADDED => self.add_symbol(event, 40, 52)?,
            SYMBOL_CONFIGURED => {
                if self.symbols.get(event.symbol_id()).is_none() {
                    self.add_symbol(event, 45, 57)?;
                }
                let (round_lot, state) = (event.u32(57)?, event.u8(61)?);
                let symbol = self.symbol_mut(event)?;
                (symbol.round_lot, symbol.state) = (round_lot, state);
            }
            SYMBOL_RENAMED => self.symbol_mut(event)?.stock = stock_of(event.array(48)?),
            SYMBOL_STATE_CHANGED => self.symbol_mut(event)?.state = event.u8(40)?,
            PHASE_CHANGED if event.symbol_id() != 0 => self.symbol_mut(event)?.phase = event.u8(40)?,
            PRICE_BANDS_SET => self.symbol_mut(event)?.tier = event.u8(40)?,
            PRICE_CORRIDOR_SET => self.symbol_mut(event)?.tier = 0,
            SHORT_SALE_TERMS_SET => {
                let trigger_bps = u16::from_le_bytes(event.array(40)?);
                self.symbol_mut(event)?.trigger_bps = trigger_bps;
            }
            SHORT_SALE_RESTRICTED => self.symbol_mut(event)?.is_short_restricted = event.u8(40)? != 0,
            MARKET_BREAKER_SET => self.breaker_close = event.u64(40)?,
            _ => return Ok(()),
        }
        self.directory_events.extend_from_slice(event.bytes);
        Ok(())
    }

    fn add_symbol(&mut self, event: Event, name_at: usize, round_lot_at: usize) -> Taken {
        let symbol = Symbol {
            stock: stock_of(event.array(name_at)?),
            round_lot: event.u32(round_lot_at)?,
            state: event.u8(round_lot_at + 4)?,
            phase: CONTINUOUS,
            tier: 0,
            trigger_bps: 0,
            is_short_restricted: false,
        };
        self.symbols.set(event.symbol_id(), symbol);
        Ok(())
    }

    /// Tells of a symbol, or of all, that the kill switch stops or lets go; of a member nobody is told.
    fn note_block(&mut self, event: Event) -> Taken {
        let (scope, subject_id) = (event.u8(40)?, event.u32(41)?);
        if !matches!(scope, 1 | 2) {
            return Ok(());
        }
        if event.kind() == TRADING_BLOCKED {
            self.blocked.insert(subject_id);
        } else {
            self.blocked.remove(&subject_id);
        }
        let ids: Vec<u32> = self.symbols.iter().map(|(id, _)| id).collect();
        for symbol_id in ids.into_iter().filter(|&id| subject_id == 0 || subject_id == id) {
            self.tell_state(At { symbol_id, time_ns: event.time_ns() }, NO_REASON, event)?;
        }
        Ok(())
    }

    fn start_day(&mut self, date: u32, time_ns: u64) {
        if self.date != 0 {
            self.out.packets.system(time_ns, b"MEC");
            self.close_part(true);
        }
        (self.date, self.out.begins) = (date, true);
        self.out.packets.system(time_ns, b"O");
        self.tell_breaker(time_ns);
        let symbols: Vec<(u32, Symbol)> = self.symbols.iter().map(|(id, symbol)| (id, *symbol)).collect();
        for (symbol_id, symbol) in &symbols {
            let at = At { symbol_id: *symbol_id, time_ns };
            self.out.packets.directory(at, symbol.stock, symbol.round_lot, symbol.tier_code());
        }
        for (symbol_id, symbol) in &symbols {
            let at = At { symbol_id: *symbol_id, time_ns };
            let action = self.action_of(*symbol_id, symbol);
            self.out.packets.action(at, symbol.stock, action, NO_REASON);
            if symbol.trigger_bps != 0 {
                let code = if symbol.is_short_restricted { b'2' } else { b'0' };
                self.out.packets.restriction(at, symbol.stock, code);
            }
        }
        for order in self.books.shown() {
            let at = At { symbol_id: order.symbol_id, time_ns };
            let stock = self.symbols.get(order.symbol_id).map_or([b' '; 8], |symbol| symbol.stock);
            let side = side_code(order.side);
            self.out.packets.add_order(at, order.reference, side, order.leaves, stock, order.price);
        }
        self.out.packets.system(time_ns, b"SQ");
    }

    fn break_trade(&mut self, event: Event) -> Taken {
        let match_id = event.u64(40)?;
        let told = self.matches.remove(&match_id).unwrap_or(match_id);
        if self.date != 0 {
            self.out.packets.broken(event.at(), told);
        }
        Ok(())
    }

    fn correct(&mut self, event: Event) -> Taken {
        let match_id = event.u64(40)?;
        let told = self.matches.insert(match_id, event.public_id()).unwrap_or(match_id);
        if self.date != 0 {
            self.out.packets.broken(event.at(), told);
        }
        self.print(event.at(), event.u32(101)?, event.u32(97)?, event.public_id(), event)
    }

    // --- what is told of it -----------------------------------------------------------------------

    fn symbol(&self, symbol_id: u32, event: Event) -> Result<&Symbol, Broken> {
        self.symbols.get(symbol_id).ok_or(event.broken())
    }

    fn symbol_mut(&mut self, event: Event) -> Result<&mut Symbol, Broken> {
        self.symbols.get_mut(event.symbol_id()).ok_or(event.broken())
    }

    #[inline(always)]
    fn stock(&self, symbol_id: u32, event: Event) -> Result<Stock, Broken> {
        Ok(self.symbol(symbol_id, event)?.stock)
    }

    fn action_of(&self, symbol_id: u32, symbol: &Symbol) -> u8 {
        if self.blocked.contains(&0) || self.blocked.contains(&symbol_id) {
            b'H'
        } else {
            symbol.action()
        }
    }

    fn reason_of(&self, cause: u8) -> [u8; 4] {
        match cause {
            7 => *b"LUDP",
            8 => [b'M', b'W', b'C', b'0' + self.breaker_level % 10],
            _ => NO_REASON,
        }
    }

    fn list(&mut self, at: At, event: Event) -> Taken {
        let symbol = *self.symbol(at.symbol_id, event)?;
        if self.date != 0 {
            self.out.packets.directory(at, symbol.stock, symbol.round_lot, symbol.tier_code());
        }
        Ok(())
    }

    fn tell_state(&mut self, at: At, reason: [u8; 4], event: Event) -> Taken {
        let symbol = *self.symbol(at.symbol_id, event)?;
        if self.date != 0 {
            let action = self.action_of(at.symbol_id, &symbol);
            self.out.packets.action(at, symbol.stock, action, reason);
        }
        Ok(())
    }

    fn tell_restriction(&mut self, at: At, action: u8, event: Event) -> Taken {
        let stock = self.stock(at.symbol_id, event)?;
        if self.date != 0 {
            self.out.packets.restriction(at, stock, action);
        }
        Ok(())
    }

    fn tell_breaker(&mut self, time_ns: u64) {
        if self.breaker_close != 0 && self.date != 0 {
            // Of an index level in the message, which has eight decimals, in one of ours, which has four.
            let levels = BREAKER_LEFT_BPS.map(|left| self.breaker_close.saturating_mul(left));
            self.out.packets.breaker_levels(time_ns, levels);
        }
    }

    fn tell_collar(&mut self, event: Event, numbers: [u32; 4]) -> Taken {
        let stock = self.stock(event.symbol_id(), event)?;
        if self.date != 0 {
            self.out.packets.collar(event.at(), stock, numbers);
        }
        Ok(())
    }

    fn tell_indication(&mut self, event: Event) -> Taken {
        let (near, reference, paired, side) = (event.u32(41)?, event.u32(49)?, event.u64(53)?, event.u8(69)?);
        let direction = match (side, paired) {
            (0, 0) => b'O',
            (0, _) => b'N',
            _ => side_code(side),
        };
        let told = Imbalance {
            paired,
            imbalance: event.u64(61)?,
            direction,
            stock: self.stock(event.symbol_id(), event)?,
            far: event.u32(45)?,
            near,
            reference,
            cross: cross_code(event.u8(40)?),
            variation: variation_of(near, reference),
        };
        if self.date != 0 {
            self.out.packets.imbalance(event.at(), &told);
        }
        Ok(())
    }

    fn tell_cross(&mut self, event: Event) -> Taken {
        let stock = self.stock(event.symbol_id(), event)?;
        let (kind, price, volume) = (cross_code(event.u8(40)?), event.u32(41)?, event.u64(49)?);
        if self.date != 0 {
            self.out.packets.cross(event.at(), volume, stock, price, event.public_id(), kind);
        }
        Ok(())
    }

    /// Tells of a trade that is no execution of an order in the feed.
    fn print(&mut self, at: At, shares: u32, price: u32, match_id: u64, event: Event) -> Taken {
        let stock = self.stock(at.symbol_id, event)?;
        if self.date != 0 {
            self.out.packets.print(at, &Print { shares, stock, price, match_id });
        }
        Ok(())
    }

    fn close_part(&mut self, ends: bool) {
        if self.out.packets.count > 0 {
            let mut part = std::mem::take(&mut self.out);
            (part.date, part.ends) = (self.date, ends);
            self.parts.push(part);
        }
        self.moved = None;
    }
}

/// The whole record at an offset, of a version that is read.
#[inline(always)]
fn event_at(events: &[u8], offset: usize) -> Result<Event<'_>, Broken> {
    let left = &events[offset..];
    let length = left.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
    if length < EVENT_HEADER_BYTES || length > left.len() {
        return Err(Broken::Length { offset });
    }
    let event = Event { bytes: &left[..length], offset };
    if event.bytes[5] != VERSION {
        return Err(unknown(event));
    }
    Ok(event)
}

fn unknown(event: Event) -> Broken {
    Broken::Kind { offset: event.offset, kind: u16::from_le_bytes(event.header(4)) }
}

/// Events beside those of orders of which something is told, or that must be known for it.
#[inline(always)]
fn is_told(number: u8) -> bool {
    matches!(
        number,
        SYMBOL_ADDED
            | SYMBOL_CONFIGURED
            | SYMBOL_RENAMED
            | SYMBOL_STATE_CHANGED
            | SHORT_SALE_TERMS_SET
            | SHORT_SALE_RESTRICTED
            | TRADING_BLOCKED
            | TRADING_UNBLOCKED
            | BUSINESS_DAY_STARTED
            | TRADE_BUSTED
            | TRADE_CORRECTED
            | PHASE_CHANGED
            | AUCTION_INDICATED
            | AUCTION_EXECUTED
            | AUCTION_EXTENDED
            | PRICE_BANDS_SET
            | PRICE_CORRIDOR_SET
            | AUCTION_COLLAR_SET
            | MARKET_BREAKER_SET
            | MARKET_BREAKER_TRIPPED
    )
}

/// The order that an acceptance or a replacement brings. kind_at, price_at: where these fields lie.
#[inline(always)]
fn incoming(event: Event, order_id: u64, kind_at: usize, price_at: usize) -> Result<Order, Broken> {
    let [side, order_type, time_in_force, flags] = event.array(kind_at)?;
    Ok(Order {
        order_id,
        reference: order_id,
        symbol_id: event.symbol_id(),
        side,
        price: event.u32(price_at)?,
        leaves: event.u32(price_at + 4)?,
        is_hidden: flags & HIDDEN != 0 || matches!(order_type, STOP | STOP_LIMIT),
        rests: may_rest(order_type, time_in_force),
        ..Order::default()
    })
}

/// Whether what is left of such an order may stay in the book.
#[inline(always)]
fn may_rest(order_type: u8, time_in_force: u8) -> bool {
    order_type != MARKET && matches!(time_in_force, DAY | GTC | GTD)
}

fn next_reference(reference: u64) -> u64 {
    let moves = (reference >> MOVE_SHIFT & MOVES_MASK) + 1;
    reference & !(MOVES_MASK << MOVE_SHIFT) | (moves & MOVES_MASK) << MOVE_SHIFT
}

#[inline(always)]
fn side_code(side: u8) -> u8 {
    if side == BUY {
        b'B'
    } else {
        b'S'
    }
}

/// After a pause it is a cross like that after a halt.
fn cross_code(auction: u8) -> u8 {
    if auction == VOLATILITY {
        b'H'
    } else {
        auction
    }
}

/// How far an indicated price is from the reference price, as a code; a blank for none.
fn variation_of(price: u32, reference_price: u32) -> u8 {
    if price == 0 {
        return b' ';
    }
    let percent = u64::from(price.abs_diff(reference_price)) * 100 / u64::from(reference_price.max(1));
    match percent {
        0 => b'L',
        1..=9 => b'0' + percent as u8,
        10..=19 => b'A',
        20..=29 => b'B',
        _ => b'C',
    }
}
