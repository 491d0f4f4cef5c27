//! Who and what the exchange knows, as far as commands are judged by it.

use std::collections::{BTreeMap, HashMap, HashSet};

const RULES_MAX: u16 = 100;

pub struct Symbol {
    pub symbol: Vec<u8>,
    pub name: String,
    pub reference_price: u32,
    /// (from price, tick)
    pub ticks: Vec<(u32, u32)>,
}

pub struct Account {
    pub participant_id: u32,
    pub name: String,
}

pub struct Key {
    pub participant_id: u32,
    pub role: u8,
    pub sha256: [u8; 32],
    pub label: String,
}

/// A rule of clearing; what it says only clearing judges.
#[derive(Clone)]
pub struct Rule {
    pub configuration_version: u32,
    pub number: u16,
    pub count: u16,
    pub rules_version: u32,
    pub text: String,
}

/// The rules in force, and those that are coming until their set is whole.
#[derive(Default)]
pub struct Rules {
    pub in_force: Vec<Rule>,
    pub coming: Vec<Rule>,
}

impl Rules {
    /// Takes the next rule of a set in. Number 1 begins a set, number 0 of 0 is the set without any.
    pub fn take(&mut self, rule: Rule) {
        let count = usize::from(rule.count);
        if rule.number <= 1 {
            self.coming.clear();
        }
        if count > 0 {
            self.coming.push(rule);
        }
        if self.coming.len() == count {
            self.in_force = std::mem::take(&mut self.coming);
        }
    }

    /// Tells whether a rule begins a set, or goes on with the one that is coming.
    pub fn is_next(&self, rule: &Rule) -> bool {
        if rule.number <= 1 {
            return rule.number == rule.count.min(1) && rule.count <= RULES_MAX;
        }
        self.coming.last().is_some_and(|last| {
            last.configuration_version == rule.configuration_version
                && last.number + 1 == rule.number
                && last.count == rule.count
                && last.rules_version == rule.rules_version
        })
    }
}

/// Symbols, participants and accounts by their id less 1; keys by their id.
#[derive(Default)]
pub struct Directory {
    pub symbols: Vec<Symbol>,
    /// By name the symbol's id.
    pub symbol_ids: HashMap<Vec<u8>, u32>,
    /// By a name that a symbol had before its id.
    pub former_names: BTreeMap<Vec<u8>, u32>,
    pub participants: Vec<String>,
    pub participant_names: HashSet<String>,
    pub accounts: Vec<Account>,
    pub account_names: HashSet<(u32, String)>,
    pub keys: BTreeMap<u32, Key>,
    pub key_ids: HashMap<[u8; 32], u32>,
    pub keys_created: u32,
    /// Of the last version whose changes all were sequenced.
    pub configuration_version: u32,
    pub rules: Rules,
}

impl Directory {
    pub fn add_symbol(&mut self, symbol: Symbol) {
        self.symbol_ids.insert(symbol.symbol.clone(), self.symbols.len() as u32 + 1);
        self.symbols.push(symbol);
    }

    /// Gives a symbol another ticker; the old one points to it from now on.
    pub fn rename(&mut self, symbol_id: u32, old: &[u8], symbol: &[u8], name: &str) {
        self.symbol_ids.remove(old);
        self.former_names.remove(symbol);
        self.former_names.insert(old.to_vec(), symbol_id);
        self.symbol_ids.insert(symbol.to_vec(), symbol_id);
        let listed = &mut self.symbols[symbol_id as usize - 1];
        (listed.symbol, listed.name) = (symbol.to_vec(), name.to_owned());
    }

    pub fn add_participant(&mut self, name: &str) {
        self.participants.push(name.to_owned());
        self.participant_names.insert(name.to_owned());
    }

    pub fn add_account(&mut self, participant_id: u32, name: &str) {
        self.accounts.push(Account { participant_id, name: name.to_owned() });
        self.account_names.insert((participant_id, name.to_owned()));
    }

    pub fn add_key(&mut self, key_id: u32, key: Key) {
        self.key_ids.insert(key.sha256, key_id);
        self.keys.insert(key_id, key);
        self.keys_created = self.keys_created.max(key_id);
    }

    pub fn has_symbol(&self, symbol_id: u32) -> bool {
        has(&self.symbols, symbol_id)
    }

    pub fn has_participant(&self, participant_id: u32) -> bool {
        has(&self.participants, participant_id)
    }

    #[inline(always)]
    pub fn has_account(&self, account_id: u32) -> bool {
        has(&self.accounts, account_id)
    }

    /// The participant to whom an account belongs; there must be one.
    #[inline(always)]
    pub fn owner_of(&self, account_id: u32) -> u32 {
        self.accounts[account_id as usize - 1].participant_id
    }
}

#[inline(always)]
fn has<T>(list: &[T], id: u32) -> bool {
    (id as usize).wrapping_sub(1) < list.len()
}
