//! The state of OUCH sessions, which the events make: `wire/ouch_session.py`, with what waits for its answer.

use std::collections::{BTreeMap, VecDeque};

use crate::ClientOrderId;

use super::numbers::{NumberMap, NumberSet};
use super::reference::SESSIONS_MAX;

/// Latest trades of sessions that rulings can name.
pub const TRADES_REMEMBERED: usize = 65_536;
const USER_CHARACTERS_MAX: usize = 6;

/// A live order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub order_id: u64,
    pub session: u32,
    pub number: u32,
    pub reference: ClientOrderId,
    pub symbol_id: u32,
    pub order_type: u8,
    pub price: u32,
    pub quantity: u32,
    pub leaves: u32,
    pub is_post_only: bool,
    pub is_cancelling: bool,
}

/// A side of a recent trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    pub session: u32,
    pub order_id: u64,
    pub number: u32,
    pub added: bool,
    pub cl_ord_id: [u8; 14],
}

/// The sides of a trade that sessions have, the resting one first.
pub type Sides = [Option<Trade>; 2];

/// One OUCH user, and the port to it.
#[derive(Clone, Debug)]
pub struct Session {
    pub session: u32,
    pub user: String,
    pub account_id: u64,
    pub participant_id: u32,
    pub cancel_on_disconnect: bool,
    pub last_number: u32,
    pub sequence: u64,
    pub is_disabled: bool,
    pub port: Port,
    /// Where its messages are gathered, counted from 1; 0 where there are none.
    pub room: usize,
}

/// What one session's side of the translation knows: places of live orders by number, and what waits for an answer.
#[derive(Clone, Debug, Default)]
pub struct Port {
    pub live: NumberMap<u32, u32>,
    pub waiting: NumberSet<u32>,
    pub last_number: u32,
    pub is_disabled: bool,
}

impl Session {
    pub fn new(session: u32, terms: Terms, participant_id: u32) -> Self {
        Self {
            session,
            user: terms.user,
            account_id: terms.account_id,
            participant_id,
            cancel_on_disconnect: terms.cancel_on_disconnect,
            last_number: 0,
            sequence: 0,
            is_disabled: false,
            port: Port::default(),
            room: 0,
        }
    }
}

/// What an operator decided about a session.
pub struct Terms {
    pub user: String,
    pub account_id: u64,
    pub cancel_on_disconnect: bool,
}

/// The terms of the session that a key is, if it is one.
pub fn terms_of(label: &str, key_id: u32) -> Option<Terms> {
    let (user, rest) = label.strip_prefix("ouch:")?.split_once(" account=")?;
    let digits = rest.strip_suffix(" cancel_on_disconnect").unwrap_or(rest);
    let is_user = (1..=USER_CHARACTERS_MAX).contains(&user.len())
        && user.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_account = (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_user || !is_account || key_id > SESSIONS_MAX {
        return None;
    }
    Some(Terms {
        user: user.to_owned(),
        account_id: digits.parse().ok()?,
        cancel_on_disconnect: digits.len() < rest.len(),
    })
}

/// What a note said of the command right after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    pub command: u64,
    pub session: u32,
    pub kind: u8,
    pub number: u32,
}

/// All sessions of an engine.
#[derive(Default)]
pub struct State {
    pub event_sequence: u64,
    pub business_date: u32,
    pub sessions: BTreeMap<u32, Session>,
    pub orders: Orders,
    pub trades: VecDeque<(u64, Sides)>,
    pub symbols: BTreeMap<u32, [u8; 8]>,
    pub symbol_ids: BTreeMap<[u8; 8], u32>,
    pub announced: Announced,
    /// What notes have said for the note after them.
    pub firm: u32,
    pub symbol_id: u32,
}

impl State {
    /// Takes a symbol in, or its new ticker.
    pub fn add_symbol(&mut self, symbol_id: u32, symbol: [u8; 8]) {
        if let Some(former) = self.symbols.insert(symbol_id, symbol) {
            self.symbol_ids.remove(&former);
        }
        self.symbol_ids.insert(symbol, symbol_id);
    }

    /// Takes an order of one of the sessions in as live.
    pub fn begin(&mut self, order: Order) {
        let place = self.orders.add(order);
        if let Some(session) = self.sessions.get_mut(&order.session) {
            session.port.live.insert(order.number, place);
        }
    }

    /// Remembers a trade, the oldest one no longer where there are many.
    pub fn remember(&mut self, match_id: u64, sides: Sides) {
        self.trades.push_back((match_id, sides));
        if self.trades.len() > TRADES_REMEMBERED {
            self.trades.pop_front();
        }
    }

    /// Where a trade stands among the remembered ones, whose ids rise.
    pub fn place_of_trade(&self, match_id: u64) -> Option<usize> {
        self.trades.binary_search_by_key(&match_id, |trade| trade.0).ok()
    }
}

/// Live orders in places that are used again.
#[derive(Default)]
pub struct Orders {
    places: Vec<Order>,
    free: Vec<u32>,
    by_id: NumberMap<u64, u32>,
}

impl Orders {
    pub fn add(&mut self, order: Order) -> u32 {
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = order;
                place
            }
            None => {
                self.places.push(order);
                self.places.len() as u32 - 1
            }
        };
        self.by_id.insert(order.order_id, place);
        place
    }

    pub fn find(&self, order_id: u64) -> Option<u32> {
        self.by_id.get(&order_id).copied()
    }

    pub fn at(&self, place: u32) -> &Order {
        &self.places[place as usize]
    }

    pub fn at_mut(&mut self, place: u32) -> &mut Order {
        &mut self.places[place as usize]
    }

    pub fn remove(&mut self, place: u32) {
        self.by_id.remove(&self.places[place as usize].order_id);
        self.free.push(place);
    }

    /// All of them, oldest first.
    pub fn in_sequence(&self) -> Vec<&Order> {
        let mut live: Vec<&Order> = self.by_id.values().map(|&place| self.at(place)).collect();
        live.sort_unstable_by_key(|order| order.order_id);
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_of_sessions_have_terms() {
        let terms = terms_of("ouch:ALICE1 account=12 cancel_on_disconnect", 7).unwrap();
        assert_eq!((&*terms.user, terms.account_id, terms.cancel_on_disconnect), ("ALICE1", 12, true));
        assert!(!terms_of("ouch:A account=1", 7).unwrap().cancel_on_disconnect);
        for label in
            ["ouch:ALICE12 account=1", "ouch:a account=1", "ouch:A account=", "A account=1", "ouch:A"]
        {
            assert!(terms_of(label, 7).is_none(), "{label}");
        }
        assert!(terms_of("ouch:A account=1", SESSIONS_MAX + 1).is_none());
        assert!(terms_of("ouch:A account=12345678901", 7).is_none());
    }
}
