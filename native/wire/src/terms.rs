//! What an order asks beyond price, quantity, time in force and flags, as it lies in records.

use crate::reader::{Malformed, Reader};

/// 0 stands where an order does not ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub minimum_quantity: u32,
    pub display_quantity: u32,
    pub stop_price: u32,
    pub trail_amount: u32,
    pub trail_bps: u16,
    pub expires_ns: u64,
}

impl Terms {
    pub const BYTES: usize = 26;

    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            minimum_quantity: reader.u32()?,
            display_quantity: reader.u32()?,
            stop_price: reader.u32()?,
            trail_amount: reader.u32()?,
            trail_bps: reader.u16()?,
            expires_ns: reader.u64()?,
        })
    }

    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        crate::record::Fields::new(&mut bytes)
            .u32(self.minimum_quantity)
            .u32(self.display_quantity)
            .u32(self.stop_price)
            .u32(self.trail_amount)
            .u16(self.trail_bps)
            .u64(self.expires_ns)
            .end();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_were_written() {
        let bytes: Vec<u8> = (1..=Terms::BYTES as u8).collect();
        assert_eq!(Terms::read(&mut Reader::new(&bytes)).unwrap().bytes()[..], bytes[..]);
    }
}
