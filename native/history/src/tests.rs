//! Tests without a table; `tests/engine/test_order_store_native.py` compares the rows with the definition's.

use crate::envelope::decode;
use crate::projection::{Changes, Kind};
use crate::Error;

const ORDER_ID: u64 = 8;

fn record(number: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    bytes[..4].copy_from_slice(&(40 + body.len() as u32).to_le_bytes());
    (bytes[4], bytes[5]) = (number, 1);
    bytes[8..16].copy_from_slice(&sequence.to_le_bytes());
    bytes[24..32].copy_from_slice(&(1_000 + sequence).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn accepted() -> Vec<u8> {
    let mut body = [0; 60];
    body[..8].copy_from_slice(&ORDER_ID.to_le_bytes());
    body[20] = 5;
    body[24..26].copy_from_slice(b"ab");
    record(140, 1, &body)
}

fn cancelled(reason: u8) -> Vec<u8> {
    let mut body = [0; 22];
    body[..8].copy_from_slice(&ORDER_ID.to_le_bytes());
    body[13] = reason;
    record(141, 2, &body)
}

#[test]
fn an_order_that_comes_and_goes_within_a_run_is_one_row() {
    let mut changes = Changes::default();
    let events = [accepted(), cancelled(17)].concat();
    changes.project(&events).unwrap();
    let [order] = &changes.orders[..] else { panic!("one order, got {}", changes.orders.len()) };
    let (placed, update) = (order.placed.as_ref().unwrap(), order.update.as_ref().unwrap());
    assert_eq!(&events[placed.client_order_id.clone()], b"ab");
    assert_eq!(placed.record, 0..100);
    assert_eq!((placed.leaves, update.leaves, update.ended, update.reason), (5, Some(0), Some(5), Some(17)));
    assert_eq!(update.updated_ns, 1_002);
    assert!(update.kind == Kind::Cancelled);
    changes.project(&cancelled(1)).unwrap();
    assert!(changes.orders[0].placed.is_none());
}

#[test]
fn records_that_are_cut_are_refused_at_every_length() {
    let whole = [accepted(), cancelled(1)].concat();
    for size in 0..whole.len() {
        let is_whole = size == 0 || size == 100;
        assert_eq!(Changes::default().project(&whole[..size]).is_ok(), is_whole, "{size} bytes");
    }
}

#[test]
fn an_envelope_is_told_from_what_is_none() {
    let events = accepted();
    let mut message = b"XEVB\x01\0\0\0".to_vec();
    message.extend([7u32, 1].map(u32::to_le_bytes).concat());
    message.extend(10u64.to_le_bytes());
    message.extend([events.len() as u32, crc32fast::hash(&events)].map(u32::to_le_bytes).concat());
    message.extend(&events);
    let batch = decode(&message).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((batch.epoch, batch.last_sequence(), batch.events), (7, 10, &events[..]));
    for at in [0, 4, 24, 28, 36, message.len() - 1] {
        let mut damaged = message.clone();
        damaged[at] ^= 1;
        assert!(matches!(decode(&damaged), Err(Error::Malformed(_))), "byte {at}");
    }
}
