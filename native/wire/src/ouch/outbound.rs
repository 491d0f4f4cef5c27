//! From event records to what sessions are sent: `wire/ouch_outbound.py`.

use crate::commands::{AMEND_ORDER, CANCEL_ORDER, REPLACE_ORDER};
use crate::events::{
    BUSINESS_DAY_STARTED, COMMAND_REJECTED, KEY_CREATED, KEY_REVOKED, MATCH_PREVENTED, ORDER_ACCEPTED,
    ORDER_AMENDED, ORDER_CANCELLED, ORDER_REFRESHED, ORDER_REJECTED, ORDER_REPLACED, SPECIAL_TERMS_ACCEPTED,
    SYMBOL_ADDED, SYMBOL_RENAMED, TRADE_BUSTED, TRADE_CORRECTED, TRADE_EXECUTED,
};
use crate::{ClientOrderId, EVENT_HEADER_BYTES};

use super::codes::{self, tag};
use super::inbound::put_header;
use super::reference::{self, note_kind, read_note};
use super::session::{terms_of, Announced, Order, Session, Sides, State, Trade};

const DAY_NS: u64 = 86_400_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;
const SEQUENCE_BITS: u32 = 56;
const CANCEL_BYTES: usize = 28;
const SEQUENCED: u8 = b'S';
const ADDED: u8 = b'A';
const REMOVED: u8 = b'R';
const ADDED_HIDDEN: u8 = b'J';

/// Which of our reasons have which code: by number, 0 for none of its own.
pub struct Codes {
    pub rejects: Vec<u8>,
    pub cancels: Vec<u8>,
    pub unknown_order: u16,
    pub below_filled: u16,
}

impl Codes {
    fn reject(&self, reason: u16) -> u8 {
        match self.rejects.get(usize::from(reason)) {
            None | Some(0) => codes::OTHER,
            Some(&code) => code,
        }
    }

    fn cancel(&self, reason: u8) -> u8 {
        match self.cancels.get(usize::from(reason)) {
            None | Some(0) => b'Z',
            Some(&code) => code,
        }
    }
}

/// Messages of one session; session 0 where a business date begins, which `count` is.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub session: u32,
    pub packets: Vec<u8>,
    pub count: u64,
}

/// Two orders of one group did not trade; the cancels and reductions that follow within the command say so.
#[derive(Clone, Copy, Default)]
struct Prevented {
    command: u64,
    resting_id: u64,
    price: u32,
    quantity: u32,
}

/// Keeps the state of all sessions of an engine.
pub struct Outbound {
    pub state: State,
    prevented: Prevented,
    codes: Codes,
    follow_ups: Vec<Vec<u8>>,
    runs: Vec<Run>,
    /// What each session is sent since the last flush, in the sequence of the first message.
    rooms: Vec<Run>,
    /// Rooms that are not in use; they keep their size.
    spare: Vec<Vec<u8>>,
}

/// An event record: numbers by their offset.
#[derive(Clone, Copy)]
struct Event<'a>(&'a [u8]);

impl Event<'_> {
    #[inline(always)]
    fn u8(self, at: usize) -> u8 {
        self.0[at]
    }

    #[inline(always)]
    fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    #[inline(always)]
    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    #[inline(always)]
    fn u64(self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }

    #[inline(always)]
    fn bytes<const N: usize>(self, at: usize) -> [u8; N] {
        *self.0[at..].first_chunk().expect("a record of the venue is whole")
    }

    #[inline(always)]
    fn command(self) -> u64 {
        self.u64(16)
    }

    /// Nanoseconds since midnight.
    #[inline(always)]
    fn time(self) -> u64 {
        self.u64(24) % DAY_NS
    }

    #[inline(always)]
    fn symbol_id(self) -> u32 {
        self.u32(36)
    }
}

/// A message being written into the room of its session.
struct Message<'a> {
    room: &'a mut Vec<u8>,
    begins_at: usize,
}

impl Message<'_> {
    #[inline(always)]
    fn put<const N: usize>(self, bytes: [u8; N]) -> Self {
        self.room.extend_from_slice(&bytes);
        self
    }

    #[inline(always)]
    fn u8(self, number: u8) -> Self {
        self.put([number])
    }

    #[inline(always)]
    fn u16(self, number: u16) -> Self {
        self.put(number.to_be_bytes())
    }

    #[inline(always)]
    fn u32(self, number: u32) -> Self {
        self.put(number.to_be_bytes())
    }

    #[inline(always)]
    fn u64(self, number: u64) -> Self {
        self.put(number.to_be_bytes())
    }

    #[inline(always)]
    fn end(self) {
        let length = (self.room.len() - self.begins_at - 2) as u16;
        self.room[self.begins_at..self.begins_at + 2].copy_from_slice(&length.to_be_bytes());
    }
}

impl Outbound {
    pub fn new(state: State, codes: Codes) -> Self {
        let (follow_ups, runs, rooms, spare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let prevented = Prevented::default();
        Self { state, prevented, codes, follow_ups, runs, rooms, spare }
    }

    /// Takes events in; gives what each session is sent because of them. Events seen before are skipped.
    pub fn encode(&mut self, events: &[u8]) -> &[Run] {
        while let Some(mut run) = self.runs.pop() {
            run.packets.clear();
            self.spare.push(run.packets);
        }
        let mut left = events;
        while left.len() >= EVENT_HEADER_BYTES {
            let length = Event(left).u32(0) as usize;
            let Some((record, rest)) = left.split_at_checked(length.max(EVENT_HEADER_BYTES)) else { break };
            left = rest;
            let event = Event(record);
            if event.u64(8) > self.state.event_sequence {
                self.take(event, rest);
                self.state.event_sequence = event.u64(8);
            }
        }
        self.flush();
        &self.runs
    }

    /// What the last call of `encode` gave, once more.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The commands that the events since the last call ask for.
    pub fn follow_ups(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.follow_ups)
    }

    #[inline(always)]
    fn take(&mut self, event: Event, following: &[u8]) {
        match event.u8(4) {
            ORDER_ACCEPTED => self.accepted(event, following),
            ORDER_CANCELLED => self.cancelled(event),
            TRADE_EXECUTED => self.executed(event),
            ORDER_REPLACED => self.replaced(event),
            COMMAND_REJECTED => self.refused(event),
            ORDER_REJECTED => self.rejected(event),
            ORDER_AMENDED => self.amended(event),
            ORDER_REFRESHED => self.refreshed(event),
            MATCH_PREVENTED => {
                let (command, resting_id) = (event.command(), event.u64(40));
                let (price, quantity) = (event.u32(64), event.u32(68));
                self.prevented = Prevented { command, resting_id, price, quantity };
            }
            TRADE_BUSTED => self.busted(event),
            TRADE_CORRECTED => self.corrected(event),
            SYMBOL_ADDED => self.symbol_named(event, event.bytes(40)),
            SYMBOL_RENAMED => self.symbol_named(event, event.bytes(48)),
            KEY_CREATED => self.key_created(event),
            KEY_REVOKED => self.key_revoked(event),
            BUSINESS_DAY_STARTED => self.day_started(event),
            _ => {}
        }
    }

    // --- orders -----------------------------------------------------------------------------------

    fn accepted(&mut self, event: Event, following: &[u8]) {
        let id: ClientOrderId = event.bytes(64);
        let Some((session, number)) = self.session_of(&id, event.u32(48)) else { return };
        let (price, quantity, time_in_force) = (event.u32(56), event.u32(60), event.u8(54));
        let order = Order {
            order_id: event.u64(40),
            session,
            number,
            reference: id,
            symbol_id: event.symbol_id(),
            order_type: event.u8(53),
            price,
            quantity,
            leaves: quantity,
            is_post_only: event.u8(55) & codes::POST_ONLY != 0,
            is_cancelling: false,
        };
        self.begin(order);
        let symbol = self.symbol(order.symbol_id);
        let terms = terms_of_accepted(following);
        let message = self.say(session, b'A', event.time()).u32(number);
        placed(message, &order, symbol, time_in_force, terms);
    }

    fn rejected(&mut self, event: Event) {
        let id: ClientOrderId = event.bytes(64);
        let Some((session, number)) = self.session_of(&id, event.u32(48)) else { return };
        let code = if event.u8(53) == 0 { event.u8(54) } else { self.codes.reject(event.u16(100)) };
        self.used(session, number);
        self.reject(session, event.time(), number, code, reference::cl_ord_id_of(&id));
    }

    fn cancelled(&mut self, event: Event) {
        let Some(place) = self.state.orders.find(event.u64(40)) else { return };
        let order = self.end(place);
        let code = self.codes.cancel(event.u8(53));
        if code == codes::PREVENTED {
            return self.say_prevented(&order, event.time(), event.u32(58));
        }
        self.canceled(&order, event.time(), event.u32(58), code);
    }

    fn canceled(&mut self, order: &Order, time: u64, decrement: u32, code: u8) {
        self.say(order.session, b'C', time).u32(order.number).u32(decrement).u8(code).end();
    }

    fn amended(&mut self, event: Event) {
        let Some(place) = self.state.orders.find(event.u64(40)) else { return };
        let (kept, price, quantity, leaves) =
            (event.u8(53) != 0, event.u32(58), event.u32(62), event.u32(66));
        let order = self.state.orders.at_mut(place);
        let before = order.quantity;
        (order.price, order.quantity, order.leaves) = (price, quantity, leaves);
        let order = *order;
        let time = event.time();
        let said = self.state.announced;
        let is_this = (said.command, said.kind) == (event.command(), note_kind::MODIFY);
        if is_this && said.number == order.number {
            let side = order.reference[reference::SIDE_AT];
            self.say(order.session, b'M', time).u32(order.number).u8(side).u32(quantity).end();
        } else if self.prevented.command == event.command() {
            self.say_prevented(&order, time, before - quantity);
        } else if kept && before > quantity {
            self.canceled(&order, time, before - quantity, b'U');
        } else {
            self.restate(&order, time, b'P', leaves, price);
        }
    }

    fn refreshed(&mut self, event: Event) {
        let Some(place) = self.state.orders.find(event.u64(40)) else { return };
        let order = *self.state.orders.at(place);
        self.restate(&order, event.time(), b'R', event.u32(57), event.u32(53));
    }

    fn restate(&mut self, order: &Order, time: u64, reason: u8, shown: u32, price: u32) {
        let message = self.say(order.session, b'R', time).u32(order.number).u8(reason).u16(16);
        let message = message.put([5, tag::DISPLAY_QUANTITY]).u32(shown);
        message.put([9, tag::DISPLAY_PRICE]).u64(price.into()).end();
    }

    /// Says what a prevented match took from an order.
    fn say_prevented(&mut self, order: &Order, time: u64, decrement: u32) {
        let Prevented { resting_id, price, quantity, .. } = self.prevented;
        let liquidity = if order.order_id == resting_id { added(order) } else { REMOVED };
        let message = self.say(order.session, b'D', time).u32(order.number).u32(decrement);
        message.u8(codes::PREVENTED).u32(quantity).u64(price.into()).u8(liquidity).end();
    }

    fn replaced(&mut self, event: Event) {
        let Some(place) = self.state.orders.find(event.u64(40)) else { return };
        let old = self.end(place);
        let id: ClientOrderId = event.bytes(76);
        let named = self.session_of(&id, event.u32(56)).filter(|(session, _)| *session == old.session);
        let Some((session, number)) = named else {
            return self.canceled(&old, event.time(), event.u32(64), b'U');
        };
        let (price, quantity, time_in_force) = (event.u32(68), event.u32(72), event.u8(62));
        let order = Order {
            order_id: event.u64(48),
            session,
            number,
            reference: id,
            symbol_id: event.symbol_id(),
            order_type: event.u8(61),
            price,
            quantity,
            leaves: quantity,
            is_post_only: event.u8(63) & codes::POST_ONLY != 0,
            is_cancelling: false,
        };
        self.begin(order);
        let symbol = self.symbol(order.symbol_id);
        let message = self.say(session, b'U', event.time()).u32(old.number).u32(number);
        placed(message, &order, symbol, time_in_force, (0, 0, 0));
    }

    // --- trades -----------------------------------------------------------------------------------

    fn executed(&mut self, event: Event) {
        let maker = self.state.orders.find(event.u64(40));
        let taker = self.state.orders.find(event.u64(48));
        if maker.is_none() && taker.is_none() {
            return;
        }
        let match_id = u64::from(event.u8(7)) << SEQUENCE_BITS | event.u64(8);
        let mut sides: Sides = [None, None];
        let both = [(maker, event.u32(76), true), (taker, event.u32(80), false)];
        for (side, (place, leaves, is_maker)) in sides.iter_mut().zip(both) {
            let Some(place) = place else { continue };
            let order = self.state.orders.at_mut(place);
            order.leaves = leaves;
            let order = *order;
            let liquidity = if is_maker { added(&order) } else { REMOVED };
            let message = self.say(order.session, b'E', event.time()).u32(order.number).u32(event.u32(68));
            message.u64(event.u32(64).into()).u8(liquidity).u64(match_id).u16(0).end();
            *side = Some(Trade {
                session: order.session,
                order_id: order.order_id,
                number: order.number,
                added: is_maker,
                cl_ord_id: reference::cl_ord_id_of(&order.reference),
            });
            if leaves == 0 {
                self.end(place);
            }
        }
        self.state.remember(match_id, sides);
    }

    fn busted(&mut self, event: Event) {
        let match_id = event.u64(40);
        let Some(place) = self.state.place_of_trade(match_id) else { return };
        let Some((_, sides)) = self.state.trades.remove(place) else { return };
        for side in sides.into_iter().flatten() {
            if self.state.sessions.contains_key(&side.session) {
                let message = self.say(side.session, b'B', event.time()).u32(side.number).u64(match_id);
                message.u8(event.u8(96)).put(side.cl_ord_id).end();
            }
        }
    }

    fn corrected(&mut self, event: Event) {
        let match_id = event.u64(40);
        let Some(place) = self.state.place_of_trade(match_id) else { return };
        let sides = self.state.trades[place].1;
        for side in sides.into_iter().flatten() {
            if self.state.sessions.contains_key(&side.session) {
                let message = self.say(side.session, b'F', event.time()).u32(side.number);
                let message = message.u32(event.u32(101)).u64(event.u32(97).into());
                let message = message.u8(if side.added { ADDED } else { REMOVED }).u64(match_id);
                message.u8(event.u8(96)).put(side.cl_ord_id).end();
            }
        }
    }

    // --- refusals and notes -----------------------------------------------------------------------

    fn refused(&mut self, event: Event) {
        let subject = event.u64(43);
        match event.u8(40) {
            CANCEL_ORDER => {
                if let Some((session, kind, value)) = read_note(subject) {
                    if self.state.sessions.contains_key(&session) {
                        self.noted(session, kind, value, event);
                    }
                }
            }
            REPLACE_ORDER | AMEND_ORDER => self.change_refused(event, event.u16(41), subject),
            _ => {}
        }
    }

    /// Answers a refused Replace; makes up for a refused reduction. One of an order that is gone has no answer.
    fn change_refused(&mut self, event: Event, reason: u16, order_id: u64) {
        let Announced { command, session, kind, number } = self.state.announced;
        if command != event.command() || !self.state.sessions.contains_key(&session) {
            return;
        }
        if kind == note_kind::REPLACE {
            self.used(session, number);
            if reason != self.codes.unknown_order {
                let code = self.codes.reject(reason);
                self.reject(session, event.time(), number, code, [b' '; 14]);
            }
        } else if kind == note_kind::REDUCE && reason == self.codes.below_filled {
            let mut record = Vec::with_capacity(CANCEL_BYTES);
            put_header(&mut record, CANCEL_BYTES, CANCEL_ORDER);
            record.extend(order_id.to_le_bytes());
            record.extend(self.state.sessions[&session].participant_id.to_le_bytes());
            self.follow_ups.push(record);
        }
    }

    fn noted(&mut self, session: u32, kind: u8, value: u32, event: Event) {
        let time = event.time();
        match kind {
            note_kind::REPLACE | note_kind::MODIFY | note_kind::REDUCE => {
                let command = event.command() + 1;
                self.state.announced = Announced { command, session, kind, number: value };
            }
            note_kind::FIRM => self.state.firm = value,
            note_kind::SYMBOL => self.state.symbol_id = value,
            note_kind::MASS_CANCELLED => {
                self.used(session, value);
                let (firm, symbol_id) = (self.state.firm, self.state.symbol_id);
                let symbol = self.state.symbols.get(&symbol_id).copied().unwrap_or([b' '; 8]);
                self.say(session, b'X', time).u32(value).u32(firm).put(symbol).u16(0).end();
            }
            note_kind::DISABLED | note_kind::ENABLED => {
                self.used(session, value);
                let (is_disabled, firm) = (kind == note_kind::DISABLED, self.state.firm);
                self.session(session).is_disabled = is_disabled;
                let code = if is_disabled { b'G' } else { b'K' };
                self.say(session, code, time).u32(value).u32(firm).u16(0).end();
            }
            note_kind::QUERY => self.say(session, b'Q', time).u32(value).end(),
            _ => {}
        }
    }

    fn reject(&mut self, session: u32, time: u64, number: u32, code: u8, cl_ord_id: [u8; 14]) {
        self.say(session, b'J', time).u32(number).u16(code.into()).put(cl_ord_id).end();
    }

    // --- the exchange -----------------------------------------------------------------------------

    fn symbol_named(&mut self, event: Event, mut symbol: [u8; 8]) {
        for byte in symbol.iter_mut().rev().take_while(|byte| **byte == 0) {
            *byte = b' ';
        }
        self.state.add_symbol(event.symbol_id(), symbol);
    }

    fn key_created(&mut self, event: Event) {
        let key_id = event.u32(40);
        let label = event.0.get(83..83 + usize::from(event.u16(81))).unwrap_or_default();
        let terms = std::str::from_utf8(label).ok().and_then(|label| terms_of(label, key_id));
        if let Some(terms) = terms {
            self.state.sessions.insert(key_id, Session::new(key_id, terms, event.u32(44)));
            self.say(key_id, b'S', event.time()).u8(b'S').end();
        }
    }

    fn key_revoked(&mut self, event: Event) {
        if let Some(session) = self.state.sessions.remove(&event.u32(40)) {
            session.port.live.values().for_each(|&place| self.state.orders.remove(place));
        }
    }

    /// Ends the streams of the old date, and begins those of the new one.
    fn day_started(&mut self, event: Event) {
        let (date, time) = (event.u32(40), event.time());
        let sessions: Vec<u32> = self.state.sessions.keys().copied().collect();
        if self.state.business_date != 0 {
            for &session in &sessions {
                self.say(session, b'S', time).u8(b'E').end();
            }
        }
        self.flush();
        self.state.business_date = date;
        self.state.trades.clear();
        self.runs.push(Run { session: 0, packets: Vec::new(), count: date.into() });
        for &number in &sessions {
            let session = self.session(number);
            (session.sequence, session.last_number, session.port.last_number) = (0, 0, 0);
            self.say(number, b'S', time).u8(b'S').end();
        }
    }

    // --- parts ------------------------------------------------------------------------------------

    /// The session and number that a client order id names, where the session is this account's.
    #[inline(always)]
    fn session_of(&self, id: &ClientOrderId, account_id: u32) -> Option<(u32, u32)> {
        let (session, number) = reference::read(id)?;
        let known = self.state.sessions.get(&session)?;
        (known.account_id == u64::from(account_id)).then_some((session, number))
    }

    fn session(&mut self, session: u32) -> &mut Session {
        self.state.sessions.get_mut(&session).expect("the session was looked up")
    }

    fn symbol(&self, symbol_id: u32) -> [u8; 8] {
        self.state.symbols.get(&symbol_id).copied().expect("a symbol is added before it is traded")
    }

    fn begin(&mut self, order: Order) {
        self.used(order.session, order.number);
        self.state.begin(order);
    }

    fn end(&mut self, place: u32) -> Order {
        let order = *self.state.orders.at(place);
        self.state.orders.remove(place);
        self.session(order.session).port.live.remove(&order.number);
        order
    }

    fn used(&mut self, session: u32, number: u32) {
        let session = self.session(session);
        session.last_number = session.last_number.max(number);
        session.port.last_number = session.port.last_number.max(number);
        session.port.waiting.remove(&number);
    }

    /// Begins a message to a session.
    #[inline(always)]
    fn say(&mut self, session: u32, kind: u8, time: u64) -> Message<'_> {
        let room_after = self.rooms.len() + 1;
        let known = self.session(session);
        known.sequence += 1;
        let is_new = known.room == 0;
        if is_new {
            known.room = room_after;
        }
        let at = known.room - 1;
        if is_new {
            let packets = self.spare.pop().unwrap_or_default();
            self.rooms.push(Run { session, packets, count: 0 });
        }
        let room = &mut self.rooms[at];
        room.count += 1;
        let begins_at = room.packets.len();
        Message { room: &mut room.packets, begins_at }.put([0, 0, SEQUENCED, kind]).u64(time)
    }

    fn flush(&mut self) {
        for run in &self.rooms {
            if let Some(session) = self.state.sessions.get_mut(&run.session) {
                session.room = 0;
            }
        }
        self.runs.append(&mut self.rooms);
    }
}

/// Minimum and display quantity of the order that the event before these accepts, 0 where it did not ask for them.
#[inline(always)]
fn terms_of_accepted(following: &[u8]) -> (u32, u32, u64) {
    if following.get(4) == Some(&SPECIAL_TERMS_ACCEPTED) {
        (Event(following).u32(52), Event(following).u32(56), Event(following).u64(70))
    } else {
        (0, 0, 0)
    }
}

/// The liquidity of what a resting order adds.
fn added(order: &Order) -> u8 {
    if order.reference[reference::DISPLAY_AT] == codes::HIDDEN_DISPLAY {
        ADDED_HIDDEN
    } else {
        ADDED
    }
}

/// Ends a message that says what an order is.
#[inline(always)]
fn placed(
    message: Message,
    order: &Order,
    symbol: [u8; 8],
    time_in_force: u8,
    (minimum, max_floor, expires_ns): (u32, u32, u64),
) {
    let id = &order.reference;
    let price = if order.price == 0 { codes::MARKET_PRICE } else { order.price.into() };
    let message = message.u8(id[reference::SIDE_AT]).u32(order.quantity).put(symbol).u64(price);
    let message = message.u8(codes::time_in_force_code(time_in_force)).u8(id[reference::DISPLAY_AT]);
    let message = message.u64(order.order_id).u8(id[reference::CAPACITY_AT]).put([
        b'N',
        codes::cross_code(time_in_force),
        b'L',
    ]);
    let message = message.put(reference::cl_ord_id_of(id));
    let display = id[reference::DISPLAY_AT];
    let has_firm = reference::has_firm(id);
    let minimum = if time_in_force == codes::FOK { order.quantity } else { minimum };
    let says_post_only =
        order.is_post_only && !codes::is_post_only_display(display) && order.order_type != codes::MARKET;
    let of_u32 = [has_firm, minimum != 0, max_floor != 0, expires_ns != 0];
    let of_u32: u16 = of_u32.into_iter().map(u16::from).sum();
    let size = 6 * of_u32 + 3 * u16::from(says_post_only);
    let mut message = message.u16(size);
    if has_firm {
        message = message.put([5, tag::FIRM]).put(reference::firm_of(id));
    }
    if minimum != 0 {
        message = message.put([5, tag::MIN_QUANTITY]).u32(minimum);
    }
    if max_floor != 0 {
        message = message.put([5, tag::MAX_FLOOR]).u32(max_floor);
    }
    if says_post_only {
        message = message.put([2, tag::POST_ONLY, b'P']);
    }
    if expires_ns != 0 {
        message = message.put([5, tag::EXPIRE_TIME]).u32((expires_ns % DAY_NS / SECOND_NS) as u32);
    }
    message.end();
}
