// The messages of the market data stream that the terminal reads; docs/websocket.md describes them all.
import type { LevelText } from "./book.ts";
import type { WaitingText } from "./queue.ts";

export interface Subscription {
  channel: "book" | "queue" | "trades" | "ticker" | "candles" | "status";
  symbols: string[];
  interval?: string;
  conflated?: number;
  depth?: number;
}

export interface Trade {
  match_id: string;
  symbol: string;
  price: string;
  qty: string;
  taker_side: "buy" | "sell";
  executed_at: string;
  status: "executed" | "busted" | "corrected";
  reason?: string;
}

export interface Ticker {
  symbol: string;
  state: string;
  bid: string | null;
  ask: string | null;
  bid_qty: string | null;
  ask_qty: string | null;
  open: string | null;
  high: string | null;
  low: string | null;
  last: string | null;
  vwap: string | null;
  volume: string;
  trades: number;
  previous_close: string | null;
  change: string | null;
  change_bps: number | null;
}

export interface Candle {
  start: string;
  open: string | null;
  high: string | null;
  low: string | null;
  close: string | null;
  volume: string;
}

/** Any message; which fields there are follows from channel and type. */
export interface StreamMessage {
  channel?: Subscription["channel"];
  type: string;
  symbol?: string;
  seq?: number;
  prev_seq?: number;
  interval?: string;
  at?: string;
  bids?: LevelText[] | WaitingText[];
  asks?: LevelText[] | WaitingText[];
  checksum?: number;
  trades?: Trade[];
  trade?: Trade;
  ticker?: Ticker;
  candle?: Candle | null;
  state?: string;
  reason?: string;
  message?: string;
  problem?: string;
  phase?: string;
  begins_at?: string;
  ends_at?: string;
  price?: string;
  far_price?: string;
  reference_price?: string | null;
  qty?: string;
  imbalance_qty?: string;
  imbalance_side?: string;
  lowest_price?: string;
  highest_price?: string;
  tier?: number;
  dynamic_bps?: number;
  static_bps?: number;
  is_doubled?: boolean;
  index_level?: string;
  fall_bps?: number;
  level?: number;
  former_symbol?: string;
  bands?: { reference_price: string; lowest_price: string | null; highest_price: string; state: "normal" | "limit" | "straddle" } | null;
  breaker?: { close_level: string; index_level: string | null; fall_bps: number; tripped_level: number; ends_at: string | null } | null;
  indication?: {
    price: string | null;
    far_price: string | null;
    reference_price: string;
    paired_qty: string;
    imbalance_qty: string;
    imbalance_side: string | null;
  } | null;
}
