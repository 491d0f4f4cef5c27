//! Who gets what: shares a quantity out among the orders that stand at one price, by a list of steps.
//!
//! `src/exchange/matching/allocation.py` has the rules.

use exchange_wire::allocation::{
    Allocation, Step, FIFO, LEAD, LEVELING, PRO_RATA, ROUND_DOWN, ROUND_UP, SPLIT, TOP,
};
use exchange_wire::commands::SET_ALLOCATION;
use exchange_wire::events::ALLOCATION_SET;

use crate::administration::Check;
use crate::order_book::Order;
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

const STEPS_MAX: usize = 8;
const LEAD_MAKERS_MAX: usize = 16;
/// The whole, in basis points.
const SHARE_MAX: u16 = 10_000;

/// An order at the price, oldest first. quantity: what of it is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    pub quantity: u32,
    pub account_id: u32,
    pub is_top: bool,
}

impl State {
    /// Sets how trades are shared out among the orders at one price; nobody is the top order any more.
    pub fn set_allocation(&mut self, symbol_id: u32, allocation: Allocation) {
        if let Err(refusal) = self.check_allocation(symbol_id, &allocation) {
            return self.events.command_rejected(SET_ALLOCATION, symbol_id.into(), symbol_id, refusal);
        }
        self.events.write_to_directory(ALLOCATION_SET, symbol_id, &[&allocation.bytes()]);
        self.market_mut(symbol_id).set_allocation(allocation);
    }

    fn check_allocation(&self, symbol_id: u32, allocation: &Allocation) -> Check {
        let Allocation { steps, lead_makers } = allocation;
        if let Some(maker) = lead_makers.iter().find(|maker| !self.directory.has_account(maker.account_id)) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, maker.account_id));
        }
        if !self.directory.has_symbol(symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        }
        check_steps(allocation)?;
        if !lead_makers_fit(allocation) {
            let shares: i128 = lead_makers.iter().map(|maker| i128::from(maker.share_bps)).sum();
            return Err(Refusal::limited(reason::LEAD_MAKERS_INVALID, shares, SHARE_MAX));
        }
        debug_assert!(steps.len() <= STEPS_MAX);
        Ok(())
    }
}

/// Checks that an allocation is one, whoever its lead market makers are.
pub fn check_steps(allocation: &Allocation) -> Check {
    let Allocation { steps, lead_makers } = allocation;
    for (listed, maximum) in [(steps.len(), STEPS_MAX), (lead_makers.len(), LEAD_MAKERS_MAX)] {
        if listed > maximum {
            return Err(Refusal::limited(reason::ALLOCATION_TOO_LONG, listed as u64, maximum as u64));
        }
    }
    match (0..steps.len()).find(|&place| !is_valid(steps, place)) {
        Some(bad) => {
            let (number, of) = (bad as u64 + 1, steps.len() as u64);
            Err(Refusal::limited(reason::ALLOCATION_STEP_INVALID, number, of))
        }
        None => Ok(()),
    }
}

/// Whether a step is what and where it can be.
fn is_valid(steps: &[Step], place: usize) -> bool {
    let step = steps[place];
    let before = |kind| steps[..place].iter().any(|other| other.kind == kind);
    let behind = |kind| steps[place + 1..].iter().any(|other| other.kind == kind);
    let is_blank = step == Step { kind: step.kind, ..Step::default() };
    match step.kind {
        FIFO => is_blank,
        PRO_RATA => {
            matches!(step.rounding, ROUND_DOWN | ROUND_UP) && (step.share_bps, step.maximum) == (0, 0)
        }
        TOP => step.rounding == 0 && (1..=SHARE_MAX).contains(&step.share_bps) && !before(TOP),
        LEAD => is_blank && !before(LEAD),
        SPLIT => {
            let is_plain = (step.rounding, step.minimum, step.maximum) == (0, 0, 0);
            let is_before_both = behind(FIFO) && behind(PRO_RATA) && !before(SPLIT);
            is_plain && (1..SHARE_MAX).contains(&step.share_bps) && is_before_both
        }
        LEVELING => is_blank && before(PRO_RATA),
        _ => false,
    }
}

/// Whether each is named once, each share is above 0, all together at most the whole, and a step serves them.
fn lead_makers_fit(allocation: &Allocation) -> bool {
    let makers = &allocation.lead_makers;
    let is_named_once = |place: usize| {
        let account_id = makers[place].account_id;
        makers[..place].iter().all(|other| other.account_id != account_id)
    };
    let has_step = allocation.steps.iter().any(|step| step.kind == LEAD);
    let shares: u64 = makers.iter().map(|maker| u64::from(maker.share_bps)).sum();
    has_step != makers.is_empty()
        && (0..makers.len()).all(is_named_once)
        && makers.iter().all(|maker| maker.share_bps > 0)
        && shares <= u64::from(SHARE_MAX)
}

/// Gives how much of a quantity each order gets, in the sequence of the orders, which is that of their age.
pub fn allocate(quantity: u32, orders: &[Standing], allocation: &Allocation, lot: u32) -> Vec<u32> {
    if u64::from(quantity) >= orders.iter().map(|order| u64::from(order.quantity)).sum() {
        return orders.iter().map(|order| order.quantity).collect();
    }
    let (given, by_size) = (vec![0; orders.len()], vec![0; orders.len()]);
    let lot = u64::from(lot);
    let mut sharing =
        Sharing { left: quantity, given, by_size, orders, lot, for_fifo: None, for_pro_rata: None };
    for step in &allocation.steps {
        match step.kind {
            FIFO => sharing.fifo(),
            PRO_RATA => sharing.pro_rata(step),
            TOP => sharing.top(step),
            LEAD => sharing.lead(allocation),
            SPLIT => sharing.split(step),
            _ => sharing.level(),
        }
    }
    sharing.give_oldest_first(sharing.left);
    sharing.given
}

/// A quantity on its way to the orders. left: what nobody has yet; by_size: what of `given` came from pro-rata steps.
struct Sharing<'a> {
    left: u32,
    given: Vec<u32>,
    by_size: Vec<u32>,
    orders: &'a [Standing],
    lot: u64,
    for_fifo: Option<u32>,
    for_pro_rata: Option<u32>,
}

impl Sharing<'_> {
    fn give_oldest_first(&mut self, mut quantity: u32) {
        for place in 0..self.orders.len() {
            if quantity == 0 {
                return;
            }
            quantity -= self.give(place, quantity);
        }
    }

    fn fifo(&mut self) {
        let quantity = self.for_fifo.take().unwrap_or(self.left).min(self.left);
        self.give_oldest_first(quantity);
    }

    fn top(&mut self, step: &Step) {
        let share = self.share(step.share_bps);
        let most = if step.maximum == 0 { share } else { share.min(step.maximum) };
        for place in 0..self.orders.len() {
            if self.orders[place].is_top {
                self.give(place, most);
            }
        }
    }

    fn lead(&mut self, allocation: &Allocation) {
        let shares: Vec<u32> =
            allocation.lead_makers.iter().map(|maker| self.share(maker.share_bps)).collect();
        for (maker, mut share) in allocation.lead_makers.iter().zip(shares) {
            for place in 0..self.orders.len() {
                if self.orders[place].account_id == maker.account_id {
                    share -= self.give(place, share);
                }
            }
        }
    }

    fn split(&mut self, step: &Step) {
        let for_fifo = self.share(step.share_bps);
        self.for_fifo = Some(for_fifo);
        self.for_pro_rata = Some(self.left - for_fifo);
    }

    fn pro_rata(&mut self, step: &Step) {
        let quantity = self.for_pro_rata.take().unwrap_or(self.left).min(self.left);
        let sizes: Vec<u32> =
            self.orders.iter().zip(&self.given).map(|(order, given)| order.quantity - given).collect();
        let total: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
        let mut places: Vec<usize> = (0..sizes.len()).collect();
        if step.rounding == ROUND_UP {
            places.sort_by_key(|&place| std::cmp::Reverse(sizes[place]));
        }
        let divisor = u128::from(total) * u128::from(self.lot);
        let mut budget = quantity;
        for place in places {
            let part = u128::from(quantity) * u128::from(sizes[place]);
            let lots = if step.rounding == ROUND_UP { part.div_ceil(divisor) } else { part / divisor };
            let share = lots * u128::from(self.lot);
            if share != 0 && share >= u128::from(step.minimum) {
                let got = self.give(place, share.min(budget.into()) as u32);
                self.by_size[place] += got;
                budget -= got;
            }
        }
    }

    fn level(&mut self) {
        for place in 0..self.orders.len() {
            if self.by_size[place] == 0 {
                self.give(place, self.lot as u32);
            }
        }
    }

    /// A share of what is left, in whole lots.
    fn share(&self, share_bps: u16) -> u32 {
        let lots = u64::from(self.left) * u64::from(share_bps) / (u64::from(SHARE_MAX) * self.lot);
        (lots * self.lot) as u32
    }

    /// Gives an order so much, as far as there is something left and it has room; says how much it got.
    fn give(&mut self, place: usize, quantity: u32) -> u32 {
        let room = self.orders[place].quantity - self.given[place];
        let got = quantity.min(self.left).min(room);
        self.given[place] += got;
        self.left -= got;
        got
    }
}

/// What of a resting order takes part.
pub fn standing(order: &Order, top: u64) -> Standing {
    Standing {
        quantity: order.leaves - order.reserve,
        account_id: order.account_id,
        is_top: order.order_id == top,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exchange_wire::allocation::LeadMaker;

    fn step(kind: u8) -> Step {
        let rounding = if kind == PRO_RATA { ROUND_DOWN } else { 0 };
        Step { kind, rounding, ..Step::default() }
    }

    fn orders(quantities: &[u32]) -> Vec<Standing> {
        quantities.iter().map(|&quantity| Standing { quantity, ..Standing::default() }).collect()
    }

    #[test]
    fn the_example_of_cme_advisory_notice_020705_1_comes_out() {
        let top = Step { kind: TOP, share_bps: SHARE_MAX, ..Step::default() };
        let steps = vec![top, Step { minimum: 2, ..step(PRO_RATA) }, step(FIFO)];
        let mut standing = orders(&[10, 5, 20, 50, 75]);
        standing[0].is_top = true;
        let allocation = Allocation { steps, lead_makers: Vec::new() };
        assert_eq!(allocate(60, &standing, &allocation, 1), [10, 3, 6, 16, 25]);
    }

    #[test]
    fn every_share_is_given_once_and_nobody_gets_more_than_it_has() {
        let lead_makers = vec![LeadMaker { account_id: 0, share_bps: 3_000 }];
        let up = Step { rounding: ROUND_UP, ..step(PRO_RATA) };
        let split = Step { kind: SPLIT, share_bps: 4_000, ..Step::default() };
        let steps = vec![step(LEAD), split, step(FIFO), up, step(LEVELING)];
        let allocation = Allocation { steps, lead_makers };
        let standing = orders(&[u32::MAX, 1, 7, u32::MAX, 300]);
        for quantity in [0, 1, 99, 100_000, u32::MAX] {
            for lot in [1, 7, 100] {
                let given = allocate(quantity, &standing, &allocation, lot);
                assert_eq!(given.iter().map(|&got| u64::from(got)).sum::<u64>(), u64::from(quantity));
                assert!(given.iter().zip(&standing).all(|(&got, order)| got <= order.quantity));
            }
        }
    }
}
