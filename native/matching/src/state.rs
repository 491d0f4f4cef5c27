//! Everything a venue knows, in one place.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use exchange_wire::terms::Terms;

use crate::client_order_ids::ClientOrderIds;
use crate::directory::Directory;
use crate::event_stream::EventStream;
use crate::holdings::Holdings;
use crate::market::Market;
use crate::order_book::Orders;
use crate::order_lists::{Note, OrderList};
use crate::phase::CONTINUOUS;
use crate::phases::ScheduledPhase;
use crate::quotes::QuoteDesk;
use crate::risk_checks::Risk;
use crate::self_trade::Group;
use crate::stop_orders::Triggered;
use crate::volatility::Breaker;

/// How many of each a venue takes; one more is rejected.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub symbols: u64,
    pub participants: u64,
    pub accounts: u64,
    pub keys: u64,
    pub client_order_ids: u64,
    pub rulings: u64,
    pub risk_limits: u64,
}

pub struct State {
    pub limits: Limits,
    pub events: EventStream,
    pub directory: Directory,
    /// By symbol id less 1.
    pub markets: Vec<Market>,
    pub orders: Orders,
    /// Those of the order that is coming in, where it has some.
    pub terms_in_hand: Terms,
    pub triggered: VecDeque<Triggered>,
    /// What the command did to orders on which others depend, until that is followed.
    pub noted: VecDeque<Note>,
    /// By list id.
    pub order_lists: BTreeMap<u64, OrderList>,
    /// List ids by the ids of their orders, also of those that wait.
    pub list_of: HashMap<u64, u64>,
    /// Ids of the symbols that have pegged orders.
    pub pegged: BTreeSet<u32>,
    /// By account and symbol id.
    pub quote_desks: BTreeMap<(u32, u32), QuoteDesk>,
    /// The last command that reserved an order id, and how many did so one after the other.
    pub reserved: (u64, u32),
    /// By participant, of those that are in one.
    pub self_trade_groups: BTreeMap<u32, Group>,
    pub client_order_ids: ClientOrderIds,
    pub holdings: Holdings,
    /// Match ids of busted trades.
    pub busted: BTreeSet<u64>,
    /// (price, quantity) of corrected trades by match id.
    pub corrected: BTreeMap<u64, (u32, u32)>,
    pub risk: Risk,
    /// YYYYMMDD, 0 before the first.
    pub business_date: u32,
    /// When the business date rolls by itself, 0 for never.
    pub day_ends_ns: u64,
    /// In which new symbols begin.
    pub market_phase: u8,
    /// Where the schedule has got, though the market be halted.
    pub market_scheduled_phase: u8,
    /// What is to come, soonest first.
    pub schedule: Vec<ScheduledPhase>,
    /// (when a phase ends by itself, symbol id).
    pub phase_ends: BTreeSet<(u64, u32)>,
    /// Ids of the symbols whose auction is indicated.
    pub indicated: BTreeSet<u32>,
    /// Ids of the symbols that have price bands or a corridor.
    pub guarded: BTreeSet<u32>,
    /// (when bands ask for time, symbol id).
    pub guards_due: BTreeSet<(u64, u32)>,
    pub breaker: Breaker,
}

impl State {
    pub fn new(partition: u8, limits: Limits) -> Self {
        Self {
            limits,
            events: EventStream::new(partition),
            directory: Directory::default(),
            markets: Vec::new(),
            orders: Orders::new(partition),
            terms_in_hand: Terms::default(),
            triggered: VecDeque::new(),
            noted: VecDeque::new(),
            order_lists: BTreeMap::new(),
            list_of: HashMap::new(),
            pegged: BTreeSet::new(),
            quote_desks: BTreeMap::new(),
            reserved: (0, 0),
            self_trade_groups: BTreeMap::new(),
            client_order_ids: ClientOrderIds::default(),
            holdings: Holdings::default(),
            busted: BTreeSet::new(),
            corrected: BTreeMap::new(),
            risk: Risk::default(),
            business_date: 0,
            day_ends_ns: 0,
            market_phase: CONTINUOUS,
            market_scheduled_phase: CONTINUOUS,
            schedule: Vec::new(),
            phase_ends: BTreeSet::new(),
            indicated: BTreeSet::new(),
            guarded: BTreeSet::new(),
            guards_due: BTreeSet::new(),
            breaker: Breaker::default(),
        }
    }

    #[inline(always)]
    pub fn market(&self, symbol_id: u32) -> Option<&Market> {
        self.markets.get((symbol_id as usize).wrapping_sub(1))
    }

    #[inline(always)]
    pub fn market_mut(&mut self, symbol_id: u32) -> &mut Market {
        &mut self.markets[symbol_id as usize - 1]
    }
}
