// The market data stream: snapshot in band, then deltas that must fit without a gap.
// live: everything fits. resyncing: a gap, a wrong checksum or a new connection is being made good.
// stale: nothing is heard, so what is shown is old; it connects again by itself and resumes where it can.
import { Book, type BookChange } from "./book.ts";
import type { StreamMessage, Subscription } from "./messages.ts";
import { Queue, type QueueChange } from "./queue.ts";

export type FeedState = "live" | "resyncing" | "stale";

/** What the client needs of a WebSocket. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
}

export interface FeedOptions {
  open: () => Socket;
  now: () => number;
  later: (delay_ms: number, what: () => void) => void;
  onMessage: (message: StreamMessage, book: Book | Queue | undefined) => void;
  onState: (state: FeedState) => void;
}

export const SILENCE_MS = 4000;
export const RETRY_MS = [250, 500, 1000, 2000, 4000] as const;
/** Gaps in a row after which the connection itself is given up. */
export const RESYNCS_MAX = 5;

export class FeedClient {
  state: FeedState = "resyncing";
  heardAt: number;
  seq = 0;
  private readonly wanted = new Map<string, Subscription>();
  private readonly chains = new Map<string, number>();
  private readonly books = new Map<string, Book>();
  private readonly queues = new Map<string, Queue>();
  private readonly waiting = new Set<string>();
  private socket: Socket | undefined;
  private isOpen = false;
  private tries = 0;
  private resyncs = 0;

  constructor(private readonly options: FeedOptions) {
    this.heardAt = options.now();
  }

  /** Open the connection and keep it. */
  start(): void {
    this.connect();
  }

  /** Ask for a channel; sent at once, and again after each reconnect. */
  subscribe(subscription: Subscription): void {
    this.wanted.set(keyOf(subscription), subscription);
    if (this.isOpen) this.ask(subscription);
  }

  /** Give a channel up, and forget what is known of it. */
  unsubscribe(subscription: Subscription): void {
    this.wanted.delete(keyOf(subscription));
    for (const symbol of subscription.symbols) {
      const chain = chainOf(subscription.channel, symbol, subscription.interval);
      this.chains.delete(chain);
      this.waiting.delete(chain);
      if (subscription.channel === "book") this.books.delete(symbol);
      if (subscription.channel === "queue") this.queues.delete(symbol);
    }
    if (this.isOpen) this.send({ op: "unsubscribe", ...namesOf(subscription) });
    this.settle();
  }

  /** Look whether the stream has fallen silent; to be called about once a second. */
  watch(): void {
    if (this.options.now() - this.heardAt <= SILENCE_MS) return;
    this.show("stale");
    if (this.isOpen) this.drop();
  }

  private connect(): void {
    const socket = this.options.open();
    this.socket = socket;
    this.isOpen = false;
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.isOpen = true;
      this.show("resyncing");
      for (const subscription of this.wanted.values()) this.ask(subscription);
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.take(JSON.parse(event.data) as StreamMessage);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.drop();
    };
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = undefined;
    this.isOpen = false;
    this.waiting.clear();
    socket?.close();
    this.show("stale");
    const delay = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]!;
    this.options.later(delay, () => this.connect());
  }

  private take(message: StreamMessage): void {
    this.heardAt = this.options.now();
    if (message.seq !== undefined && message.seq > this.seq) this.seq = message.seq;
    if (!message.channel) {
      if (message.problem) this.show("stale");
      else if (message.type === "heartbeat" || message.type === "pong") this.settle();
      if (message.type !== "subscribed") this.options.onMessage(message, undefined);
      return;
    }
    const chain = chainOf(message.channel, message.symbol ?? "", message.interval);
    if (!this.fits(chain, message)) return;
    const book = this.bookAfter(chain, message);
    if (book === false) return;
    this.waiting.delete(chain);
    this.resyncs = 0;
    this.settle();
    this.options.onMessage(message, book);
  }

  /** Keep the chain of one channel and symbol; a message that does not follow the last one begins a resync. */
  private fits(chain: string, message: StreamMessage): boolean {
    if (message.type === "resumed") {
      this.waiting.delete(chain);
      this.settle();
      return false;
    }
    const known = this.chains.get(chain);
    if (message.type !== "snapshot") {
      // Whoever waits for a snapshot, or for "resumed", lets pass what was sent before it.
      if (this.waiting.has(chain)) return false;
      if (known !== undefined && message.prev_seq !== undefined && message.prev_seq !== known) {
        this.resync(chain, message);
        return false;
      }
    }
    if (message.seq !== undefined) this.chains.set(chain, message.seq);
    return true;
  }

  private bookAfter(chain: string, message: StreamMessage): Book | Queue | undefined | false {
    const { channel, symbol = "", type, bids = [], asks = [], checksum = 0 } = message;
    if (channel !== "book" && channel !== "queue") return undefined;
    const change = { type, bids, asks, checksum };
    const book = channel === "book" ? kept(this.books, symbol, Book) : kept(this.queues, symbol, Queue);
    const isRight = book instanceof Book ? book.take(change as BookChange) : book.take(change as QueueChange);
    if (isRight) return book;
    this.chains.delete(chain);
    this.resync(chain, message);
    return false;
  }

  /** Ask for one chain anew: where it can be resumed from its last sequence, else from a snapshot. */
  private resync(chain: string, message: StreamMessage): void {
    if (++this.resyncs > RESYNCS_MAX) return this.drop();
    this.waiting.add(chain);
    this.show("resyncing");
    const symbol = message.symbol ?? "";
    const subscription = [...this.wanted.values()].find(
      (one) => one.channel === message.channel && one.interval === message.interval && covers(one, symbol),
    );
    if (!subscription) return;
    this.send({ op: "unsubscribe", ...namesOf(subscription) });
    this.ask(subscription);
  }

  private ask(subscription: Subscription): void {
    const chains = subscription.symbols.map((symbol) => chainOf(subscription.channel, symbol, subscription.interval));
    const known = chains.length === 1 ? this.chains.get(chains[0]!) : undefined;
    const resumes = known !== undefined && isResumable(subscription.channel);
    if (!resumes) this.forget(subscription);
    if (!subscription.symbols.includes("*")) for (const chain of chains) this.waiting.add(chain);
    this.send({ op: "subscribe", ...subscription, ...(resumes ? { from_seq: known + 1 } : {}) });
  }

  private forget(subscription: Subscription): void {
    const all = subscription.symbols.includes("*");
    for (const chain of [...this.chains.keys()]) {
      const [channel, symbol = "", interval] = chain.split(" ");
      const same = channel === subscription.channel && (interval || undefined) === subscription.interval;
      if (same && (all || subscription.symbols.includes(symbol))) this.chains.delete(chain);
    }
  }

  /** Everything asked for has come: what is shown is true. */
  private settle(): void {
    if (!this.isOpen || this.waiting.size) return;
    this.tries = 0;
    this.show("live");
  }

  private send(operation: object): void {
    this.socket?.send(JSON.stringify(operation));
  }

  private show(state: FeedState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState(state);
  }
}

function kept<T>(all: Map<string, T>, symbol: string, kind: new () => T): T {
  let found = all.get(symbol);
  if (!found) all.set(symbol, (found = new kind()));
  return found;
}

function keyOf(subscription: Subscription): string {
  return `${subscription.channel} ${subscription.symbols.join(",")} ${subscription.interval ?? ""}`;
}

function chainOf(channel: string, symbol: string, interval: string | undefined): string {
  return `${channel} ${symbol} ${interval ?? ""}`;
}

function namesOf({ channel, symbols, interval }: Subscription): object {
  return interval ? { channel, symbols, interval } : { channel, symbols };
}

function covers(subscription: Subscription, symbol: string): boolean {
  return subscription.symbols.includes(symbol) || subscription.symbols.includes("*");
}

/** Trades and status are resumed from the store; a conflated book, tickers and candles come as a snapshot. */
function isResumable(channel: string): boolean {
  return channel === "trades" || channel === "status";
}
