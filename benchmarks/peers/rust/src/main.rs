//! Drives an order book in Rust over an order stream: `peers ENGINE FILE RECORDS PASSES`.
#![forbid(unsafe_code)]

mod exchange_native;
mod lobster_book;
mod messages;
mod orderbook_rs_book;

use std::time::Instant;

use messages::{Fills, Message, Stream};

/// An engine with its books, made anew for each pass.
trait Engine {
    /// Applies messages; fills are counted where the engine tells of them.
    fn apply(&mut self, messages: &[Message]);

    /// Gives what was filled since this was last asked.
    fn take_fills(&mut self) -> Fills;
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, engine, path, records, passes] = arguments.as_slice() else {
        eprintln!("usage: peers ENGINE FILE RECORDS PASSES");
        std::process::exit(2);
    };
    let number = |text: &str| text.parse::<usize>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let stream = Stream::read(path, number(records));
    for _ in 0..number(passes) {
        match engine.as_str() {
            "lobster" => pass(&stream, lobster_book::Books::new(stream.symbols)),
            "orderbook-rs" => pass(&stream, orderbook_rs_book::Books::new(stream.symbols)),
            "exchange-native" => exchange_native::pass(&stream),
            _ => panic!("{engine}: no such engine; take lobster, orderbook-rs or exchange-native"),
        }
    }
}

fn pass(stream: &Stream, mut engine: impl Engine) {
    engine.apply(&stream.prefill);
    engine.take_fills();
    let started = Instant::now();
    engine.apply(&stream.timed);
    engine.take_fills().print(started.elapsed());
}
