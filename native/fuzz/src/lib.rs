//! What the fuzz targets share: a small market, numbered records, and the envelope of a snapshot.
#![forbid(unsafe_code)]

use exchange_matching::{Limits, Venue, RULES_VERSION};
use exchange_wire::commands::{ADD_SYMBOL, CREATE_ACCOUNT, CREATE_PARTICIPANT, START_ENGINE};
use exchange_wire::{COMMAND_HEADER_BYTES, VERSION};

pub const LIMITS: Limits =
    Limits { symbols: 8, participants: 8, accounts: 8, keys: 8, client_order_ids: 64, rulings: 64, risk_limits: 8 };
const SNAPSHOT_VERSION: u16 = 5;

/// Command records, numbered on from 1.
#[derive(Default)]
pub struct Numbered {
    pub records: Vec<u8>,
    sequence: u64,
}

impl Numbered {
    pub fn add(&mut self, number: u8, body: &[u8]) {
        self.sequence += 1;
        self.records.extend(((COMMAND_HEADER_BYTES + body.len()) as u32).to_le_bytes());
        self.records.extend([number, VERSION, 0, 0]);
        self.records.extend(self.sequence.to_le_bytes());
        self.records.extend(body);
    }
}

/// A venue with two participants, two accounts and two symbols; and the numbering that goes on from there.
pub fn small_market() -> (Venue, Numbered) {
    let mut numbered = Numbered::default();
    numbered.add(START_ENGINE, &1_u32.to_le_bytes());
    for name in [b'a', b'b'] {
        numbered.add(CREATE_PARTICIPANT, &[1, 0, name]);
    }
    for (owner, name) in [(1_u8, b'a'), (2, b'b')] {
        numbered.add(CREATE_ACCOUNT, &[owner, 0, 0, 0, 1, 0, name]);
    }
    for code in [b'A', b'B'] {
        let mut body = vec![code, 0, 0, 0, 0, 0, 0, 0];
        body.extend(100_u32.to_le_bytes());
        body.extend(1_u32.to_le_bytes());
        body.extend([1, 1, 0, 1, 0, b's', 0, 0, 0, 0, 1, 0, 0, 0]);
        numbered.add(ADD_SYMBOL, &body);
    }
    let mut venue = Venue::new(0, LIMITS);
    venue.apply(&numbered.records, 1).expect("the records are numbered and framed");
    numbered.records.clear();
    (venue, numbered)
}

/// Content as a snapshot whose envelope is right.
pub fn in_envelope(content: &[u8]) -> Vec<u8> {
    let mut data = b"XVEN".to_vec();
    data.extend(SNAPSHOT_VERSION.to_le_bytes());
    data.extend(RULES_VERSION.to_le_bytes());
    data.extend((content.len() as u64).to_le_bytes());
    data.extend(crc32fast::hash(content).to_le_bytes());
    data.extend(content);
    data
}
