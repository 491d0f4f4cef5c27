//! The event stream as ITCH 5.0: what `src/exchange/market_data/itch_stream.py` and `wire/itch.py` define.

mod book;
pub mod framing;
mod messages;
mod snapshot;
pub mod stream;
mod symbols;

#[cfg(test)]
mod tests;
