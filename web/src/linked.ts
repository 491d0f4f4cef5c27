// Orders that depend on each other: what is missing in a list, the list as the engine takes it, and what it will do in words.
import { grouped, units } from "./feed/decimal.ts";
import { IN_FORCE, inWords, isPrice, missing, orderOf, type Draft, type Sides } from "./words.ts";

export const LINKS = { oco: "one cancels the other", oto: "one triggers the other", bracket: "bracket" };

/** The side that takes back what the draft would do. */
export function exitOf({ side }: Draft): "buy" | "sell" {
  return side === "buy" ? "sell" : "buy";
}

/** Say what is missing in a draft with what is linked to it, or nothing. */
export function missingInAll(draft: Draft): string {
  const lack = missing(draft);
  if (lack || !draft.link) return lack;
  if (draft.type === "pegged") return "A pegged order cannot be linked to others.";
  if (draft.link === "oto") return missingAfter(draft);
  if (!isPrice(draft.loss_price)) return "The stop order of a pair needs a stop price.";
  if (draft.loss_limit && !isPrice(draft.loss_limit)) return "The limit of the stop order is a price, or left out.";
  if (draft.link === "bracket") {
    if (!isPrice(draft.then_price)) return "A bracket needs a price at which to take the profit.";
    return pairFits(exitOf(draft), draft.then_price, draft.loss_price);
  }
  if (draft.type !== "limit" || !rests(draft)) {
    return "One that cancels the other begins with a limit order that rests: for the day, until cancelled, or until a time.";
  }
  return pairFits(draft.side, draft.price, draft.loss_price);
}

/** Write the list as the engine takes it. */
export function listOf(draft: Draft): Record<string, unknown> {
  const { symbol, qty, link } = draft;
  return { contingency: link, symbol, qty, orders: legsOf(draft) };
}

/** Say in whole sentences what the draft and what is linked to it would do. */
export function allInWords(draft: Draft, book: Sides, currency: string): string {
  const lack = missingInAll(draft);
  if (lack) return lack;
  const first = inWords(draft, book, currency);
  const [exit, until] = [exitOf(draft), IN_FORCE[legForce(draft)]];
  if (draft.link === "oco") {
    return `${first} With it waits a stop order: ${stopInWords(draft.side, draft)} Whatever the one fills, the other has less; the end of one cancels the other.`;
  }
  if (draft.link === "oto") {
    return `${first} Once that is done, what it filled is to be ${draft.then_side === "buy" ? "bought" : "sold"} ${thenInWords(draft)}, ${until}. If you cancel the entry, nothing follows.`;
  }
  if (draft.link === "bracket") {
    return `${first} Once that is done, what it filled is to be ${exit === "buy" ? "bought back" : "sold"}, ${until}: at ${draft.then_price} or ${better(exit)}, for the profit; or against a loss: ${stopInWords(exit, draft)} The one cancels the other. If you cancel the entry, nothing follows.`;
  }
  return first;
}

function missingAfter(draft: Draft): string {
  if (draft.then_type === "limit" && !isPrice(draft.then_price)) return "The order that follows needs a price.";
  if (draft.then_type === "stop" && !isPrice(draft.loss_price)) return "The stop order that follows needs a stop price.";
  return "";
}

/** A pair never stands in each other's way: its stop price is worse than its limit. */
function pairFits(side: "buy" | "sell", limit: string, stop: string): string {
  const isWorse = side === "buy" ? units(stop) > units(limit) : units(stop) < units(limit);
  return isWorse ? "" : `To ${side}, the stop price must be ${side === "buy" ? "above" : "below"} ${limit}.`;
}

function rests({ time_in_force: force }: Draft): boolean {
  return force === "day" || force === "gtc" || force === "gtd";
}

function legForce(draft: Draft): "day" | "gtc" | "gtd" {
  return rests(draft) ? (draft.time_in_force as "day" | "gtc" | "gtd") : "day";
}

function legsOf(draft: Draft): Record<string, unknown>[] {
  const { symbol: _, qty: __, ...first } = orderOf(draft);
  const force = legForce(draft);
  const lasting = { time_in_force: force, ...(force === "gtd" && { expires_at: new Date(draft.expires).toISOString() }) };
  const stop = (side: "buy" | "sell") => ({
    side, ...lasting, type: draft.loss_limit ? "stop_limit" : "stop", stop_price: draft.loss_price,
    ...(draft.loss_limit && { price: draft.loss_limit }),
  });
  if (draft.link === "oco") return [first, stop(draft.side)];
  if (draft.link === "bracket") return [first, { side: exitOf(draft), ...lasting, type: "limit", price: draft.then_price }, stop(exitOf(draft))];
  if (draft.then_type === "stop") return [first, stop(draft.then_side)];
  if (draft.then_type === "market") return [first, { side: draft.then_side, type: "market", time_in_force: "ioc" }];
  return [first, { side: draft.then_side, ...lasting, type: "limit", price: draft.then_price }];
}

function better(side: "buy" | "sell"): string {
  return side === "buy" ? "less" : "more";
}

function stopInWords(side: "buy" | "sell", { loss_price, loss_limit, qty }: Draft): string {
  const at = loss_limit ? `at ${loss_limit} or ${better(side)}` : "at the best prices there are";
  return `once the last trade is at ${loss_price} or ${side === "buy" ? "more" : "less"}, ${side} up to ${grouped(qty)} ${at}.`;
}

function thenInWords({ then_type, then_side, then_price, loss_price }: Draft): string {
  if (then_type === "market") return "at the best prices there are";
  if (then_type === "limit") return `at ${then_price} or ${better(then_side)}`;
  return `at the best prices there are once the last trade is at ${loss_price} or ${then_side === "buy" ? "more" : "less"}`;
}

/** Say how an order of a list is priced. */
export function pricedAs(order: { type: string; price?: string | null; stop_price?: string | null }): string {
  if (order.stop_price) return `stop ${order.stop_price}${order.price ? `, limit ${order.price}` : ""}`;
  return order.price ?? order.type.replaceAll("_", " ");
}

