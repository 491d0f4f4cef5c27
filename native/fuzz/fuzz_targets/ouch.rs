//! Any bytes from two OUCH clients of a small market: no panic, whole commands, whole answers, numbered without a gap.
#![no_main]

use exchange_fuzz::small_market;
use exchange_wire::ouch::inbound::Broken;
use exchange_wire::ouch::outbound::{Codes, Outbound, Run};
use exchange_wire::ouch::session::{Session, State, Terms};
use libfuzzer_sys::fuzz_target;

const SESSIONS: u32 = 2;
/// With this bit of its first byte a piece is the payload of one message, else bytes as they come from a socket.
const FRAMED: u8 = 0x80;

fn two_sessions() -> State {
    let mut state = State::default();
    for (number, symbol) in [(1, *b"A       "), (2, *b"B       ")] {
        state.add_symbol(number, symbol);
    }
    for number in 1..=SESSIONS {
        let terms =
            Terms { user: format!("U{number}"), account_id: u64::from(number), cancel_on_disconnect: true };
        state.sessions.insert(number, Session::new(number, terms, number));
    }
    state
}

/// Reads the packets of a run: each one whole and sequenced, and as many as it says.
fn check(run: &Run) {
    let (mut at, mut count) = (0, 0);
    while at < run.packets.len() {
        let head: [u8; 3] = *run.packets[at..].first_chunk().expect("a packet has a head");
        let length = usize::from(u16::from_be_bytes([head[0], head[1]]));
        assert!(head[2] == b'S' && length > 1, "a packet of type {} and {length} bytes", head[2]);
        at += 2 + length;
        count += 1;
    }
    assert_eq!((at, count), (run.packets.len(), run.count));
}

fuzz_target!(|data: &[u8]| {
    let (mut venue, _) = small_market();
    let codes = Codes { rejects: vec![1; 256], cancels: vec![b'U'; 256], unknown_order: 0, below_filled: 0 };
    let mut outbound = Outbound::new(two_sessions(), codes);
    let (mut commands, mut numbered, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut left = data;
    while let [first, size, rest @ ..] = left {
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*size)));
        left = rest;
        let framed = [&[0, piece.len() as u8 + 1, b'U'][..], piece].concat();
        let bytes = if first & FRAMED != 0 && piece.len() < 255 { &framed[..] } else { piece };
        let session = 1 + u32::from(first & 1);
        let waiting_max = 1 + usize::from(first >> 1 & 0x3F);
        let decoded = outbound.state.decode(session, bytes, waiting_max, &mut commands).expect("it is known");
        match decoded {
            Ok(decoded) => assert!(decoded.consumed <= bytes.len()),
            Err(Broken::Length { offset, .. }) => assert!(offset < bytes.len()),
            Err(Broken::Message { start, end }) => assert!(start <= end && end <= bytes.len()),
        }
        venue.apply_batch([&commands[..]].into_iter(), 2, &mut numbered, &mut ends).expect("whole commands");
        outbound.encode(venue.last_events()).iter().for_each(check);
        outbound.follow_ups();
    }
    assert!(!outbound.state.snapshot().is_empty());
});
