//! Any bytes as the bodies of commands to a small market: no panic, whole events, and the snapshot restores to itself.
#![no_main]

use exchange_fuzz::{small_market, Numbered};
use exchange_wire::EVENT_HEADER_BYTES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (mut venue, mut numbered) = small_market();
    let mut left = data;
    while let [number, size, rest @ ..] = left {
        let (body, rest) = rest.split_at(rest.len().min(usize::from(*size)));
        numbered.add(*number, body);
        left = rest;
    }
    let Numbered { records, .. } = &numbered;
    let events = venue.apply(records, 2).expect("the records are numbered and framed");
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
    let snapshot = venue.snapshot();
    let restored =
        exchange_matching::Venue::restore(&snapshot, exchange_fuzz::LIMITS).expect("our own snapshot");
    assert_eq!(restored.snapshot(), snapshot);
});
