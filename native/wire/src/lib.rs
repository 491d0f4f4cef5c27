//! Commands and events as fixed-width records: what `src/exchange/wire/records.py` defines, without copies.
//!
//! Integers are little-endian, nothing is padded. `docs/records.md` lists the bodies.
#![forbid(unsafe_code)]

pub mod allocation;
pub mod commands;
pub mod events;
pub mod itch;
pub mod listed;
pub mod numbering;
pub mod ouch;
pub mod quotes;
pub mod reader;
pub mod record;
pub mod terms;

/// The largest record with a tail.
pub const RECORD_BYTES_MAX: usize = 4_096;
/// The version of every record that is read and written.
pub const VERSION: u8 = 1;
/// Bit of an event's flags: the last event of its command.
pub const LAST_OF_COMMAND: u8 = 1;
pub const COMMAND_HEADER_BYTES: usize = 16;
pub const EVENT_HEADER_BYTES: usize = 40;
/// Where the flags lie in a record.
pub const FLAGS_OFFSET: usize = 6;
pub const CLIENT_ORDER_ID_BYTES: usize = 36;

/// A client order id as it lies in a record: ASCII filled up with zeros, all zeros for none.
pub type ClientOrderId = [u8; CLIENT_ORDER_ID_BYTES];
pub const NO_CLIENT_ORDER_ID: ClientOrderId = [0; CLIENT_ORDER_ID_BYTES];

/// Tells whether the 36 bytes are not all zeros.
#[inline(always)]
pub fn has_client_order_id(padded: &ClientOrderId) -> bool {
    padded.iter().fold(0, |all, byte| all | byte) != 0
}
