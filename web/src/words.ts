// What an order will do, in words, before it is sent; reckoned from the book that is shown.
import type { Level } from "./feed/book.ts";
import { decimal, grouped, units } from "./feed/decimal.ts";

export interface Draft {
  symbol: string;
  side: "buy" | "sell";
  type: "limit" | "market" | "market_to_limit" | "stop" | "stop_limit" | "trailing_stop";
  qty: string;
  price: string;
  stop_price: string;
  /** How much is shown at a time; empty: all. */
  display_qty: string;
  /** How far a trailing stop follows: an amount such as 0.50, or a share such as 1%. */
  trail: string;
  /** Trade at least so many at once, or wait unseen; empty: any. */
  min_qty: string;
  /** When it ends, with "gtd", as the browser's control writes it: 2026-11-23T17:30, in the time zone of the browser. */
  expires: string;
  time_in_force: "day" | "gtc" | "gtd" | "ioc" | "fok" | "at_the_open" | "at_the_close" | "good_for_auction";
  post_only: boolean;
  reprice: boolean;
  hidden: boolean;
  all_or_none: boolean;
}

/** A ticket that was not filled in. */
export const EMPTY: Draft = {
  symbol: "", side: "buy", type: "limit", qty: "100", price: "", stop_price: "", display_qty: "", trail: "", min_qty: "", expires: "",
  time_in_force: "day", post_only: false, reprice: false, hidden: false, all_or_none: false,
};

export interface Sides {
  bids: readonly Level[];
  asks: readonly Level[];
}

const IN_FORCE = {
  day: "until the business day ends",
  gtc: "until it is cancelled",
  gtd: "until",
  ioc: "and what does not trade at once is cancelled",
  fok: "all of it at once or nothing",
  at_the_open: "in the opening auction or not at all",
  at_the_close: "in the closing auction or not at all",
  good_for_auction: "in the next auction or not at all",
};

/** Say what is missing in a draft, or nothing. */
export function missing(draft: Draft): string {
  if (!draft.symbol) return "Choose a symbol.";
  if (!/^[1-9]\d{0,9}$/.test(draft.qty)) return "Shares must be a whole number above zero.";
  if (hasLimit(draft) && !isPrice(draft.price)) {
    return "A limit order needs a price with up to four decimals, such as 189.20.";
  }
  if (draft.type === "trailing_stop" && !trailOf(draft.trail)) {
    return "A trailing stop needs how far it follows: an amount such as 0.50, or a share such as 1%.";
  }
  if (isStop(draft) && !isPrice(draft.stop_price)) return "A stop order needs a stop price, which the last trade must reach.";
  if (draft.display_qty && !/^[1-9]\d{0,9}$/.test(draft.display_qty)) {
    return "The shares to show at a time must be a whole number above zero, or left out.";
  }
  if (draft.min_qty && !/^[1-9]\d{0,9}$/.test(draft.min_qty)) return "The least to trade at once must be a whole number above zero, or left out.";
  if (draft.time_in_force === "gtd" && !draft.expires) return "Good till a date needs the date and time at which it ends.";
  return "";
}

/** Tell whether an order has a limit price. */
export function hasLimit({ type }: Draft): boolean {
  return type === "limit" || type === "stop_limit";
}

/** Tell whether an order waits for a stop price. */
export function isStop({ type }: Draft): boolean {
  return type === "stop" || type === "stop_limit";
}

/** Tell whether an order waits for an auction. */
export function isForAuction({ time_in_force: force }: Draft): boolean {
  return force === "at_the_open" || force === "at_the_close" || force === "good_for_auction";
}

/** Read how far a trailing stop follows; nothing where it cannot be read. */
export function trailOf(text: string): { trail_amount: string } | { trail_bps: number } | undefined {
  const share = /^(\d{1,2}(?:\.\d{1,2})?) ?%$/.exec(text.trim());
  if (share && Number(share[1]) > 0) return { trail_bps: Math.round(Number(share[1]) * 100) };
  return isPrice(text.trim()) ? { trail_amount: text.trim() } : undefined;
}

/** Write an order as the engine takes it. */
export function orderOf(draft: Draft): Record<string, unknown> {
  const { symbol, side, qty, time_in_force } = draft;
  const order: Record<string, unknown> = { symbol, side, qty, time_in_force, type: draft.type === "trailing_stop" ? "stop" : draft.type };
  if (hasLimit(draft)) order.price = draft.price;
  if (isStop(draft)) order.stop_price = draft.stop_price;
  if (draft.type === "trailing_stop") Object.assign(order, trailOf(draft.trail));
  if (draft.type === "limit" && draft.post_only) Object.assign(order, { post_only: true, reprice: draft.reprice });
  if (hasLimit(draft) && draft.display_qty && !draft.hidden) order.display_qty = draft.display_qty;
  if (hasLimit(draft) && draft.hidden) order.hidden = true;
  if (draft.min_qty) order.min_qty = draft.min_qty;
  if (draft.all_or_none) order.all_or_none = true;
  if (time_in_force === "gtd") order.expires_at = new Date(draft.expires).toISOString();
  return order;
}

/** Say in whole sentences what the order would do in this book. currency: "USD". */
export function inWords(draft: Draft, book: Sides, currency: string): string {
  const lack = missing(draft);
  if (lack) return lack;
  const { side, qty, symbol, price } = draft;
  const verb = side === "buy" ? "Buy" : "Sell";
  const limit = hasLimit(draft) ? ` at ${price} or ${side === "buy" ? "less" : "more"}` : " at the best prices there are";
  const until = draft.time_in_force === "gtd" ? ` ${draft.expires.replace("T", " ")}` : "";
  const begin = `${verb} ${grouped(qty)} ${symbol}${limit}, ${IN_FORCE[draft.time_in_force]}${until}.`;
  if (draft.type === "trailing_stop") {
    const way = side === "buy" ? "above the lowest" : "below the highest";
    return `${begin} It waits, unseen, until the last trade is ${draft.trail.trim()} ${way} one from now on; only then does it come into the book.`;
  }
  if (isStop(draft)) {
    const reached = `${draft.stop_price} or ${side === "buy" ? "more" : "less"}`;
    return `${begin} It waits, unseen, until the last trade is at ${reached}; only then does it come into the book.`;
  }
  if (isForAuction(draft)) return `${begin} It waits there for the auction, which gives all who trade one price.`;
  return `${begin} ${consequence(draft, book, currency)}${terms(draft)}`;
}

function terms(draft: Draft): string {
  const said: string[] = [];
  if (draft.hidden) said.push("What rests is seen by nobody, and trades after all that is shown at its price.");
  else if (draft.display_qty) said.push(`What rests shows ${grouped(draft.display_qty)} at a time.`);
  if (draft.all_or_none) said.push("It trades whole or waits, unseen.");
  else if (draft.min_qty) said.push(`It trades at least ${grouped(draft.min_qty)} at once or waits, unseen.`);
  return said.map((one) => ` ${one}`).join("");
}

function consequence(draft: Draft, book: Sides, currency: string): string {
  const { side, type, time_in_force: force } = draft;
  if (type === "market_to_limit") return toLimit(draft, book);
  const opposite = side === "buy" ? book.asks : book.bids;
  const wanted = BigInt(draft.qty);
  const { filled, cost, worst } = sweep(opposite, wanted, type === "limit" ? draft.price : undefined, side);
  if (draft.post_only && filled && draft.reprice) return "It would trade at once, so it rests one tick behind the best opposite price instead.";
  if (draft.post_only && filled) return `It would trade with ${opposite[0]!.price}, so as post-only it would be refused.`;
  if (force === "fok" && filled < wanted) {
    return `Only ${grouped(String(filled))} are there now, so nothing would trade and it would end.`;
  }
  const parts: string[] = [];
  if (filled) {
    const share = filled === wanted ? "All of it" : grouped(String(filled));
    parts.push(`${share} would trade at once, down to ${worst} at worst, for about ${grouped(decimal(cost))} ${currency}.`.replace(
      "down to", side === "buy" ? "up to" : "down to"));
  }
  const rest = wanted - filled;
  if (!rest) return parts.join(" ");
  const shown = grouped(String(rest));
  if (type === "market" || force === "ioc") parts.push(`${shown} would find nothing and be cancelled.`);
  else parts.push(`${filled ? shown : "It"} would rest in the book at ${draft.price}${queue(draft, book)}.`);
  return parts.join(" ");
}

function toLimit({ side, qty }: Draft, book: Sides): string {
  const best = (side === "buy" ? book.asks : book.bids)[0];
  if (!best) return "There is no price to take, so it would be cancelled.";
  const rest = BigInt(qty) - BigInt(best.qty);
  const taken = rest > 0n ? best.qty : qty;
  const left = rest > 0n ? `, and ${grouped(String(rest))} would rest at that price` : "";
  return `${grouped(taken)} would trade at ${best.price}${left}.`;
}

function queue({ side, price }: Draft, book: Sides): string {
  const own = side === "buy" ? book.bids : book.asks;
  const same = own.find((level) => units(level.price) === units(price));
  if (same) return `, behind ${grouped(same.qty)} shares`;
  const best = own[0];
  if (!best) return ", as the only one on its side";
  const isBetter = side === "buy" ? units(price) > units(best.price) : units(price) < units(best.price);
  return isBetter ? ", as the new best price" : `, away from the best at ${best.price}`;
}

function sweep(levels: readonly Level[], wanted: bigint, limit: string | undefined, side: "buy" | "sell") {
  let filled = 0n;
  let cost = 0n;
  let worst = "";
  for (const level of levels) {
    const price = units(level.price);
    const isBeyond = limit !== undefined && (side === "buy" ? price > units(limit) : price < units(limit));
    if (isBeyond || filled === wanted) break;
    const taken = BigInt(level.qty) < wanted - filled ? BigInt(level.qty) : wanted - filled;
    filled += taken;
    cost += taken * price;
    worst = level.price;
  }
  return { filled, cost, worst };
}

function isPrice(text: string): boolean {
  return /^\d{1,6}(\.\d{1,4})?$/.test(text) && units(text) > 0n;
}
