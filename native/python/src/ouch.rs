//! The sessions of OUCH for Python: converts, and nothing else.

use std::sync::{Mutex, MutexGuard};

use exchange_wire::ouch::inbound::{Broken, Decoded};
use exchange_wire::ouch::outbound::{Codes, Outbound};
use exchange_wire::ouch::session::{Announced, Order, Session, State, Terms, Trade};
use exchange_wire::ClientOrderId;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// Events of so many bytes let other Python threads run meanwhile, such as the one that writes the journal.
const RELEASE_FROM_BYTES: usize = 32 << 10;
type Bytes<'py> = Bound<'py, PyBytes>;
type DecodedRow<'py> = (usize, Bytes<'py>, usize, Vec<(Bytes<'py>, Bytes<'py>)>, bool, usize);
type RunRow<'py> = (u32, Bytes<'py>, u64);
type SessionRow = (u32, String, u64, u32, bool, u32, u64, bool);
type OrderRow = (u64, u32, u32, PyBackedBytes, u32, u8, u32, u32, u32, bool, bool);
type TradeRow = (u32, u64, u32, bool, PyBackedBytes);
type SymbolRow = (u32, PyBackedBytes);
/// What notes have said: (command, session, kind, number) of the next command, firm, symbol id.
type NotedRow = ((u64, u32, u8, u32), u32, u32);
/// Event sequence, business date, sessions, orders, trades by match id, symbols, what notes have said.
type StateRow =
    (u64, u32, Vec<SessionRow>, Vec<OrderRow>, Vec<(u64, Vec<TradeRow>)>, Vec<SymbolRow>, NotedRow);

#[pyclass(frozen, module = "exchange_native")]
pub struct OuchTranslator(Mutex<Inner>);

struct Inner {
    outbound: Outbound,
    /// Room for the commands of a call.
    commands: Vec<u8>,
}

impl OuchTranslator {
    /// Panics where an earlier call did: a state whose invariants broke must not go on.
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("an earlier call broke an invariant of the sessions")
    }
}

#[pymethods]
impl OuchTranslator {
    #[new]
    fn new(
        reject_codes: &[u8],
        cancel_codes: &[u8],
        unknown_order: u16,
        below_filled: u16,
        state: StateRow,
    ) -> PyResult<Self> {
        let codes = Codes {
            rejects: reject_codes.to_vec(),
            cancels: cancel_codes.to_vec(),
            unknown_order,
            below_filled,
        };
        let outbound = Outbound::new(state_of(state)?, codes);
        Ok(Self(Mutex::new(Inner { outbound, commands: Vec::new() })))
    }

    fn decode<'py>(
        &self,
        py: Python<'py>,
        session: u32,
        data: &[u8],
        waiting_max: usize,
    ) -> PyResult<DecodedRow<'py>> {
        let mut inner = self.locked();
        let Inner { outbound, commands } = &mut *inner;
        let decoded =
            outbound.state.decode(session, data, waiting_max, commands).ok_or_else(|| unknown(session))?;
        let Decoded { consumed, count, packets, blocked, messages } =
            decoded.map_err(|broken| broken_error(py, &broken, data))?;
        let packets = packets.into_iter().map(|(start, end)| {
            (PyBytes::new(py, &data[start..start + 1]), PyBytes::new(py, &data[start + 1..end]))
        });
        Ok((consumed, PyBytes::new(py, commands), count, packets.collect(), blocked, messages))
    }

    fn encode<'py>(&self, py: Python<'py>, events: &[u8]) -> Vec<RunRow<'py>> {
        if events.len() >= RELEASE_FROM_BYTES {
            py.detach(|| self.locked().outbound.encode(events).len());
        } else {
            self.locked().outbound.encode(events);
        }
        let inner = self.locked();
        inner
            .outbound
            .runs()
            .iter()
            .map(|run| (run.session, PyBytes::new(py, &run.packets), run.count))
            .collect()
    }

    fn cancel_some<'py>(&self, py: Python<'py>, session: u32) -> PyResult<(Bytes<'py>, usize)> {
        let mut inner = self.locked();
        let Inner { outbound, commands } = &mut *inner;
        let count = outbound.state.cancel_some(session, commands).ok_or_else(|| unknown(session))?;
        Ok((PyBytes::new(py, commands), count))
    }

    fn follow_ups<'py>(&self, py: Python<'py>) -> Vec<Bytes<'py>> {
        self.locked().outbound.follow_ups().iter().map(|record| PyBytes::new(py, record)).collect()
    }

    fn session(&self, session: u32) -> Option<SessionRow> {
        self.locked().outbound.state.sessions.get(&session).map(session_row)
    }

    fn sessions(&self) -> Vec<u32> {
        self.locked().outbound.state.sessions.keys().copied().collect()
    }

    #[getter]
    fn event_sequence(&self) -> u64 {
        self.locked().outbound.state.event_sequence
    }

    #[getter]
    fn business_date(&self) -> u32 {
        self.locked().outbound.state.business_date
    }

    fn live_orders(&self, session: u32) -> PyResult<usize> {
        self.with_session(session, |session| session.port.live.len())
    }

    fn waiting(&self, session: u32) -> PyResult<usize> {
        self.with_session(session, |session| session.port.waiting.len())
    }

    /// Whether the port takes no orders, by what its client said last.
    fn is_disabled(&self, session: u32) -> PyResult<bool> {
        self.with_session(session, |session| session.port.is_disabled)
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bytes<'py> {
        PyBytes::new(py, &py.detach(|| self.locked().outbound.state.snapshot()))
    }
}

impl OuchTranslator {
    fn with_session<T>(&self, session: u32, ask: impl Fn(&Session) -> T) -> PyResult<T> {
        self.locked().outbound.state.sessions.get(&session).map(ask).ok_or_else(|| unknown(session))
    }
}

fn unknown(session: u32) -> PyErr {
    PyKeyError::new_err(session)
}

/// (offset, length) of a packet, or (message,): the definition says what is wrong with it.
fn broken_error(py: Python<'_>, broken: &Broken, data: &[u8]) -> PyErr {
    match *broken {
        Broken::Length { length, offset } => PyValueError::new_err((offset, length)),
        Broken::Message { start, end } => {
            PyValueError::new_err((PyBytes::new(py, &data[start..end]).unbind(),))
        }
    }
}

fn state_of(row: StateRow) -> PyResult<State> {
    let (event_sequence, business_date, sessions, orders, trades, symbols, noted) = row;
    let ((command, session, kind, number), firm, symbol_id) = noted;
    let announced = Announced { command, session, kind, number };
    let mut state = State { event_sequence, business_date, announced, firm, symbol_id, ..State::default() };
    for (number, symbol) in symbols {
        state.add_symbol(number, sized(&symbol)?);
    }
    for row in sessions {
        state.sessions.insert(row.0, session_of(row));
    }
    for row in orders {
        state.begin(order_of(row)?);
    }
    for (match_id, rows) in trades {
        let mut sides = [None, None];
        for row in rows {
            let trade = trade_of(row)?;
            sides[usize::from(!trade.added)] = Some(trade);
        }
        state.remember(match_id, sides);
    }
    Ok(state)
}

fn session_row(session: &Session) -> SessionRow {
    (
        session.session,
        session.user.clone(),
        session.account_id,
        session.participant_id,
        session.cancel_on_disconnect,
        session.last_number,
        session.sequence,
        session.is_disabled,
    )
}

fn session_of(row: SessionRow) -> Session {
    let (number, user, account_id, participant_id, cancel_on_disconnect, last_number, sequence, is_disabled) =
        row;
    let mut session = Session::new(number, Terms { user, account_id, cancel_on_disconnect }, participant_id);
    (session.last_number, session.sequence, session.is_disabled) = (last_number, sequence, is_disabled);
    (session.port.last_number, session.port.is_disabled) = (last_number, is_disabled);
    session
}

fn order_of(row: OrderRow) -> PyResult<Order> {
    let (
        order_id,
        session,
        number,
        reference,
        symbol_id,
        order_type,
        price,
        quantity,
        leaves,
        post_only,
        cancelling,
    ) = row;
    let mut padded: ClientOrderId = [0; 36];
    padded.get_mut(..reference.len()).ok_or_else(|| too_long(&reference))?.copy_from_slice(&reference);
    Ok(Order {
        order_id,
        session,
        number,
        reference: padded,
        symbol_id,
        order_type,
        price,
        quantity,
        leaves,
        is_post_only: post_only,
        is_cancelling: cancelling,
    })
}

fn trade_of((session, order_id, number, added, text): TradeRow) -> PyResult<Trade> {
    Ok(Trade { session, order_id, number, added, cl_ord_id: sized(&text)? })
}

fn sized<const N: usize>(bytes: &[u8]) -> PyResult<[u8; N]> {
    bytes.try_into().map_err(|_| too_long(bytes))
}

fn too_long(bytes: &[u8]) -> PyErr {
    PyValueError::new_err(format!("{bytes:?} has not the size of its field"))
}
