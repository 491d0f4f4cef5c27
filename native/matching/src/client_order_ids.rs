//! The client order ids each account has used on this business date: a repeated order does nothing.
//!
//! An id that begins with `~` belongs to a binary session. Its numbers only rise, so none of them is kept.

use std::collections::{BTreeMap, HashMap};

use exchange_wire::commands::{Body, REPLACE_ORDER};
use exchange_wire::ClientOrderId;

/// The first character of the ids of binary sessions.
const SESSION_MARK: u8 = b'~';

/// What came first under a client order id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FirstUse {
    /// The order it made.
    pub order_id: u64,
    pub command_type: u8,
    /// The body before the client order id.
    pub body: Body,
}

#[derive(Default)]
struct Used {
    entries: Vec<(ClientOrderId, FirstUse)>,
    places: HashMap<ClientOrderId, usize>,
}

/// A table per account; only accepted orders are remembered.
#[derive(Default)]
pub struct ClientOrderIds {
    used: BTreeMap<u32, Used>,
    /// The account of an order that gave way to one with a client order id.
    replaced: HashMap<u64, u32>,
}

impl ClientOrderIds {
    pub fn find(&self, account_id: u32, client_order_id: &ClientOrderId) -> Option<&FirstUse> {
        let used = self.used.get(&account_id)?;
        used.places.get(client_order_id).map(|&place| &used.entries[place].1)
    }

    pub fn count(&self, account_id: u32) -> usize {
        self.used.get(&account_id).map_or(0, |used| used.entries.len())
    }

    pub fn account_of_replaced(&self, order_id: u64) -> u32 {
        self.replaced.get(&order_id).copied().unwrap_or(0)
    }

    /// Notes the first use of an id, but for one of a session.
    pub fn remember(&mut self, account_id: u32, client_order_id: ClientOrderId, first: FirstUse) {
        if client_order_id[0] == SESSION_MARK {
            return;
        }
        let used = self.used.entry(account_id).or_default();
        match used.places.get(&client_order_id) {
            Some(&place) => used.entries[place].1 = first,
            None => {
                used.places.insert(client_order_id, used.entries.len());
                used.entries.push((client_order_id, first));
            }
        }
        if first.command_type == REPLACE_ORDER {
            let order_id = first.body.first_chunk().expect("a body is longer than an order id");
            self.replaced.insert(u64::from_le_bytes(*order_id), account_id);
        }
    }

    /// Starts a business date: only ids of live orders stay.
    pub fn forget_all_but(&mut self, is_live: impl Fn(u64) -> bool) {
        let old = std::mem::take(&mut self.used);
        self.replaced.clear();
        for (account_id, used) in old {
            for (client_order_id, first) in used.entries {
                if is_live(first.order_id) {
                    self.remember(account_id, client_order_id, first);
                }
            }
        }
    }

    /// (account id, client order id, first use), by account, then in the sequence of use.
    pub fn entries(&self) -> impl Iterator<Item = (u32, &ClientOrderId, &FirstUse)> {
        let accounts = self.used.iter();
        accounts.flat_map(|(&account, used)| used.entries.iter().map(move |(id, first)| (account, id, first)))
    }
}
