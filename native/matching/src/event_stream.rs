//! The one numbered stream of events: numbers them, writes their records, and keeps the running hash.
//!
//! The running hash is XXH3-64 over the bytes of all events of one command, seeded with the hash before.

use std::collections::HashSet;

use exchange_wire::events::{self, Header};
use exchange_wire::{FLAGS_OFFSET, LAST_OF_COMMAND};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::reasons::{int64, Refusal, REASONS_END};

/// The first room for events, more than any record needs.
const ROOM_BYTES_MIN: usize = 64 << 10;
/// Room for events that stays when a batch needed more.
const ROOM_BYTES_MAX: usize = 64 << 20;

/// Where the symbol id lies in an event.
const SYMBOL_ID: std::ops::Range<usize> = 36..40;

/// Commands that are carried out before one's events are taken into the hash.
const HASH_LAG: usize = 4;

/// What happened since the venue was made or restored, no part of its state.
#[derive(Clone, Default)]
pub struct Counters {
    pub orders: u64,
    pub cancels: u64,
    pub trades: u64,
    /// By reason number.
    pub rejects: Vec<u64>,
}

pub struct EventStream {
    pub header: Header,
    pub running_hash: u64,
    pub counters: Counters,
    /// Events of the directory since they were last taken.
    pub directory_events: Vec<u8>,
    /// Room for events; those of the batch fill it up to `end`.
    out: Vec<u8>,
    end: usize,
    command_begins_at: usize,
    /// Where the events of the commands end that are not yet in the hash: a ring, `ended` less `hashed` of them.
    ends: [usize; HASH_LAG],
    ended: usize,
    hashed: usize,
    hashed_to: usize,
    last_event_at: usize,
}

impl EventStream {
    pub fn new(partition: u8) -> Self {
        Self {
            header: Header { partition, ..Header::default() },
            running_hash: 0,
            counters: Counters { rejects: vec![0; REASONS_END], ..Counters::default() },
            directory_events: Vec::new(),
            out: Vec::new(),
            end: 0,
            command_begins_at: 0,
            ends: [0; HASH_LAG],
            ended: 0,
            hashed: 0,
            hashed_to: 0,
            last_event_at: 0,
        }
    }

    /// Forgets the events of the batch before.
    pub fn begin_batch(&mut self, time_ns: u64) {
        self.header.time_ns = time_ns;
        (self.end, self.hashed_to) = (0, 0);
        if self.out.len() > ROOM_BYTES_MAX {
            self.out = Vec::new();
        }
    }

    #[inline(always)]
    pub fn begin_command(&mut self, command_sequence: u64) {
        self.header.command_sequence = command_sequence;
        self.command_begins_at = self.end;
    }

    /// Marks the command's last event, and takes an earlier command into the running hash.
    ///
    /// Not this one: bytes just written are slow to read in other widths. Nor many in one go: each hash needs the one
    /// before, and waits for it less while commands are carried out in between.
    #[inline(always)]
    pub fn end_command(&mut self) {
        if self.end > self.command_begins_at {
            self.out[self.last_event_at + FLAGS_OFFSET] = LAST_OF_COMMAND;
            if self.ended - self.hashed == HASH_LAG {
                self.hash_next();
            }
            self.ends[self.ended % HASH_LAG] = self.end;
            self.ended += 1;
        }
    }

    /// Takes the events of all ended commands into the running hash, one command after the other.
    pub fn hash_commands(&mut self) {
        while self.hashed < self.ended {
            self.hash_next();
        }
    }

    #[inline(always)]
    fn hash_next(&mut self) {
        let end = self.ends[self.hashed % HASH_LAG];
        self.running_hash = xxh3_64_with_seed(&self.out[self.hashed_to..end], self.running_hash);
        self.hashed_to = end;
        self.hashed += 1;
    }

    /// The events of the batch.
    pub fn events(&self) -> &[u8] {
        &self.out[..self.end]
    }

    /// Numbers an event and lets its record of `N` bytes be written into its place.
    #[inline(always)]
    pub fn emit<const N: usize>(&mut self, write: impl FnOnce(&Header, &mut [u8; N])) {
        self.header.sequence += 1;
        if self.out.len() - self.end < N {
            self.grow();
        }
        let place = self.out[self.end..].first_chunk_mut().expect("there is room for a record");
        write(&self.header, place);
        self.last_event_at = self.end;
        self.end += N;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.out.len() * 2).max(ROOM_BYTES_MIN);
        self.out.resize(size, 0);
    }

    /// Adds an event of any type; the parts are its body and tail.
    pub fn write(&mut self, number: u8, symbol_id: u32, parts: &[&[u8]]) {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        self.emit(|header, out| header.write(out, number, symbol_id, size));
        if self.out.len() - self.end < size {
            self.grow();
        }
        for part in parts {
            self.out[self.end..self.end + part.len()].copy_from_slice(part);
            self.end += part.len();
        }
    }

    /// Adds an event that changes the directory.
    pub fn write_to_directory(&mut self, number: u8, symbol_id: u32, parts: &[&[u8]]) {
        let begins_at = self.end;
        self.write(number, symbol_id, parts);
        self.directory_events.extend_from_slice(&self.out[begins_at..self.end]);
    }

    /// The ids of the symbols that the command's events so far concern, as they come first.
    #[cold]
    pub fn symbols_concerned(&self) -> Vec<u32> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut left = &self.out[self.command_begins_at..self.end];
        while let (Some(length), Some(symbol_id)) = (left.first_chunk(), left.get(SYMBOL_ID)) {
            let symbol_id = symbol_id.try_into().map_or(0, u32::from_le_bytes);
            if symbol_id != 0 && seen.insert(symbol_id) {
                found.push(symbol_id);
            }
            left = &left[u32::from_le_bytes(*length) as usize..];
        }
        found
    }

    /// Those symbols that the command's events so far concern and that are wanted, as they come first.
    pub fn symbols_of_command(&self, is_wanted: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut found = Vec::new();
        let mut left = &self.out[self.command_begins_at..self.end];
        while let (Some(length), Some(symbol_id)) = (left.first_chunk(), left.get(SYMBOL_ID)) {
            let symbol_id = symbol_id.try_into().map_or(0, u32::from_le_bytes);
            if symbol_id != 0 && is_wanted(symbol_id) && !found.contains(&symbol_id) {
                found.push(symbol_id);
            }
            left = &left[u32::from_le_bytes(*length) as usize..];
        }
        found
    }

    /// Says that a command other than an order's entry was refused.
    pub fn command_rejected(&mut self, command_type: u8, subject: u64, symbol_id: u32, refusal: Refusal) {
        self.counters.rejects[usize::from(refusal.reason)] += 1;
        let event = events::CommandRejected {
            symbol_id,
            command_type,
            reason: refusal.reason,
            subject,
            measured: int64(refusal.measured),
            limit: int64(refusal.limit),
        };
        self.emit(|header, out| event.write(header, out));
    }
}
