// A market maker's quotes and their protections: drafted by symbol, sent as one mass quote, shown as they stand.
import { ask, ApiError, type Addresses, type Page } from "../api.ts";
import { linesOf, type QuoteDraft } from "../quotes.ts";
import type { Account, Answer, Order } from "./account.svelte.ts";

export interface Quote {
  symbol: string;
  account: string;
  bid_order_id: string | null;
  ask_order_id: string | null;
  qty: number;
  executions: number;
  percent_bps: number;
  delta: number;
  window_ms: number;
  traded_qty: string;
  traded_executions: number;
  traded_percent_bps: number;
  traded_delta: number;
  reached: boolean;
}

export interface Protection {
  symbol: string;
  qty: number;
  executions: number;
  percent_bps: number;
  delta: number;
  window_ms: number;
}

const EVERY_MS = 1000;
const QUOTES = "/api/v1/quotes";

export class Quoting {
  quotes = $state.raw<Quote[]>([]);
  answer = $state.raw<Answer>({ good: true, text: "" });
  private key = "";
  private number = 0;

  constructor(
    private readonly addresses: Addresses,
    private readonly account: Account,
  ) {}

  /** Ask now and then until the answer is called. key: of a trader, asked for each time. */
  watch(key: () => string): () => void {
    const look = () => {
      this.key = key();
      if (!document.hidden) void this.refresh();
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Return the order of a live quote's side, once it is known. */
  order(id: string | null): Order | undefined {
    return id ? this.account.known[id] : undefined;
  }

  async refresh(): Promise<void> {
    if (!this.key) {
      this.quotes = [];
      return;
    }
    const found = await ask<Page<Quote>>(this.addresses.engine, QUOTES, this.key).catch(() => undefined);
    if (!found) return;
    this.quotes = found.items;
    await this.account.lookUp(found.items.flatMap((one) => [one.bid_order_id, one.ask_order_id].filter((id) => id !== null)));
  }

  /** Quote in several symbols with one command; each has its own answer. */
  send(drafts: readonly QuoteDraft[]): Promise<void> {
    return this.told(async () => {
      type Results = { items: { symbol: string; bid?: Order; ask?: Order; error?: { message: string } }[] };
      const body = { quote_id: ++this.number, quotes: linesOf(drafts) };
      const { items } = await ask<Results>(this.addresses.engine, QUOTES, this.key, "POST", body);
      const refused = items.filter((one) => one.error);
      if (refused.length) throw new ApiError(422, refused.map((one) => `${one.symbol}: ${one.error!.message}`).join(" "));
      return `Quoted in ${items.map((one) => one.symbol).join(", ")}.`;
    });
  }

  /** Withdraw the quote of a symbol, or all. */
  withdraw(symbol = ""): Promise<void> {
    return this.told(async () => {
      const query = symbol ? `?symbol=${encodeURIComponent(symbol)}` : "";
      const { count } = await ask<{ count: number }>(this.addresses.engine, QUOTES + query, this.key, "DELETE");
      return `${count} orders of quotes${symbol ? ` in ${symbol}` : ""} are withdrawn.`;
    });
  }

  /** Set what may trade within a window; a window of 0 is no protection. */
  protect(protection: Protection): Promise<void> {
    return this.told(async () => {
      await ask(this.addresses.engine, `${QUOTES}/protection`, this.key, "PUT", protection);
      return `Quotes ${protection.symbol ? `in ${protection.symbol}` : "in all symbols together"} ${protection.window_ms ? "are protected now" : "have no protection now"}.`;
    });
  }

  /** Let quotes be taken again after a protection was reached. */
  reset(symbol: string): Promise<void> {
    return this.told(async () => {
      await ask(this.addresses.engine, `${QUOTES}/reset`, this.key, "POST", { symbol });
      return `The protection ${symbol ? `in ${symbol}` : "of all symbols together"} is reset: quote again.`;
    });
  }

  private async told(what: () => Promise<string>): Promise<void> {
    try {
      this.answer = { good: true, text: await what() };
    } catch (error) {
      this.answer = { good: false, text: error instanceof ApiError ? error.message : String(error) };
    }
    await this.account.refresh();
    await this.refresh();
  }
}
