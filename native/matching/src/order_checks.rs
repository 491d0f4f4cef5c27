//! What an order must be to enter the market: each check gives the first reason that applies.

use exchange_wire::events::Kind;
use exchange_wire::reader::unpadded;
use exchange_wire::terms::Terms;
use exchange_wire::ClientOrderId;

use crate::auction::is_auction_time;
use crate::market::{Market, ACTIVE};
use crate::order_book::{Orders, ALL_OR_NONE, BUY, HIDDEN, POST_ONLY, REPRICE, SELL};
use crate::phase::{is_opening, takes_no_cancels, CLOSED, CONTINUOUS, HALTED, POST_CLOSE};
use crate::reasons::{self as reason, Refusal};
use crate::stop_orders::{is_reached, is_waiting, trailed_price, trails, TRAILING_STOPS_MAX};

pub const MARKET: u8 = 1;
pub const LIMIT: u8 = 2;
pub const STOP: u8 = 3;
pub const STOP_LIMIT: u8 = 4;
pub const MARKET_TO_LIMIT: u8 = b'K';
/// The widest trail of a stop.
const TRAIL_BPS_MAX: u16 = 5_000;
pub const DAY: u8 = 0;
pub const GOOD_TILL_CANCELLED: u8 = 1;
pub const IMMEDIATE_OR_CANCEL: u8 = 3;
pub const FILL_OR_KILL: u8 = 4;
pub const GOOD_TILL_DATE: u8 = 6;
pub const AT_THE_OPEN: u8 = 2;
pub const AT_THE_CLOSE: u8 = 7;
pub const GOOD_FOR_AUCTION: u8 = b'B';
/// An iceberg order is shown in at most so many parts.
const ICEBERG_SLICES_MAX: u32 = 100;
pub const PRICE_MAX: u32 = 1_999_999_900;
pub const NOTIONAL_MAX: u64 = 1_000_000_000_000_000_000;

type Check = Result<(), Refusal>;

/// Whether 36 bytes that are not all zero are a client order id: printable ASCII without a blank, then zeros.
pub fn is_client_order_id(padded: &ClientOrderId) -> bool {
    let text = unpadded(padded);
    !text.is_empty() && text.iter().all(|byte| (0x21..=0x7E).contains(byte))
}

#[inline(always)]
pub fn check_kind(kind: Kind) -> Check {
    if kind.flags & (REPRICE | POST_ONLY) == REPRICE {
        return Err(Refusal::measured(reason::COMMAND_MALFORMED, kind.flags));
    }
    if !matches!(kind.side, BUY | SELL) {
        return Err(Refusal::measured(reason::SIDE_INVALID, kind.side));
    }
    if !matches!(kind.order_type, MARKET | LIMIT | STOP | STOP_LIMIT | MARKET_TO_LIMIT) {
        return Err(Refusal::measured(reason::ORDER_TYPE_INVALID, kind.order_type));
    }
    let known = matches!(
        kind.time_in_force,
        DAY | GOOD_TILL_CANCELLED
            | AT_THE_OPEN
            | IMMEDIATE_OR_CANCEL
            | FILL_OR_KILL
            | GOOD_TILL_DATE
            | AT_THE_CLOSE
            | GOOD_FOR_AUCTION
    );
    if !known {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_INVALID, kind.time_in_force));
    }
    Ok(())
}

/// Checks that the symbol trades, and that its phase takes such an order.
#[inline(always)]
pub fn check_session(market: &Market, kind: Kind) -> Check {
    let is_open = market.state == ACTIVE && market.phase == CONTINUOUS;
    if is_open && kind.time_in_force != AT_THE_OPEN {
        return Ok(());
    }
    check_phase(market, kind)
}

#[cold]
fn check_phase(market: &Market, kind: Kind) -> Check {
    check_stands(market)?;
    let phase = market.phase;
    let time_in_force = kind.time_in_force;
    let is_post_only = kind.flags & POST_ONLY != 0;
    let is_taken = if phase == POST_CLOSE {
        matches!(time_in_force, GOOD_TILL_CANCELLED | GOOD_TILL_DATE)
            && matches!(kind.order_type, LIMIT | STOP | STOP_LIMIT)
            && !is_post_only
    } else {
        let is_at_once = matches!(time_in_force, IMMEDIATE_OR_CANCEL | FILL_OR_KILL);
        !(is_at_once || kind.order_type == MARKET_TO_LIMIT || is_post_only)
    };
    if !is_taken && phase != CONTINUOUS {
        return Err(Refusal::measured(reason::ORDER_NOT_IN_PHASE, phase));
    }
    if time_in_force == AT_THE_OPEN && !is_opening(phase) {
        return Err(Refusal::measured(reason::AUCTION_OVER, phase));
    }
    Ok(())
}

/// Checks that the symbol trades, and that orders can be changed in its phase.
#[inline(always)]
pub fn check_changes(market: &Market) -> Check {
    if market.state == ACTIVE && market.phase == CONTINUOUS {
        return Ok(());
    }
    check_stands(market)?;
    check_cancels(market)
}

/// Checks that a symbol is neither suspended, nor halted, nor closed.
#[cold]
fn check_stands(market: &Market) -> Check {
    if market.state != ACTIVE {
        return Err(Refusal::new(reason::SYMBOL_SUSPENDED));
    }
    match market.phase {
        HALTED => Err(Refusal::new(reason::SYMBOL_HALTED)),
        CLOSED => Err(Refusal::measured(reason::PHASE_TAKES_NO_ORDERS, CLOSED)),
        _ => Ok(()),
    }
}

/// Checks that members can take orders back.
#[inline(always)]
pub fn check_cancels(market: &Market) -> Check {
    if takes_no_cancels(market.phase) {
        return Err(Refusal::measured(reason::PHASE_TAKES_NO_CANCELS, market.phase));
    }
    Ok(())
}

/// Checks quantity and price; without a market, what holds for all symbols.
#[inline(always)]
pub fn check_terms(market: Option<&Market>, order_type: u8, price: u32, quantity: u32) -> Check {
    if quantity == 0 {
        return Err(Refusal::measured(reason::QUANTITY_NOT_POSITIVE, quantity));
    }
    if let Some(market) = market {
        if market.round_lot != 1 && quantity % market.round_lot != 0 {
            return Err(Refusal::limited(reason::QUANTITY_NOT_IN_LOTS, quantity, market.round_lot));
        }
    }
    if order_type != LIMIT && order_type != STOP_LIMIT {
        return match price {
            0 => Ok(()),
            _ => Err(Refusal::measured(reason::PRICE_NOT_ALLOWED, price)),
        };
    }
    if price == 0 {
        return Err(Refusal::new(reason::PRICE_MISSING));
    }
    if price > PRICE_MAX {
        return Err(Refusal::limited(reason::PRICE_TOO_HIGH, price, PRICE_MAX));
    }
    if let Some(market) = market {
        let tick = market.tick_at(price);
        if price % tick != 0 {
            return Err(Refusal::limited(reason::PRICE_NOT_ON_TICK, price, tick));
        }
    }
    if u64::from(price) * u64::from(quantity) > NOTIONAL_MAX {
        return Err(Refusal::limited(reason::NOTIONAL_OVERFLOW, quantity, NOTIONAL_MAX / u64::from(price)));
    }
    Ok(())
}

/// Checks that type, time in force and post-only go together.
#[inline(always)]
pub fn check_handling(kind: Kind) -> Check {
    let is_market = kind.order_type == MARKET;
    if is_market && matches!(kind.time_in_force, GOOD_TILL_CANCELLED | GOOD_TILL_DATE) {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_NOT_ALLOWED, kind.time_in_force));
    }
    if kind.order_type == MARKET_TO_LIMIT && is_auction_time(kind.time_in_force) {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_NOT_ALLOWED, kind.time_in_force));
    }
    let can_wait = matches!(kind.time_in_force, DAY | GOOD_TILL_CANCELLED | GOOD_TILL_DATE);
    if is_waiting(kind) && !can_wait {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_NOT_ALLOWED, kind.time_in_force));
    }
    if kind.flags & POST_ONLY != 0 && !(kind.order_type == LIMIT && may_rest(kind)) {
        return Err(Refusal::new(reason::POST_ONLY_NOT_ALLOWED));
    }
    Ok(())
}

/// Whether what is left of an order of this kind may stay in the market.
#[inline(always)]
pub fn may_rest(kind: Kind) -> bool {
    matches!(kind.order_type, LIMIT | STOP_LIMIT | MARKET_TO_LIMIT)
        && matches!(kind.time_in_force, DAY | GOOD_TILL_CANCELLED | GOOD_TILL_DATE)
}

/// Checks an order's flags and special terms against each other and against its kind.
#[cold]
pub fn check_special(market: &Market, kind: Kind, quantity: u32, terms: &Terms, now_ns: u64) -> Check {
    let Kind { time_in_force, flags, .. } = kind;
    let is_till_date = time_in_force == GOOD_TILL_DATE;
    if is_till_date != (terms.expires_ns != 0) || (is_till_date && terms.expires_ns <= now_ns) {
        return Err(Refusal::limited(reason::EXPIRY_INVALID, terms.expires_ns, now_ns));
    }
    let minimum = terms.minimum_quantity;
    let has_minimum = minimum != 0 || flags & ALL_OR_NONE != 0;
    let both = minimum != 0 && flags & ALL_OR_NONE != 0;
    if minimum > quantity || both || (is_auction_time(time_in_force) && has_minimum) {
        return Err(Refusal::limited(reason::MINIMUM_QUANTITY_INVALID, minimum, quantity));
    }
    let display = terms.display_quantity;
    let hides = flags & (HIDDEN | ALL_OR_NONE) != 0 || minimum != 0;
    let is_shown_otherwise = flags & HIDDEN != 0 || display != 0;
    if (is_shown_otherwise && !may_rest(kind)) || (display != 0 && hides) {
        return Err(Refusal::new(reason::DISPLAY_NOT_ALLOWED));
    }
    let least = least_display(quantity);
    if display > quantity || display % market.round_lot != 0 || (display != 0 && display < least) {
        return Err(Refusal::limited(reason::DISPLAY_QUANTITY_INVALID, display, least));
    }
    if is_waiting(kind) {
        return check_stop(market, kind, terms);
    }
    if terms.stop_price != 0 || trails(terms) {
        return Err(Refusal::measured(reason::STOP_PRICE_NOT_ALLOWED, terms.stop_price));
    }
    Ok(())
}

/// Checks that a stop price is one an order could have and is not reached yet; or that a trail leads to one.
fn check_stop(market: &Market, kind: Kind, terms: &Terms) -> Check {
    let stop_price = terms.stop_price;
    if trails(terms) {
        let first = first_stop_price(market, kind.side, terms);
        let of_two_kinds = (terms.trail_amount != 0 && terms.trail_bps != 0) || stop_price != 0;
        let too_wide = terms.trail_bps > TRAIL_BPS_MAX || !(1..=i64::from(PRICE_MAX)).contains(&first);
        if kind.order_type != STOP || of_two_kinds || too_wide {
            let trail = if terms.trail_amount == 0 { terms.trail_bps.into() } else { terms.trail_amount };
            return Err(Refusal::measured(reason::TRAIL_INVALID, trail));
        }
        let trailing = market.stops.trailing as u64;
        if trailing >= TRAILING_STOPS_MAX as u64 {
            return Err(Refusal::limited(reason::DIRECTORY_FULL, trailing, TRAILING_STOPS_MAX as u64));
        }
        return Ok(());
    }
    if stop_price == 0 {
        return Err(Refusal::new(reason::STOP_PRICE_MISSING));
    }
    let tick = market.tick_at(stop_price);
    if stop_price > PRICE_MAX || stop_price % tick != 0 {
        return Err(Refusal::limited(reason::STOP_PRICE_INVALID, stop_price, tick));
    }
    if market.last_price != 0 && is_reached(kind.side, stop_price, market.last_price) {
        return Err(Refusal::limited(reason::STOP_ALREADY_REACHED, stop_price, market.last_price));
    }
    Ok(())
}

/// Where a trailing stop stands at first: away from the last trade, else from the reference price.
pub fn first_stop_price(market: &Market, side: u8, terms: &Terms) -> i64 {
    let price = if market.last_price == 0 { market.reference.price } else { market.last_price };
    trailed_price(side, terms, price)
}

/// Checks that an order is not shown in too many parts.
pub fn check_display(display_quantity: u32, quantity: u32) -> Check {
    let least = least_display(quantity);
    if display_quantity != 0 && display_quantity < least {
        return Err(Refusal::limited(reason::DISPLAY_QUANTITY_INVALID, display_quantity, least));
    }
    Ok(())
}

pub fn least_display(quantity: u32) -> u32 {
    quantity.div_ceil(ICEBERG_SLICES_MAX)
}

/// Checks that a post-only order would not trade at once, or can have a price at which it does not.
#[inline(always)]
pub fn check_post_only(orders: &Orders, market: &Market, kind: Kind, price: u32, quantity: u32) -> Check {
    if kind.flags & POST_ONLY == 0 {
        return Ok(());
    }
    let Some(best) = orders.best_willing_price(&market.book, kind.side, quantity) else { return Ok(()) };
    let can_be_repriced = kind.flags & REPRICE != 0 && market.price_behind(best, kind.side) > 0;
    if !reaches(kind.side, price, best) || can_be_repriced {
        return Ok(());
    }
    Err(Refusal::limited(reason::POST_ONLY_WOULD_TRADE, price, best))
}

/// Whether an order of this side with this limit may trade at a price.
#[inline(always)]
pub fn reaches(side: u8, limit: u32, price: u32) -> bool {
    if side == BUY {
        limit >= price
    } else {
        limit <= price
    }
}

/// Checks that a market-to-limit order is not too large at the price it would get.
pub fn check_market_to_limit(orders: &Orders, market: &Market, kind: Kind, quantity: u32) -> Check {
    if kind.order_type != MARKET_TO_LIMIT {
        return Ok(());
    }
    match orders.best_willing_price(&market.book, kind.side, quantity) {
        Some(best) if u64::from(best) * u64::from(quantity) > NOTIONAL_MAX => {
            Err(Refusal::limited(reason::NOTIONAL_OVERFLOW, quantity, NOTIONAL_MAX / u64::from(best)))
        }
        _ => Ok(()),
    }
}
