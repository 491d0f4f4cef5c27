// What an order will do, in words, before it is sent; reckoned from the book that is shown.
import type { Level } from "./feed/book.ts";
import { decimal, grouped, units } from "./feed/decimal.ts";

export interface Draft {
  symbol: string;
  side: "buy" | "sell";
  type: "limit" | "market" | "market_to_limit" | "stop" | "stop_limit" | "trailing_stop" | "pegged";
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
  /** Which best price a pegged order follows: of its own side, of the other, or their middle. */
  peg: "primary" | "midpoint" | "market";
  /** Added to that price, below zero down; empty: nothing. */
  peg_offset: string;
  do_not_reduce: boolean;
  /** How a sale is marked; empty: the account has the shares. */
  mark: "" | "short" | "short_exempt";
  located: boolean;
  /** What is entered together with it; `linked.ts` says what each means. */
  link: "" | "oco" | "oto" | "bracket";
  /** Of what waits for the entry: where a bracket takes its profit, or the limit of the order after an entry. */
  then_price: string;
  then_side: "buy" | "sell";
  then_type: "limit" | "stop" | "market";
  /** The stop price of a pair, or of the order after an entry. */
  loss_price: string;
  /** The limit of that stop order; empty: the best prices there are. */
  loss_limit: string;
}

/** A ticket that was not filled in. */
export const EMPTY: Draft = {
  symbol: "", side: "buy", type: "limit", qty: "100", price: "", stop_price: "", display_qty: "", trail: "", min_qty: "", expires: "",
  time_in_force: "day", post_only: false, reprice: false, hidden: false, all_or_none: false, peg: "primary", peg_offset: "",
  do_not_reduce: false, mark: "", located: false, link: "", then_price: "", then_side: "sell", then_type: "limit", loss_price: "", loss_limit: "",
};

export interface Sides {
  bids: readonly Level[];
  asks: readonly Level[];
}

export const IN_FORCE = {
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
  if (draft.type === "pegged" && offsetOf(draft) && !/^-?\d{1,6}(\.\d{1,4})?$/.test(offsetOf(draft))) {
    return "A peg's offset is an amount such as -0.02, below zero down, or left out.";
  }
  if (draft.type === "pegged" && draft.price && !isPrice(draft.price)) return "A peg's limit is a price, or left out.";
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
  if (draft.do_not_reduce && hasLimit(draft)) order.do_not_reduce = true;
  if (side === "sell" && draft.mark) Object.assign(order, { [draft.mark]: true }, draft.located && { located: true });
  if (draft.type === "pegged") return pegOf(draft);
  if (time_in_force === "gtd") order.expires_at = new Date(draft.expires).toISOString();
  return order;
}

/** The middle is followed as it is, without an offset. */
function offsetOf({ peg, peg_offset }: Draft): string {
  return peg === "midpoint" ? "" : peg_offset.trim();
}

/** A pegged order asks for nothing but its peg, an offset and a limit. */
function pegOf(draft: Draft): Record<string, unknown> {
  const { symbol, side, qty, time_in_force, peg, price } = draft;
  const offset = offsetOf(draft);
  return { symbol, side, qty, time_in_force, type: "limit", peg, ...(offset && { peg_offset: offset }), ...(price && { price }) };
}

/** Say in whole sentences what the order would do in this book. currency: "USD". */
export function inWords(draft: Draft, book: Sides, currency: string): string {
  const lack = missing(draft);
  if (lack) return lack;
  const { side, qty, symbol, price } = draft;
  const verb = side === "buy" ? "Buy" : "Sell";
  if (draft.type === "pegged") return `${verb} ${grouped(qty)} ${symbol}, ${IN_FORCE[draft.time_in_force]}. ${pegInWords(draft, book)}`;
  const limit = hasLimit(draft) ? ` at ${price} or ${side === "buy" ? "less" : "more"}` : " at the best prices there are";
  const until = draft.time_in_force === "gtd" ? ` ${draft.expires.replace("T", " ")}` : "";
  const begin = `${verb} ${grouped(qty)} ${symbol}${limit}, ${IN_FORCE[draft.time_in_force]}${until}.`;
  if (draft.type === "trailing_stop") {
    const way = side === "buy" ? "above the lowest" : "below the highest";
    return `${begin} It waits, unseen, until the last trade is ${draft.trail.trim()} ${way} one from now on; only then does it come into the book.${terms(draft)}`;
  }
  if (isStop(draft)) {
    const reached = `${draft.stop_price} or ${side === "buy" ? "more" : "less"}`;
    return `${begin} It waits, unseen, until the last trade is at ${reached}; only then does it come into the book.${terms(draft)}`;
  }
  if (isForAuction(draft)) return `${begin} It waits there for the auction, which gives all who trade one price.${terms(draft)}`;
  return `${begin} ${consequence(draft, book, currency)}${terms(draft)}`;
}

function terms(draft: Draft): string {
  const said: string[] = [];
  if (draft.hidden) said.push("What rests is seen by nobody, and trades after all that is shown at its price.");
  else if (draft.display_qty) said.push(`What rests shows ${grouped(draft.display_qty)} at a time.`);
  if (draft.all_or_none) said.push("It trades whole or waits, unseen.");
  else if (draft.min_qty) said.push(`It trades at least ${grouped(draft.min_qty)} at once or waits, unseen.`);
  if (draft.do_not_reduce && hasLimit(draft)) said.push("A cash dividend does not lower its price.");
  if (draft.side === "sell" && draft.mark) {
    const exempt = draft.mark === "short_exempt" ? ", exempt from the restriction after a decline" : "";
    said.push(`It is marked as a short sale${exempt}; shares to borrow are ${draft.located ? "" : "not "}located.`);
  }
  return said.map((one) => ` ${one}`).join("");
}

function pegInWords(draft: Draft, book: Sides): string {
  const { side, peg, price } = draft;
  const own = side === "buy" ? "bid" : "offer";
  const followed = { primary: `the best ${own}`, midpoint: "the middle of bid and offer", market: `the best ${own === "bid" ? "offer" : "bid"}` }[peg];
  const text = offsetOf(draft);
  const [down, amount] = [text.startsWith("-"), text.replace("-", "")];
  const away = amount && units(amount) ? `${amount} ${down ? "below" : "above"} ` : "";
  const limit = price ? `, never ${side === "buy" ? "above" : "below"} ${price}` : "";
  return `Its price follows ${away}${followed}${limit}: ${pegNow(side, peg, text, price, book)} It rests unseen, never so good that it would trade with what is shown, and stands aside while there is no such price, and in auctions.`;
}

/** Say where a pegged order would stand, before it is rounded to the tick. */
function pegNow(side: "buy" | "sell", peg: Draft["peg"], offset: string, limit: string, { bids, asks }: Sides): string {
  const [bid, ask] = [bids[0], asks[0]].map((level) => (level ? units(level.price) : undefined));
  const [own, other] = side === "buy" ? [bid, ask] : [ask, bid];
  const both = bid !== undefined && ask !== undefined ? (bid + ask) / 2n : undefined;
  const base = { primary: own, midpoint: both, market: other }[peg];
  if (base === undefined) return "now there is no such price, so it would wait aside.";
  const wanted = base + units(offset || "0");
  const isBeyond = limit && (side === "buy" ? wanted > units(limit) : wanted < units(limit));
  return `now about ${isBeyond ? limit : decimal(wanted)}.`;
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

/** Tell whether a text is a price. */
export function isPrice(text: string): boolean {
  return /^\d{1,6}(\.\d{1,4})?$/.test(text) && units(text) > 0n;
}
