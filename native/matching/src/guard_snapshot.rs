//! The sections of a snapshot that hold price guards and the breaker, and what the directory knows of them.

use exchange_wire::commands::CorridorTerms;
use exchange_wire::events;
use exchange_wire::reader::Reader;

use crate::phase::{HALTED, REOPENING_AUCTION};
use crate::price_guard::{limit_state, Bands, Bucket, Corridor, Guard, BUCKETS, TIERS_MAX};
use crate::snapshot::{known, section, write_event, Restored};
use crate::state::State;
use crate::volatility::Breaker;

/// Writes the terms of guards as events; gives how many.
pub fn write_directory(state: &State, out: &mut Vec<u8>) -> usize {
    for (symbol_id, bands) in all_bands(state) {
        write_event(out, events::PRICE_BANDS_SET, symbol_id, &[&[bands.tier]]);
    }
    for (symbol_id, corridor) in all_corridors(state) {
        write_event(out, events::PRICE_CORRIDOR_SET, symbol_id, &[&corridor.terms.bytes()]);
    }
    let close_level = state.breaker.close_level;
    if close_level != 0 {
        write_event(out, events::MARKET_BREAKER_SET, 0, &[&close_level.to_le_bytes()]);
    }
    state.guarded.len() + usize::from(close_level != 0)
}

/// Takes the terms of a guard, or a breaker, that an event of the directory tells of.
pub fn read_terms(state: &mut State, number: u8, symbol_id: u32, record: &mut Reader) -> Restored<()> {
    if number == events::MARKET_BREAKER_SET {
        state.breaker.close_level = record.u64()?;
        return Ok(());
    }
    known(state.directory.has_symbol(symbol_id))?;
    let guard = if number == events::PRICE_BANDS_SET {
        let tier = record.u8()?;
        known((1..=TIERS_MAX).contains(&tier))?;
        Guard::Bands(Bands::new(tier, 0))
    } else {
        let terms = CorridorTerms::read(record)?;
        Guard::Corridor(Corridor { terms, seed: 0, static_price: 0, left: None })
    };
    let market = state.market_mut(symbol_id);
    market.guard = Some(Box::new(guard));
    market.needs_care = true;
    state.guarded.insert(symbol_id);
    Ok(())
}

pub fn write(state: &State, out: &mut Vec<u8>) {
    section(out, |out| {
        let write = |(symbol_id, bands): (u32, &Bands)| {
            for number in [symbol_id, bands.base, bands.reference, bands.lower, bands.upper] {
                out.extend(number.to_le_bytes());
            }
            out.extend([u8::from(bands.is_late), bands.state]);
            out.extend(bands.limit_ends_ns.to_le_bytes());
            out.extend(bands.update_ns.to_le_bytes());
            let collar = [bands.collar_lower, bands.collar_upper, bands.collar_step];
            for number in collar.into_iter().chain([bands.buckets.len() as u32]) {
                out.extend(number.to_le_bytes());
            }
        };
        all_bands(state).map(write).count()
    });
    section(out, |out| {
        let buckets = all_bands(state).flat_map(|(_, bands)| &bands.buckets);
        let write = |bucket: &Bucket| {
            for number in [bucket.from_sequence, bucket.trades, bucket.sum] {
                out.extend(number.to_le_bytes());
            }
        };
        buckets.map(write).count()
    });
    section(out, |out| {
        let write = |(symbol_id, corridor): (u32, &Corridor)| {
            out.extend(symbol_id.to_le_bytes());
            out.extend(corridor.static_price.to_le_bytes());
            out.extend(corridor.seed.to_le_bytes());
        };
        all_corridors(state).map(write).count()
    });
    section(out, |out| {
        let Breaker { close_level, last_level, tripped, stop_phase, stop_ends_ns } = state.breaker;
        let is_used = state.breaker != Breaker::default();
        if is_used {
            out.extend(close_level.to_le_bytes());
            out.extend(last_level.to_le_bytes());
            out.extend([tripped, stop_phase]);
            out.extend(stop_ends_ns.to_le_bytes());
        }
        usize::from(is_used)
    });
}

/// Fills the guards, whose terms are there, and the breaker.
pub fn read(state: &mut State, reader: &mut Reader) -> Restored<()> {
    let mut counts = Vec::new();
    for _ in 0..reader.u32()? {
        let symbol_id = reader.u32()?;
        known(state.directory.has_symbol(symbol_id))?;
        let market = state.market_mut(symbol_id);
        let Some(bands) = market.bands() else { return known(false) };
        [bands.base, bands.reference, bands.lower, bands.upper] =
            [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?];
        bands.is_late = reader.u8()? != 0;
        bands.state = reader.u8()?;
        [bands.limit_ends_ns, bands.update_ns] = [reader.u64()?, reader.u64()?];
        [bands.collar_lower, bands.collar_upper, bands.collar_step] =
            [reader.u32()?, reader.u32()?, reader.u32()?];
        known((limit_state::NORMAL..=limit_state::STRADDLE).contains(&bands.state))?;
        let count = reader.u32()? as usize;
        known(count <= BUCKETS && (bands.update_ns == 0) == (count == 0))?;
        counts.push((symbol_id, count));
        state.note_due(symbol_id);
    }
    let buckets = reader.u32()? as usize;
    known(counts.iter().map(|&(_, count)| count).sum::<usize>() == buckets)?;
    for (symbol_id, count) in counts {
        for _ in 0..count {
            let bucket = Bucket { from_sequence: reader.u64()?, trades: reader.u64()?, sum: reader.u64()? };
            if let Some(bands) = state.market_mut(symbol_id).bands() {
                bands.buckets.push(bucket);
            }
        }
    }
    for _ in 0..reader.u32()? {
        let (symbol_id, static_price, seed) = (reader.u32()?, reader.u32()?, reader.u64()?);
        known(state.directory.has_symbol(symbol_id))?;
        match state.market_mut(symbol_id).guard.as_deref_mut() {
            Some(Guard::Corridor(corridor)) => {
                (corridor.static_price, corridor.seed) = (static_price, seed);
            }
            _ => return known(false),
        }
    }
    for _ in 0..reader.u32()? {
        let (close_level, last_level) = (reader.u64()?, reader.u64()?);
        let (tripped, stop_phase) = (reader.u8()?, reader.u8()?);
        known(matches!(stop_phase, 0 | HALTED | REOPENING_AUCTION))?;
        state.breaker = Breaker { close_level, last_level, tripped, stop_phase, stop_ends_ns: reader.u64()? };
    }
    Ok(())
}

fn all_bands(state: &State) -> impl Iterator<Item = (u32, &Bands)> {
    guards(state).filter_map(|(symbol_id, guard)| match guard {
        Guard::Bands(bands) => Some((symbol_id, bands)),
        Guard::Corridor(_) => None,
    })
}

fn all_corridors(state: &State) -> impl Iterator<Item = (u32, &Corridor)> {
    guards(state).filter_map(|(symbol_id, guard)| match guard {
        Guard::Corridor(corridor) => Some((symbol_id, corridor)),
        Guard::Bands(_) => None,
    })
}

fn guards(state: &State) -> impl Iterator<Item = (u32, &Guard)> {
    let markets = (1..).zip(&state.markets);
    markets.filter_map(|(symbol_id, market)| market.guard.as_deref().map(|guard| (symbol_id, guard)))
}
