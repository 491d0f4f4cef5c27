//! The Python module `exchange_native`: converts between Python and the venue, and does nothing else.
#![forbid(unsafe_code)]

mod itch;
mod journal;
mod ouch;

use std::sync::{Mutex, MutexGuard};

use exchange_matching as matching;
use exchange_matching::{Limits, SnapshotError, VenueError};
use exchange_wire::numbering;
use pyo3::exceptions::{PyAssertionError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// Batches of so many bytes let other Python threads run meanwhile; for smaller ones it costs more than it gives.
const RELEASE_FROM_BYTES: usize = 256 << 10;
/// The limits of a venue as Python gives them.
type LimitNumbers = (u64, u64, u64, u64, u64, u64, u64);
/// What every order has, then its reserve and its special terms.
type OrderRow<'py> = (OrderFields<'py>, u32, Option<TermNumbers>);
type OrderFields<'py> = (u64, u32, u32, u8, u8, u8, u8, u32, u32, u32, Bound<'py, PyBytes>, u64);
type TermNumbers = (u32, u32, u32, u32, u16, u64);
type OrderRows<'py> = (Vec<OrderRow<'py>>, Vec<OrderRow<'py>>);
type LevelRow = (u32, u64, u32);
type AppliedBatch<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Vec<usize>);

/// A venue behind a lock, for a large batch runs while other threads may ask.
#[pyclass(frozen, module = "exchange_native")]
struct Venue {
    venue: Mutex<matching::Venue>,
    room: Mutex<Room>,
}

/// What a batch is gathered in; kept, so that a steady flow allocates only the answer.
#[derive(Default)]
struct Room {
    numbered: Vec<u8>,
    ends: Vec<usize>,
}

impl Venue {
    /// Panics where an earlier call did: a venue whose invariants broke must not go on.
    fn locked(&self) -> MutexGuard<'_, matching::Venue> {
        self.venue.lock().expect("an earlier command broke an invariant of the venue")
    }
}

#[pymethods]
impl Venue {
    #[new]
    fn new(partition: u8, limits: LimitNumbers) -> Self {
        Self { venue: Mutex::new(matching::Venue::new(partition, limits_of(limits))), room: Mutex::default() }
    }

    #[staticmethod]
    fn restore(data: &[u8], limits: LimitNumbers) -> PyResult<Self> {
        let restored = matching::Venue::restore(data, limits_of(limits));
        let venue = restored.map_err(|SnapshotError(text)| PyValueError::new_err(text))?;
        Ok(Self { venue: Mutex::new(venue), room: Mutex::default() })
    }

    fn apply<'py>(&self, py: Python<'py>, commands: &[u8], time_ns: u64) -> PyResult<Bound<'py, PyBytes>> {
        if commands.len() >= RELEASE_FROM_BYTES {
            py.detach(|| self.locked().apply(commands, time_ns).map(drop)).map_err(broken_batch)?;
            return Ok(PyBytes::new(py, self.locked().last_events()));
        }
        let mut venue = self.locked();
        let events = venue.apply(commands, time_ns).map_err(broken_batch)?;
        Ok(PyBytes::new(py, events))
    }

    /// Numbers several submissions and carries them out: (commands, events, where each one's events end).
    fn apply_batch<'py>(
        &self,
        py: Python<'py>,
        submissions: Vec<PyBackedBytes>,
        time_ns: u64,
    ) -> PyResult<AppliedBatch<'py>> {
        let mut room = self.room.lock().expect("an earlier batch broke");
        let Room { numbered, ends } = &mut *room;
        let slices = submissions.iter().map(|submission| &**submission);
        let size: usize = slices.clone().map(<[u8]>::len).sum();
        if size >= RELEASE_FROM_BYTES {
            py.detach(|| self.locked().apply_batch(slices, time_ns, numbered, ends).map(drop))
                .map_err(broken_batch)?;
        } else {
            self.locked().apply_batch(slices, time_ns, numbered, ends).map_err(broken_batch)?;
        }
        let events = PyBytes::new(py, self.locked().last_events());
        Ok((PyBytes::new(py, numbered), events, ends.clone()))
    }

    #[getter]
    fn has_directory_events(&self) -> bool {
        self.locked().has_directory_events()
    }

    fn take_directory_events<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.locked().take_directory_events())
    }

    // --- where it stands -----------------------------------------------------------------------------

    #[getter]
    fn partition(&self) -> u8 {
        self.locked().partition()
    }

    #[getter]
    fn epoch(&self) -> u32 {
        self.locked().epoch()
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.locked().time_ns()
    }

    #[getter]
    fn business_date(&self) -> u32 {
        self.locked().business_date()
    }

    #[getter]
    fn command_sequence(&self) -> u64 {
        self.locked().command_sequence()
    }

    #[getter]
    fn event_sequence(&self) -> u64 {
        self.locked().event_sequence()
    }

    #[getter]
    fn running_hash(&self) -> u64 {
        self.locked().running_hash()
    }

    #[getter]
    fn live_orders(&self) -> usize {
        self.locked().live_orders()
    }

    #[getter]
    fn next_deadline(&self) -> u64 {
        self.locked().next_deadline()
    }

    #[getter]
    fn counters(&self) -> (u64, u64, u64, Vec<u64>) {
        let venue = self.locked();
        let counters = venue.counters();
        (counters.orders, counters.cancels, counters.trades, counters.rejects.clone())
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.locked().snapshot())
    }

    // --- queries -------------------------------------------------------------------------------------

    fn depth(&self, symbol_id: u32, levels: usize) -> (Vec<LevelRow>, Vec<LevelRow>) {
        let (bids, asks) = self.locked().depth(symbol_id, levels);
        (level_rows(&bids), level_rows(&asks))
    }

    fn orders<'py>(&self, py: Python<'py>, symbol_id: u32) -> OrderRows<'py> {
        let venue = self.locked();
        order_rows(py, &venue, venue.orders(symbol_id))
    }

    fn hidden_orders<'py>(&self, py: Python<'py>, symbol_id: u32) -> OrderRows<'py> {
        let venue = self.locked();
        order_rows(py, &venue, venue.hidden_orders(symbol_id))
    }

    fn stop_orders<'py>(&self, py: Python<'py>, symbol_id: u32) -> OrderRows<'py> {
        let venue = self.locked();
        order_rows(py, &venue, venue.stop_orders(symbol_id))
    }

    fn auction_orders<'py>(&self, py: Python<'py>, symbol_id: u32) -> OrderRows<'py> {
        let venue = self.locked();
        order_rows(py, &venue, venue.auction_orders(symbol_id))
    }

    fn indication(&self, symbol_id: u32) -> Option<(u32, u32, u32, u64, u64, u8)> {
        let told = self.locked().indication(symbol_id)?;
        Some((told.price, told.far_price, told.reference_price, told.paired, told.imbalance, told.side))
    }

    #[getter]
    fn market_phase(&self) -> u8 {
        self.locked().market_phase()
    }

    fn linked_sections<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.locked().linked_sections())
    }

    fn schedule(&self) -> Vec<(u64, u32, u8)> {
        let venue = self.locked();
        venue.schedule().iter().map(|row| (row.at_ns, row.symbol_id, row.phase)).collect()
    }

    fn order<'py>(&self, py: Python<'py>, order_id: u64) -> Option<OrderRow<'py>> {
        let venue = self.locked();
        venue.order(order_id).map(|order| order_row(py, &venue, order))
    }

    fn place_in_queue(&self, order_id: u64) -> Option<(u64, u64)> {
        let place = self.locked().place_in_queue(order_id)?;
        Some((place.orders_ahead, place.quantity_ahead))
    }

    fn reference_price(&self, symbol_id: u32) -> u32 {
        self.locked().reference_price(symbol_id)
    }

    fn price_limits(&self, symbol_id: u32) -> Option<(u32, u32, u32, u8, u64)> {
        self.locked().price_limits(symbol_id)
    }

    fn balance(&self, account_id: u32, symbol_id: u32) -> i128 {
        self.locked().balance(account_id, symbol_id)
    }

    fn cancel_timer(&self, participant_id: u32) -> u64 {
        self.locked().cancel_timer(participant_id)
    }

    fn risk_usage(&self, scope: u8, subject_id: u32) -> Option<(i128, i128, i128, i128)> {
        let usage = self.locked().risk_usage(scope, subject_id)?;
        Some((usage.open_buys, usage.open_sells, usage.gross, usage.loss))
    }

    fn trade_state(&self, match_id: u64) -> Option<(bool, u32, u32)> {
        match self.locked().trade_state(match_id)? {
            matching::TradeState::Busted => Some((true, 0, 0)),
            matching::TradeState::Corrected { price, quantity } => Some((false, price, quantity)),
        }
    }
}

fn limits_of(numbers: LimitNumbers) -> Limits {
    let (symbols, participants, accounts, keys, client_order_ids, rulings, risk_limits) = numbers;
    Limits { symbols, participants, accounts, keys, client_order_ids, rulings, risk_limits }
}

/// A batch the sequencer must not give is our bug, as in the definition.
fn broken_batch(error: VenueError) -> PyErr {
    PyAssertionError::new_err(error.0)
}

fn level_rows(levels: &[matching::Level]) -> Vec<LevelRow> {
    levels.iter().map(|level| (level.price, level.quantity, level.orders)).collect()
}

type LiveOrder<'a> = (&'a matching::Order, &'a [u8; 36]);

fn order_rows<'py>(
    py: Python<'py>,
    venue: &matching::Venue,
    (bids, asks): (Vec<LiveOrder<'_>>, Vec<LiveOrder<'_>>),
) -> OrderRows<'py> {
    let rows = |side: Vec<_>| side.into_iter().map(|order| order_row(py, venue, order)).collect();
    (rows(bids), rows(asks))
}

fn order_row<'py>(py: Python<'py>, venue: &matching::Venue, (order, id): LiveOrder<'_>) -> OrderRow<'py> {
    let terms = venue.terms(order);
    let numbers = (
        terms.minimum_quantity,
        terms.display_quantity,
        terms.stop_price,
        terms.trail_amount,
        terms.trail_bps,
        terms.expires_ns,
    );
    (order_fields(py, (order, id)), order.reserve, order.has_terms.then_some(numbers))
}

fn order_fields<'py>(py: Python<'py>, (order, id): LiveOrder<'_>) -> OrderFields<'py> {
    let size = id.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    (
        order.order_id,
        order.account_id,
        order.symbol_id,
        order.kind.side,
        order.kind.order_type,
        order.kind.time_in_force,
        order.kind.flags,
        order.price,
        order.quantity,
        order.leaves,
        PyBytes::new(py, &id[..size]),
        order.entered_ns,
    )
}

/// Tells whether `str.isprintable` holds for a character, as names are judged here.
#[pyfunction]
fn is_printable(character: char) -> bool {
    matching::is_printable(character)
}

/// Says how many whole records a run has; an error where it is not one of whole records.
#[pyfunction]
fn count_records(records: &[u8]) -> PyResult<u64> {
    numbering::count(records).map_err(|_| PyValueError::new_err("not a run of whole records"))
}

#[pymodule]
fn exchange_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("RULES_VERSION", matching::RULES_VERSION)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("INTERFACE", crc32fast::hash(include_bytes!("../exchange_native.pyi")))?;
    module.add("UNICODE_VERSION", matching::UNICODE_VERSION)?;
    module.add_function(wrap_pyfunction!(is_printable, module)?)?;
    module.add_function(wrap_pyfunction!(count_records, module)?)?;
    module.add_function(wrap_pyfunction!(itch::itch_blocks, module)?)?;
    module.add_function(wrap_pyfunction!(itch::itch_datagrams, module)?)?;
    module.add_class::<itch::ItchStream>()?;
    module.add_class::<journal::Journal>()?;
    module.add_class::<ouch::OuchTranslator>()?;
    module.add_class::<Venue>()
}
