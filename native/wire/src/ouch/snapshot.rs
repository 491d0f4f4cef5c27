//! The state of the sessions as MessagePack, the bytes that `wire/ouch_translator.py` writes: fast enough not to be
//! noticed between two batches.

use super::session::{Order, Session, Sides, State, Trade};

/// Writes values one after the other, each in the shortest form.
struct Writer(Vec<u8>);

impl Writer {
    fn int(&mut self, number: u64) -> &mut Self {
        let bytes = number.to_be_bytes();
        match number {
            0..=0x7F => self.0.push(number as u8),
            0x80..=0xFF => self.0.extend([0xCC, bytes[7]]),
            0x100..=0xFFFF => self.tagged(0xCD, &bytes[6..]),
            0x1_0000..=0xFFFF_FFFF => self.tagged(0xCE, &bytes[4..]),
            _ => self.tagged(0xCF, &bytes),
        }
        self
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(bytes);
    }

    fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(if value { 0xC3 } else { 0xC2 });
        self
    }

    /// Short bytes: up to 255.
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.tagged(0xC4, &[bytes.len() as u8]);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Short text: up to 31 bytes.
    fn text(&mut self, text: &str) -> &mut Self {
        self.tagged(0xA0 | text.len() as u8, text.as_bytes());
        self
    }

    fn array(&mut self, size: usize) -> &mut Self {
        self.sized(size, 0x90, 0xDC)
    }

    fn map(&mut self, size: usize) -> &mut Self {
        self.sized(size, 0x80, 0xDE)
    }

    fn sized(&mut self, size: usize, short: u8, long: u8) -> &mut Self {
        let bytes = (size as u32).to_be_bytes();
        match size {
            0..=15 => self.0.push(short | size as u8),
            16..=0xFFFF => self.tagged(long, &bytes[2..]),
            _ => self.tagged(long + 1, &bytes),
        }
        self
    }

    fn session(&mut self, session: &Session) {
        self.array(8).int(session.session.into()).text(&session.user).int(session.account_id);
        self.int(session.participant_id.into()).bool(session.cancel_on_disconnect);
        self.int(session.last_number.into()).int(session.sequence).bool(session.is_disabled);
    }

    fn order(&mut self, order: &Order) {
        let size = order.reference.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        self.array(11).int(order.order_id).int(order.session.into()).int(order.number.into());
        self.bytes(&order.reference[..size]).int(order.symbol_id.into()).int(order.order_type.into());
        self.int(order.price.into()).int(order.quantity.into()).int(order.leaves.into());
        self.bool(order.is_post_only).bool(order.is_cancelling);
    }

    fn sides(&mut self, sides: &Sides) {
        self.array(sides.iter().flatten().count());
        for Trade { session, order_id, number, added, cl_ord_id } in sides.iter().flatten() {
            self.array(5).int((*session).into()).int(*order_id).int((*number).into());
            self.bool(*added).bytes(cl_ord_id);
        }
    }
}

impl State {
    /// The whole state.
    pub fn snapshot(&self) -> Vec<u8> {
        let orders = self.orders.in_sequence();
        let mut out = Writer(Vec::with_capacity(1024 + orders.len() * 128 + self.trades.len() * 96));
        out.map(9).text("event_sequence").int(self.event_sequence);
        out.text("business_date").int(self.business_date.into());
        out.text("sessions").map(self.sessions.len());
        for (&number, session) in &self.sessions {
            out.int(number.into()).session(session);
        }
        out.text("orders").map(orders.len());
        for order in orders {
            out.int(order.order_id).order(order);
        }
        out.text("trades").map(self.trades.len());
        for (match_id, sides) in &self.trades {
            out.int(*match_id).sides(sides);
        }
        out.text("symbols").map(self.symbols.len());
        for (&number, symbol) in &self.symbols {
            out.int(number.into()).bytes(symbol);
        }
        let said = self.announced;
        out.text("announced").array(4).int(said.command).int(said.session.into());
        out.int(said.kind.into()).int(said.number.into());
        out.text("firm").int(self.firm.into()).text("symbol_id").int(self.symbol_id.into());
        out.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_take_their_shortest_form() {
        let mut out = Writer(Vec::new());
        out.int(127).int(128).int(256).int(65_536).int(1 << 32).array(15).array(16).map(65_536);
        let expected: [&[u8]; 8] = [
            &[127],
            &[0xCC, 128],
            &[0xCD, 1, 0],
            &[0xCE, 0, 1, 0, 0],
            &[0xCF, 0, 0, 0, 1, 0, 0, 0, 0],
            &[0x9F],
            &[0xDC, 0, 16],
            &[0xDF, 0, 1, 0, 0],
        ];
        assert_eq!(out.0, expected.concat());
    }
}
