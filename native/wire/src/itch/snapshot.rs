//! The books as `BookBuilder.snapshot` writes them and `BookBuilder.restore` reads them.

use crate::reader::{Malformed, Reader};

use super::book::{Books, Order};

const MAGIC: [u8; 4] = *b"XBK2";
const ORDER_BYTES: usize = 4 + 1 + 8 + 4 * 4 + 1;

/// Writes the books. stamp: sequence and time of the last event.
pub fn write(books: &Books, stamp: (u64, u64)) -> Vec<u8> {
    let mut out = Vec::with_capacity(28 + books.orders.len() * ORDER_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&stamp.0.to_le_bytes());
    out.extend_from_slice(&stamp.1.to_le_bytes());
    out.extend_from_slice(&(books.sequences.len() as u32).to_le_bytes());
    out.extend_from_slice(&(books.orders.len() as u32).to_le_bytes());
    for (symbol_id, sequence) in &books.sequences {
        out.extend_from_slice(&symbol_id.to_le_bytes());
        out.extend_from_slice(&sequence.to_le_bytes());
    }
    for order in books.shown().iter().chain(&books.hidden()) {
        out.extend_from_slice(&order.symbol_id.to_le_bytes());
        out.push(order.side);
        out.extend_from_slice(&order.order_id.to_le_bytes());
        for number in [order.price, order.leaves, order.reserve, order.display] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.push(u8::from(order.is_hidden));
    }
    out
}

/// Reads the books, and sequence and time of the last event.
pub fn read(data: &[u8]) -> Result<(Books, (u64, u64)), Malformed> {
    let mut reader = Reader::new(data);
    if reader.array::<4>()? != MAGIC {
        return Err(Malformed);
    }
    let stamp = (reader.u64()?, reader.u64()?);
    let (book_count, order_count) = (reader.u32()?, reader.u32()?);
    let mut books = Books::default();
    for _ in 0..book_count {
        books.sequences.insert(reader.u32()?, reader.u64()?);
    }
    for _ in 0..order_count {
        let (symbol_id, side, order_id) = (reader.u32()?, reader.u8()?, reader.u64()?);
        let (price, leaves, reserve, display) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
        let is_hidden = reader.u8()? != 0;
        let order = Order {
            order_id,
            reference: order_id,
            symbol_id,
            price,
            leaves,
            reserve,
            display,
            side,
            is_hidden,
            rests: true,
            ..Order::default()
        };
        books.add(order);
    }
    reader.end()?;
    books.forget_changes();
    Ok((books, stamp))
}
