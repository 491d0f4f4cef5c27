// Where each symbol is in its trading day, as the status channel tells it: phase, auction as it builds up, halts.
import { milliseconds } from "../clock.ts";
import type { StreamMessage } from "../feed/messages.ts";

export interface Indication {
  /** Milliseconds since 1970. */
  at: number;
  price: string | null;
  far_price: string | null;
  reference_price: string;
  paired: string;
  imbalance: string;
  side: string;
}

/** A time without trading, in milliseconds since 1970; no end while it lasts. */
export interface Halt {
  from: number;
  to?: number;
  reason: string;
}

export interface SymbolPhase {
  phase: string;
  reason: string;
  ends_at: string;
  /** What was told of the auction that orders gather for, oldest first. */
  told: readonly Indication[];
  /** The prices between which an extended auction may end. */
  collar: string;
  halts: readonly Halt[];
}

export interface Scheduled {
  symbol: string;
  phase: string;
  at: string;
}

export const UNKNOWN: SymbolPhase = { phase: "continuous", reason: "", ends_at: "", told: [], collar: "", halts: [] };
const TOLD_MAX = 600;
const HALTS_MAX = 50;
const SCHEDULED_MAX = 100;
const GATHERING = /auction$|no_cancel$|^pre_open$/;

/** Tell whether orders gather for an auction in a phase. */
export function gathers(phase: string): boolean {
  return GATHERING.test(phase);
}

/** Write a phase as words. */
export function inWords(phase: string): string {
  return phase.replaceAll("_", " ").replace("pre open", "pre-open").replace("post close", "post-close");
}

/** Return where a symbol is after a message of the status channel. now: milliseconds, for a snapshot, which has no time. */
export function after(before: SymbolPhase, message: StreamMessage, now: number): SymbolPhase {
  const at = message.at ? milliseconds(message.at) : now;
  switch (message.type) {
    case "snapshot": {
      const made = entered(before, message.phase ?? before.phase, "", "", at);
      const told = message.indication;
      return told ? { ...made, told: [...made.told, indicationOf(told, at)].slice(-TOLD_MAX) } : made;
    }
    case "phase":
      return entered(before, message.phase ?? before.phase, message.reason ?? "", message.ends_at ?? "", at);
    case "auction_indicated":
      return { ...before, told: [...before.told, toldBy(message, at)].slice(-TOLD_MAX) };
    case "auction_extended": {
      const collar = `${message.lowest_price ?? "0"} to ${message.highest_price ?? ""}`;
      return { ...before, ends_at: message.ends_at ?? "", collar };
    }
    default:
      return before;
  }
}

/** Return the schedule with one phase more, soonest first. */
export function withScheduled(rows: readonly Scheduled[], row: Scheduled): Scheduled[] {
  const others = rows.filter((one) => one.symbol !== row.symbol || one.phase !== row.phase);
  return [...others, row].sort((one, other) => milliseconds(one.at) - milliseconds(other.at)).slice(-SCHEDULED_MAX);
}

/** Return when the gathering of orders ends, in milliseconds, or nothing where nobody has said. */
export function endOf(symbol: string, at: SymbolPhase, rows: readonly Scheduled[], now: number): number | undefined {
  if (at.ends_at) return milliseconds(at.ends_at);
  const next = rows.find(
    (row) => (row.symbol === "" || row.symbol === symbol) && milliseconds(row.at) > now && !gathers(row.phase),
  );
  return next && gathers(at.phase) ? milliseconds(next.at) : undefined;
}

/** Write how long something takes: `1:05`. */
export function countdown(rest_ms: number): string {
  const seconds = Math.max(0, Math.ceil(rest_ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function entered(before: SymbolPhase, phase: string, reason: string, ends_at: string, at: number): SymbolPhase {
  const wasCall = gathers(before.phase) && gathers(phase);
  return { ...before, phase, reason, ends_at, collar: "", told: wasCall ? before.told : [], halts: haltsAfter(before, phase, reason, at) };
}

/** A halt, a pause after sudden prices, or one of the breaker: it goes on while orders gather for the auction that reopens trading. */
function haltsAfter(before: SymbolPhase, phase: string, reason: string, at: number): readonly Halt[] {
  const open = before.halts.at(-1);
  const stands = phase === "halted" || phase === "volatility_auction" || phase === "reopening_auction";
  if (open && open.to === undefined) return stands ? before.halts : [...before.halts.slice(0, -1), { ...open, to: at }];
  return stands ? [...before.halts, { from: at, reason }].slice(-HALTS_MAX) : before.halts;
}

function toldBy(message: StreamMessage, at: number): Indication {
  return {
    at, price: message.price || null, far_price: message.far_price || null, reference_price: message.reference_price ?? "",
    paired: message.qty ?? "0", imbalance: message.imbalance_qty ?? "0", side: message.imbalance_side ?? "",
  };
}

function indicationOf(told: NonNullable<StreamMessage["indication"]>, at: number): Indication {
  return {
    at, price: told.price, far_price: told.far_price, reference_price: told.reference_price, paired: told.paired_qty,
    imbalance: told.imbalance_qty, side: told.imbalance_side ?? "",
  };
}
