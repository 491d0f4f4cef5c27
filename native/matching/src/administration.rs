//! What operators do: symbols, participants, accounts, keys, and cash and shares in and out.

use exchange_wire::commands::{self as c, AddSymbol, CreateKey, Movement};
use exchange_wire::events as e;

use crate::directory::{Key, Symbol};
use crate::market::{is_valid_tick_table, tick_in, Market, ACTIVE, SUSPENDED};
use crate::names::{is_valid_name, is_valid_symbol};
use crate::order_checks::PRICE_MAX;
use crate::reasons::{self as reason, int64, Refusal};
use crate::state::State;

const MONEY_MAX: i128 = 1_000_000_000_000_000_000;
const ROLE_MAX: u8 = 7;
/// The widest protection band of market orders: the whole reference price.
const PROTECTION_BPS_MAX: u16 = 10_000;
/// The role that makes no sense for a key of the exchange itself.
const TRADER: u8 = 2;

pub type Check = Result<(), Refusal>;

impl State {
    // --- symbols -------------------------------------------------------------------------------------

    pub fn add_symbol(&mut self, command: AddSymbol) {
        if let Err(refusal) = self.check_symbol(&command) {
            return self.events.command_rejected(c::ADD_SYMBOL, 0, 0, refusal);
        }
        let AddSymbol { symbol, reference_price, round_lot, state, name, ticks } = command;
        let symbol_id = self.directory.symbols.len() as u32 + 1;
        let listed = Symbol { symbol: symbol.to_vec(), name: name.to_owned(), reference_price, ticks };
        let body = symbol_body(&listed, round_lot, state);
        self.events.write_to_directory(e::SYMBOL_ADDED, symbol_id, &[&body]);
        self.list(listed, round_lot, state);
        self.begin_listed(symbol_id);
    }

    /// Takes a symbol in under the next id.
    pub fn list(&mut self, symbol: Symbol, round_lot: u32, state: u8) {
        self.markets.push(Market::new(round_lot, state, symbol.reference_price, &symbol.ticks));
        self.directory.add_symbol(symbol);
    }

    pub fn set_symbol_state(&mut self, symbol_id: u32, state: u8, text: &str) {
        let check = if !self.directory.has_symbol(symbol_id) {
            Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id))
        } else if !text.is_empty() && !is_valid_name(text) {
            Err(Refusal::new(reason::NAME_INVALID))
        } else {
            check_state(state)
        };
        if let Err(refusal) = check {
            return self.events.command_rejected(c::SET_SYMBOL_STATE, symbol_id.into(), symbol_id, refusal);
        }
        let size = (text.len() as u16).to_le_bytes();
        self.events.write_to_directory(
            e::SYMBOL_STATE_CHANGED,
            symbol_id,
            &[&[state], &size, text.as_bytes()],
        );
        self.market_mut(symbol_id).state = state;
        self.follow_state(symbol_id);
    }

    /// Sets how far from the reference price market orders may trade.
    pub fn set_market_protection(&mut self, symbol_id: u32, protection_bps: u16) {
        let refusal = if !self.directory.has_symbol(symbol_id) {
            Some(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id))
        } else if protection_bps > PROTECTION_BPS_MAX {
            Some(Refusal::limited(reason::PROTECTION_INVALID, protection_bps, PROTECTION_BPS_MAX))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.events.command_rejected(
                c::SET_MARKET_PROTECTION,
                symbol_id.into(),
                symbol_id,
                refusal,
            );
        }
        let parts: [&[u8]; 1] = [&protection_bps.to_le_bytes()];
        self.events.write_to_directory(e::MARKET_PROTECTION_SET, symbol_id, &parts);
        self.market_mut(symbol_id).protection_bps = protection_bps;
    }

    pub fn set_reference_price(&mut self, symbol_id: u32, price: u32) {
        let check = if self.directory.has_symbol(symbol_id) {
            check_reference_price(price, &self.directory.symbols[symbol_id as usize - 1].ticks)
        } else {
            Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id))
        };
        if let Err(refusal) = check {
            let subject = symbol_id.into();
            return self.events.command_rejected(c::SET_REFERENCE_PRICE, subject, symbol_id, refusal);
        }
        self.events.write_to_directory(e::REFERENCE_PRICE_SET, symbol_id, &[&price.to_le_bytes()]);
        self.directory.symbols[symbol_id as usize - 1].reference_price = price;
        self.market_mut(symbol_id).reference.set(price);
    }

    pub fn check_symbol(&self, command: &AddSymbol) -> Check {
        if !is_valid_name(command.name) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        if !is_valid_symbol(command.symbol) {
            return Err(Refusal::new(reason::SYMBOL_INVALID));
        }
        if self.directory.symbol_ids.contains_key(command.symbol) {
            return Err(Refusal::new(reason::SYMBOL_TAKEN));
        }
        if let Some(&symbol_id) = self.directory.former_names.get(command.symbol) {
            return Err(Refusal::measured(reason::SYMBOL_RENAMED, symbol_id));
        }
        if !is_valid_tick_table(&command.ticks) {
            return Err(Refusal::new(reason::TICK_TABLE_INVALID));
        }
        if command.round_lot == 0 {
            return Err(Refusal::new(reason::ROUND_LOT_INVALID));
        }
        check_reference_price(command.reference_price, &command.ticks)?;
        check_state(command.state)?;
        check_count(self.directory.symbols.len(), self.limits.symbols)
    }

    // --- participants, accounts, keys ----------------------------------------------------------------

    pub fn create_participant(&mut self, name: &str) {
        let count = self.directory.participants.len();
        let check = check_name(name, self.directory.participant_names.contains(name))
            .and_then(|()| check_count(count, self.limits.participants));
        if let Err(refusal) = check {
            return self.events.command_rejected(c::CREATE_PARTICIPANT, 0, 0, refusal);
        }
        let (id, size) = ((count as u32 + 1).to_le_bytes(), (name.len() as u16).to_le_bytes());
        self.events.write_to_directory(e::PARTICIPANT_CREATED, 0, &[&id, &size, name.as_bytes()]);
        self.directory.add_participant(name);
    }

    pub fn create_account(&mut self, participant_id: u32, name: &str) {
        if let Err(refusal) = self.check_account(participant_id, name) {
            return self.events.command_rejected(c::CREATE_ACCOUNT, participant_id.into(), 0, refusal);
        }
        let id = (self.directory.accounts.len() as u32 + 1).to_le_bytes();
        let (owner, size) = (participant_id.to_le_bytes(), (name.len() as u16).to_le_bytes());
        self.events.write_to_directory(e::ACCOUNT_CREATED, 0, &[&id, &owner, &size, name.as_bytes()]);
        self.directory.add_account(participant_id, name);
    }

    fn check_account(&self, participant_id: u32, name: &str) -> Check {
        if !self.directory.has_participant(participant_id) {
            return Err(Refusal::measured(reason::UNKNOWN_PARTICIPANT, participant_id));
        }
        check_name(name, self.directory.account_names.contains(&(participant_id, name.to_owned())))?;
        check_count(self.directory.accounts.len(), self.limits.accounts)
    }

    pub fn create_key(&mut self, command: CreateKey) {
        let CreateKey { participant_id, role, sha256, label } = command;
        if let Err(refusal) = self.check_key(&command) {
            return self.events.command_rejected(c::CREATE_KEY, participant_id.into(), 0, refusal);
        }
        let key_id = self.directory.keys_created + 1;
        let key = Key { participant_id, role, sha256, label: label.to_owned() };
        self.events.write_to_directory(e::KEY_CREATED, 0, &[&key_body(key_id, &key)]);
        self.directory.add_key(key_id, key);
    }

    pub fn revoke_key(&mut self, key_id: u32) {
        let Some(key) = self.directory.keys.remove(&key_id) else {
            let refusal = Refusal::measured(reason::UNKNOWN_KEY, key_id);
            return self.events.command_rejected(c::REVOKE_KEY, key_id.into(), 0, refusal);
        };
        self.directory.key_ids.remove(&key.sha256);
        self.events.write_to_directory(e::KEY_REVOKED, 0, &[&key_id.to_le_bytes()]);
    }

    fn check_key(&self, command: &CreateKey) -> Check {
        let of_the_exchange = command.participant_id == 0 && command.role != TRADER;
        if !of_the_exchange && !self.directory.has_participant(command.participant_id) {
            return Err(Refusal::measured(reason::UNKNOWN_PARTICIPANT, command.participant_id));
        }
        if !is_valid_name(command.label) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        if !(1..=ROLE_MAX).contains(&command.role) {
            return Err(Refusal::measured(reason::ROLE_INVALID, command.role));
        }
        if self.directory.key_ids.contains_key(&command.sha256) {
            return Err(Refusal::new(reason::KEY_TAKEN));
        }
        check_count(self.directory.keys.len(), self.limits.keys)
    }

    // --- cash and shares -----------------------------------------------------------------------------

    pub fn deposit(&mut self, command: &Movement) {
        let balance = self.holdings.balance(command.account_id, command.symbol_id);
        let most = MONEY_MAX.min(MONEY_MAX - balance);
        let check = self.check_movement(command, most);
        self.move_holding(c::DEPOSIT, e::DEPOSITED, command, check, command.amount.into());
    }

    pub fn withdraw(&mut self, command: &Movement) {
        let balance = self.holdings.balance(command.account_id, command.symbol_id);
        let amount = i128::from(command.amount);
        let check = self.check_movement(command, MONEY_MAX).and_then(|()| {
            let free = balance - self.reserved(command.account_id, command.symbol_id);
            match amount > free {
                true => Err(Refusal::limited(reason::INSUFFICIENT_BALANCE, amount, free)),
                false => Ok(()),
            }
        });
        self.move_holding(c::WITHDRAW, e::WITHDRAWN, command, check, -amount);
    }

    fn move_holding(&mut self, command_type: u8, event: u8, command: &Movement, check: Check, change: i128) {
        let Movement { account_id, symbol_id, amount } = *command;
        if let Err(refusal) = check {
            return self.events.command_rejected(command_type, account_id.into(), symbol_id, refusal);
        }
        let balance = int64(self.holdings.add(account_id, symbol_id, change));
        let parts = (account_id.to_le_bytes(), amount.to_le_bytes(), balance.to_le_bytes());
        self.events.write(event, symbol_id, &[&parts.0, &parts.1, &parts.2]);
    }

    fn check_movement(&self, command: &Movement, most: i128) -> Check {
        if !self.directory.has_account(command.account_id) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, command.account_id));
        }
        if command.symbol_id != 0 && !self.directory.has_symbol(command.symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, command.symbol_id));
        }
        let amount = i128::from(command.amount);
        if amount <= 0 || amount > most {
            return Err(Refusal::limited(reason::AMOUNT_NOT_POSITIVE, amount, most));
        }
        Ok(())
    }
}

/// The body and tail of a SymbolAdded event.
pub fn symbol_body(symbol: &Symbol, round_lot: u32, state: u8) -> Vec<u8> {
    let mut body = symbol.symbol.clone();
    body.resize(8, 0);
    body.extend(symbol.reference_price.to_le_bytes());
    body.extend(round_lot.to_le_bytes());
    body.push(state);
    body.extend((symbol.name.len() as u16).to_le_bytes());
    body.extend((symbol.ticks.len() as u16).to_le_bytes());
    body.extend(symbol.name.as_bytes());
    for (from_price, tick) in &symbol.ticks {
        body.extend(from_price.to_le_bytes());
        body.extend(tick.to_le_bytes());
    }
    body
}

/// The body and tail of a KeyCreated event.
pub fn key_body(key_id: u32, key: &Key) -> Vec<u8> {
    let mut body = Vec::from(key_id.to_le_bytes());
    body.extend(key.participant_id.to_le_bytes());
    body.push(key.role);
    body.extend(key.sha256);
    body.extend((key.label.len() as u16).to_le_bytes());
    body.extend(key.label.as_bytes());
    body
}

pub fn check_reference_price(price: u32, ticks: &[(u32, u32)]) -> Check {
    let tick = tick_in(ticks, price);
    if price == 0 || price > PRICE_MAX || price % tick != 0 {
        return Err(Refusal::limited(reason::REFERENCE_PRICE_INVALID, price, tick));
    }
    Ok(())
}

pub fn check_state(state: u8) -> Check {
    match state {
        ACTIVE | SUSPENDED => Ok(()),
        _ => Err(Refusal::measured(reason::SYMBOL_STATE_INVALID, state)),
    }
}

fn check_name(name: &str, taken: bool) -> Check {
    if taken {
        return Err(Refusal::new(reason::NAME_TAKEN));
    }
    if !is_valid_name(name) {
        return Err(Refusal::new(reason::NAME_INVALID));
    }
    Ok(())
}

fn check_count(count: usize, maximum: u64) -> Check {
    let count = count as u64;
    if count >= maximum {
        return Err(Refusal::limited(reason::DIRECTORY_FULL, count, maximum));
    }
    Ok(())
}
