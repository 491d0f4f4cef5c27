//! What a version of the configuration changes in the market: symbols as it wants them, rules for clearing, its end.

use exchange_wire::commands::{self as c, AddSymbol, ConfigureRule, ConfigureSymbol, ConfirmConfiguration};
use exchange_wire::events as e;

use crate::administration::{check_reference_price, check_state, symbol_body, Check};
use crate::directory::{Rule, Symbol};
use crate::market::is_valid_tick_table;
use crate::names::is_valid_name;
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

const RULE_BYTES_MAX: usize = 3_800;
const NOTE_BYTES_MAX: usize = 1_000;
const LISTED: u8 = 1;
const NAME: u8 = 2;
const REFERENCE_PRICE: u8 = 4;
const ROUND_LOT: u8 = 8;
const STATE: u8 = 16;
const TICKS: u8 = 32;
const WHOLE: u8 = LISTED | NAME | REFERENCE_PRICE | ROUND_LOT | STATE | TICKS;

impl State {
    pub fn configure_symbol(&mut self, command: ConfigureSymbol) {
        let ConfigureSymbol { configuration_version, terms } = command;
        let symbol_id = self.directory.symbol_ids.get(terms.symbol).copied().unwrap_or(0);
        let check = self.check_version(configuration_version).and_then(|()| match symbol_id {
            0 => self.check_symbol(&terms),
            _ => self.check_new_terms(symbol_id, &terms),
        });
        if let Err(refusal) = check {
            let subject = configuration_version.into();
            return self.events.command_rejected(c::CONFIGURE_SYMBOL, subject, symbol_id, refusal);
        }
        match symbol_id {
            0 => self.list_configured(configuration_version, terms),
            _ => self.change_symbol(symbol_id, configuration_version, terms),
        }
    }

    fn list_configured(&mut self, version: u32, terms: AddSymbol) {
        let AddSymbol { symbol, reference_price, round_lot, state, name, ticks } = terms;
        let symbol_id = self.directory.symbols.len() as u32 + 1;
        let listed = Symbol { symbol: symbol.to_vec(), name: name.to_owned(), reference_price, ticks };
        let body = symbol_body(&listed, round_lot, state);
        let head = version.to_le_bytes();
        self.events.write_to_directory(e::SYMBOL_CONFIGURED, symbol_id, &[&head, &[WHOLE], &body]);
        self.list(listed, round_lot, state);
        self.begin_listed(symbol_id);
    }

    fn change_symbol(&mut self, symbol_id: u32, version: u32, terms: AddSymbol) {
        let place = symbol_id as usize - 1;
        let (symbol, market) = (&mut self.directory.symbols[place], &mut self.markets[place]);
        let mut changes = 0;
        if !terms.name.is_empty() && terms.name != symbol.name {
            changes |= NAME;
            symbol.name = terms.name.to_owned();
        }
        if terms.reference_price != 0 {
            changes |= REFERENCE_PRICE;
            symbol.reference_price = terms.reference_price;
            market.reference.set(terms.reference_price);
        }
        if terms.round_lot != 0 && terms.round_lot != market.round_lot {
            changes |= ROUND_LOT;
            market.round_lot = terms.round_lot;
        }
        if terms.state != 0 && terms.state != market.state {
            changes |= STATE;
            market.state = terms.state;
        }
        if !terms.ticks.is_empty() && terms.ticks != symbol.ticks {
            changes |= TICKS;
            market.set_ticks(&terms.ticks);
            symbol.ticks = terms.ticks;
        }
        let body = symbol_body(symbol, market.round_lot, market.state);
        let head = version.to_le_bytes();
        self.events.write_to_directory(e::SYMBOL_CONFIGURED, symbol_id, &[&head, &[changes], &body]);
        self.follow_state(symbol_id);
    }

    fn check_new_terms(&self, symbol_id: u32, terms: &AddSymbol) -> Check {
        let listed = &self.directory.symbols[symbol_id as usize - 1];
        let ticks = if terms.ticks.is_empty() { &listed.ticks } else { &terms.ticks };
        if !terms.name.is_empty() && !is_valid_name(terms.name) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        if !is_valid_tick_table(ticks) {
            return Err(Refusal::new(reason::TICK_TABLE_INVALID));
        }
        if terms.reference_price != 0 {
            check_reference_price(terms.reference_price, ticks)?;
        }
        match terms.state {
            0 => Ok(()),
            state => check_state(state),
        }
    }

    pub fn configure_rule(&mut self, command: &ConfigureRule) {
        let &ConfigureRule { configuration_version, number, count, rules_version, text } = command;
        let rule = Rule { configuration_version, number, count, rules_version, text: text.to_owned() };
        let check = self.check_version(configuration_version).and_then(|()| {
            if !self.directory.rules.is_next(&rule) {
                return Err(Refusal::measured(reason::COMMAND_MALFORMED, number));
            }
            if text.len() > RULE_BYTES_MAX || text.is_empty() != (count == 0) {
                return Err(Refusal::measured(reason::COMMAND_MALFORMED, text.len() as u64));
            }
            Ok(())
        });
        if let Err(refusal) = check {
            let subject = configuration_version.into();
            return self.events.command_rejected(c::CONFIGURE_RULE, subject, 0, refusal);
        }
        self.events.write_to_directory(e::RULE_CONFIGURED, 0, &[&rule_body(&rule)]);
        self.directory.rules.take(rule);
    }

    pub fn confirm_configuration(&mut self, command: &ConfirmConfiguration) {
        let &ConfirmConfiguration { configuration_version, key_id, approver_key_id, sha256, note } = command;
        let check = self.check_version(configuration_version).and_then(|()| match note.len() {
            size if size > NOTE_BYTES_MAX => Err(Refusal::measured(reason::COMMAND_MALFORMED, size as u64)),
            _ => Ok(()),
        });
        if let Err(refusal) = check {
            let subject = configuration_version.into();
            return self.events.command_rejected(c::CONFIRM_CONFIGURATION, subject, 0, refusal);
        }
        let body = confirmation_body(configuration_version, key_id, approver_key_id, &sha256, note);
        self.events.write_to_directory(e::CONFIGURATION_CHANGED, 0, &[&body]);
        self.directory.configuration_version = configuration_version;
    }

    fn check_version(&self, version: u32) -> Check {
        let in_force = self.directory.configuration_version;
        if version > in_force {
            return Ok(());
        }
        Err(Refusal::limited(reason::CONFIGURATION_SUPERSEDED, version, in_force))
    }
}

/// The body and tail of a RuleConfigured event.
pub fn rule_body(rule: &Rule) -> Vec<u8> {
    let mut body = Vec::from(rule.configuration_version.to_le_bytes());
    body.extend(rule.number.to_le_bytes());
    body.extend(rule.count.to_le_bytes());
    body.extend(rule.rules_version.to_le_bytes());
    body.extend((rule.text.len() as u16).to_le_bytes());
    body.extend(rule.text.as_bytes());
    body
}

/// The body and tail of a ConfigurationChanged event.
pub fn confirmation_body(
    version: u32,
    key_id: u32,
    approver_key_id: u32,
    sha256: &[u8; 32],
    note: &str,
) -> Vec<u8> {
    let mut body = Vec::from(version.to_le_bytes());
    body.extend(key_id.to_le_bytes());
    body.extend(approver_key_id.to_le_bytes());
    body.extend(sha256);
    body.extend((note.len() as u16).to_le_bytes());
    body.extend(note.as_bytes());
    body
}
