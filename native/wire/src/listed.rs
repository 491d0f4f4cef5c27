//! The orders of a list, and pegged orders, as they lie in records.

use crate::events::Kind;
use crate::reader::{unpadded, Malformed, Reader};
use crate::terms::Terms;
use crate::ClientOrderId;

/// One order of a list.
pub struct ListedOrder {
    pub kind: Kind,
    pub price: u32,
    pub quantity: u32,
    pub client_order_id: ClientOrderId,
    pub terms: Terms,
}

impl ListedOrder {
    pub const BYTES: usize = 48 + Terms::BYTES;
}

/// Orders that depend on each other. body: all of the command behind its header.
pub struct EnterOrderList<'a> {
    pub account_id: u32,
    pub symbol_id: u32,
    pub contingency: u8,
    pub orders: Vec<ListedOrder>,
    pub body: &'a [u8],
}

impl EnterOrderList<'_> {
    /// How many orders there are, and they, as they lie in the command.
    pub fn rows(&self) -> &[u8] {
        &self.body[9..]
    }
}

/// An order whose price follows the best prices shown. body: all of the command behind its header.
pub struct EnterPeggedOrder<'a> {
    pub account_id: u32,
    pub symbol_id: u32,
    pub side: u8,
    pub time_in_force: u8,
    pub kind: u8,
    pub offset: i32,
    pub limit: u32,
    pub quantity: u32,
    pub client_order_id: ClientOrderId,
    pub body: &'a [u8],
}

impl<'a> EnterPeggedOrder<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let body = reader.rest();
        let command = Self {
            account_id: reader.u32()?,
            symbol_id: reader.u32()?,
            side: reader.u8()?,
            time_in_force: reader.u8()?,
            kind: reader.u8()?,
            offset: reader.u32()? as i32,
            limit: reader.u32()?,
            quantity: reader.u32()?,
            client_order_id: reader.array()?,
            body,
        };
        if !unpadded(&command.client_order_id).is_ascii() {
            return Err(Malformed);
        }
        Ok(command)
    }
}

pub fn listed_orders(reader: &mut Reader) -> Result<Vec<ListedOrder>, Malformed> {
    let count = reader.u16()?;
    let mut orders = Vec::new();
    for _ in 0..count {
        let [side, order_type, time_in_force, flags] = reader.array()?;
        let (price, quantity) = (reader.u32()?, reader.u32()?);
        let client_order_id: ClientOrderId = reader.array()?;
        if !unpadded(&client_order_id).is_ascii() {
            return Err(Malformed);
        }
        let kind = Kind { side, order_type, time_in_force, flags };
        orders.push(ListedOrder { kind, price, quantity, client_order_id, terms: Terms::read(reader)? });
    }
    Ok(orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_a_list_are_read_in_their_sequence_and_in_ascii_only() {
        let mut bytes = vec![2, 0];
        bytes.extend((0..ListedOrder::BYTES as u8).map(|n| n % 100));
        bytes.extend((0..ListedOrder::BYTES as u8).map(|n| n % 50));
        let orders = listed_orders(&mut Reader::new(&bytes)).unwrap();
        assert_eq!((orders.len(), orders[0].client_order_id[0], orders[1].terms.bytes()[0]), (2, 12, 48));
        bytes[2 + 12] = 0xFF;
        assert!(listed_orders(&mut Reader::new(&bytes)).is_err());
    }
}
