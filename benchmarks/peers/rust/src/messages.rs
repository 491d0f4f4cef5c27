//! An order stream in memory, and the count and hash of the fills.

use std::time::Duration;

pub const ADD: u8 = 0;
pub const CANCEL: u8 = 1;
const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 24;
const HASH_FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// One record of the stream.
#[derive(Clone, Copy)]
pub struct Message {
    pub kind: u8,
    pub is_buy: bool,
    pub symbol: u16,
    pub price: u32,
    pub quantity: u32,
    pub id: u32,
    pub reference: u32,
}

pub struct Stream {
    pub symbols: usize,
    pub prefill: Vec<Message>,
    pub timed: Vec<Message>,
}

impl Stream {
    pub fn read(path: &str, records: usize) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (prefill, symbols) = (u32_at(&bytes, 4) as usize, u32_at(&bytes, 16) as usize);
        let body = bytes[HEADER_BYTES..].chunks_exact(RECORD_BYTES).take(prefill + records);
        let mut messages: Vec<Message> = body.map(message).collect();
        assert_eq!(messages.len(), prefill + records, "{path}: too few records");
        let timed = messages.split_off(prefill);
        Self { symbols, prefill: messages, timed }
    }
}

fn message(record: &[u8]) -> Message {
    Message {
        kind: record[0],
        is_buy: record[1] == 0,
        symbol: u16::from_le_bytes([record[2], record[3]]),
        price: u32_at(record, 4),
        quantity: u32_at(record, 8),
        id: u32_at(record, 12),
        reference: u32_at(record, 16),
    }
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("the file is whole"))
}

#[derive(Default)]
pub struct Fills {
    trades: u64,
    volume: u64,
    notional: u64,
    hash: u64,
    pub rejects: u64,
}

impl Fills {
    #[inline]
    pub fn fill(&mut self, maker: u64, taker: u64, price: u64, quantity: u64) {
        self.trades += 1;
        self.volume += quantity;
        self.notional += quantity * price;
        self.hash =
            self.hash.wrapping_mul(HASH_FACTOR).wrapping_add(maker << 32 | taker).wrapping_add(quantity);
    }

    /// Prints one pass: seconds and what was filled.
    pub fn print(&self, elapsed: Duration) {
        let Self { trades, volume, notional, hash, rejects } = self;
        println!("pass {:.6} {trades} {volume} {notional} {hash} {rejects}", elapsed.as_secs_f64());
    }
}
