//! What an order must be to enter the market: each check gives the first reason that applies.

use exchange_wire::events::Kind;
use exchange_wire::reader::unpadded;
use exchange_wire::ClientOrderId;

use crate::market::{Market, ACTIVE};
use crate::order_book::{BUY, SELL};
use crate::reasons::{self as reason, Refusal};

pub const MARKET: u8 = 1;
pub const LIMIT: u8 = 2;
pub const DAY: u8 = 0;
pub const GOOD_TILL_CANCELLED: u8 = 1;
pub const IMMEDIATE_OR_CANCEL: u8 = 3;
pub const FILL_OR_KILL: u8 = 4;
pub const POST_ONLY: u8 = 1;
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
    if kind.flags & !POST_ONLY != 0 {
        return Err(Refusal::measured(reason::COMMAND_MALFORMED, kind.flags));
    }
    if !matches!(kind.side, BUY | SELL) {
        return Err(Refusal::measured(reason::SIDE_INVALID, kind.side));
    }
    if !matches!(kind.order_type, MARKET | LIMIT) {
        return Err(Refusal::measured(reason::ORDER_TYPE_INVALID, kind.order_type));
    }
    if !matches!(kind.time_in_force, DAY | GOOD_TILL_CANCELLED | IMMEDIATE_OR_CANCEL | FILL_OR_KILL) {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_INVALID, kind.time_in_force));
    }
    Ok(())
}

/// Checks that the symbol trades, quantity and price; without a market, what holds for all symbols.
#[inline(always)]
pub fn check_terms(market: Option<&Market>, order_type: u8, price: u32, quantity: u32) -> Check {
    if market.is_some_and(|market| market.state != ACTIVE) {
        return Err(Refusal::new(reason::SYMBOL_SUSPENDED));
    }
    if quantity == 0 {
        return Err(Refusal::measured(reason::QUANTITY_NOT_POSITIVE, quantity));
    }
    if let Some(market) = market {
        if market.round_lot != 1 && quantity % market.round_lot != 0 {
            return Err(Refusal::limited(reason::QUANTITY_NOT_IN_LOTS, quantity, market.round_lot));
        }
    }
    if order_type == MARKET {
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
    if kind.order_type == MARKET && kind.time_in_force == GOOD_TILL_CANCELLED {
        return Err(Refusal::measured(reason::TIME_IN_FORCE_NOT_ALLOWED, kind.time_in_force));
    }
    let may_rest = kind.order_type != MARKET && matches!(kind.time_in_force, DAY | GOOD_TILL_CANCELLED);
    if kind.flags & POST_ONLY != 0 && !may_rest {
        return Err(Refusal::new(reason::POST_ONLY_NOT_ALLOWED));
    }
    Ok(())
}

/// Checks that a post-only order would not trade at once.
#[inline(always)]
pub fn check_post_only(market: &Market, side: u8, flags: u8, price: u32) -> Check {
    if flags & POST_ONLY == 0 {
        return Ok(());
    }
    let opposite = if side == BUY { &market.book.asks } else { &market.book.bids };
    match opposite.best_price() {
        Some(best) if opposite.rank(best) >= opposite.rank(price) => {
            Err(Refusal::limited(reason::POST_ONLY_WOULD_TRADE, price, best))
        }
        _ => Ok(()),
    }
}
