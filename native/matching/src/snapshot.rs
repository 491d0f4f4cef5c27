//! The canonical bytes of a venue's state, as `src/exchange/matching/snapshot.py` lays them out.

use std::collections::BTreeMap;

use exchange_wire::allocation::Allocation;
use exchange_wire::commands::{AuctionTerms, Body};
use exchange_wire::events::{self, Header, Kind};
use exchange_wire::reader::{unpadded, Malformed, Reader};
use exchange_wire::terms::Terms;
use exchange_wire::{
    ClientOrderId, EVENT_HEADER_BYTES, FLAGS_OFFSET, LAST_OF_COMMAND, NO_CLIENT_ORDER_ID, VERSION,
};

use crate::administration::{key_body, symbol_body};
use crate::allocation::check_steps;
use crate::auction::{indicate, is_for_auction, queue_price};
use crate::client_order_ids::FirstUse;
use crate::configuration::{confirmation_body, rule_body};
use crate::directory::{Directory, Key, Rule, Symbol};
use crate::guard_snapshot;
use crate::linked_snapshot;
use crate::market::is_valid_tick_table;
use crate::order_book::{is_special, sequence_of, Order, ALL_OR_NONE, BUY, SELL, SEQUENCE_BITS};
use crate::order_checks::LIMIT;
use crate::phase::{auction_of, cause, is_indicated, is_phase, is_settable, CONTINUOUS};
use crate::phases::{auction_terms_body, phase_body, ScheduledPhase};
use crate::self_trade::Group;
use crate::state::State;
use crate::stop_orders::is_waiting;
use crate::RULES_VERSION;
use crate::{corporate_snapshot, risk_snapshot};

const MAGIC: &[u8; 4] = b"XVEN";
/// The layout that `Venue::snapshot` writes.
pub const SNAPSHOT_VERSION: u16 = 5;
const ENVELOPE_BYTES: usize = 20;

/// Bytes that are no snapshot of this version.
#[derive(Debug, PartialEq, Eq)]
pub struct SnapshotError(pub &'static str);

impl From<Malformed> for SnapshotError {
    fn from(_: Malformed) -> Self {
        Self("snapshot: it ends within a record, the bytes are damaged; take an older one")
    }
}

type Waiting = (Order, ClientOrderId);
pub type Restored<T> = Result<T, SnapshotError>;

// --- write ---------------------------------------------------------------------------------------------------

pub fn write(state: &State) -> Vec<u8> {
    let mut content = Vec::new();
    write_numbers(state, &mut content);
    section(&mut content, |out| write_directory(state, out));
    section(&mut content, |out| {
        for (place, market) in state.markets.iter().enumerate() {
            out.extend((place as u32 + 1).to_le_bytes());
            out.extend(market.last_price.to_le_bytes());
            out.extend((market.reference.trades.len() as u32).to_le_bytes());
        }
        state.markets.len()
    });
    section(&mut content, |out| {
        let trades = state.markets.iter().flat_map(|market| &market.reference.trades);
        trades.map(|(match_id, price)| write_pair(out, *match_id, *price)).count()
    });
    section(&mut content, |out| write_orders(state, out));
    section(&mut content, |out| {
        let entries = state.client_order_ids.entries();
        entries.map(|(account_id, id, first)| write_first_use(out, account_id, id, first)).count()
    });
    section(&mut content, |out| {
        let holdings = state.holdings.sorted();
        for (account_id, symbol_id, balance) in &holdings {
            out.extend(account_id.to_le_bytes());
            out.extend(symbol_id.to_le_bytes());
            out.extend(balance.to_le_bytes());
        }
        holdings.len()
    });
    section(&mut content, |out| {
        state.busted.iter().for_each(|match_id| out.extend(match_id.to_le_bytes()));
        state.busted.len()
    });
    section(&mut content, |out| {
        for (match_id, (price, quantity)) in &state.corrected {
            write_pair(out, *match_id, *price);
            out.extend(quantity.to_le_bytes());
        }
        state.corrected.len()
    });
    section(&mut content, |out| {
        let terms = state.orders.sorted_terms();
        for (order_id, terms) in &terms {
            out.extend(order_id.to_le_bytes());
            out.extend(terms.bytes());
        }
        terms.len()
    });
    section(&mut content, |out| write_tops(state, out));
    risk_snapshot::write(state, &mut content);
    section(&mut content, |out| write_markets(state, out));
    section(&mut content, |out| {
        for row in &state.schedule {
            out.extend(row.at_ns.to_le_bytes());
            out.extend(row.symbol_id.to_le_bytes());
            out.push(row.phase);
        }
        state.schedule.len()
    });
    guard_snapshot::write(state, &mut content);
    corporate_snapshot::write(state, &mut content);
    linked_snapshot::write(state, &mut content);
    with_envelope(&content)
}

fn with_envelope(content: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(ENVELOPE_BYTES + content.len());
    data.extend(MAGIC);
    data.extend(SNAPSHOT_VERSION.to_le_bytes());
    data.extend(RULES_VERSION.to_le_bytes());
    data.extend((content.len() as u64).to_le_bytes());
    data.extend(crc32fast::hash(content).to_le_bytes());
    data.extend(content);
    data
}

fn write_numbers(state: &State, out: &mut Vec<u8>) {
    let Header { partition, sequence, command_sequence, time_ns, epoch } = state.events.header;
    out.push(partition);
    out.extend(epoch.to_le_bytes());
    for number in [time_ns, command_sequence, sequence, state.events.running_hash] {
        out.extend(number.to_le_bytes());
    }
    out.extend(state.business_date.to_le_bytes());
    out.extend(state.day_ends_ns.to_le_bytes());
    out.extend(state.directory.keys_created.to_le_bytes());
}

/// Writes a section: the number of its records, then the records.
pub fn section(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> usize) {
    let at = out.len();
    out.extend([0; 4]);
    let count = write(out) as u32;
    out[at..at + 4].copy_from_slice(&count.to_le_bytes());
}

/// Writes the top orders that are still live; the others mean nothing any more.
fn write_tops(state: &State, out: &mut Vec<u8>) -> usize {
    let mut count = 0;
    for (place, market) in state.markets.iter().enumerate() {
        let tops = market.tops.map(|top| state.orders.find(top).map_or(0, |_| top));
        if tops != [0; 2] {
            out.extend((place as u32 + 1).to_le_bytes());
            tops.iter().for_each(|top| out.extend(top.to_le_bytes()));
            count += 1;
        }
    }
    count
}

fn write_pair(out: &mut Vec<u8>, match_id: u64, price: u32) {
    out.extend(match_id.to_le_bytes());
    out.extend(price.to_le_bytes());
}

fn write_directory(state: &State, out: &mut Vec<u8>) -> usize {
    let directory = &state.directory;
    for (place, (symbol, market)) in directory.symbols.iter().zip(&state.markets).enumerate() {
        let body = symbol_body(symbol, market.round_lot, market.state);
        write_event(out, events::SYMBOL_ADDED, place as u32 + 1, &[&body]);
    }
    let renamed = corporate_snapshot::write_directory(directory, &state.markets, out);
    let protected = |place: &usize| state.markets[*place].protection_bps != 0;
    let protected: Vec<usize> = (0..state.markets.len()).filter(protected).collect();
    for &place in &protected {
        let protection_bps = state.markets[place].protection_bps.to_le_bytes();
        write_event(out, events::MARKET_PROTECTION_SET, place as u32 + 1, &[&protection_bps]);
    }
    let phases = write_phases(state, out) + guard_snapshot::write_directory(state, out);
    let allocated: Vec<usize> =
        (0..state.markets.len()).filter(|&place| state.markets[place].shares_out()).collect();
    for &place in &allocated {
        let body = state.markets[place].allocation.bytes();
        write_event(out, events::ALLOCATION_SET, place as u32 + 1, &[&body]);
    }
    for (place, name) in directory.participants.iter().enumerate() {
        let (id, size) = ((place as u32 + 1).to_le_bytes(), (name.len() as u16).to_le_bytes());
        write_event(out, events::PARTICIPANT_CREATED, 0, &[&id, &size, name.as_bytes()]);
    }
    for (participant_id, group) in &state.self_trade_groups {
        let (id, number) = (participant_id.to_le_bytes(), group.number.to_le_bytes());
        write_event(out, events::SELF_TRADE_PREVENTION_SET, 0, &[&id, &number, &[group.mode]]);
    }
    for (place, account) in directory.accounts.iter().enumerate() {
        let (id, owner) = ((place as u32 + 1).to_le_bytes(), account.participant_id.to_le_bytes());
        let size = (account.name.len() as u16).to_le_bytes();
        write_event(out, events::ACCOUNT_CREATED, 0, &[&id, &owner, &size, account.name.as_bytes()]);
    }
    for (&key_id, key) in &directory.keys {
        write_event(out, events::KEY_CREATED, 0, &[&key_body(key_id, key)]);
    }
    let groups = state.self_trade_groups.len();
    let people = directory.participants.len() + groups + directory.accounts.len() + directory.keys.len();
    let risk = risk_snapshot::write_directory(state, out);
    let symbols = directory.symbols.len() + renamed + protected.len() + phases + allocated.len();
    symbols + people + risk + write_configuration(directory, out)
}

/// Writes the rules and the version of the configuration; gives how many records that makes.
fn write_configuration(directory: &Directory, out: &mut Vec<u8>) -> usize {
    let rules = directory.rules.in_force.iter().chain(&directory.rules.coming);
    let count = rules.map(|rule| write_event(out, events::RULE_CONFIGURED, 0, &[&rule_body(rule)])).count();
    if directory.configuration_version == 0 {
        return count;
    }
    let body = confirmation_body(directory.configuration_version, 0, 0, &[0; 32], "");
    write_event(out, events::CONFIGURATION_CHANGED, 0, &[&body]);
    count + 1
}

/// Writes the markets that are not where a new one is, the market as a whole under 0.
fn write_markets(state: &State, out: &mut Vec<u8>) -> usize {
    let whole = (0, [state.market_phase, state.market_scheduled_phase, 0], 0);
    let each = state.markets.iter().enumerate().map(|(place, market)| {
        let phases = [market.phase, market.scheduled_phase, market.extensions];
        (place as u32 + 1, phases, market.phase_ends_ns)
    });
    let is_moved = |row: &(u32, [u8; 3], u64)| (row.1, row.2) != ([CONTINUOUS, CONTINUOUS, 0], 0);
    let moved = std::iter::once(whole).chain(each).filter(is_moved);
    let write = |(symbol_id, phases, ends_ns): (u32, [u8; 3], u64)| {
        out.extend(symbol_id.to_le_bytes());
        out.extend(phases);
        out.extend(ends_ns.to_le_bytes());
    };
    moved.map(write).count()
}

/// Writes how auctions are checked, and the phases that are not continuous; gives how many records that makes.
fn write_phases(state: &State, out: &mut Vec<u8>) -> usize {
    let markets = || (1..).zip(&state.markets);
    let checked = markets().filter(|(_, market)| market.auction_terms != AuctionTerms::default());
    let terms = checked.map(|(symbol_id, market)| {
        let body = auction_terms_body(&market.auction_terms);
        write_event(out, events::AUCTION_TERMS_SET, symbol_id, &[&body]);
    });
    let count = terms.count();
    let moved = markets().filter(|(_, market)| market.phase != CONTINUOUS);
    let phases = moved.map(|(symbol_id, market)| {
        let body = phase_body(market.phase, cause::OPERATOR, 0, "");
        write_event(out, events::PHASE_CHANGED, symbol_id, &[&body]);
    });
    count + phases.count()
}

pub fn write_event(out: &mut Vec<u8>, number: u8, symbol_id: u32, parts: &[&[u8]]) {
    let size = parts.iter().map(|part| part.len()).sum();
    let mut header = [0; EVENT_HEADER_BYTES];
    Header::default().write(&mut header, number, symbol_id, size);
    header[FLAGS_OFFSET] = LAST_OF_COMMAND;
    out.extend(header);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

fn write_orders(state: &State, out: &mut Vec<u8>) -> usize {
    for market in &state.markets {
        let book = &market.book;
        let (buys, sells) = (&market.stops.buys, &market.stops.sells);
        let (auction_bids, auction_asks) = (&market.auction_bids, &market.auction_asks);
        let shown_and_hidden = [&book.bids, &book.asks, &book.hidden_bids, &book.hidden_asks];
        for side in shown_and_hidden.into_iter().chain([buys, sells, auction_bids, auction_asks]) {
            for slot in state.orders.in_sequence(side) {
                write_order(state, slot, out);
            }
        }
        let parked = state.orders.in_sequence(&market.parked);
        let mut parked: Vec<(u64, u32)> = parked.map(|slot| (state.orders.at(slot).order_id, slot)).collect();
        parked.sort_unstable();
        parked.iter().for_each(|&(_, slot)| write_order(state, slot, out));
    }
    state.orders.len()
}

fn write_order(state: &State, slot: u32, out: &mut Vec<u8>) {
    let order = state.orders.at(slot);
    out.extend(order.order_id.to_le_bytes());
    out.extend(order.account_id.to_le_bytes());
    out.extend(order.symbol_id.to_le_bytes());
    out.extend(order.kind.bytes());
    for number in [order.price, order.quantity, order.leaves, order.reserve] {
        out.extend(number.to_le_bytes());
    }
    out.extend(order.entered_ns.to_le_bytes());
    out.extend(state.orders.client_order_id(slot));
}

fn write_first_use(out: &mut Vec<u8>, account_id: u32, client_order_id: &ClientOrderId, first: &FirstUse) {
    out.extend(account_id.to_le_bytes());
    out.extend(first.order_id.to_le_bytes());
    out.push(first.command_type);
    out.extend(first.body);
    out.extend(client_order_id);
}

// --- read ----------------------------------------------------------------------------------------------------

/// The content of a snapshot that is whole and of these versions.
pub fn content_of(data: &[u8]) -> Restored<&[u8]> {
    let mut reader = Reader::new(data);
    if reader.array::<4>()? != *MAGIC {
        return Err(SnapshotError("snapshot: the magic is not that of a venue's snapshot"));
    }
    if (reader.u16()?, reader.u16()?) != (SNAPSHOT_VERSION, RULES_VERSION) {
        return Err(SnapshotError("snapshot: of another version; use its writer's version"));
    }
    let (length, checksum) = (reader.u64()?, reader.u32()?);
    let content = reader.rest();
    if content.len() as u64 != length || crc32fast::hash(content) != checksum {
        return Err(SnapshotError(
            "snapshot: the checksum does not fit, the bytes are damaged; take an older one",
        ));
    }
    Ok(content)
}

/// Fills the state of a new venue from the content of a snapshot.
pub fn read_into(state: &mut State, content: &[u8]) -> Restored<()> {
    let reader = &mut Reader::new(content);
    let header = &mut state.events.header;
    if reader.u8()? != header.partition {
        return Err(SnapshotError("snapshot: of another partition"));
    }
    header.epoch = reader.u32()?;
    header.time_ns = reader.u64()?;
    header.command_sequence = reader.u64()?;
    header.sequence = reader.u64()?;
    state.events.running_hash = reader.u64()?;
    state.business_date = reader.u32()?;
    state.day_ends_ns = reader.u64()?;
    let keys_created = reader.u32()?;
    state.directory.keys_created = keys_created;
    for _ in 0..reader.u32()? {
        read_event(state, reader)?;
    }
    state.directory.keys_created = keys_created;
    read_references(state, reader)?;
    let mut waiting = Vec::new();
    for _ in 0..reader.u32()? {
        waiting.extend(read_order(state, reader)?);
    }
    for _ in 0..reader.u32()? {
        let (account_id, order_id, command_type) = (reader.u32()?, reader.u64()?, reader.u8()?);
        let (body, id): (Body, ClientOrderId) = (reader.array()?, reader.array()?);
        state.client_order_ids.remember(account_id, id, FirstUse { order_id, command_type, body });
    }
    for _ in 0..reader.u32()? {
        let (account_id, symbol_id) = (reader.u32()?, reader.u32()?);
        known(state.directory.has_account(account_id))?;
        state.holdings.add(account_id, symbol_id, reader.i128()?);
    }
    for _ in 0..reader.u32()? {
        state.busted.insert(reader.u64()?);
    }
    for _ in 0..reader.u32()? {
        state.corrected.insert(reader.u64()?, (reader.u32()?, reader.u32()?));
    }
    read_terms(state, waiting, reader)?;
    for _ in 0..reader.u32()? {
        let symbol_id = reader.u32()?;
        known(state.directory.has_symbol(symbol_id))?;
        state.market_mut(symbol_id).tops = [reader.u64()?, reader.u64()?];
    }
    risk_snapshot::read(state, reader)?;
    read_phases(state, reader)?;
    guard_snapshot::read(state, reader)?;
    corporate_snapshot::read(state, reader)?;
    linked_snapshot::read(state, reader)?;
    risk_snapshot::read_open(state);
    Ok(reader.end()?)
}

/// Gives orders their special terms, and those that wait their place.
fn read_terms(state: &mut State, waiting: Vec<Waiting>, reader: &mut Reader) -> Restored<()> {
    let mut all = BTreeMap::new();
    for _ in 0..reader.u32()? {
        all.insert(reader.u64()?, Terms::read(reader)?);
    }
    for (order, client_order_id) in waiting {
        let terms = all.remove(&order.order_id).unwrap_or_default();
        known(terms.stop_price != 0 && state.orders.find(order.order_id).is_none())?;
        state.wait(order, terms, &client_order_id);
    }
    for (order_id, terms) in all {
        let slot = state.orders.find(order_id);
        known(slot.is_some_and(|slot| !state.orders.at(slot).has_terms))?;
        state.orders.keep_terms(slot.unwrap_or_default(), terms);
    }
    Ok(())
}

/// Puts every market into its phase.
fn read_phases(state: &mut State, reader: &mut Reader) -> Restored<()> {
    for _ in 0..reader.u32()? {
        let symbol_id = reader.u32()?;
        let [phase, scheduled, extensions] = reader.array()?;
        let ends_ns = reader.u64()?;
        known(is_phase(phase) && is_settable(scheduled))?;
        if symbol_id == 0 {
            (state.market_phase, state.market_scheduled_phase) = (phase, scheduled);
            continue;
        }
        known(state.directory.has_symbol(symbol_id) && state.market_mut(symbol_id).phase_ends_ns == 0)?;
        let market = state.market_mut(symbol_id);
        (market.phase, market.scheduled_phase, market.extensions) = (phase, scheduled, extensions);
        market.needs_care |= phase != CONTINUOUS;
        state.set_phase_end(symbol_id, ends_ns);
        if let Some(auction) = auction_of(phase).filter(|_| is_indicated(phase)) {
            state.indicated.insert(symbol_id);
            let told = indicate(&state.orders, &state.markets[symbol_id as usize - 1], auction).1;
            state.market_mut(symbol_id).indicated = told;
        }
    }
    for _ in 0..reader.u32()? {
        let row = ScheduledPhase { at_ns: reader.u64()?, symbol_id: reader.u32()?, phase: reader.u8()? };
        let is_in_place = state.schedule.last().is_none_or(|last| *last <= row);
        let is_known = row.symbol_id == 0 || state.directory.has_symbol(row.symbol_id);
        known(is_in_place && is_known && is_settable(row.phase))?;
        state.schedule.push(row);
    }
    Ok(())
}

pub fn known(is_known: bool) -> Restored<()> {
    match is_known {
        true => Ok(()),
        false => Err(SnapshotError("snapshot: it names a symbol, account or order that cannot be")),
    }
}

fn read_event(state: &mut State, reader: &mut Reader) -> Restored<()> {
    let size = reader.u32()? as usize;
    let mut record = Reader::new(reader.bytes(size.checked_sub(4).ok_or(Malformed)?)?);
    let (number, version) = (record.u8()?, record.u8()?);
    known(version == VERSION)?;
    record.bytes(30)?;
    let symbol_id = record.u32()?;
    match number {
        events::SYMBOL_ADDED => {
            known(symbol_id as usize == state.markets.len() + 1)?;
            read_symbol(state, &mut record)?;
        }
        events::SYMBOL_RENAMED => corporate_snapshot::read_former_name(state, symbol_id, &mut record)?,
        events::SHORT_SALE_TERMS_SET | events::SHORT_SALE_RESTRICTED => {
            corporate_snapshot::read_short_sales(state, number, symbol_id, &mut record)?;
        }
        events::MARKET_PROTECTION_SET => {
            known(symbol_id != 0 && symbol_id as usize <= state.markets.len())?;
            state.market_mut(symbol_id).protection_bps = record.u16()?;
        }
        events::AUCTION_TERMS_SET => {
            known(symbol_id != 0 && symbol_id as usize <= state.markets.len())?;
            state.market_mut(symbol_id).auction_terms = AuctionTerms::read(&mut record)?;
        }
        events::PRICE_BANDS_SET | events::PRICE_CORRIDOR_SET | events::MARKET_BREAKER_SET => {
            guard_snapshot::read_terms(state, number, symbol_id, &mut record)?;
        }
        events::PHASE_CHANGED => {
            record.bytes(10)?;
            let size = record.u16()?;
            record.text(size.into())?;
        }
        events::ALLOCATION_SET => {
            let allocation = Allocation::read(&mut record)?;
            let is_listed = symbol_id != 0 && symbol_id as usize <= state.markets.len();
            known(is_listed && check_steps(&allocation).is_ok())?;
            state.market_mut(symbol_id).set_allocation(allocation);
        }
        events::PARTICIPANT_CREATED => {
            known(record.u32()? as usize == state.directory.participants.len() + 1)?;
            let size = record.u16()?;
            state.directory.add_participant(record.text(size.into())?);
        }
        events::SELF_TRADE_PREVENTION_SET => {
            let participant_id = record.u32()?;
            known(state.directory.has_participant(participant_id))?;
            let group = Group { number: record.u32()?, mode: record.u8()? };
            state.note_self_trade_group(participant_id, group);
        }
        events::ACCOUNT_CREATED => {
            known(record.u32()? as usize == state.directory.accounts.len() + 1)?;
            let (owner, size) = (record.u32()?, record.u16()?);
            state.directory.add_account(owner, record.text(size.into())?);
        }
        events::KEY_CREATED => {
            let (key_id, participant_id, role) = (record.u32()?, record.u32()?, record.u8()?);
            let (sha256, size) = (record.array()?, record.u16()?);
            let label = record.text(size.into())?.to_owned();
            state.directory.add_key(key_id, Key { participant_id, role, sha256, label });
        }
        events::TRADING_BLOCKED => risk_snapshot::read_block(state, &mut record)?,
        events::RISK_LIMIT_SET => risk_snapshot::read_limit(state, symbol_id, &mut record)?,
        events::RULE_CONFIGURED => {
            let (configuration_version, number, count) = (record.u32()?, record.u16()?, record.u16()?);
            let (rules_version, size) = (record.u32()?, record.u16()?);
            let text = record.text(size.into())?.to_owned();
            let rule = Rule { configuration_version, number, count, rules_version, text };
            known(state.directory.rules.is_next(&rule))?;
            state.directory.rules.take(rule);
        }
        events::CONFIGURATION_CHANGED => {
            state.directory.configuration_version = record.u32()?;
            record.bytes(40)?;
            let size = record.u16()?;
            record.text(size.into())?;
        }
        _ => return Err(SnapshotError("snapshot: an event that is none of the directory")),
    }
    Ok(record.end()?)
}

fn read_symbol(state: &mut State, record: &mut Reader) -> Restored<()> {
    let symbol = unpadded(record.bytes(8)?).to_vec();
    let (reference_price, round_lot, market_state) = (record.u32()?, record.u32()?, record.u8()?);
    let (name_bytes, rows) = (record.u16()?, record.u16()?);
    let name = record.text(name_bytes.into())?.to_owned();
    let mut ticks = Vec::new();
    for _ in 0..rows {
        ticks.push((record.u32()?, record.u32()?));
    }
    known(is_valid_tick_table(&ticks) && round_lot > 0)?;
    state.list(Symbol { symbol, name, reference_price, ticks }, round_lot, market_state);
    Ok(())
}

fn read_references(state: &mut State, reader: &mut Reader) -> Restored<()> {
    let mut counts = Vec::new();
    for _ in 0..reader.u32()? {
        let (symbol_id, last_price) = (reader.u32()?, reader.u32()?);
        known(state.directory.has_symbol(symbol_id))?;
        state.market_mut(symbol_id).last_price = last_price;
        counts.push((symbol_id, reader.u32()?));
    }
    let trades = reader.u32()?;
    known(counts.iter().map(|&(_, count)| u64::from(count)).sum::<u64>() == trades.into())?;
    for (symbol_id, count) in counts {
        known(state.directory.has_symbol(symbol_id))?;
        for _ in 0..count {
            let (match_id, price) = (reader.u64()?, reader.u32()?);
            state.market_mut(symbol_id).reference.push(match_id, price);
        }
    }
    Ok(())
}

/// Puts an order into its book, or gives it back where it waits.
fn read_order(state: &mut State, reader: &mut Reader) -> Restored<Option<Waiting>> {
    let (order_id, account_id, symbol_id) = (reader.u64()?, reader.u32()?, reader.u32()?);
    let [side, order_type, time_in_force, flags] = reader.array()?;
    let (price, quantity, leaves, reserve) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
    let entered_ns = reader.u64()?;
    let client_order_id: ClientOrderId = reader.array()?;
    let header = &state.events.header;
    let is_ours = order_id >> SEQUENCE_BITS == u64::from(header.partition);
    let entered = sequence_of(order_id) <= header.command_sequence && state.orders.find(order_id).is_none();
    let has_place = state.directory.has_symbol(symbol_id) && state.directory.has_account(account_id);
    let has_left = reserve < leaves && leaves <= quantity;
    known(is_ours && entered && has_place && matches!(side, BUY | SELL) && has_left)?;
    let kind = Kind { side, order_type, time_in_force, flags };
    let order = Order {
        order_id,
        entered_ns,
        account_id,
        symbol_id,
        price,
        quantity,
        leaves,
        reserve,
        asked_minimum: if flags & ALL_OR_NONE == 0 { 0 } else { u32::MAX },
        kind,
        is_special: is_special(kind, false) || is_for_auction(kind),
        has_client_order_id: client_order_id != NO_CLIENT_ORDER_ID,
        ..Order::default()
    };
    let market = &mut state.markets[symbol_id as usize - 1];
    market.needs_care |= order.is_special;
    if is_waiting(order.kind) {
        return Ok(Some((order, client_order_id)));
    }
    if price == 0 && order_type == LIMIT && !is_for_auction(order.kind) {
        state.orders.rest_at(&mut market.parked, 0, order, &client_order_id);
        return Ok(None);
    }
    let price = if is_for_auction(order.kind) { queue_price(&order) } else { order.price };
    state.orders.rest_at(market.home_of(order.kind), price, order, &client_order_id);
    Ok(None)
}
