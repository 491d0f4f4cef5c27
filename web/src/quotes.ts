// Quotes before they are sent: what is missing, the lines of a mass quote, and in words what they and their protection will do.
import { grouped, units } from "./feed/decimal.ts";
import type { Protection, Quote } from "./state/quoting.svelte.ts";
import { isPrice } from "./words.ts";

export interface QuoteDraft {
  symbol: string;
  bid_price: string;
  bid_qty: string;
  ask_price: string;
  ask_qty: string;
}

export const QUOTES_MAX = 100;

/** Tell whether anything stands in a line. */
export function isFilled(draft: QuoteDraft): boolean {
  return !!(draft.bid_price || draft.ask_price);
}

/** Say what is missing in the lines that are filled in, or nothing. */
export function missingInQuotes(drafts: readonly QuoteDraft[]): string {
  if (!drafts.length) return "Fill in a bid or an ask in one symbol or more.";
  if (drafts.length > QUOTES_MAX) return `At most ${QUOTES_MAX} symbols can be quoted at once.`;
  for (const { symbol, bid_price, bid_qty, ask_price, ask_qty } of drafts) {
    for (const [price, qty, side] of [[bid_price, bid_qty, "bid"], [ask_price, ask_qty, "ask"]] as const) {
      if (price && !isPrice(price)) return `The ${side} in ${symbol} is no price with up to four decimals.`;
      if (price && !/^[1-9]\d{0,9}$/.test(qty)) return `The ${side} in ${symbol} needs a whole number of shares above zero.`;
    }
    if (bid_price && ask_price && units(bid_price) >= units(ask_price)) return `In ${symbol} the bid must be below the ask.`;
  }
  return "";
}

/** Write the lines of a mass quote; a side without a price is none. */
export function linesOf(drafts: readonly QuoteDraft[]): Record<string, string>[] {
  return drafts.map(({ symbol, bid_price, bid_qty, ask_price, ask_qty }) => ({
    symbol, ...(bid_price && { bid_price, bid_qty }), ...(ask_price && { ask_price, ask_qty }),
  }));
}

/** Say what a mass quote would do. */
export function quotesInWords(drafts: readonly QuoteDraft[]): string {
  const lack = missingInQuotes(drafts);
  if (lack) return lack;
  const lines = drafts.map(({ symbol, bid_price, bid_qty, ask_price, ask_qty }) => {
    const sides = [bid_price && `buy ${grouped(bid_qty)} at ${bid_price}`, ask_price && `sell ${grouped(ask_qty)} at ${ask_price}`];
    return `${symbol}: ${sides.filter(Boolean).join(", ")}`;
  });
  return `${lines.join("; ")}. Each takes the place of your quote in its symbol, in one step, and is good for the day; one that is refused leaves the one before.`;
}

/** Say what a protection does. */
export function protectionInWords(one: Protection): string {
  const where = one.symbol ? `in ${one.symbol}` : "in all symbols together";
  const limits = [
    one.qty && `${grouped(String(one.qty))} shares`,
    one.executions && `${one.executions} trades`,
    one.percent_bps && `${one.percent_bps / 100} % of what is quoted`,
    one.delta && `${grouped(String(one.delta))} shares more on one side than on the other`,
  ].filter(Boolean);
  if (!one.window_ms || !limits.length) return `Quotes ${where} have no protection.`;
  return `When ${limits.join(" or ")} have traded ${where} within ${one.window_ms} ms, all quotes it protects are withdrawn, and none is taken until you reset it.`;
}

/** Say how much of a protection is used: "40 of 500 shares". */
export function usedOf(quote: Quote): string {
  const parts = [
    quote.qty && `${grouped(quote.traded_qty)} of ${grouped(String(quote.qty))} shares`,
    quote.executions && `${quote.traded_executions} of ${quote.executions} trades`,
    quote.percent_bps && `${quote.traded_percent_bps / 100} of ${quote.percent_bps / 100} %`,
    quote.delta && `${quote.traded_delta} of ${quote.delta} to one side`,
  ];
  return parts.filter(Boolean).join(", ");
}
