//! Any bytes as the content of a snapshot whose checksum fits: a venue or an error, never a panic.
#![no_main]

use exchange_fuzz::{in_envelope, LIMITS};
use exchange_matching::Venue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Venue::restore(data, LIMITS).is_ok();
    if let Ok(mut venue) = Venue::restore(&in_envelope(data), LIMITS) {
        let _ = venue.apply(&[], u64::MAX).is_ok();
        let _ = venue.snapshot();
    }
});
