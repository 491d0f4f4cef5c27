//! What a snapshot holds of corporate actions and short sales: former names and terms, last splits, closing prices.

use exchange_wire::commands::ShortSaleTerms;
use exchange_wire::events;
use exchange_wire::reader::{unpadded, Reader};

use crate::corporate_actions::renamed_body;
use crate::directory::Directory;
use crate::market::Market;
use crate::short_sales::{RESTRICTED_DAYS, TRIGGER_BPS_MAX};
use crate::snapshot::{known, section, write_event, Restored};
use crate::state::State;

/// Writes the former names and the terms of short sales as events; gives how many.
pub fn write_directory(directory: &Directory, markets: &[Market], out: &mut Vec<u8>) -> usize {
    for (former, &symbol_id) in &directory.former_names {
        let listed = &directory.symbols[symbol_id as usize - 1];
        let body = renamed_body(former, &listed.symbol);
        let size = (listed.name.len() as u16).to_le_bytes();
        write_event(out, events::SYMBOL_RENAMED, symbol_id, &[&body, &size, listed.name.as_bytes()]);
    }
    let mut count = directory.former_names.len();
    for (symbol_id, market) in (1_u32..).zip(markets) {
        if market.short_sales.terms != ShortSaleTerms::default() {
            let terms = market.short_sales.terms.bytes();
            write_event(out, events::SHORT_SALE_TERMS_SET, symbol_id, &[&terms, &[0; 4]]);
            count += 1;
        }
        if market.short_sales.days > 0 {
            write_event(out, events::SHORT_SALE_RESTRICTED, symbol_id, &[&[1, 0], &[0; 8]]);
            count += 1;
        }
    }
    count
}

/// Takes what an event of the directory tells of short sales.
pub fn read_short_sales(state: &mut State, number: u8, symbol_id: u32, record: &mut Reader) -> Restored<()> {
    known(state.directory.has_symbol(symbol_id))?;
    if number == events::SHORT_SALE_RESTRICTED {
        record.bytes(10)?;
        return Ok(());
    }
    let terms = ShortSaleTerms::read(record)?;
    known(terms.trigger_bps <= TRIGGER_BPS_MAX)?;
    state.market_mut(symbol_id).short_sales.terms = terms;
    record.bytes(4)?;
    Ok(())
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

/// Writes the last split of each symbol that was split, and the closing prices from which declines are measured.
pub fn write(state: &State, out: &mut Vec<u8>) {
    section(out, |out| {
        let split = (1_u32..).zip(&state.markets).filter(|(_, market)| market.split_sequence != 0);
        let write = |(symbol_id, market): (u32, &Market)| {
            out.extend(symbol_id.to_le_bytes());
            out.extend(market.split_sequence.to_le_bytes());
        };
        split.map(write).count()
    });
    section(out, |out| {
        let armed =
            (1_u32..).zip(&state.markets).filter(|(_, market)| market.short_sales.terms.trigger_bps != 0);
        let write = |(symbol_id, market): (u32, &Market)| {
            out.extend(symbol_id.to_le_bytes());
            out.extend(market.short_sales.closing_price.to_le_bytes());
            out.push(market.short_sales.days);
        };
        armed.map(write).count()
    });
}

/// Restores the last splits and the closing prices.
pub fn read(state: &mut State, reader: &mut Reader) -> Restored<()> {
    for _ in 0..reader.u32()? {
        let symbol_id = reader.u32()?;
        known(state.directory.has_symbol(symbol_id))?;
        state.market_mut(symbol_id).split_sequence = reader.u64()?;
    }
    for _ in 0..reader.u32()? {
        let (symbol_id, closing_price, days) = (reader.u32()?, reader.u32()?, reader.u8()?);
        known(state.directory.has_symbol(symbol_id) && days <= RESTRICTED_DAYS)?;
        let market = state.market_mut(symbol_id);
        known(market.short_sales.terms.trigger_bps != 0)?;
        market.short_sales.restore(closing_price, days);
        market.needs_care |= market.short_sales.trigger_price != 0;
    }
    Ok(())
}
