// What protects a symbol from sudden prices, and the breaker of the market, as the status channel and REST tell them.
import { milliseconds } from "../clock.ts";
import type { StreamMessage } from "../feed/messages.ts";
import { countdown } from "./phases.ts";

export interface Limits {
  mode: "none" | "bands" | "corridor";
  tier: number;
  dynamic_bps: number;
  static_bps: number;
  reference: string;
  lowest: string;
  highest: string;
  state: "normal" | "limit" | "straddle";
  /** When a limit state leads to a pause; empty while it does not. */
  pause_at: string;
  /** Late in the day bands are twice as wide. */
  doubled: boolean;
}

/** What `GET /api/v1/symbols/{symbol}/limits` answers. */
export interface LimitsAnswer {
  symbol: string;
  mode: Limits["mode"];
  tier: number;
  dynamic_bps: number;
  static_bps: number;
  reference_price: string | null;
  lowest_price: string | null;
  highest_price: string | null;
  state: Limits["state"];
  pause_at: string | null;
}

/** close: the level that falls are measured from, empty where there is no breaker; tripped: 1 to 3, 0 for none. */
export interface Breaker {
  close: string;
  level: string;
  fall_bps: number;
  tripped: number;
  ends_at: string;
}

export const NO_LIMITS: Limits = {
  mode: "none", tier: 0, dynamic_bps: 0, static_bps: 0, reference: "", lowest: "", highest: "", state: "normal", pause_at: "", doubled: false,
};
export const NO_BREAKER: Breaker = { close: "", level: "", fall_bps: 0, tripped: 0, ends_at: "" };
const NOWHERE = { reference: "", lowest: "", highest: "", state: "normal", pause_at: "", doubled: false } as const;
export const BREAKER_BPS = [700, 1300, 2000] as const;

/** Return what protects a symbol after a message of the status channel. */
export function limitsAfter(before: Limits, message: StreamMessage): Limits {
  const prices = { lowest: message.lowest_price ?? "", highest: message.highest_price ?? "" };
  switch (message.type) {
    case "snapshot": {
      const { bands } = message;
      if (!bands) return { ...before, ...NOWHERE };
      const at = { reference: bands.reference_price, lowest: bands.lowest_price ?? "", highest: bands.highest_price };
      return { ...before, ...NOWHERE, ...at, mode: "bands", state: bands.state };
    }
    case "price_bands_set":
      return { ...NO_LIMITS, mode: message.tier ? "bands" : "none", tier: message.tier ?? 0 };
    case "price_corridor_set": {
      const [dynamic_bps, static_bps] = [message.dynamic_bps ?? 0, message.static_bps ?? 0];
      return { ...NO_LIMITS, mode: dynamic_bps || static_bps ? "corridor" : "none", dynamic_bps, static_bps };
    }
    case "price_bands":
      return { ...before, ...prices, mode: "bands", reference: message.reference_price ?? "", doubled: message.is_doubled ?? false };
    case "limit_state":
      return { ...before, state: (message.state as Limits["state"]) ?? "normal", pause_at: message.ends_at ?? "" };
    case "phase":
      return { ...before, ...NOWHERE };
    default:
      return before;
  }
}

/** Return what protects a symbol as REST tells it. */
export function limitsOf(answer: LimitsAnswer, before: Limits): Limits {
  const { mode, tier, dynamic_bps, static_bps, state } = answer;
  return {
    mode, tier, dynamic_bps, static_bps, state, reference: answer.reference_price ?? "", lowest: answer.lowest_price ?? "",
    highest: answer.highest_price ?? "", pause_at: answer.pause_at ?? "", doubled: mode === "bands" && before.doubled,
  };
}

/** Return the breaker after a message of the status channel about the whole market. */
export function breakerAfter(before: Breaker, message: StreamMessage): Breaker {
  switch (message.type) {
    case "snapshot": {
      const told = message.breaker;
      if (!told) return NO_BREAKER;
      const { close_level: close, index_level, fall_bps, tripped_level: tripped } = told;
      return { close, level: index_level ?? "", fall_bps, tripped, ends_at: told.ends_at ?? "" };
    }
    case "market_breaker": {
      const close = message.index_level ?? "";
      return { ...NO_BREAKER, close: Number(close) ? close : "" };
    }
    case "index_level":
      return { ...before, level: message.index_level ?? "", fall_bps: message.fall_bps ?? 0 };
    case "breaker_tripped":
      return { ...before, tripped: Number(message.level ?? 0), ends_at: message.ends_at ?? "" };
    case "business_date":
      return { ...before, fall_bps: 0, tripped: 0, ends_at: "" };
    default:
      return before;
  }
}

/** Say what protects a symbol, short: "bands 180.00 to 198.00". */
export function limitsInWords(limits: Limits): string {
  if (limits.mode === "none") return "";
  const kind = limits.mode === "bands" ? `bands${limits.doubled ? " (doubled)" : ""}` : "corridor";
  return limits.highest ? `${kind} ${limits.lowest || "0"} to ${limits.highest}` : `${kind}, not now`;
}

/** Say how the best prices stand to the bands; nothing where they are within. now: milliseconds since 1970. */
export function stateInWords({ state, pause_at }: Limits, now: number): string {
  if (state === "normal") return "";
  if (state === "straddle") return "straddle state: a best price is beyond a band";
  return `limit state${pause_at ? `, pauses in ${countdown(milliseconds(pause_at) - now)}` : ""}`;
}

/** Say where the market's breaker stands; nothing where there is none. */
export function breakerInWords({ close, level, fall_bps, tripped, ends_at }: Breaker, at: (time: string) => string): string {
  if (!close) return "";
  const stands = level ? `the index stands at ${level}, ${(fall_bps / 100).toFixed(2)} % below its close of ${close}` : `the index closed at ${close}`;
  if (!tripped) return stands;
  const until = ends_at ? ` until ${at(ends_at)}` : tripped === 3 ? " for the rest of the business date" : "";
  return `market-wide breaker, level ${tripped}: trading stands${until}; ${stands}`;
}

/** Say what the market would do at an index level. */
export function tripInWords(close: string, level: string): string {
  const [from, to] = [Number(close), Number(level)];
  if (!from) return "Without a close the breaker watches nothing.";
  if (!(to > 0)) return `Level 1 trips at ${(from * 0.93).toFixed(2)}, level 2 at ${(from * 0.87).toFixed(2)}, level 3 at ${(from * 0.8).toFixed(2)}.`;
  const fall = Math.max(0, (10_000 * (from - to)) / from);
  const reached = BREAKER_BPS.filter((bps) => fall >= bps).length;
  const said = `${to} is ${(fall / 100).toFixed(2)} % below the close: `;
  if (!reached) return `${said}nothing follows.`;
  if (reached === 3) return `${said}level 3, every symbol is halted until the business date is over.`;
  return `${said}level ${reached}, every symbol that trades gathers orders for 15 minutes and reopens by an auction, unless this level or a higher one has tripped today.`;
}
