//! Files of a fixed size, filled with zeroes before use; a failed write or sync is final.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::format::{Batch, Figures, Header, Identity, Kind, HEADER_BYTES};

/// How much of the next segment is filled with zeroes at a time, so that no batch waits long for it.
const PREPARE_BYTES: usize = 256 << 10;
static ZEROES: [u8; PREPARE_BYTES] = [0; PREPARE_BYTES];
/// Kept free at the end of a segment for a seal and a close record, so that neither ever begins a segment.
const RESERVE: u64 = 2 * HEADER_BYTES as u64;
const SPARE: &str = "next.segment";

/// A file written at offsets. Tests put a failing one in its place.
pub trait SegmentFile: Sized {
    /// Opens or makes a file.
    fn open(path: &Path) -> io::Result<Self>;
    /// Writes all of the data at an offset.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Returns when all that was written is on disk.
    fn sync(&self) -> io::Result<()>;
}

/// A file of the system.
pub struct DiskFile(File);

impl SegmentFile for DiskFile {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(Self)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Where a journal goes on: behind its last good batch, in a segment that is filled with zeroes from there on.
pub struct Place {
    pub folder: PathBuf,
    pub segment: PathBuf,
    pub offset: u64,
    pub limit: u64,
    pub next_sequence: u64,
    pub checksum: u32,
}

/// What the journal did since it was opened.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Stats {
    pub segment: String,
    pub segment_bytes: u64,
    pub used_bytes: u64,
    pub batches: u64,
    pub seals: u64,
    pub bytes_written: u64,
    pub segments_begun: u64,
    /// Why the next segment could not be prepared, or empty.
    pub spare_failure: String,
}

/// A journal of one folder.
pub struct Journal<F: SegmentFile = DiskFile> {
    folder: PathBuf,
    identity: Identity,
    segment_bytes: u64,
    is_synced: bool,
    path: PathBuf,
    file: F,
    at: u64,
    limit: u64,
    next_sequence: u64,
    checksum: u32,
    last: Option<Figures>,
    is_sealed: bool,
    is_closed: bool,
    failure: String,
    spare: Option<F>,
    spare_bytes: u64,
    stats: Stats,
}

impl<F: SegmentFile> Journal<F> {
    /// Goes on with a journal whose end is whole, cut and filled up.
    pub fn open(place: Place, identity: Identity, segment_bytes: u64, is_synced: bool) -> io::Result<Self> {
        let mut journal = Self {
            file: F::open(&place.segment)?,
            folder: place.folder,
            identity,
            segment_bytes,
            is_synced,
            path: place.segment,
            at: place.offset,
            limit: place.limit,
            next_sequence: place.next_sequence,
            checksum: place.checksum,
            last: None,
            is_sealed: false,
            is_closed: false,
            failure: String::new(),
            spare: None,
            spare_bytes: 0,
            stats: Stats::default(),
        };
        journal.note_place();
        Ok(journal)
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Stores a batch; it is durable on return. The error says why it may not be.
    pub fn append(&mut self, batch: &mut Batch) -> Result<(), String> {
        let figures = batch.figures;
        assert_eq!(figures.first_sequence, self.next_sequence, "a batch was numbered wrongly");
        let size = (HEADER_BYTES + batch.payload_bytes()) as u64;
        assert!(size + RESERVE <= self.segment_bytes, "a batch is larger than a segment");
        if self.at + size + RESERVE > self.limit {
            self.guarded(Self::begin_segment)?;
        }
        let next_sequence = figures.first_sequence + u64::from(figures.count);
        let (bytes, checksum) = batch.sealed(&self.identity, self.checksum);
        self.guarded(|journal| journal.write(bytes, next_sequence, checksum))?;
        self.last = Some(figures);
        self.is_sealed = false;
        self.stats.batches += 1;
        Ok(())
    }

    /// Writes a seal after the last batch, once: from then on a flipped bit in it is no torn tail.
    pub fn seal(&mut self) -> Result<(), String> {
        if self.last.is_some() && !self.is_sealed {
            self.mark(Kind::Seal)?;
            self.is_sealed = true;
            self.stats.seals += 1;
        }
        Ok(())
    }

    /// Ends, once; a clean end writes a close record, unless nothing was written since the last one.
    pub fn close(&mut self, clean: bool) -> Result<(), String> {
        if self.is_closed {
            return Ok(());
        }
        self.is_closed = true;
        let marked = if clean && self.last.is_some() { self.mark(Kind::Close) } else { Ok(()) };
        self.spare = None;
        let removed = remove_if_there(&self.folder.join(SPARE));
        marked.and(removed.map_err(|error| format!("{SPARE}: {error}")))
    }

    /// Tells whether the segment is half full and the next one not ready.
    pub fn prepare_is_urgent(&self) -> bool {
        self.at > self.limit / 2
    }

    /// Fills a little more of the next segment with zeroes; tells whether there is more to do.
    pub fn prepare(&mut self) -> bool {
        let is_over = !self.stats.spare_failure.is_empty() || !self.failure.is_empty();
        if is_over || self.spare_bytes >= self.segment_bytes {
            return false;
        }
        if let Err(error) = self.prepare_step() {
            // The present segment still has room: the engine goes on, and stops only when it has none.
            self.stats.spare_failure = format!("next journal segment: {error}");
            self.spare_bytes = 0;
        }
        self.stats.spare_failure.is_empty() && self.spare_bytes < self.segment_bytes
    }

    fn mark(&mut self, kind: Kind) -> Result<(), String> {
        let Some(last) = self.last else { return Ok(()) };
        let header = Header {
            kind,
            first_sequence: self.next_sequence,
            count: 0,
            time_ns: last.time_ns,
            running_hash: last.hash_after,
            event_sequence: last.events_after,
            previous_checksum: self.checksum,
        };
        let mut bytes = [0; HEADER_BYTES];
        let checksum = header.write(&self.identity, &mut bytes);
        self.guarded(|journal| journal.write(&bytes, journal.next_sequence, checksum))
    }

    fn write(&mut self, bytes: &[u8], next_sequence: u64, checksum: u32) -> io::Result<()> {
        self.file.write_at(self.at, bytes)?;
        if self.is_synced {
            self.file.sync()?;
        }
        self.at += bytes.len() as u64;
        self.stats.bytes_written += bytes.len() as u64;
        (self.next_sequence, self.checksum) = (next_sequence, checksum);
        self.note_place();
        Ok(())
    }

    /// Does something to the disk; after the first failure nothing is tried again.
    fn guarded(&mut self, action: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<(), String> {
        if self.failure.is_empty() {
            match action(self) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.failure = format!("journal {}, offset {}: {error}", self.path.display(), self.at);
                }
            }
        }
        Err(format!(
            "{}. What the disk holds is unknown, so nothing more is taken; repair the disk, then start again",
            self.failure
        ))
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.stats.spare_failure.clear();
        while self.spare_bytes < self.segment_bytes {
            self.prepare_step()?;
        }
        let path = self.folder.join(format!("{:020}.journal", self.next_sequence));
        fs::rename(self.folder.join(SPARE), &path)?;
        File::open(&self.folder)?.sync_all()?;
        self.path = path;
        self.file = self.spare.take().expect("a segment that is filled is open");
        self.spare_bytes = 0;
        (self.at, self.limit) = (0, self.segment_bytes);
        self.stats.segments_begun += 1;
        self.note_place();
        Ok(())
    }

    fn prepare_step(&mut self) -> io::Result<()> {
        if self.spare.is_none() {
            let path = self.folder.join(SPARE);
            remove_if_there(&path)?;
            self.spare = Some(F::open(&path)?);
            self.spare_bytes = 0;
        }
        let spare = self.spare.as_ref().expect("it was just opened");
        let size = (self.segment_bytes - self.spare_bytes).min(PREPARE_BYTES as u64);
        spare.write_at(self.spare_bytes, &ZEROES[..size as usize])?;
        if self.is_synced {
            spare.sync()?;
        }
        self.spare_bytes += size;
        Ok(())
    }

    fn note_place(&mut self) {
        if self.stats.segment.is_empty() || self.at == 0 {
            let name = self.path.file_name().unwrap_or_default();
            self.stats.segment = name.to_string_lossy().into_owned();
        }
        (self.stats.segment_bytes, self.stats.used_bytes) = (self.limit, self.at);
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
