//! Writes the table of orders as `src/exchange/engine/order_store.py` defines it: the same rows from the same events.
//!
//! The definition makes the file and brings it up to date; here it is only written, by one process.
#![forbid(unsafe_code)]

mod envelope;
mod projection;
mod table;
#[cfg(test)]
mod tests;

pub use table::OrderTable;

/// Why events were not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// They are not what an envelope of events is.
    Malformed(String),
    /// The file cannot be written.
    Store(String),
}
