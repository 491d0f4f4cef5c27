// What an order will do, in words, before it is sent; reckoned from the book that is shown.
import type { Level } from "./feed/book.ts";
import { decimal, grouped, units } from "./feed/decimal.ts";

export interface Draft {
  symbol: string;
  side: "buy" | "sell";
  type: "limit" | "market" | "stop" | "stop_limit";
  qty: string;
  price: string;
  stop_price: string;
  /** How much is shown at a time; empty: all. */
  display_qty: string;
  time_in_force: "day" | "gtc" | "ioc" | "fok";
  post_only: boolean;
}

export interface Sides {
  bids: readonly Level[];
  asks: readonly Level[];
}

const IN_FORCE = {
  day: "until the business day ends",
  gtc: "until it is cancelled",
  ioc: "and what does not trade at once is cancelled",
  fok: "all of it at once or nothing",
};

/** Say what is missing in a draft, or nothing. */
export function missing(draft: Draft): string {
  if (!draft.symbol) return "Choose a symbol.";
  if (!/^[1-9]\d{0,9}$/.test(draft.qty)) return "Shares must be a whole number above zero.";
  if (hasLimit(draft) && !isPrice(draft.price)) {
    return "A limit order needs a price with up to four decimals, such as 189.20.";
  }
  if (isStop(draft) && !isPrice(draft.stop_price)) return "A stop order needs a stop price, which the last trade must reach.";
  if (draft.display_qty && !/^[1-9]\d{0,9}$/.test(draft.display_qty)) {
    return "The shares to show at a time must be a whole number above zero, or left out.";
  }
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

/** Say in whole sentences what the order would do in this book. currency: "USD". */
export function inWords(draft: Draft, book: Sides, currency: string): string {
  const lack = missing(draft);
  if (lack) return lack;
  const { side, qty, symbol, price } = draft;
  const verb = side === "buy" ? "Buy" : "Sell";
  const limit = hasLimit(draft) ? ` at ${price} or ${side === "buy" ? "less" : "more"}` : " at the best prices there are";
  const begin = `${verb} ${grouped(qty)} ${symbol}${limit}, ${IN_FORCE[draft.time_in_force]}.`;
  if (isStop(draft)) {
    const reached = `${draft.stop_price} or ${side === "buy" ? "more" : "less"}`;
    return `${begin} It waits, unseen, until the last trade is at ${reached}; only then does it come into the book.`;
  }
  const shown = draft.display_qty ? ` What rests shows ${grouped(draft.display_qty)} at a time.` : "";
  return `${begin} ${consequence(draft, book, currency)}${shown}`;
}

function consequence(draft: Draft, book: Sides, currency: string): string {
  const { side, type, time_in_force: force } = draft;
  const opposite = side === "buy" ? book.asks : book.bids;
  const wanted = BigInt(draft.qty);
  const { filled, cost, worst } = sweep(opposite, wanted, type === "limit" ? draft.price : undefined, side);
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
