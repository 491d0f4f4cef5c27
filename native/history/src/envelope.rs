//! A run of events in one envelope, as `src/exchange/wire/envelope.py` defines it.

use exchange_wire::reader::{Malformed, Reader};
use exchange_wire::VERSION as RECORD_VERSION;

use crate::Error;

const MAGIC: &[u8; 4] = b"XEVB";
const VERSION: u16 = 1;
const RECORD_VERSION_OFFSET: usize = 5;

/// Events of whole commands without a gap.
pub(crate) struct Batch<'a> {
    pub epoch: u32,
    pub first_sequence: u64,
    pub count: u32,
    pub events: &'a [u8],
}

impl Batch<'_> {
    /// The sequence of the last event, or the one before the first where there is none.
    pub fn last_sequence(&self) -> u64 {
        (self.first_sequence + u64::from(self.count)).wrapping_sub(1)
    }
}

/// Takes one message apart; an error where it is cut, damaged or of another version.
pub(crate) fn decode(message: &[u8]) -> Result<Batch<'_>, Error> {
    let Ok(Header { magic, version, batch, size, checksum }) = header(message) else {
        return Err(malformed(format!("envelope: {} bytes, its header has 32", message.len())));
    };
    if &magic != MAGIC {
        return Err(malformed("magic at offset 0: an event batch starts with XEVB".into()));
    }
    if version != VERSION {
        return Err(malformed(format!("envelope: version at offset 4: {version}, known is {VERSION}")));
    }
    let events = batch.events;
    if events.len() as u64 != u64::from(size) {
        return Err(malformed(format!("length at offset 24: {size}, {} bytes follow", events.len())));
    }
    if crc32fast::hash(events) != checksum {
        return Err(malformed("checksum at offset 28: the events are damaged".into()));
    }
    match events.get(RECORD_VERSION_OFFSET) {
        Some(&seen) if seen != RECORD_VERSION => Err(malformed(format!(
            "first event record: version at offset 5: {seen}, known is {RECORD_VERSION}"
        ))),
        _ => Ok(batch),
    }
}

struct Header<'a> {
    magic: [u8; 4],
    version: u16,
    batch: Batch<'a>,
    size: u32,
    checksum: u32,
}

fn header(message: &[u8]) -> Result<Header<'_>, Malformed> {
    let mut reader = Reader::new(message);
    let (magic, version, _partition, _) = (reader.array()?, reader.u16()?, reader.u8()?, reader.u8()?);
    let (epoch, count, first_sequence) = (reader.u32()?, reader.u32()?, reader.u64()?);
    let (size, checksum) = (reader.u32()?, reader.u32()?);
    let batch = Batch { epoch, first_sequence, count, events: reader.rest() };
    Ok(Header { magic, version, batch, size, checksum })
}

pub(crate) fn malformed(what: String) -> Error {
    Error::Malformed(what)
}
