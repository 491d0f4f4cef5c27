//! How a symbol shares a trade out among the orders at one price, as it lies in records.

use crate::reader::{Malformed, Reader};

pub const FIFO: u8 = 1;
pub const PRO_RATA: u8 = 2;
pub const TOP: u8 = 3;
pub const LEAD: u8 = 4;
pub const SPLIT: u8 = 5;
pub const LEVELING: u8 = 6;

pub const ROUND_DOWN: u8 = 1;
pub const ROUND_UP: u8 = 2;

/// One step. What its kind does not take is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub kind: u8,
    pub rounding: u8,
    pub share_bps: u16,
    pub minimum: u32,
    pub maximum: u32,
}

/// An account that is a lead market maker, and its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadMaker {
    pub account_id: u32,
    pub share_bps: u16,
}

/// No steps is price-time priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    pub steps: Vec<Step>,
    pub lead_makers: Vec<LeadMaker>,
}

impl Allocation {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let (steps, makers) = (reader.u16()?, reader.u16()?);
        let mut allocation = Self::default();
        for _ in 0..steps {
            allocation.steps.push(Step {
                kind: reader.u8()?,
                rounding: reader.u8()?,
                share_bps: reader.u16()?,
                minimum: reader.u32()?,
                maximum: reader.u32()?,
            });
        }
        for _ in 0..makers {
            let (account_id, share_bps) = (reader.u32()?, reader.u16()?);
            allocation.lead_makers.push(LeadMaker { account_id, share_bps });
        }
        Ok(allocation)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from((self.steps.len() as u16).to_le_bytes());
        bytes.extend((self.lead_makers.len() as u16).to_le_bytes());
        for step in &self.steps {
            bytes.extend([step.kind, step.rounding]);
            bytes.extend(step.share_bps.to_le_bytes());
            bytes.extend(step.minimum.to_le_bytes());
            bytes.extend(step.maximum.to_le_bytes());
        }
        for maker in &self.lead_makers {
            bytes.extend(maker.account_id.to_le_bytes());
            bytes.extend(maker.share_bps.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_read_as_it_was_written() {
        let steps = vec![Step { kind: TOP, rounding: 0, share_bps: 1, minimum: 2, maximum: 3 }];
        let lead_makers = vec![LeadMaker { account_id: 4, share_bps: 5 }];
        let allocation = Allocation { steps, lead_makers };
        let bytes = allocation.bytes();
        assert_eq!(Allocation::read(&mut Reader::new(&bytes)), Ok(allocation));
        assert_eq!(Allocation::read(&mut Reader::new(&bytes[..bytes.len() - 1])), Err(Malformed));
    }
}
