//! Market makers' quotes and their protection, as they lie in records.

use crate::reader::{Malformed, Reader};

/// Two sides in a symbol, each (price, quantity).
pub struct Quote {
    pub symbol_id: u32,
    pub bid: (u32, u32),
    pub ask: (u32, u32),
}

pub struct MassQuote {
    pub account_id: u32,
    pub quote_id: u32,
    pub quotes: Vec<Quote>,
}

#[derive(Clone, Copy)]
pub struct CancelQuotes {
    pub participant_id: u32,
    pub account_id: u32,
    pub symbol_id: u32,
}

/// What may trade within a window before quotes are withdrawn; 0 for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    pub quantity: u32,
    pub executions: u32,
    pub percent_bps: u32,
    pub delta: u32,
    pub window_ms: u32,
}

#[derive(Clone, Copy)]
pub struct SetQuoteProtection {
    pub account_id: u32,
    pub symbol_id: u32,
    pub limits: Protection,
}

impl MassQuote {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let (account_id, quote_id, count) = (reader.u32()?, reader.u32()?, reader.u16()?);
        let mut quotes = Vec::new();
        for _ in 0..count {
            quotes.push(Quote {
                symbol_id: reader.u32()?,
                bid: (reader.u32()?, reader.u32()?),
                ask: (reader.u32()?, reader.u32()?),
            });
        }
        Ok(Self { account_id, quote_id, quotes })
    }
}

impl Protection {
    pub const BYTES: usize = 20;

    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            quantity: reader.u32()?,
            executions: reader.u32()?,
            percent_bps: reader.u32()?,
            delta: reader.u32()?,
            window_ms: reader.u32()?,
        })
    }

    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        crate::record::Fields::new(&mut bytes)
            .u32(self.quantity)
            .u32(self.executions)
            .u32(self.percent_bps)
            .u32(self.delta)
            .u32(self.window_ms)
            .end();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protection_is_read_as_it_was_written() {
        let bytes: Vec<u8> = (1..=Protection::BYTES as u8).collect();
        assert_eq!(Protection::read(&mut Reader::new(&bytes)).unwrap().bytes()[..], bytes[..]);
    }
}
