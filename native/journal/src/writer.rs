//! The thread that owns a journal: batches go in, word of durable ones comes out, and a socket wakes who waits for it.
//!
//! While it has nothing to do it writes the seal and prepares the next segment.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::format::Batch;
use crate::segments::{Journal, SegmentFile, Stats};

/// Rooms of written batches that are kept for later ones: one batch is on its way while another one is filled.
const ROOMS_MAX: usize = 2;

/// What the thread has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The oldest batch that was not told of yet is durable; the nanoseconds it took.
    Durable(u64),
    /// Nothing more is written, and why.
    Failed(String),
    /// The journal is closed: whether all that was handed over was stored.
    Closed(bool),
}

enum Word {
    Write(Batch),
    Close { clean: bool },
}

#[derive(Default)]
struct Shared {
    outcomes: Mutex<Vec<Outcome>>,
    rooms: Mutex<Vec<Vec<u8>>>,
    stats: Mutex<Stats>,
}

/// The side of those who hand batches over. Dropping it ends the thread without a close record.
pub struct Writer {
    words: Sender<Word>,
    shared: Arc<Shared>,
    bell: UnixStream,
}

/// Nobody panics while holding one of these, for nothing is done there that could fail.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a holder of this lock panicked")
}

impl Writer {
    /// Begins. seal_after: how long without batches until the seal is written.
    pub fn start<F>(journal: Journal<F>, seal_after: Duration) -> io::Result<Self>
    where
        F: SegmentFile + Send + 'static,
    {
        let (bell, ringer) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ringer.set_nonblocking(true)?;
        let (words, received) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        locked(&shared.stats).clone_from(journal.stats());
        let thread = Thread { journal, received, seal_after, shared: Arc::clone(&shared), ringer };
        thread::Builder::new().name("journal".to_owned()).spawn(move || thread.run())?;
        Ok(Self { words, shared, bell })
    }

    /// What becomes readable when there are outcomes.
    pub fn bell(&self) -> RawFd {
        self.bell.as_raw_fd()
    }

    /// Gives room for the next batch.
    pub fn room(&self) -> Vec<u8> {
        locked(&self.shared.rooms).pop().unwrap_or_default()
    }

    /// Stores a batch. The next one may follow when this one was said to be durable.
    pub fn write(&self, batch: Batch) {
        // A thread that is gone has said why.
        let _ = self.words.send(Word::Write(batch));
    }

    /// Ends the thread and the journal, after what was handed over.
    pub fn close(&self, clean: bool) {
        let _ = self.words.send(Word::Close { clean });
    }

    /// Takes what the thread has said since the last call, in order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        // The bell first: what is said after this rings again. It holds as many bytes as there were calls to wake.
        let mut rung = [0; 64];
        while matches!((&self.bell).read(&mut rung), Ok(size) if size == rung.len()) {}
        std::mem::take(&mut *locked(&self.shared.outcomes))
    }

    /// The counters, as they were after the last batch.
    pub fn stats(&self) -> Stats {
        locked(&self.shared.stats).clone()
    }
}

struct Thread<F: SegmentFile> {
    journal: Journal<F>,
    received: Receiver<Word>,
    seal_after: Duration,
    shared: Arc<Shared>,
    ringer: UnixStream,
}

impl<F: SegmentFile> Thread<F> {
    fn run(mut self) {
        let served = catch_unwind(AssertUnwindSafe(|| self.serve()))
            .unwrap_or_else(|_| Err("a bug in the journal's thread; see the standard error".to_owned()));
        let stored = served.is_ok();
        let clean = served.unwrap_or_else(|reason| {
            self.tell(Outcome::Failed(reason));
            self.await_close();
            false
        });
        let closed = self.journal.close(clean).is_ok();
        self.note_stats();
        self.tell(Outcome::Closed(stored && closed));
    }

    /// Writes until told to end; tells whether cleanly.
    fn serve(&mut self) -> Result<bool, String> {
        let (mut sealed, mut preparing) = (true, true);
        loop {
            match self.next_word(sealed, preparing) {
                Some(Word::Close { clean }) => return Ok(clean),
                Some(Word::Write(batch)) => {
                    self.write(batch)?;
                    (sealed, preparing) = (false, true);
                    if self.journal.prepare_is_urgent() {
                        self.journal.prepare();
                    }
                }
                None if preparing && sealed => preparing = self.journal.prepare(),
                None => {
                    self.journal.seal()?;
                    sealed = true;
                    self.note_stats();
                }
            }
        }
    }

    fn write(&mut self, mut batch: Batch) -> Result<(), String> {
        let started = Instant::now();
        self.journal.append(&mut batch)?;
        let elapsed_ns = started.elapsed().as_nanos() as u64;
        self.note_stats();
        self.tell(Outcome::Durable(elapsed_ns));
        let mut rooms = locked(&self.shared.rooms);
        if rooms.len() < ROOMS_MAX {
            rooms.push(batch.into_room());
        }
        Ok(())
    }

    /// Waits for the next word, or returns without one where there is something to do meanwhile.
    fn next_word(&self, sealed: bool, preparing: bool) -> Option<Word> {
        let orphaned = Word::Close { clean: false };
        if !sealed {
            return match self.received.recv_timeout(self.seal_after) {
                Ok(word) => Some(word),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(orphaned),
            };
        }
        if preparing {
            return match self.received.try_recv() {
                Ok(word) => Some(word),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(orphaned),
            };
        }
        Some(self.received.recv().unwrap_or(orphaned))
    }

    /// Drops what still comes after a failure: nobody is told that it was stored.
    fn await_close(&self) {
        while let Ok(Word::Write(_)) = self.received.recv() {}
    }

    fn note_stats(&self) {
        locked(&self.shared.stats).clone_from(self.journal.stats());
    }

    fn tell(&mut self, outcome: Outcome) {
        locked(&self.shared.outcomes).push(outcome);
        // A bell that is full rings already; where nobody is left there is nobody to be told.
        let _ = self.ringer.write(&[1]);
    }
}
