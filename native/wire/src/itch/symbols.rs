//! The symbols as far as messages tell of them.

use super::messages::Stock;

const ACTIVE: u8 = 1;
pub const CONTINUOUS: u8 = 1;

/// One symbol. tier: of its price bands; trigger_bps: above 0 where short sales can be restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub stock: Stock,
    pub round_lot: u32,
    pub state: u8,
    pub phase: u8,
    pub tier: u8,
    pub trigger_bps: u16,
    pub is_short_restricted: bool,
}

impl Symbol {
    /// The state of a trading action: T trading, Q orders gather, P paused for its price, H nothing trades.
    pub fn action(&self) -> u8 {
        match (self.state, self.phase) {
            (ACTIVE, CONTINUOUS) => b'T',
            (ACTIVE, 11) => b'P',
            (ACTIVE, 7..=9) => b'H',
            (ACTIVE, _) => b'Q',
            _ => b'H',
        }
    }

    pub fn tier_code(&self) -> u8 {
        if self.tier == 0 {
            b' '
        } else {
            b'0' + self.tier % 10
        }
    }
}

/// A ticker as messages have it: filled up with blanks, not with zeros.
pub fn stock_of(padded: Stock) -> Stock {
    let mut stock = padded;
    for byte in stock.iter_mut().rev().take_while(|byte| **byte == 0) {
        *byte = b' ';
    }
    stock
}

/// All symbols by their id, which count from 1.
#[derive(Default)]
pub struct Symbols(Vec<Option<Symbol>>);

impl Symbols {
    pub fn set(&mut self, symbol_id: u32, symbol: Symbol) {
        // An id is two bytes of a message.
        let at = usize::from(symbol_id as u16);
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(symbol);
    }

    #[inline(always)]
    pub fn get(&self, symbol_id: u32) -> Option<&Symbol> {
        self.0.get(symbol_id as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, symbol_id: u32) -> Option<&mut Symbol> {
        self.0.get_mut(symbol_id as usize)?.as_mut()
    }

    /// Ids and symbols, lowest id first.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Symbol)> {
        self.0.iter().enumerate().filter_map(|(id, symbol)| symbol.as_ref().map(|symbol| (id as u32, symbol)))
    }
}
