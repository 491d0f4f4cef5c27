//! A batch in bytes, as `infra/journal_format.py` defines it.

const MAGIC: [u8; 4] = *b"\xf5XJB";
const VERSION: u16 = 1;
pub const HEADER_BYTES: usize = 64;
const BEFORE_CHECKSUM: usize = HEADER_BYTES - 4;

/// What stands before the records of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Commands = 1,
    Seal = 2,
    Close = 3,
}

/// What all batches of one start of the engine have in common.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub partition: u8,
    pub rules_version: u32,
    pub epoch: u32,
}

/// What is known of commands that were matched together at one time.
///
/// Hash and event sequence are of the venue before and after them.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub first_sequence: u64,
    pub count: u32,
    pub time_ns: u64,
    pub hash_before: u64,
    pub hash_after: u64,
    pub events_before: u64,
    pub events_after: u64,
}

/// Commands behind room for their header.
#[derive(Debug)]
pub struct Batch {
    pub figures: Figures,
    bytes: Vec<u8>,
}

impl Batch {
    /// Takes the records in, into room that was used before.
    pub fn new(figures: Figures, mut room: Vec<u8>, records: &[u8]) -> Self {
        room.clear();
        room.resize(HEADER_BYTES, 0);
        room.extend_from_slice(records);
        Self { figures, bytes: room }
    }

    /// The size of the records.
    pub fn payload_bytes(&self) -> usize {
        self.bytes.len() - HEADER_BYTES
    }

    /// Gives back the room.
    pub fn into_room(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes the header in front of the records: the whole batch and its checksum.
    pub(crate) fn sealed(&mut self, identity: &Identity, previous_checksum: u32) -> (&[u8], u32) {
        let figures = &self.figures;
        let header = Header {
            kind: Kind::Commands,
            first_sequence: figures.first_sequence,
            count: figures.count,
            time_ns: figures.time_ns,
            running_hash: figures.hash_before,
            event_sequence: figures.events_before,
            previous_checksum,
        };
        let checksum = header.write(identity, &mut self.bytes);
        (&self.bytes, checksum)
    }
}

/// The header of a batch, but for what all have in common.
pub(crate) struct Header {
    pub kind: Kind,
    pub first_sequence: u64,
    pub count: u32,
    pub time_ns: u64,
    pub running_hash: u64,
    pub event_sequence: u64,
    pub previous_checksum: u32,
}

impl Header {
    /// Writes itself over the first bytes of a batch whose records stand behind them; returns the checksum.
    pub fn write(&self, identity: &Identity, batch: &mut [u8]) -> u32 {
        let length = (batch.len() - HEADER_BYTES) as u32;
        batch[0..4].copy_from_slice(&MAGIC);
        batch[4..6].copy_from_slice(&VERSION.to_le_bytes());
        batch[6] = self.kind as u8;
        batch[7] = identity.partition;
        batch[8..12].copy_from_slice(&identity.rules_version.to_le_bytes());
        batch[12..16].copy_from_slice(&identity.epoch.to_le_bytes());
        batch[16..24].copy_from_slice(&self.first_sequence.to_le_bytes());
        batch[24..28].copy_from_slice(&self.count.to_le_bytes());
        batch[28..32].copy_from_slice(&length.to_le_bytes());
        batch[32..40].copy_from_slice(&self.time_ns.to_le_bytes());
        batch[40..48].copy_from_slice(&self.running_hash.to_le_bytes());
        batch[48..56].copy_from_slice(&self.event_sequence.to_le_bytes());
        batch[56..60].copy_from_slice(&self.previous_checksum.to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&batch[..BEFORE_CHECKSUM]);
        hasher.update(&batch[HEADER_BYTES..]);
        let checksum = hasher.finalize();
        batch[BEFORE_CHECKSUM..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        checksum
    }
}
