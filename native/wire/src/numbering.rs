//! Fills partition and sequences into the headers of a run of command records: `wire/numbering.py`.

use crate::reader::Malformed;
use crate::{COMMAND_HEADER_BYTES, RECORD_BYTES_MAX};

const LENGTH_BYTES: usize = 4;
const PARTITION_OFFSET: usize = 7;
const SEQUENCE_OFFSET: usize = 8;

/// Adds the records to `out`, numbered from `first_sequence` on; says how many there are.
pub fn number(
    commands: &[u8],
    first_sequence: u64,
    partition: u8,
    out: &mut Vec<u8>,
) -> Result<u64, Malformed> {
    let mut at = out.len();
    out.extend_from_slice(commands);
    let mut sequence = first_sequence;
    while at < out.len() {
        let length = length_at(&out[at..])?;
        out[at + PARTITION_OFFSET] = partition;
        out[at + SEQUENCE_OFFSET..at + COMMAND_HEADER_BYTES].copy_from_slice(&sequence.to_le_bytes());
        at += length;
        sequence += 1;
    }
    Ok(sequence - first_sequence)
}

/// Says how many whole records a run has.
pub fn count(records: &[u8]) -> Result<u64, Malformed> {
    let (mut left, mut found) = (records, 0);
    while !left.is_empty() {
        left = &left[length_at(left)?..];
        found += 1;
    }
    Ok(found)
}

fn length_at(bytes: &[u8]) -> Result<usize, Malformed> {
    let length = bytes.first_chunk::<LENGTH_BYTES>().ok_or(Malformed)?;
    let length = u32::from_le_bytes(*length) as usize;
    if (COMMAND_HEADER_BYTES..=RECORD_BYTES_MAX.min(bytes.len())).contains(&length) {
        Ok(length)
    } else {
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: u32, fill: u8) -> Vec<u8> {
        let mut record = vec![fill; length as usize];
        record[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        record
    }

    #[test]
    fn sequences_and_partition_are_filled_in_and_nothing_else() {
        let run = [record(16, 0xAA), record(40, 0xBB)].concat();
        let mut out = vec![1, 2, 3];
        assert_eq!(number(&run, 7, 5, &mut out), Ok(2));
        let mut expected = run.clone();
        for (at, sequence) in [(0, 7_u64), (16, 8)] {
            expected[at + 7] = 5;
            expected[at + 8..at + 16].copy_from_slice(&sequence.to_le_bytes());
        }
        assert_eq!(out, [vec![1, 2, 3], expected].concat());
        assert_eq!(count(&run), Ok(2));
    }

    #[test]
    fn a_run_that_is_not_of_whole_records_is_malformed() {
        for broken in [&record(16, 0)[..15], &record(15, 0), &[0; 16], &[1, 0, 0]] {
            assert_eq!(count(broken), Err(Malformed));
            assert_eq!(number(broken, 1, 0, &mut Vec::new()), Err(Malformed));
        }
    }
}
