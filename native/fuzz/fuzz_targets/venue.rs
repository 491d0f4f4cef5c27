//! Any bytes as the bodies of commands to a small market, with time between them: no panic, whole events, and the snapshot restores to itself.
#![no_main]

use exchange_fuzz::{small_market, Numbered};
use exchange_matching::Venue;
use exchange_wire::EVENT_HEADER_BYTES;
use libfuzzer_sys::fuzz_target;

/// In the place of a command's number: so many seconds pass.
const PASSES: u8 = 0;
const SECOND_NS: u64 = 1_000_000_000;

fuzz_target!(|data: &[u8]| {
    let (mut venue, mut numbered) = small_market();
    let mut time_ns = 2;
    let mut left = data;
    while let [number, size, rest @ ..] = left {
        if *number == PASSES {
            take(&mut venue, &mut numbered, time_ns);
            time_ns += u64::from(*size) * SECOND_NS;
            left = rest;
            continue;
        }
        let (body, rest) = rest.split_at(rest.len().min(usize::from(*size)));
        numbered.add(*number, body);
        left = rest;
    }
    take(&mut venue, &mut numbered, time_ns);
    let snapshot = venue.snapshot();
    let restored =
        Venue::restore(&snapshot, exchange_fuzz::LIMITS).expect("our own snapshot");
    assert_eq!(restored.snapshot(), snapshot);
});

/// Applies what was gathered, and looks whether whole events come of it.
fn take(venue: &mut Venue, numbered: &mut Numbered, time_ns: u64) {
    let records = std::mem::take(&mut numbered.records);
    let events = venue.apply(&records, time_ns).expect("the records are numbered and framed");
    let mut at = 0;
    while at < events.len() {
        let length =
            u32::from_le_bytes(*events[at..].first_chunk().expect("an event has its length")) as usize;
        assert!(
            (EVENT_HEADER_BYTES..=events.len() - at).contains(&length),
            "an event of {length} bytes at {at}"
        );
        at += length;
    }
}
