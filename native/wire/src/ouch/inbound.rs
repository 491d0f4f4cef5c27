//! From what a client sends to command records: `wire/ouch_inbound.py`.

use crate::commands::{AMEND_ORDER, CANCEL_ORDER, ENTER_ORDER, ENTER_SPECIAL_ORDER, REPLACE_ORDER};
use crate::terms::Terms;
use crate::{ClientOrderId, COMMAND_HEADER_BYTES, VERSION};

use super::codes::{self, tag};
use super::reference::{self, note_kind, put_note, without_blanks, Parts};
use super::session::{Order, State};

/// The longest packet taken from a client.
pub const PACKET_LENGTH_MAX: usize = 2_048;
/// What one call gives at most, and the message that reaches it.
const COMMAND_BYTES_MAX: usize = 128 * 1024;
/// Orders that a mass cancel takes out per call.
const CANCELS_MAX: usize = 2_048;
const APPENDAGE_BYTES_MAX: usize = 1_024;
const NO_ORDER_TYPE: u8 = 0;
const BLANK_FIRM: [u8; 4] = *b"    ";
const BLANK_SYMBOL: [u8; 8] = *b"        ";
const BODY_BYTES: usize = 20;
const ENTER_BYTES: usize = COMMAND_HEADER_BYTES + BODY_BYTES + 36;
const CANCEL_BYTES: usize = COMMAND_HEADER_BYTES + 12;
const AMEND_BYTES: usize = COMMAND_HEADER_BYTES + BODY_BYTES;

/// What cannot be understood: the session cannot go on.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// The length of a packet, and the offset where it stands.
    Length { length: usize, offset: usize },
    /// A message that is no OUCH 5.0: where it begins and ends.
    Message { start: usize, end: usize },
}

/// What was understood of the bytes received; the commands stand in the buffer that was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    pub consumed: usize,
    pub count: usize,
    /// Packets that were no message: where each one's type stands, and where it ends.
    pub packets: Vec<(usize, usize)>,
    pub blocked: bool,
    pub messages: usize,
}

/// Whether a message is done with, or must wait for answers.
type Done = Result<bool, Malformed>;
struct Malformed;

/// What the appendage of an order says.
#[derive(Clone, Copy)]
struct Options {
    refused: u8,
    firm: [u8; 4],
    min_quantity: u32,
    max_floor: u32,
    post_only: bool,
    expire_time: u32,
}

const NO_OPTIONS: Options =
    Options { refused: 0, firm: BLANK_FIRM, min_quantity: 0, max_floor: 0, post_only: false, expire_time: 0 };
const DAY_S: u32 = 86_400;
const SECOND_NS: u64 = 1_000_000_000;

/// The codes of an order that are judged before the market is asked.
struct Handling {
    side: u8,
    time_in_force: u8,
    display: u8,
    capacity: u8,
    sweep: u8,
    cross: u8,
}

#[inline(always)]
pub fn put_header(out: &mut Vec<u8>, length: usize, number: u8) {
    out.extend((length as u32).to_le_bytes());
    out.extend([number, VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[inline(always)]
fn u32_at(payload: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(*payload[at..].first_chunk().expect("its length was checked"))
}

#[inline(always)]
fn u64_at(payload: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(*payload[at..].first_chunk().expect("its length was checked"))
}

#[inline(always)]
fn chunk_at<const N: usize>(payload: &[u8], at: usize) -> [u8; N] {
    *payload[at..].first_chunk().expect("its length was checked")
}

/// Says whether a text can stand in a client order id.
fn is_printable(text: &[u8]) -> bool {
    without_blanks(text).iter().all(|byte| (0x21..=0x7E).contains(byte))
}

/// One session's decoder over the state of all.
struct Reader<'a> {
    state: &'a mut State,
    out: &'a mut Vec<u8>,
    session: u32,
    account_id: u32,
    participant_id: u32,
    count: usize,
}

impl State {
    /// Understands what a session received, up to a message that must wait; `None` where there is no such session.
    pub fn decode(
        &mut self,
        session: u32,
        data: &[u8],
        waiting_max: usize,
        out: &mut Vec<u8>,
    ) -> Option<Result<Decoded, Broken>> {
        out.clear();
        Some(self.reader(session, out)?.decode(data, waiting_max))
    }

    /// Writes commands that cancel live orders of a session, and says how many.
    pub fn cancel_some(&mut self, session: u32, out: &mut Vec<u8>) -> Option<usize> {
        out.clear();
        let mut reader = self.reader(session, out)?;
        reader.cancel_live(0);
        Some(reader.count)
    }

    fn reader<'a>(&'a mut self, session: u32, out: &'a mut Vec<u8>) -> Option<Reader<'a>> {
        let known = self.sessions.get(&session)?;
        let (account_id, participant_id) = (known.account_id as u32, known.participant_id);
        Some(Reader { state: self, out, session, account_id, participant_id, count: 0 })
    }
}

impl Reader<'_> {
    fn decode(&mut self, data: &[u8], waiting_max: usize) -> Result<Decoded, Broken> {
        let mut decoded = Decoded::default();
        let mut at = 0;
        while at + 2 <= data.len() && self.out.len() < COMMAND_BYTES_MAX {
            let length = usize::from(u16::from_be_bytes([data[at], data[at + 1]]));
            if !(1..=PACKET_LENGTH_MAX).contains(&length) {
                if at > 0 {
                    break;
                }
                return Err(Broken::Length { length, offset: at });
            }
            let following = at + 2 + length;
            if following > data.len() {
                break;
            }
            if data[at + 2] == b'U' {
                if self.port().waiting.len() >= waiting_max {
                    decoded.blocked = true;
                    break;
                }
                let range = at + 3..following;
                match self.message(&data[range.clone()]) {
                    Ok(true) => {}
                    Ok(false) => {
                        decoded.blocked = true;
                        break;
                    }
                    Err(Malformed) if at > 0 => break,
                    Err(Malformed) => return Err(Broken::Message { start: range.start, end: range.end }),
                }
                decoded.messages += 1;
            } else {
                decoded.packets.push((at + 2, following));
            }
            at = following;
        }
        decoded.consumed = at;
        decoded.count = self.count;
        Ok(decoded)
    }

    fn message(&mut self, payload: &[u8]) -> Done {
        match payload.first() {
            Some(b'O') => self.enter(payload),
            Some(b'U') => self.replace(payload),
            Some(b'X') => self.cancel(payload),
            Some(b'M') => self.modify(payload),
            Some(b'C') => self.mass_cancel(payload),
            Some(b'D') => self.switch(payload, note_kind::DISABLED),
            Some(b'E') => self.switch(payload, note_kind::ENABLED),
            Some(b'Q') => self.query(payload),
            _ => Err(Malformed),
        }
    }

    // --- orders -----------------------------------------------------------------------------------

    fn enter(&mut self, payload: &[u8]) -> Done {
        let options = options_of(appendage_of(payload, 45, true)?);
        let number = u32_at(payload, 1);
        if number <= self.port().last_number {
            return Ok(true);
        }
        let quantity = u32_at(payload, 6);
        let symbol_id = self.state.symbol_ids.get(&chunk_at(payload, 10)).copied().unwrap_or(0);
        let mut price = u64_at(payload, 18);
        let [time_in_force, mut display, capacity, sweep, cross] = chunk_at(payload, 26);
        let cl_ord_id: [u8; 14] = chunk_at(payload, 31);
        let handling = Handling { side: payload[5], time_in_force, display, capacity, sweep, cross };
        let mut refused = first_of(self.refused_at_all(&handling, &cl_ord_id), options.refused);
        let mut tif = codes::time_in_force_of(time_in_force);
        let expires_ns = self.expiry_of(tif, options.expire_time);
        if (tif == Some(codes::GTD)) != (options.expire_time != 0) || expires_ns.is_none() {
            refused = first_of(refused, codes::OTHER);
        }
        if let Some(auction) = codes::cross_of(cross) {
            if tif != Some(codes::DAY) {
                refused = first_of(refused, codes::INVALID_CROSS_ORDER);
            }
            tif = Some(auction);
        }
        let mut order_type = codes::LIMIT;
        if price == codes::MARKET_PRICE {
            (order_type, price) = (codes::MARKET, 0);
            if tif == Some(codes::DAY) {
                refused = first_of(refused, codes::INVALID_CROSS_ORDER);
            }
        } else if price > codes::PRICE_MAX {
            refused = first_of(refused, codes::INVALID_PRICE);
        }
        let mut minimum = options.min_quantity;
        if minimum == quantity && minimum != 0 && tif == Some(codes::IOC) {
            (tif, minimum) = (Some(codes::FOK), 0);
        }
        let post_only = options.post_only || codes::is_post_only_display(display);
        let mut flags = if post_only { codes::POST_ONLY } else { 0 };
        flags |= codes::flags_of_side(payload[5]);
        if minimum != 0 && tif == Some(codes::DAY) {
            display = codes::HIDDEN_DISPLAY;
        }
        if display == codes::HIDDEN_DISPLAY {
            flags |= codes::HIDDEN;
        }
        if refused != 0 {
            self.refuse(number, refused, &cl_ord_id, quantity, symbol_id);
            return Ok(true);
        }
        self.put_entry(
            symbol_id,
            [codes::side_of(payload[5]), order_type, tif.unwrap_or(0), flags],
            price as u32,
            quantity,
            Terms {
                minimum_quantity: minimum,
                display_quantity: options.max_floor,
                expires_ns: expires_ns.unwrap_or(0),
                ..Terms::default()
            },
            &Parts {
                session: self.session,
                number,
                side: payload[5],
                display,
                capacity,
                firm: options.firm,
                cl_ord_id: &cl_ord_id,
            },
        );
        Ok(true)
    }

    /// Until when an order is good: so many seconds after the business date's midnight; nothing for never.
    fn expiry_of(&self, time_in_force: Option<u8>, expire_time: u32) -> Option<u64> {
        if time_in_force != Some(codes::GTD) {
            return Some(0);
        }
        if self.state.business_date == 0 || !(1..DAY_S).contains(&expire_time) {
            return None;
        }
        let seconds = days_of(self.state.business_date) * u64::from(DAY_S) + u64::from(expire_time);
        Some(seconds * SECOND_NS)
    }

    /// Why an order is refused whatever the market says, 0 if it is not; the first that applies.
    fn refused_at_all(&mut self, handling: &Handling, cl_ord_id: &[u8]) -> u8 {
        if self.port().is_disabled {
            codes::FIRM_NOT_AUTHORISED
        } else if codes::side_of(handling.side) == 0 {
            codes::INVALID_SIDE
        } else if handling.cross != codes::CONTINUOUS && codes::cross_of(handling.cross).is_none() {
            codes::INVALID_CROSS_ORDER
        } else if !codes::is_display(handling.display) {
            codes::INVALID_DISPLAY
        } else if handling.sweep != b'N' {
            codes::ISO_NOT_ALLOWED
        } else if codes::time_in_force_of(handling.time_in_force).is_none()
            || !codes::is_capacity(handling.capacity)
            || !is_printable(cl_ord_id)
        {
            codes::OTHER
        } else {
            0
        }
    }

    fn replace(&mut self, payload: &[u8]) -> Done {
        let options = options_of(appendage_of(payload, 38, true)?);
        let (original, number, quantity) = (u32_at(payload, 1), u32_at(payload, 5), u32_at(payload, 9));
        if number <= self.port().last_number {
            return Ok(true);
        }
        if self.port().waiting.contains(&original) {
            return Ok(false);
        }
        let Some(&place) = self.port().live.get(&original) else { return Ok(true) };
        let old = *self.state.orders.at(place);
        let price = u64_at(payload, 13);
        let [time_in_force, display, sweep] = chunk_at(payload, 21);
        let cl_ord_id: [u8; 14] = chunk_at(payload, 24);
        let handling = Handling { side: b'B', time_in_force, display, capacity: b'A', sweep, cross: b'N' };
        let is_post_only = options.post_only || codes::is_post_only_display(display);
        let mut refused = first_of(self.refused_at_all(&handling, &cl_ord_id), options.refused);
        let was_hidden = old.reference[reference::DISPLAY_AT] == codes::HIDDEN_DISPLAY;
        let is_otherwise = is_post_only != old.is_post_only
            || (options.min_quantity | options.max_floor) != 0
            || (display == codes::HIDDEN_DISPLAY) != was_hidden;
        if time_in_force != b'0' || is_otherwise {
            refused = first_of(refused, codes::REPLACE_NOT_ALLOWED);
        }
        if price > codes::PRICE_MAX {
            refused = first_of(refused, codes::INVALID_PRICE);
        }
        if refused != 0 {
            self.refuse(number, refused, &cl_ord_id, quantity, old.symbol_id);
            return Ok(true);
        }
        self.use_number(number);
        let firm = if options.firm == BLANK_FIRM { reference::firm_of(&old.reference) } else { options.firm };
        let id = Parts {
            session: self.session,
            number,
            side: old.reference[reference::SIDE_AT],
            display,
            capacity: old.reference[reference::CAPACITY_AT],
            firm,
            cl_ord_id: &cl_ord_id,
        }
        .write();
        self.note(note_kind::REPLACE, number);
        self.put_change(ENTER_BYTES, REPLACE_ORDER, old.order_id);
        self.out.extend((price as u32).to_le_bytes());
        self.out.extend(quantity.to_le_bytes());
        self.out.extend(id);
        Ok(true)
    }

    fn cancel(&mut self, payload: &[u8]) -> Done {
        appendage_of(payload, 9, false)?;
        let (number, quantity) = (u32_at(payload, 1), u32_at(payload, 5));
        if self.port().waiting.contains(&number) {
            return Ok(false);
        }
        let Some(&place) = self.port().live.get(&number) else { return Ok(true) };
        let order = *self.state.orders.at(place);
        if order.is_cancelling {
            return Ok(true);
        }
        if quantity <= order.quantity - order.leaves {
            self.cancel_whole(place);
        } else if quantity < order.quantity {
            self.amend(note_kind::REDUCE, &order, quantity);
        }
        Ok(true)
    }

    fn modify(&mut self, payload: &[u8]) -> Done {
        appendage_of(payload, 10, false)?;
        let (number, quantity) = (u32_at(payload, 1), u32_at(payload, 6));
        if self.port().waiting.contains(&number) {
            return Ok(false);
        }
        let Some(&place) = self.port().live.get(&number) else { return Ok(true) };
        let order = *self.state.orders.at(place);
        let is_smaller = quantity < order.quantity && quantity > order.quantity - order.leaves;
        if payload[5] == order.reference[reference::SIDE_AT] && is_smaller {
            self.amend(note_kind::MODIFY, &order, quantity);
        }
        Ok(true)
    }

    fn mass_cancel(&mut self, payload: &[u8]) -> Done {
        appendage_of(payload, 17, false)?;
        let number = u32_at(payload, 1);
        if number <= self.port().last_number {
            return Ok(true);
        }
        if !self.port().waiting.is_empty() {
            return Ok(false);
        }
        let symbol: [u8; 8] = chunk_at(payload, 9);
        let symbol_id = match self.state.symbol_ids.get(&symbol) {
            _ if symbol == BLANK_SYMBOL => 0,
            Some(&symbol_id) => symbol_id,
            None => {
                self.refuse(number, codes::INVALID_SYMBOL, b"", 0, 0);
                return Ok(true);
            }
        };
        if self.cancel_live(symbol_id) {
            return Ok(false);
        }
        self.note(note_kind::FIRM, u32_at(payload, 5));
        self.note(note_kind::SYMBOL, symbol_id);
        self.say(note_kind::MASS_CANCELLED, number);
        Ok(true)
    }

    // --- the session itself -----------------------------------------------------------------------

    fn switch(&mut self, payload: &[u8], kind: u8) -> Done {
        appendage_of(payload, 9, false)?;
        let number = u32_at(payload, 1);
        if number > self.port().last_number {
            self.port().is_disabled = kind == note_kind::DISABLED;
            self.note(note_kind::FIRM, u32_at(payload, 5));
            self.say(kind, number);
        }
        Ok(true)
    }

    fn query(&mut self, payload: &[u8]) -> Done {
        appendage_of(payload, 1, false)?;
        let next = self.port().last_number.saturating_add(1);
        self.note(note_kind::QUERY, next);
        Ok(true)
    }

    // --- parts ------------------------------------------------------------------------------------

    fn port(&mut self) -> &mut super::session::Port {
        &mut self.state.sessions.get_mut(&self.session).expect("the session was looked up").port
    }

    fn use_number(&mut self, number: u32) {
        let port = self.port();
        port.last_number = number;
        port.waiting.insert(number);
    }

    fn note(&mut self, kind: u8, value: u32) {
        put_note(self.out, self.session, kind, value);
        self.count += 1;
    }

    fn say(&mut self, kind: u8, number: u32) {
        self.use_number(number);
        self.note(kind, number);
    }

    /// Adds an entry that the venue refuses, so that the refusal stands in the stream.
    fn refuse(&mut self, number: u32, reason: u8, cl_ord_id: &[u8], quantity: u32, symbol_id: u32) {
        let cl_ord_id = if is_printable(cl_ord_id) { cl_ord_id } else { b"" };
        let parts = Parts {
            session: self.session,
            number,
            side: b'B',
            display: b'Y',
            capacity: b'A',
            firm: BLANK_FIRM,
            cl_ord_id,
        };
        self.put_entry(
            symbol_id,
            [codes::BUY, NO_ORDER_TYPE, reason, 0],
            0,
            quantity,
            Terms::default(),
            &parts,
        );
    }

    /// Adds an entry; with a minimum quantity or a max floor, in this sequence, one with special terms.
    fn put_entry(
        &mut self,
        symbol_id: u32,
        kind: [u8; 4],
        price: u32,
        quantity: u32,
        terms: Terms,
        parts: &Parts,
    ) {
        self.use_number(parts.number);
        let id: ClientOrderId = parts.write();
        let is_special = terms != Terms::default();
        if is_special {
            put_header(self.out, ENTER_BYTES + Terms::BYTES, ENTER_SPECIAL_ORDER);
        } else {
            put_header(self.out, ENTER_BYTES, ENTER_ORDER);
        }
        self.out.extend(self.account_id.to_le_bytes());
        self.out.extend(symbol_id.to_le_bytes());
        self.out.extend(kind);
        self.out.extend(price.to_le_bytes());
        self.out.extend(quantity.to_le_bytes());
        self.out.extend(id);
        if is_special {
            self.out.extend(terms.bytes());
        }
        self.count += 1;
    }

    /// Adds the header of a change, the order it names, and on whose behalf.
    fn put_change(&mut self, bytes: usize, number: u8, order_id: u64) {
        put_header(self.out, bytes, number);
        self.out.extend(order_id.to_le_bytes());
        self.out.extend(self.participant_id.to_le_bytes());
        self.count += 1;
    }

    fn cancel_whole(&mut self, place: u32) {
        let order = self.state.orders.at_mut(place);
        order.is_cancelling = true;
        let order_id = order.order_id;
        self.put_change(CANCEL_BYTES, CANCEL_ORDER, order_id);
    }

    fn amend(&mut self, kind: u8, order: &Order, quantity: u32) {
        self.note(kind, order.number);
        self.put_change(AMEND_BYTES, AMEND_ORDER, order.order_id);
        self.out.extend(order.price.to_le_bytes());
        self.out.extend(quantity.to_le_bytes());
    }

    /// Cancels live orders, all or of a symbol; tells whether some are left or under way.
    fn cancel_live(&mut self, symbol_id: u32) -> bool {
        let places: Vec<u32> = self.port().live.values().copied().collect();
        let orders = &self.state.orders;
        let mut left: Vec<(u64, u32)> = places
            .into_iter()
            .filter(|&place| symbol_id == 0 || orders.at(place).symbol_id == symbol_id)
            .map(|place| (orders.at(place).order_id, place))
            .collect();
        left.sort_unstable();
        for &(_, place) in left.iter().take(CANCELS_MAX) {
            if !self.state.orders.at(place).is_cancelling {
                self.cancel_whole(place);
            }
        }
        !left.is_empty()
    }
}

fn first_of(reason: u8, other: u8) -> u8 {
    if reason == 0 {
        other
    } else {
        reason
    }
}

/// The appendage of a message with so many bytes before it; `always` where its length never is left out.
#[inline(always)]
fn appendage_of(payload: &[u8], fixed: usize, always: bool) -> Result<&[u8], Malformed> {
    if payload.len() == fixed && !always {
        return Ok(&[]);
    }
    let rest = payload.get(fixed + 2..).ok_or(Malformed)?;
    let length = usize::from(u16::from_be_bytes([payload[fixed], payload[fixed + 1]]));
    if length == rest.len() && length <= APPENDAGE_BYTES_MAX {
        Ok(rest)
    } else {
        Err(Malformed)
    }
}

/// What an order's appendage says; what it says wrongly is a reason to refuse.
#[inline(always)]
/// The days from the Unix epoch to a date YYYYMMDD. Howard Hinnant's days_from_civil, for years from 1970 on.
fn days_of(number: u32) -> u64 {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let year = u64::from(if month <= 2 { year - 1 } else { year });
    let (era, of_era) = (year / 400, year % 400);
    let month = u64::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * month + 2) / 5 + u64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn options_of(appendage: &[u8]) -> Options {
    if appendage.is_empty() {
        NO_OPTIONS
    } else {
        read_options(appendage)
    }
}

fn read_options(appendage: &[u8]) -> Options {
    let mut options = NO_OPTIONS;
    let mut left = appendage;
    while let [length, rest @ ..] = left {
        let length = usize::from(*length);
        if length < 1 || length > rest.len() {
            return Options { refused: codes::OTHER, ..NO_OPTIONS };
        }
        let (option, following) = rest.split_at(length);
        read_option(&mut options, option[0], &option[1..]);
        left = following;
    }
    options
}

fn read_option(options: &mut Options, tag: u8, value: &[u8]) {
    let mut refused = 0;
    if codes::option_bytes(tag) != Some(value.len()) {
        refused = codes::OTHER;
    } else if tag == tag::FIRM {
        options.firm = chunk_at(value, 0);
        if !is_printable(value) || value.contains(&reference::MARK) {
            refused = codes::FIRM_NOT_AUTHORISED;
            options.firm = BLANK_FIRM;
        }
    } else if tag == tag::MIN_QUANTITY {
        options.min_quantity = u32_at(value, 0);
    } else if tag == tag::MAX_FLOOR {
        options.max_floor = u32_at(value, 0);
    } else if tag == tag::EXPIRE_TIME {
        options.expire_time = u32_at(value, 0);
    } else if tag == tag::POST_ONLY {
        options.post_only = value == b"P";
        if !matches!(value, b"P" | b"N" | b" ") {
            refused = codes::OTHER;
        }
    } else {
        refused = codes::option_refusal(tag, value).unwrap_or(codes::OTHER);
    }
    options.refused = first_of(options.refused, refused);
}
