//! The framing, and that no bytes make a stream panic.

use proptest::prelude::*;

use super::framing::{blocks, datagrams, NoPacket};
use super::stream::{Broken, Start, Stream, Symbol};
use crate::events::{ORDER_ACCEPTED, ORDER_CANCELLED, TRADE_EXECUTED};
use crate::EVENT_HEADER_BYTES;

const NO_BOOKS: &[u8] = b"XBK2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn all_kinds() -> Vec<u8> {
    (101..=255).collect()
}

fn stream() -> Stream {
    let symbol = Symbol {
        stock: *b"A       ",
        round_lot: 1,
        state: 1,
        phase: 1,
        tier: 0,
        trigger_bps: 0,
        is_short_restricted: false,
    };
    let start = Start { date: 20_261_123, symbols: vec![(1, symbol)], ..Start::default() };
    Stream::new(&all_kinds(), NO_BOOKS, start).expect("nothing is a snapshot")
}

fn record(kind: u8, flags: u8, symbol_id: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0; EVENT_HEADER_BYTES];
    out.extend_from_slice(body);
    let length = (out.len() as u32).to_le_bytes();
    out[..4].copy_from_slice(&length);
    (out[4], out[5], out[6], out[36]) = (kind, 1, flags, symbol_id);
    out
}

fn packets(messages: &[Vec<u8>]) -> Vec<u8> {
    let framed = messages
        .iter()
        .map(|message| [&((message.len() + 1) as u16).to_be_bytes()[..], b"S", message].concat());
    framed.collect::<Vec<_>>().concat()
}

proptest! {
    #[test]
    fn whatever_the_bytes_are_a_stream_takes_them_or_says_what_is_wrong(
        records in prop::collection::vec(
            (101..=255_u8, any::<u8>(), 0..=2_u8, prop::collection::vec(0..4_u8, 0..120)), 0..40
        ),
        rest in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut stream = stream();
        let mut events = Vec::new();
        for (kind, flags, symbol_id, body) in &records {
            events.extend(record(*kind, *flags, *symbol_id, body));
        }
        events.extend(&rest);
        match stream.apply(&events) {
            Ok(()) => {}
            Err(Broken::Length { offset } | Broken::Kind { offset, .. } | Broken::State { offset }) => {
                prop_assert!(offset <= events.len());
            }
        }
        for part in stream.take_parts() {
            blocks(&part.packets.bytes).expect("what it makes is whole packets");
        }
    }

    #[test]
    fn any_bytes_are_a_snapshot_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Stream::new(&all_kinds(), &data, Start::default());
    }

    #[test]
    fn datagrams_and_blocks_hold_every_message_once_and_in_order(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 0..200), first in 1..1_000_u64,
    ) {
        let packets = packets(&messages);
        let wanted = blocks(&packets).expect("they are whole");
        let (mut next, mut found) = (first, Vec::new());
        for datagram in datagrams(*b"2026112300", first, &packets).expect("they are whole") {
            prop_assert!(datagram.len() <= 1_420 && datagram.starts_with(b"2026112300"));
            prop_assert_eq!(&datagram[10..18], &next.to_be_bytes()[..]);
            next += u64::from(u16::from_be_bytes([datagram[18], datagram[19]]));
            found.extend_from_slice(&datagram[20..]);
        }
        prop_assert_eq!(next, first + messages.len() as u64);
        prop_assert_eq!(found, wanted);
    }
}

#[test]
fn a_cut_packet_is_said_where_it_lies() {
    let whole = packets(&[b"abc".to_vec()]);
    assert_eq!(blocks(&[&whole[..], b"\0\x03S"].concat()), Err(NoPacket(6)));
    assert_eq!(datagrams([b' '; 10], 1, b"\0\x02Hx"), Err(NoPacket(0)));
}

#[test]
fn an_order_that_is_not_there_is_said_where_its_event_lies() {
    for kind in [ORDER_CANCELLED, TRADE_EXECUTED] {
        let accepted =
            [[1; 1].to_vec(), vec![0; 11], vec![1, 2, 0, 0, 100, 0, 0, 0, 5, 0, 0, 0], vec![0; 36]].concat();
        let first = record(ORDER_ACCEPTED, 1, 1, &accepted);
        let events = [first.clone(), record(kind, 1, 1, &[9; 60])].concat();
        assert_eq!(stream().apply(&events), Err(Broken::State { offset: first.len() }));
    }
}
