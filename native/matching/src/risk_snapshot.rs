//! The sections of a snapshot that hold cancel timers and risk books, and the directory's blocks and limits.

use exchange_wire::events;
use exchange_wire::reader::Reader;

use crate::risk_book::{Limit, RiskBook};
use crate::risk_checks::{block_body, Block, Subject};
use crate::risk_desk::limit_body;
use crate::snapshot::{known, section, write_event, Restored};
use crate::state::State;

/// Writes blocks and limits as events; gives how many.
pub fn write_directory(state: &State, out: &mut Vec<u8>) -> usize {
    for (&subject, block) in &state.risk.blocks {
        write_event(out, events::TRADING_BLOCKED, 0, &[&block_body(subject, block, 0)]);
    }
    let mut count = state.risk.blocks.len();
    for (&subject, book) in &state.risk.books {
        let mut limits: Vec<_> =
            book.limits.iter().map(|(&(kind, symbol), &limit)| (symbol, kind, limit)).collect();
        limits.sort_unstable_by_key(|&(symbol_id, kind, _)| (symbol_id, kind));
        for &(symbol_id, kind, limit) in &limits {
            write_event(out, events::RISK_LIMIT_SET, symbol_id, &[&limit_body(subject, kind, true, limit)]);
        }
        count += limits.len();
    }
    count
}

/// Takes a block that an event of the directory tells of.
pub fn read_block(state: &mut State, record: &mut Reader) -> Restored<()> {
    let subject = (record.u8()?, record.u32()?);
    let (key_id, role, cause, _count) = (record.u32()?, record.u8()?, record.u8()?, record.u32()?);
    let size = record.u16()?;
    let note = record.text(size.into())?.to_owned();
    known(state.check_subject(subject).is_ok())?;
    state.risk.blocks.insert(subject, Block { key_id, role, cause, note });
    Ok(())
}

/// Takes a limit that an event of the directory tells of.
pub fn read_limit(state: &mut State, symbol_id: u32, record: &mut Reader) -> Restored<()> {
    let subject = (record.u8()?, record.u32()?);
    let (kind, _is_set) = (record.u8()?, record.u8()?);
    let limit = Limit { value: record.i64()?, span: record.u32()? };
    known(state.check_subject(subject).is_ok() && limit.value >= 0)?;
    known(limit.value > 0 || kind != crate::risk_book::kind::MESSAGES)?;
    state.risk.books.entry(subject).or_default().limits.insert((kind, symbol_id), limit);
    state.risk.has_books = true;
    Ok(())
}

pub fn write(state: &State, out: &mut Vec<u8>) {
    section(out, |out| {
        for (participant_id, expires_ns) in &state.risk.timers.expires_ns {
            out.extend(participant_id.to_le_bytes());
            out.extend(expires_ns.to_le_bytes());
        }
        state.risk.timers.expires_ns.len()
    });
    section(out, |out| {
        state.risk.books.iter().for_each(|(&subject, book)| write_book(out, subject, book));
        state.risk.books.len()
    });
    section(out, |out| {
        let mut count = 0;
        for (&subject, book) in &state.risk.books {
            for (symbol_id, shares) in book.day_shares.iter().filter(|&(_, &shares)| shares != 0) {
                write_subject(out, subject);
                out.extend(symbol_id.to_le_bytes());
                out.extend(shares.to_le_bytes());
                count += 1;
            }
        }
        count
    });
    section(out, |out| {
        let mut total = 0;
        for (&subject, book) in &state.risk.books {
            for (&(side, symbol_id, price, quantity), count) in &book.duplicates {
                write_subject(out, subject);
                out.push(side);
                for number in [symbol_id, price, quantity, *count] {
                    out.extend(number.to_le_bytes());
                }
            }
            total += book.duplicates.len();
        }
        total
    });
}

fn write_subject(out: &mut Vec<u8>, (scope, subject_id): Subject) {
    out.push(scope);
    out.extend(subject_id.to_le_bytes());
}

fn write_book(out: &mut Vec<u8>, subject: Subject, book: &RiskBook) {
    write_subject(out, subject);
    out.extend(book.gross.to_le_bytes());
    out.extend(book.day_cash.to_le_bytes());
    for time_ns in [book.messages_due_ns, book.duplicates_from_ns, book.executions_from_ns] {
        out.extend(time_ns.to_le_bytes());
    }
    book.executions.iter().for_each(|count| out.extend(count.to_le_bytes()));
    out.extend(book.alerted);
}

/// Restores timers and books.
pub fn read(state: &mut State, reader: &mut Reader) -> Restored<()> {
    for _ in 0..reader.u32()? {
        let participant_id = reader.u32()?;
        known(state.directory.has_participant(participant_id))?;
        state.risk.timers.set(participant_id, reader.u64()?);
    }
    for _ in 0..reader.u32()? {
        let book = book_at(state, reader)?;
        (book.gross, book.day_cash) = (reader.i128()?, reader.i128()?);
        book.messages_due_ns = reader.u64()?;
        (book.duplicates_from_ns, book.executions_from_ns) = (reader.u64()?, reader.u64()?);
        book.executions = [reader.u32()?, reader.u32()?];
        book.alerted = reader.array()?;
    }
    for _ in 0..reader.u32()? {
        let book = book_at(state, reader)?;
        book.day_shares.insert(reader.u32()?, reader.i128()?);
    }
    for _ in 0..reader.u32()? {
        let book = book_at(state, reader)?;
        let same = (reader.u8()?, reader.u32()?, reader.u32()?, reader.u32()?);
        book.duplicates.insert(same, reader.u32()?);
    }
    Ok(())
}

/// Notes in the books the live orders, once all is restored that says what they reserve.
pub fn read_open(state: &mut State) {
    if state.risk.has_books {
        let live: Vec<_> = state.orders.live().map(|slot| *state.orders.at(slot)).collect();
        live.iter().for_each(|order| state.risk_opened(order));
    }
}

fn book_at<'a>(state: &'a mut State, reader: &mut Reader) -> Restored<&'a mut RiskBook> {
    let subject = (reader.u8()?, reader.u32()?);
    known(state.risk.books.contains_key(&subject))?;
    Ok(state.risk.books.entry(subject).or_default())
}
