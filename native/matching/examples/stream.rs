//! Runs a stream of command records through the venue without Python: messages per second, or the time of each one.
//!
//! `stream BEFORE TIMED BATCH RUNS`: two files of whole command records, numbered on from 1, as `benchmarks.native`
//! writes them. BATCH is the number of messages a call; with 1 each call is timed, less what the clock itself takes.
#![forbid(unsafe_code)]

use std::time::Instant;

use exchange_matching::{Limits, Venue};

/// More than any stream needs.
const LIMITS: Limits = Limits {
    symbols: 65_535,
    participants: 10_000,
    accounts: 100_000,
    keys: 100_000,
    client_order_ids: 1_000_000,
    rulings: 1_000_000,
    risk_limits: 1_000,
};
const BATCH_OF_SET_UP: usize = 4_096;
const CLOCK_READINGS: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, before, timed, batch, runs] = arguments.as_slice() else {
        eprintln!("usage: stream BEFORE TIMED BATCH RUNS");
        std::process::exit(2);
    };
    let read = |path: &str| std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let number = |text: &str| text.parse::<usize>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let (before, timed) = (read(before), read(timed));
    let (batch, runs) = (number(batch).max(1), number(runs).max(1));
    for _ in 0..runs {
        let mut venue = Venue::new(0, LIMITS);
        for part in batches(&before, BATCH_OF_SET_UP) {
            venue.apply(part, 1).expect("the set-up is numbered and framed");
        }
        let parts = batches(&timed, batch);
        if batch == 1 {
            report_latency(&mut venue, &parts);
        } else {
            report_rate(&mut venue, &parts, messages_in(&timed));
        }
        println!("hash {}", venue.running_hash());
    }
}

/// Prints messages per second.
fn report_rate(venue: &mut Venue, parts: &[&[u8]], messages: usize) {
    let started = Instant::now();
    for part in parts {
        venue.apply(part, 2).expect("the stream is numbered and framed");
    }
    println!("rate {:.0}", messages as f64 / started.elapsed().as_secs_f64());
}

/// Prints the distribution of the time of one message in nanoseconds, less the clock's own.
fn report_latency(venue: &mut Venue, parts: &[&[u8]]) {
    let clock_ns = clock_ns();
    let mut taken: Vec<u64> = Vec::with_capacity(parts.len());
    for part in parts {
        let started = Instant::now();
        std::hint::black_box(venue.apply(part, 2).expect("the stream is numbered and framed"));
        taken.push((started.elapsed().as_nanos() as u64).saturating_sub(clock_ns));
    }
    taken.sort_unstable();
    let at = |per_mille: usize| taken[(taken.len() * per_mille / 1_000).min(taken.len() - 1)];
    println!(
        "clock {clock_ns} p50 {} p90 {} p99 {} p999 {} max {}",
        at(500),
        at(900),
        at(990),
        at(999),
        at(1_000)
    );
}

/// What lies between two readings of the clock with nothing between them: the median.
fn clock_ns() -> u64 {
    let mut taken: Vec<u64> =
        (0..CLOCK_READINGS).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    taken.sort_unstable();
    taken[CLOCK_READINGS / 2]
}

fn length_of(record: &[u8]) -> usize {
    u32::from_le_bytes(*record.first_chunk().expect("a record begins with its length")) as usize
}

fn messages_in(mut records: &[u8]) -> usize {
    let mut count = 0;
    while !records.is_empty() {
        records = &records[length_of(records)..];
        count += 1;
    }
    count
}

/// Cuts records into runs of so many.
fn batches(mut records: &[u8], size: usize) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !records.is_empty() {
        let mut end = 0;
        for _ in 0..size {
            if end < records.len() {
                end += length_of(&records[end..]);
            }
        }
        let (part, rest) = records.split_at(end);
        found.push(part);
        records = rest;
    }
    found
}
