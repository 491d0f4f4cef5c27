//! What a failing disk does to the journal and to its thread; the files themselves are compared with the definition's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Batch, DiskFile, Figures, Identity, Journal, Outcome, Place, SegmentFile, Writer};

const SEGMENT_BYTES: u64 = 1024;
const IDENTITY: Identity = Identity { partition: 0, rules_version: 1, epoch: 1 };

/// A folder of its own that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("exchange-journal-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    fn open<F: SegmentFile>(&self, is_synced: bool) -> Journal<F> {
        let segment = self.0.join(format!("{:020}.journal", 1));
        std::fs::write(&segment, [0; SEGMENT_BYTES as usize]).expect("a file can be written");
        let place = Place {
            folder: self.0.clone(),
            segment,
            offset: 0,
            limit: SEGMENT_BYTES,
            next_sequence: 1,
            checksum: 0,
        };
        Journal::open(place, IDENTITY, SEGMENT_BYTES, is_synced).expect("the segment is there")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn batch(first_sequence: u64) -> Batch {
    let figures = Figures {
        first_sequence,
        count: 1,
        time_ns: 1,
        hash_before: 0,
        hash_after: 0,
        events_before: 0,
        events_after: 0,
    };
    Batch::new(figures, Vec::new(), b"a command")
}

/// Makes a kind of file whose disk fails after so many good syncs; each test has its own.
macro_rules! failing_file {
    ($name:ident, $left:ident, $tried:ident) => {
        static $left: AtomicI64 = AtomicI64::new(0);
        static $tried: AtomicU64 = AtomicU64::new(0);

        struct $name(DiskFile);

        impl SegmentFile for $name {
            fn open(path: &Path) -> io::Result<Self> {
                DiskFile::open(path).map(Self)
            }

            fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
                self.0.write_at(offset, data)
            }

            fn sync(&self) -> io::Result<()> {
                $tried.fetch_add(1, Ordering::Relaxed);
                if $left.fetch_sub(1, Ordering::Relaxed) <= 0 {
                    return Err(io::Error::other("Input/output error"));
                }
                self.0.sync()
            }
        }
    };
}

failing_file!(FailsOnce, FAILS_ONCE_LEFT, FAILS_ONCE_TRIED);
failing_file!(FailsSpare, FAILS_SPARE_LEFT, FAILS_SPARE_TRIED);
failing_file!(NeverSynced, NEVER_LEFT, NEVER_TRIED);
failing_file!(FailsInThread, THREAD_LEFT, THREAD_TRIED);

#[test]
fn a_failed_sync_is_final_and_never_tried_again() {
    let folder = Folder::new("final");
    FAILS_ONCE_LEFT.store(2, Ordering::Relaxed);
    let mut journal: Journal<FailsOnce> = folder.open(true);
    journal.append(&mut batch(1)).expect("the disk is well");
    journal.append(&mut batch(2)).expect("the disk is well");
    for _ in 0..3 {
        let said = journal.append(&mut batch(3)).expect_err("the disk failed");
        assert!(said.contains("Input/output error") && said.contains("nothing more is taken"), "{said}");
    }
    assert_eq!(FAILS_ONCE_TRIED.load(Ordering::Relaxed), 3);
    assert_eq!(journal.stats().batches, 2);
    assert!(journal.close(true).is_err());
}

#[test]
fn a_full_disk_stops_the_journal_only_when_the_next_segment_is_needed() {
    let folder = Folder::new("spare");
    let mut journal: Journal<FailsSpare> = folder.open(true);
    assert!(!journal.prepare());
    assert!(journal.stats().spare_failure.contains("Input/output error"));
    FAILS_SPARE_LEFT.store(100, Ordering::Relaxed);
    (1..20).for_each(|sequence| journal.append(&mut batch(sequence)).expect("the disk is well"));
    assert!(journal.stats().segments_begun > 0);
    assert_eq!(journal.stats().spare_failure, "");
}

#[test]
fn a_buffered_journal_syncs_nothing() {
    let folder = Folder::new("buffered");
    let mut journal: Journal<NeverSynced> = folder.open(false);
    (1..30).for_each(|sequence| journal.append(&mut batch(sequence)).expect("nothing is synced"));
    assert!(journal.stats().segments_begun > 0);
    assert_eq!(NEVER_TRIED.load(Ordering::Relaxed), 0);
}

fn outcomes_until(writer: &Writer, is_last: impl Fn(&Outcome) -> bool) -> Vec<Outcome> {
    let begun = Instant::now();
    let mut heard = Vec::new();
    while !heard.last().is_some_and(&is_last) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the thread said {heard:?} only");
        thread::sleep(Duration::from_millis(1));
        heard.extend(writer.outcomes());
    }
    heard
}

fn await_that(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the thread does not do what it should");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_thread_says_why_it_failed_and_then_stores_nothing_more() {
    let folder = Folder::new("thread");
    THREAD_LEFT.store(1, Ordering::Relaxed);
    let writer =
        Writer::start(folder.open::<FailsInThread>(true), Duration::from_secs(60)).expect("a thread");
    writer.write(batch(1));
    writer.write(batch(2));
    writer.write(batch(3));
    writer.close(true);
    let heard = outcomes_until(&writer, |last| matches!(last, Outcome::Closed(_)));
    assert!(matches!(
        &heard[..],
        [Outcome::Durable(_), Outcome::Failed(why), Outcome::Closed(false)] if why.contains("Input/output error")
    ));
    assert_eq!(THREAD_TRIED.load(Ordering::Relaxed), 2);
}

#[test]
fn a_writer_that_is_dropped_ends_its_thread_and_its_journal() {
    let folder = Folder::new("dropped");
    let journal = folder.open::<DiskFile>(true);
    let writer = Writer::start(journal, Duration::from_millis(1)).expect("a thread can be started");
    writer.write(batch(1));
    outcomes_until(&writer, |last| matches!(last, Outcome::Durable(_)));
    let spare = folder.0.join("next.segment");
    await_that(|| spare.exists());
    drop(writer);
    await_that(|| !spare.exists());
}
