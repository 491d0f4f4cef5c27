//! The native venue: equal to `src/exchange/matching` byte for byte, which is the definition and explains the rules.
//!
//! Pure: command records in, event records out; no clock, no I/O, and no knowledge of Python.
#![forbid(unsafe_code)]

mod administration;
mod allocation;
mod auction;
mod business_day;
mod client_order_ids;
mod configuration;
mod corporate_actions;
mod corporate_snapshot;
mod directory;
mod event_stream;
mod guard_snapshot;
mod holdings;
mod linked_snapshot;
mod list_entry;
mod market;
mod matcher;
mod names;
mod order_book;
#[cfg(test)]
mod order_book_properties;
mod order_checks;
mod order_entry;
mod order_index;
mod order_lists;
mod pegs;
mod phase;
mod phases;
mod price_guard;
mod price_limits;
mod printable;
mod quotes;
pub mod reasons;
mod reference_price;
mod risk_book;
mod risk_checks;
mod risk_desk;
mod risk_snapshot;
mod self_trade;
mod short_sales;
mod snapshot;
mod state;
mod stop_orders;
mod trade_rulings;
mod venue;
mod volatility;

pub use auction::Indication;
pub use event_stream::Counters;
pub use names::is_printable;
pub use order_book::{Level, Order, QueuePlace};
pub use phases::ScheduledPhase;
pub use printable::UNICODE_VERSION;
pub use risk_desk::RiskUsage;
pub use snapshot::{SnapshotError, SNAPSHOT_VERSION};
pub use state::Limits;
pub use venue::{TradeState, Venue, VenueError};

/// Of what the same commands lead to; the same number as in `matching/venue.py`.
pub const RULES_VERSION: u16 = 9;
