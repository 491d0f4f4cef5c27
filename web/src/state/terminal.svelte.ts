// The parts of the terminal that every view works with.
import { ask, type Addresses } from "../api.ts";
import { Clock } from "../clock.ts";
import { EMPTY, hasLimit, type Draft } from "../words.ts";
import { Account, isLive, type Order } from "./account.svelte.ts";
import { Market } from "./market.svelte.ts";
import { Office, type Story } from "./office.svelte.ts";
import { settings } from "./settings.svelte.ts";

/** An explanation that is only sentences. */
export interface Lines {
  title: string;
  lines: string[];
}

interface BookEntry {
  place: number;
  orders_ahead: number;
  qty_ahead: string;
}

export class Terminal {
  readonly market: Market;
  readonly account: Account;
  readonly office: Office;
  readonly clock: Clock = $derived(new Clock(settings.zone === "local" ? undefined : this.zone));
  draft = $state<Draft>({ ...EMPTY });
  story = $state.raw<Story | Lines | undefined>();

  constructor(readonly addresses: Addresses) {
    this.market = new Market(addresses);
    this.account = new Account(addresses);
    this.office = new Office(addresses);
  }

  /** The market's time zone. */
  get zone(): string {
    return this.addresses.time_zone ?? "UTC";
  }

  /** Begin with a symbol, and with the keys of this tab. */
  async start(symbol: string): Promise<void> {
    await this.market.start(symbol);
    this.useKeys();
    this.show(this.market.symbol);
  }

  /** Show a symbol, and remember it in the address. */
  show(symbol: string): void {
    if (symbol !== this.market.symbol) this.market.show(symbol);
    this.draft.symbol = symbol;
    history.replaceState(null, "", `#${encodeURIComponent(symbol)}`);
  }

  /** Put a price and a side into the ticket. */
  pick(price: string, side: "buy" | "sell"): void {
    Object.assign(this.draft, { price, side });
    if (!hasLimit(this.draft)) this.draft.type = "limit";
  }

  /** Take the keys that were entered. */
  useKeys(): void {
    settings.save();
    this.account.use(settings.key.trim());
    this.office.use(settings.operatorKey.trim());
  }

  /** Show how a trade was judged; with the operator's key where there is one, else with one's own. */
  async explain(match_id: string): Promise<void> {
    const key = settings.operatorKey.trim() || settings.key.trim();
    try {
      this.story = await this.office.story(match_id, key);
    } catch (error) {
      this.story = { title: "No explanation", lines: [error instanceof Error ? error.message : String(error)] };
    }
  }

  /** Show why an order is where it is: its place in the queue, or what ended it. */
  async explainOrder(order: Order): Promise<void> {
    const { id, side, qty, symbol, price, type, time_in_force, status } = order;
    const lines = [`${side} ${qty} ${symbol} ${price ? `at ${price}` : "at the market"}, ${type}, ${time_in_force}: ${status.replaceAll("_", " ")}.`];
    if (order.reject) lines.push(`It was refused: ${order.reject.message}`);
    if (order.cancel_reason) lines.push(`It was cancelled: ${order.cancel_reason.replaceAll("_", " ")}.`);
    lines.push(`${order.filled_qty} of ${qty} filled${order.avg_price ? `, at ${order.avg_price} on average` : ""}.`);
    if (order.busted_qty && order.busted_qty !== "0") lines.push(`${order.busted_qty} of what was filled were busted; the fills say why.`);
    if (isLive(order)) {
      const entry = await ask<BookEntry>(this.addresses.engine, `/api/v1/book/${id}`).catch(() => undefined);
      if (entry) {
        const ahead = entry.orders_ahead ? `${entry.orders_ahead} orders with ${entry.qty_ahead} shares trade before it` : "nobody trades before it";
        lines.push(`It is number ${entry.place} in the queue at ${price}: ${ahead}.`);
      }
    }
    this.story = { title: `Order ${id}`, lines };
  }
}
