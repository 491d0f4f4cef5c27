//! The journal for Python: converts, and nothing else.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use exchange_journal::{self as journal, Batch, Figures, Identity, Outcome, Place, Stats, Writer};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// First sequence, count, time, hash before and after, event sequence before and after.
type BatchRow = (u64, u32, u64, u64, u64, u64, u64);
/// Folder, segment, offset, limit, next sequence, checksum of the last batch.
type PlaceRow = (String, String, u64, u64, u64, u32);
/// Segment, its size, how much of it is used, batches, seals, bytes written, segments begun, spare failure.
type StatsRow = (String, u64, u64, u64, u64, u64, u64, String);
/// Batches that became durable and the nanoseconds each took; why nothing more is written; whether all was stored.
type OutcomeRow = (Vec<u64>, Option<String>, Option<bool>);

/// A journal, written by whoever calls or, once started, by a thread of its own.
#[pyclass(frozen, module = "exchange_native")]
pub struct Journal(Mutex<State>);

enum State {
    Here(Box<journal::Journal>),
    Running(Writer),
    /// While one becomes the other, and where that failed.
    Gone,
}

impl Journal {
    /// Panics where an earlier call did: a journal whose invariants broke must not go on.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("an earlier call broke an invariant of the journal")
    }

    fn with<T>(&self, py: Python<'_>, action: impl FnOnce(&mut journal::Journal) -> T + Send) -> PyResult<T>
    where
        T: Send,
    {
        py.detach(|| match &mut *self.locked() {
            State::Here(journal) => Ok(action(journal)),
            _ => Err(PyOSError::new_err("the journal belongs to its thread")),
        })
    }

    fn with_writer<T>(&self, action: impl FnOnce(&Writer) -> T) -> PyResult<T> {
        match &*self.locked() {
            State::Running(writer) => Ok(action(writer)),
            _ => Err(PyOSError::new_err("the journal's thread was not started")),
        }
    }
}

#[pymethods]
impl Journal {
    #[new]
    fn new(place: PlaceRow, identity: (u8, u32, u32), segment_bytes: u64, is_synced: bool) -> PyResult<Self> {
        let (folder, segment, offset, limit, next_sequence, checksum) = place;
        let (folder, segment) = (folder.into(), segment.into());
        let place = Place { folder, segment, offset, limit, next_sequence, checksum };
        let (partition, rules_version, epoch) = identity;
        let identity = Identity { partition, rules_version, epoch };
        let opened = journal::Journal::open(place, identity, segment_bytes, is_synced)?;
        Ok(Self(Mutex::new(State::Here(Box::new(opened)))))
    }

    fn append(&self, py: Python<'_>, batch: BatchRow, payload: &[u8]) -> PyResult<()> {
        let mut batch = batch_of(batch, Vec::new(), payload);
        self.with(py, |journal| journal.append(&mut batch))?.map_err(PyOSError::new_err)
    }

    fn seal(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, journal::Journal::seal)?.map_err(PyOSError::new_err)
    }

    fn prepare(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, journal::Journal::prepare)
    }

    fn prepare_is_urgent(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |journal| journal.prepare_is_urgent())
    }

    /// Ends it, once: where a thread has it, the thread does, and a second end asks for nothing more.
    fn close(&self, py: Python<'_>, clean: bool) -> PyResult<()> {
        if self.with_writer(|writer| writer.close(clean)).is_ok() {
            return Ok(());
        }
        self.with(py, |journal| journal.close(clean))?.map_err(PyOSError::new_err)
    }

    fn stats(&self) -> PyResult<StatsRow> {
        match &*self.locked() {
            State::Here(journal) => Ok(stats_row(journal.stats().clone())),
            State::Running(writer) => Ok(stats_row(writer.stats())),
            State::Gone => Err(PyOSError::new_err("the journal's thread could not be started")),
        }
    }

    /// Gives the journal to a thread of its own; returns the descriptor that is readable when there are outcomes.
    fn start(&self, seal_after_s: f64) -> PyResult<i32> {
        let mut state = self.locked();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Here(journal) => {
                let writer = Writer::start(*journal, Duration::from_secs_f64(seal_after_s))?;
                let bell = writer.bell();
                *state = State::Running(writer);
                Ok(bell)
            }
            other => {
                *state = other;
                Err(PyOSError::new_err("the journal belongs to its thread"))
            }
        }
    }

    fn write(&self, batch: BatchRow, payload: &[u8]) -> PyResult<()> {
        self.with_writer(|writer| writer.write(batch_of(batch, writer.room(), payload)))
    }

    fn end(&self, clean: bool) -> PyResult<()> {
        self.with_writer(|writer| writer.close(clean))
    }

    fn outcomes(&self) -> PyResult<OutcomeRow> {
        let (mut durable, mut failure, mut closed) = (Vec::new(), None, None);
        for outcome in self.with_writer(Writer::outcomes)? {
            match outcome {
                Outcome::Durable(elapsed_ns) => durable.push(elapsed_ns),
                Outcome::Failed(reason) => failure = Some(reason),
                Outcome::Closed(stored) => closed = Some(stored),
            }
        }
        Ok((durable, failure, closed))
    }
}

fn batch_of(row: BatchRow, room: Vec<u8>, payload: &[u8]) -> Batch {
    let (first_sequence, count, time_ns, hash_before, hash_after, events_before, events_after) = row;
    let figures =
        Figures { first_sequence, count, time_ns, hash_before, hash_after, events_before, events_after };
    Batch::new(figures, room, payload)
}

fn stats_row(stats: Stats) -> StatsRow {
    let Stats {
        segment,
        segment_bytes,
        used_bytes,
        batches,
        seals,
        bytes_written,
        segments_begun,
        spare_failure,
    } = stats;
    (segment, segment_bytes, used_bytes, batches, seals, bytes_written, segments_begun, spare_failure)
}
