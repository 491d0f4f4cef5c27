//! The ITCH stream and its framing for Python: converts, and nothing else.

use std::sync::{Mutex, MutexGuard};

use exchange_wire::itch::framing::{self, NoPacket};
use exchange_wire::itch::stream::{Broken, Part, Start, Stream, Symbol};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

type Bytes<'py> = Bound<'py, PyBytes>;
/// Date, packets, how many they are, whether the date begins and ends here.
type PartRow<'py> = (u32, Bytes<'py>, usize, bool, bool);
/// Id, ticker filled up with blanks, round lot, state, phase, tier, trigger of short sales, restricted.
type SymbolRow = (u32, PyBackedBytes, u32, u8, u8, u8, u16, bool);
/// Date, the breaker's close, symbols, references by order, corrected matches, blocked symbols.
type StartRow = (u32, u64, Vec<SymbolRow>, Vec<(u64, u64)>, Vec<(u64, u64)>, Vec<u32>);
/// Date, the breaker's close, references by order, corrected matches, blocked symbols.
type StateRow = (u32, u64, Vec<(u64, u64)>, Vec<(u64, u64)>, Vec<u32>);

#[pyclass(frozen, module = "exchange_native")]
pub struct ItchStream(Mutex<Stream>);

impl ItchStream {
    /// Panics where an earlier call did: a state whose invariants broke must not go on.
    fn locked(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().expect("an earlier call broke an invariant of the stream")
    }
}

#[pymethods]
impl ItchStream {
    #[new]
    fn new(known: &[u8], books: &[u8], start: StartRow) -> PyResult<Self> {
        let stream = Stream::new(known, books, start_of(start)?);
        let stream = stream.map_err(|_| PyValueError::new_err("books and references do not fit"))?;
        Ok(Self(Mutex::new(stream)))
    }

    fn apply<'py>(&self, py: Python<'py>, events: &[u8]) -> PyResult<Vec<PartRow<'py>>> {
        let parts = py.detach(|| {
            let mut stream = self.locked();
            stream.apply(events).map(|()| stream.take_parts())
        });
        Ok(rows_of(py, parts.map_err(|broken| broken_error(&broken))?))
    }

    fn begin<'py>(&self, py: Python<'py>, date: u32) -> Vec<PartRow<'py>> {
        let parts = py.detach(|| {
            let mut stream = self.locked();
            stream.begin(date);
            stream.take_parts()
        });
        rows_of(py, parts)
    }

    fn take_directory_events<'py>(&self, py: Python<'py>) -> Bytes<'py> {
        PyBytes::new(py, &self.locked().take_directory_events())
    }

    fn books<'py>(&self, py: Python<'py>) -> Bytes<'py> {
        PyBytes::new(py, &py.detach(|| self.locked().books()))
    }

    fn state(&self) -> StateRow {
        let stream = self.locked();
        (stream.date, stream.breaker_close, stream.references(), stream.matches(), stream.blocked())
    }

    #[getter]
    fn date(&self) -> u32 {
        self.locked().date
    }

    #[getter]
    fn sequence(&self) -> u64 {
        self.locked().sequence
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.locked().time_ns
    }
}

/// The same messages, each after its length in two bytes.
#[pyfunction]
pub fn itch_blocks<'py>(py: Python<'py>, packets: &[u8]) -> PyResult<Bytes<'py>> {
    let blocks = py.detach(|| framing::blocks(packets)).map_err(|NoPacket(at)| PyValueError::new_err(at))?;
    Ok(PyBytes::new(py, &blocks))
}

/// The same messages in datagrams of MoldUDP64.
#[pyfunction]
pub fn itch_datagrams<'py>(
    py: Python<'py>,
    session: &[u8],
    first: u64,
    packets: &[u8],
) -> PyResult<Vec<Bytes<'py>>> {
    let session = session.try_into().map_err(|_| PyValueError::new_err("a session has ten characters"))?;
    let datagrams = py.detach(|| framing::datagrams(session, first, packets));
    let datagrams = datagrams.map_err(|NoPacket(at)| PyValueError::new_err(at))?;
    Ok(datagrams.iter().map(|datagram| PyBytes::new(py, datagram)).collect())
}

fn rows_of(py: Python<'_>, parts: Vec<Part>) -> Vec<PartRow<'_>> {
    let row = |part: Part| {
        let Part { date, packets, begins, ends } = part;
        (date, PyBytes::new(py, &packets.bytes), packets.count, begins, ends)
    };
    parts.into_iter().map(row).collect()
}

/// (offset,) of a broken length, (offset, kind) of an unknown event, (offset, None) of one that does not follow.
fn broken_error(broken: &Broken) -> PyErr {
    match *broken {
        Broken::Length { offset } => PyValueError::new_err((offset,)),
        Broken::Kind { offset, kind } => PyValueError::new_err((offset, kind)),
        Broken::State { offset } => PyValueError::new_err((offset, None::<u16>)),
    }
}

fn start_of(row: StartRow) -> PyResult<Start> {
    let (date, breaker_close, symbols, references, matches, blocked) = row;
    let symbols = symbols.into_iter().map(symbol_of).collect::<PyResult<_>>()?;
    Ok(Start { date, breaker_close, symbols, references, matches, blocked })
}

fn symbol_of(row: SymbolRow) -> PyResult<(u32, Symbol)> {
    let (symbol_id, stock, round_lot, state, phase, tier, trigger_bps, is_short_restricted) = row;
    let stock = (*stock).try_into().map_err(|_| PyValueError::new_err("a ticker has eight characters"))?;
    Ok((symbol_id, Symbol { stock, round_lot, state, phase, tier, trigger_bps, is_short_restricted }))
}
