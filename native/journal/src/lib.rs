//! The journal as `src/exchange/infra/journal.py` defines it: the same files from the same batches, written by a thread.
#![forbid(unsafe_code)]

mod format;
mod segments;
#[cfg(test)]
mod tests;
mod writer;

pub use format::{Batch, Figures, Identity, HEADER_BYTES};
pub use segments::{DiskFile, Journal, Place, SegmentFile, Stats};
pub use writer::{Outcome, Writer};
