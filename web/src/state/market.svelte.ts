// What the market looks like now: everything the stream says, handed to the views at most ten times a second.
import { ask, type Addresses, type Page } from "../api.ts";
import { milliseconds } from "../clock.ts";
import { Book, type Level } from "../feed/book.ts";
import { FeedClient, type FeedState, type Socket } from "../feed/feed_client.ts";
import type { Candle, StreamMessage, Subscription, Ticker, Trade } from "../feed/messages.ts";
import { Queue } from "../feed/queue.ts";
import { CANDLES_MAX, withCandle } from "./candles.ts";
import { breakerAfter, limitsAfter, limitsOf, NO_BREAKER, NO_LIMITS, type Breaker, type Limits, type LimitsAnswer } from "./limits.ts";
import { after, UNKNOWN, withScheduled, type Scheduled, type SymbolPhase } from "./phases.ts";

export interface SymbolInfo {
  symbol: string;
  name: string;
  state: string;
  round_lot: string;
  reference_price: string;
  ticks: { from: string; tick: string }[];
  phase?: string;
  auction?: { collar_bps: number } | null;
  short_sales?: { trigger_bps: number; needs_locate: boolean; needs_marking: boolean; restricted: boolean };
}

const CHANGES_SYMBOLS = new Set([
  "symbol_added", "symbol_changed", "symbol_renamed", "split", "dividend", "short_sales_restricted", "short_sales_free",
]);
const SHOW_EVERY_MS = 100;
const BOOK_MS = 100;
const TICKER_MS = 250;
const TAPE_ROWS = 100;
const SPARK_POINTS = 60;
const SPARK_EVERY_MS = 1000;
const SPARK_SYMBOLS = 40;
/** A corridor moves with each trade, and nobody is told: it is asked for. */
const CORRIDOR_EVERY_MS = 2000;

export class Market {
  symbols = $state.raw<SymbolInfo[]>([]);
  symbol = $state("");
  interval = $state<string>("1s");
  tickers = $state.raw<Record<string, Ticker>>({});
  sparks = $state.raw<Record<string, number[]>>({});
  bids = $state.raw<readonly Level[]>([]);
  asks = $state.raw<readonly Level[]>([]);
  trades = $state.raw<Trade[]>([]);
  candles = $state.raw<Candle[]>([]);
  reasons = $state.raw<Record<string, string>>({});
  phases = $state.raw<Record<string, SymbolPhase>>({});
  scheduled = $state.raw<readonly Scheduled[]>([]);
  limits = $state.raw<Record<string, Limits>>({});
  breaker = $state.raw<Breaker>(NO_BREAKER);
  feedState = $state<FeedState>("resyncing");
  problem = $state("");
  seq = $state(0);
  bookSeq = $state(0);
  /** Order by order, while somebody watches it; a new value with each change. */
  queue = $state.raw<{ book: Queue } | undefined>();
  heardAt = $state(0);
  busts = $state(0);
  updates = 0;

  private readonly feed: FeedClient;
  private shown: Subscription[] = [];
  private dirty = new Set<string>();
  private asked = false;
  private book: Book | undefined;
  private line: Queue | undefined;
  private isQueueWatched = false;
  private draft = { trades: [] as Trade[], candles: [] as Candle[], tickers: {} as Record<string, Ticker>, phases: {} as Record<string, SymbolPhase> };
  private sparkAt: Record<string, number> = {};

  constructor(private readonly addresses: Addresses) {
    this.feed = new FeedClient({
      open: () => new WebSocket(addresses.stream) as unknown as Socket,
      now: () => performance.now(),
      later: (delay, what) => setTimeout(what, delay),
      onMessage: (message, book) => this.take(message, book),
      onState: (state) => (this.feedState = state),
    });
  }

  /** The intervals of the candles that the reporter keeps. */
  get intervals(): readonly string[] {
    return this.addresses.intervals ?? [this.interval];
  }

  /** Load the symbols, open the stream, and show a symbol: the wanted one if it is listed, else the first. */
  async start(wanted: string): Promise<void> {
    this.symbols = await allSymbols(this.addresses.reporter);
    if (!this.intervals.includes(this.interval)) this.interval = this.intervals[0] ?? this.interval;
    this.feed.start();
    this.feed.subscribe({ channel: "ticker", symbols: ["*"], conflated: TICKER_MS });
    this.feed.subscribe({ channel: "status", symbols: ["*"] });
    setInterval(() => this.feed.watch(), 1000);
    this.show(this.symbols.some((one) => one.symbol === wanted) ? wanted : (this.symbols[0]?.symbol ?? ""));
    void this.loadSparks();
    void this.loadSchedule();
    setInterval(() => document.hidden || this.limitsNow.mode !== "corridor" || void this.loadLimits(), CORRIDOR_EVERY_MS);
  }

  get ticker(): Ticker | undefined {
    return this.tickers[this.symbol];
  }

  /** Where the symbol that is shown is in its day. */
  get phase(): SymbolPhase {
    return this.phases[this.symbol] ?? UNKNOWN;
  }

  /** What protects the symbol that is shown. */
  get limitsNow(): Limits {
    return this.limits[this.symbol] ?? NO_LIMITS;
  }

  get info(): SymbolInfo | undefined {
    return this.symbols.find((one) => one.symbol === this.symbol);
  }

  /** Show another symbol, or the same in another interval. */
  show(symbol: string, interval = this.interval): void {
    for (const subscription of this.shown) this.feed.unsubscribe(subscription);
    this.symbol = symbol;
    this.interval = interval;
    this.bids = this.asks = [];
    this.trades = this.draft.trades = [];
    this.candles = this.draft.candles = [];
    this.book = this.line = this.queue = undefined;
    if (!symbol) return;
    const symbols = [symbol];
    this.shown = [
      { channel: "book", symbols, conflated: BOOK_MS },
      { channel: "trades", symbols },
      { channel: "candles", symbols, interval, conflated: BOOK_MS },
    ];
    if (this.isQueueWatched) this.shown.push({ channel: "queue", symbols });
    for (const subscription of this.shown) this.feed.subscribe(subscription);
    void this.loadLimits();
  }

  /** Ask what protects a symbol, the one that is shown unless said: tier and corridor are not in the stream's snapshot. */
  async loadLimits(symbol = this.symbol): Promise<void> {
    const path = `/api/v1/symbols/${encodeURIComponent(symbol)}/limits`;
    const found = await ask<LimitsAnswer>(this.addresses.engine, path).catch(ignore);
    if (found) this.limits = { ...this.limits, [symbol]: limitsOf(found, this.limits[symbol] ?? NO_LIMITS) };
  }

  /** Take the symbols anew: their names, terms and references. */
  async loadSymbols(): Promise<void> {
    const found = await allSymbols(this.addresses.reporter).catch(ignore);
    if (found) this.symbols = found;
  }

  /** Follow the symbol's book order by order, or no longer: it is every single change, so only while it is shown. */
  watchQueue(wanted: boolean): void {
    if (wanted === this.isQueueWatched) return;
    this.isQueueWatched = wanted;
    this.show(this.symbol);
  }

  private take(message: StreamMessage, book: Book | Queue | undefined): void {
    this.updates++;
    const mine = message.symbol === this.symbol;
    if (message.channel === "ticker" && message.ticker) this.takeTicker(message.ticker);
    else if (book instanceof Book && mine) this.book = book;
    else if (book instanceof Queue && mine) this.line = book;
    else if (message.channel === "trades" && mine) this.takeTrades(message);
    else if (message.channel === "candles" && mine) this.takeCandle(message);
    else if (message.channel === "status") this.takeStatus(message);
    else if (message.type === "error") this.problem = message.message ?? "";
    else if (message.type === "heartbeat") this.problem = message.problem ?? "";
    this.refresh(message.channel ?? "");
  }

  /** Gather what came, and hand it to the views together. */
  private refresh(what: string): void {
    this.dirty.add(what);
    if (this.asked) return;
    this.asked = true;
    setTimeout(() => {
      this.asked = false;
      const { dirty, draft, book } = this;
      this.dirty = new Set();
      this.seq = this.feed.seq;
      this.heardAt = Date.now();
      if (dirty.has("ticker")) this.tickers = { ...draft.tickers };
      if (dirty.has("status")) this.phases = { ...draft.phases };
      if (dirty.has("trades")) this.trades = draft.trades.slice(0, TAPE_ROWS);
      if (dirty.has("candles")) this.candles = draft.candles.slice();
      if (dirty.has("queue") && this.line) this.queue = { book: this.line };
      if (dirty.has("book") && book) {
        [this.bids, this.asks] = [book.bids, book.asks];
        this.bookSeq = this.feed.seq;
      }
    }, SHOW_EVERY_MS);
  }

  private takeTicker(ticker: Ticker): void {
    this.draft.tickers[ticker.symbol] = ticker;
    const now = Date.now();
    if (ticker.last === null || now - (this.sparkAt[ticker.symbol] ?? 0) < SPARK_EVERY_MS) return;
    this.sparkAt[ticker.symbol] = now;
    const line = [...(this.sparks[ticker.symbol] ?? []), Number(ticker.last)].slice(-SPARK_POINTS);
    this.sparks = { ...this.sparks, [ticker.symbol]: line };
  }

  private takeTrades(message: StreamMessage): void {
    if (message.type === "snapshot") this.draft.trades = [...(message.trades ?? [])].reverse();
    else if (message.trade) {
      const trade = message.trade;
      const at = this.draft.trades.findIndex((one) => one.match_id === trade.match_id);
      if (at >= 0) this.draft.trades[at] = trade;
      else this.draft.trades.unshift(trade);
      this.draft.trades.length = Math.min(this.draft.trades.length, TAPE_ROWS);
    }
    if (message.type === "bust") this.busts++;
  }

  private takeCandle(message: StreamMessage): void {
    if (message.interval !== this.interval) return;
    if (message.type === "snapshot") void this.loadCandles();
    if (message.candle) this.draft.candles = withCandle(this.draft.candles, message.candle);
  }

  private takeStatus(message: StreamMessage): void {
    if (message.symbol && message.state && message.type !== "limit_state") {
      this.reasons = { ...this.reasons, [message.symbol]: message.reason ?? "" };
      const ticker = this.draft.tickers[message.symbol];
      if (ticker) this.draft.tickers[message.symbol] = { ...ticker, state: message.state };
      this.dirty.add("ticker");
    }
    const { symbol = "", phase } = message;
    if (symbol) {
      const [before, now] = [this.limits[symbol] ?? NO_LIMITS, limitsAfter(this.limits[symbol] ?? NO_LIMITS, message)];
      if (now !== before) this.limits = { ...this.limits, [symbol]: now };
      if (message.type === "snapshot" && symbol === this.symbol) void this.loadLimits();
    } else this.breaker = breakerAfter(this.breaker, message);
    if (message.former_symbol) this.renamed(message.former_symbol, symbol);
    if (message.type === "phase_scheduled" && phase && message.begins_at) {
      this.scheduled = withScheduled(this.scheduled, { symbol, phase, at: message.begins_at });
    } else if (symbol) this.draft.phases[symbol] = after(this.draft.phases[symbol] ?? UNKNOWN, message, Date.now());
    if (CHANGES_SYMBOLS.has(message.type)) void this.loadSymbols();
    if (message.type === "bust") this.busts++;
  }

  /** A ticker that is no more is followed under its new name. */
  private renamed(former: string, symbol: string): void {
    this.draft.tickers = moved(this.draft.tickers, former, symbol);
    this.draft.phases = moved(this.draft.phases, former, symbol);
    this.limits = moved(this.limits, former, symbol);
    this.sparks = moved(this.sparks, former, symbol);
    this.dirty.add("ticker").add("status");
    if (this.symbol === former) this.show(symbol);
  }

  private async loadCandles(): Promise<void> {
    const { symbol, interval } = this;
    const path = `/api/v1/candles?symbol=${encodeURIComponent(symbol)}&interval=${interval}&limit=${CANDLES_MAX}`;
    const found = await ask<Page<Candle>>(this.addresses.reporter, path).catch(ignore);
    if (!found || symbol !== this.symbol || interval !== this.interval) return;
    let candles = found.items;
    for (const newer of this.draft.candles) {
      if (!candles.length || milliseconds(newer.start) >= milliseconds(candles.at(-1)!.start)) {
        candles = withCandle(candles, newer);
      }
    }
    this.draft.candles = candles;
    this.refresh("candles");
  }

  private async loadSchedule(): Promise<void> {
    const found = await ask<{ items: Scheduled[] }>(this.addresses.engine, "/api/v1/market/schedule").catch(ignore);
    for (const row of found?.items ?? []) this.scheduled = withScheduled(this.scheduled, row);
  }

  private async loadSparks(): Promise<void> {
    for (const { symbol } of this.symbols.slice(0, SPARK_SYMBOLS)) {
      const path = `/api/v1/candles?symbol=${encodeURIComponent(symbol)}&interval=5s&limit=${SPARK_POINTS}`;
      const found = await ask<Page<Candle>>(this.addresses.reporter, path).catch(ignore);
      const past = (found?.items ?? []).flatMap(({ close }) => (close === null ? [] : [Number(close)]));
      this.sparks = { ...this.sparks, [symbol]: [...past, ...(this.sparks[symbol] ?? [])].slice(-SPARK_POINTS) };
    }
  }
}

/** What was known under a name, under its new one. */
function moved<T>(all: Record<string, T>, former: string, symbol: string): Record<string, T> {
  const { [former]: found, ...others } = all;
  return found === undefined ? others : { ...others, [symbol]: found };
}

async function allSymbols(reporter: string): Promise<SymbolInfo[]> {
  return (await ask<Page<SymbolInfo>>(reporter, "/api/v1/symbols")).items;
}

function ignore(): undefined {
  return undefined;
}
