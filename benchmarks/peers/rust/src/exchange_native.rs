//! This exchange's own native venue without Python: command records in, event records out, all checks and the hash.

use std::time::Instant;

use exchange_matching::{Limits, Venue};
use exchange_wire::commands::{
    ADD_SYMBOL, CANCEL_ORDER, CREATE_ACCOUNT, CREATE_PARTICIPANT, ENTER_ORDER, REPLACE_ORDER, START_ENGINE,
};
use exchange_wire::events::{COMMAND_REJECTED, ORDER_REJECTED, TRADE_EXECUTED};
use exchange_wire::{COMMAND_HEADER_BYTES, EVENT_HEADER_BYTES, NO_CLIENT_ORDER_ID, VERSION};

use crate::messages::{u32_at, Fills, Message, Stream, ADD, CANCEL};

const BATCH: usize = 4_096;
const BUY: u8 = 1;
const SELL: u8 = 2;
const LIMIT: u8 = 2;
const DAY: u8 = 0;
const ACTIVE: u8 = 1;
const REFERENCE_PRICE: u32 = 8_192;
const LIMITS: Limits = Limits {
    symbols: 65_535,
    participants: 10_000,
    accounts: 100_000,
    keys: 100_000,
    client_order_ids: 1_000_000,
    rulings: 1_000_000,
};

/// Records in batches, and which of the stream's ids each of our sequences is.
#[derive(Default)]
struct Records {
    batches: Vec<Vec<u8>>,
    in_batch: usize,
    sequence: u64,
    sequence_of: Vec<u64>,
    id_of: Vec<u32>,
}

impl Records {
    fn add(&mut self, number: u8, body: &[&[u8]]) {
        if self.in_batch == BATCH || self.batches.is_empty() {
            self.batches.push(Vec::new());
            self.in_batch = 0;
        }
        self.sequence += 1;
        self.in_batch += 1;
        let out = self.batches.last_mut().expect("a batch is open");
        let length = COMMAND_HEADER_BYTES + body.iter().map(|part| part.len()).sum::<usize>();
        out.extend((length as u32).to_le_bytes());
        out.extend([number, VERSION, 0, 0]);
        out.extend(self.sequence.to_le_bytes());
        body.iter().for_each(|part| out.extend_from_slice(part));
    }

    fn set_up(&mut self, symbols: usize) {
        self.add(START_ENGINE, &[&1_u32.to_le_bytes()]);
        self.add(CREATE_PARTICIPANT, &[&1_u16.to_le_bytes(), b"p"]);
        self.add(CREATE_ACCOUNT, &[&1_u32.to_le_bytes(), &1_u16.to_le_bytes(), b"a"]);
        for symbol in 0..symbols {
            let mut code = [0; 8];
            let text = format!("S{symbol}");
            code[..text.len()].copy_from_slice(text.as_bytes());
            let (price, lot) = (REFERENCE_PRICE.to_le_bytes(), 1_u32.to_le_bytes());
            let (sizes, row) = ([1, 0, 1, 0], [0, 0, 0, 0, 1, 0, 0, 0]);
            self.add(ADD_SYMBOL, &[&code, &price, &lot, &[ACTIVE], &sizes, b"s", &row]);
        }
    }

    fn messages(&mut self, messages: &[Message]) {
        for m in messages {
            let order = self.sequence_of.get(m.reference as usize).copied().unwrap_or_default().to_le_bytes();
            let (price, quantity) = (m.price.to_le_bytes(), m.quantity.to_le_bytes());
            let one = 1_u32.to_le_bytes();
            match m.kind {
                CANCEL => self.add(CANCEL_ORDER, &[&order, &one]),
                ADD => {
                    let symbol = (u32::from(m.symbol) + 1).to_le_bytes();
                    let kind = [if m.is_buy { BUY } else { SELL }, LIMIT, DAY, 0];
                    self.add(ENTER_ORDER, &[&one, &symbol, &kind, &price, &quantity, &NO_CLIENT_ORDER_ID]);
                }
                _ => self.add(REPLACE_ORDER, &[&order, &one, &price, &quantity, &NO_CLIENT_ORDER_ID]),
            }
            self.id_of.resize(self.sequence as usize + 1, 0);
            if m.kind != CANCEL {
                self.id_of[self.sequence as usize] = m.id;
                let wanted = self.sequence_of.len().max(m.id as usize + 1);
                self.sequence_of.resize(wanted, 0);
                self.sequence_of[m.id as usize] = self.sequence;
            }
        }
        self.in_batch = BATCH;
    }
}

pub fn pass(stream: &Stream) {
    let mut records = Records::default();
    records.set_up(stream.symbols);
    records.messages(&stream.prefill);
    let before = std::mem::take(&mut records.batches);
    records.messages(&stream.timed);
    let mut venue = Venue::new(0, LIMITS);
    for batch in &before {
        venue.apply(batch, 1).expect("records are numbered and framed");
    }
    let mut fills = Fills::default();
    let started = Instant::now();
    for batch in &records.batches {
        let events = venue.apply(batch, 2).expect("records are numbered and framed");
        count(events, &records.id_of, &mut fills);
    }
    fills.print(started.elapsed());
}

/// Counts the trades among event records, as the other drivers count theirs.
fn count(mut events: &[u8], id_of: &[u32], fills: &mut Fills) {
    while !events.is_empty() {
        match events[4] {
            TRADE_EXECUTED => {
                let body = &events[EVENT_HEADER_BYTES..];
                let (maker, taker) = (id_of[u32_at(body, 0) as usize], id_of[u32_at(body, 8) as usize]);
                fills.fill(maker.into(), taker.into(), u32_at(body, 24).into(), u32_at(body, 28).into());
            }
            ORDER_REJECTED | COMMAND_REJECTED => fills.rejects += 1,
            _ => {}
        }
        events = &events[u32_at(events, 0) as usize..];
    }
}
