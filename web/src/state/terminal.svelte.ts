// The parts of the terminal that every view works with.
import { ask, type Addresses } from "../api.ts";
import { Clock } from "../clock.ts";
import type { Why } from "../why.ts";
import { EMPTY, hasLimit, type Draft } from "../words.ts";
import { Account, type Order } from "./account.svelte.ts";
import { Market } from "./market.svelte.ts";
import { Office, type Story } from "./office.svelte.ts";
import { settings } from "./settings.svelte.ts";

/** An explanation that is only sentences. */
export interface Lines {
  title: string;
  lines: string[];
}

interface StreamEvent {
  type: string;
  seq: number;
  at: string;
  data: Record<string, unknown>;
}

const REPLAY_MS = 30_000;

export class Terminal {
  readonly market: Market;
  readonly account: Account;
  readonly office: Office;
  readonly clock: Clock = $derived(new Clock(settings.zone === "local" ? undefined : this.zone));
  draft = $state<Draft>({ ...EMPTY });
  story = $state.raw<Story | Lines | undefined>();
  /** What the engine tells of an order; found: nothing while it replays. */
  why = $state.raw<{ order_id: string; found: Why | undefined; problem: string } | undefined>();

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

  /** Show how a trade was judged, and why the order of a fill fared as it did. */
  async explain(match_id: string, order_id = ""): Promise<void> {
    if (order_id) void this.rebuild(order_id);
    const key = settings.operatorKey.trim() || settings.key.trim();
    try {
      this.story = await this.office.story(match_id, key);
    } catch (error) {
      this.story = { title: `Trade ${match_id}`, lines: [sentence(error)] };
    }
  }

  /** Show why an order is where it is, or what ended it. */
  async explainOrder(order: Order): Promise<void> {
    const lines = order.reject ? [`It was refused: ${order.reject.message}`] : [];
    this.story = { title: `Order ${order.id}`, lines };
    await this.rebuild(order.id);
  }

  /** Show an event that is evidence, in its own words, and why its order fared as it did. */
  async explainEvent(seq: number): Promise<void> {
    const title = `Event ${seq}`;
    this.story = { title, lines: ["It is read from the stream …"] };
    try {
      const path = `/api/v1/events?after=${seq - 1}&limit=1`;
      const { items } = await ask<{ items: StreamEvent[] }>(this.addresses.engine, path, settings.operatorKey.trim());
      const event = items.find((one) => one.seq === seq);
      if (!event) throw new Error("It is no longer kept in the event log.");
      const facts = Object.entries(event.data).filter(([, value]) => value !== null && value !== "" && typeof value !== "object");
      this.story = { title: `${title}: ${event.type.replaceAll("_", " ")} at ${this.clock.at(event.at)}`, lines: facts.map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`) };
      const order = event.data.order_id ?? event.data.taker_order_id ?? event.data.incoming_order_id;
      if (order) await this.rebuild(String(order));
    } catch (error) {
      this.story = { title, lines: [sentence(error)] };
    }
  }

  /** Have the engine rebuild what happened to an order. */
  private async rebuild(order_id: string): Promise<void> {
    const key = settings.key.trim() || settings.operatorKey.trim();
    const wanted = (this.why = { order_id, found: undefined, problem: "" });
    const path = `/api/v1/explain/order/${order_id}`;
    const done = await ask<Why>(this.addresses.engine, path, key, "GET", undefined, REPLAY_MS).then(
      (found) => ({ ...wanted, found }),
      (error: unknown) => ({ ...wanted, problem: sentence(error) }),
    );
    if (this.why?.order_id === order_id) this.why = done;
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
