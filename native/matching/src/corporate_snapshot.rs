//! What a snapshot holds of corporate actions: former names in its directory, and the last splits.

use exchange_wire::events;
use exchange_wire::reader::{unpadded, Reader};

use crate::corporate_actions::renamed_body;
use crate::directory::Directory;
use crate::snapshot::{known, section, write_event, Restored};
use crate::state::State;

/// Writes the former names as events; gives how many.
pub fn write_directory(directory: &Directory, out: &mut Vec<u8>) -> usize {
    for (former, &symbol_id) in &directory.former_names {
        let listed = &directory.symbols[symbol_id as usize - 1];
        let body = renamed_body(former, &listed.symbol);
        let size = (listed.name.len() as u16).to_le_bytes();
        write_event(out, events::SYMBOL_RENAMED, symbol_id, &[&body, &size, listed.name.as_bytes()]);
    }
    directory.former_names.len()
}

/// Takes a former name that an event of the directory tells of.
pub fn read_former_name(state: &mut State, symbol_id: u32, record: &mut Reader) -> Restored<()> {
    known(state.directory.has_symbol(symbol_id))?;
    let (former, symbol) = (unpadded(record.bytes(8)?).to_vec(), unpadded(record.bytes(8)?).to_vec());
    let size = record.u16()?;
    let name = record.text(size.into())?;
    known(state.directory.symbol_ids.get(&symbol) == Some(&symbol_id))?;
    known(!state.directory.symbol_ids.contains_key(&former))?;
    state.directory.rename(symbol_id, &former, &symbol, name);
    Ok(())
}

/// Writes the last split of each symbol that was split.
pub fn write(state: &State, out: &mut Vec<u8>) {
    section(out, |out| {
        let split = (1_u32..).zip(&state.markets).filter(|(_, market)| market.split_sequence != 0);
        let write = |(symbol_id, market): (u32, &crate::market::Market)| {
            out.extend(symbol_id.to_le_bytes());
            out.extend(market.split_sequence.to_le_bytes());
        };
        split.map(write).count()
    });
}

/// Restores the last splits.
pub fn read(state: &mut State, reader: &mut Reader) -> Restored<()> {
    for _ in 0..reader.u32()? {
        let symbol_id = reader.u32()?;
        known(state.directory.has_symbol(symbol_id))?;
        state.market_mut(symbol_id).split_sequence = reader.u64()?;
    }
    Ok(())
}
