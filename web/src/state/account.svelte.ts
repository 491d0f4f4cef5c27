// One's own orders, fills, positions and balances, asked for once a second while a key is there.
import { ask, ApiError, type Addresses, type Page } from "../api.ts";
import { LINKS, listOf } from "../linked.ts";
import { subjects, used, type Limited, type Usage, type Used } from "../usage.ts";
import { orderOf, type Draft } from "../words.ts";

export interface Order {
  id: string;
  symbol: string;
  side: "buy" | "sell";
  type: string;
  time_in_force: string;
  qty: string;
  price: string | null;
  status: string;
  filled_qty: string;
  leaves_qty: string;
  avg_price: string | null;
  busted_qty?: string;
  created_at: string;
  stop_price?: string;
  peg?: string;
  limit_price?: string;
  short?: boolean;
  short_exempt?: boolean;
  cancel_reason?: string;
  reject?: { reason: string; message: string };
}

/** An order that waits for the entry of its list. */
export interface WaitingLeg {
  id: string;
  side: "buy" | "sell";
  type: string;
  price?: string;
  stop_price?: string;
}

export interface OrderList {
  list_id: string;
  contingency: keyof typeof LINKS;
  symbol: string;
  order_ids: string[];
  filled_qty: string;
  waiting: WaitingLeg[];
}

export interface Fill {
  match_id: string;
  order_id: string;
  symbol: string;
  side: "buy" | "sell";
  price: string;
  qty: string;
  liquidity: string;
  status: string;
  executed_at: string;
}

export interface Position {
  account: string;
  symbol: string;
  qty: string;
  deposited: string;
  cost: string;
  average_price: string | null;
}

export interface Balance {
  account: string;
  asset: string;
  available: string;
  due: string;
  total: string;
  overdrawn: boolean;
}

export interface Answer {
  good: boolean;
  text: string;
}

const EVERY_MS = 1000;
/** Orders looked up by themselves in one round, because they are older than the newest hundred. */
const LOOKED_UP_MAX = 20;
/** Accounts whose limits are asked for. */
const ACCOUNTS_MAX = 4;

export class Account {
  orders = $state.raw<Order[]>([]);
  lists = $state.raw<OrderList[]>([]);
  /** Orders by id: the newest, and those that somebody asked for. */
  known = $state.raw<Record<string, Order>>({});
  fills = $state.raw<Fill[]>([]);
  positions = $state.raw<Position[]>([]);
  balances = $state.raw<Balance[]>([]);
  /** The limits of a day that one's accounts have. */
  used = $state.raw<Used[]>([]);
  answer = $state.raw<Answer>({ good: true, text: "" });
  refused = $state("");
  private key = "";
  private busy = false;

  constructor(private readonly addresses: Addresses) {
    setInterval(() => document.hidden || void this.refresh(), EVERY_MS);
  }

  /** Be somebody: what was another's is forgotten. */
  use(key: string): void {
    if (key === this.key) return;
    this.key = key;
    this.orders = [];
    this.lists = [];
    this.known = {};
    this.fills = [];
    this.positions = [];
    this.balances = [];
    this.used = [];
    this.refused = "";
    void this.refresh();
  }

  /** Return the prices of one's resting orders in a symbol, of a side or both, with the shares that are left at each. */
  resting(symbol: string, side?: "buy" | "sell"): Map<string, number> {
    const found = new Map<string, number>();
    for (const order of this.orders) {
      if (order.symbol !== symbol || order.price === null || !isLive(order) || (side && order.side !== side)) continue;
      // A stop order waits outside the book, at no price of the ladder.
      if (order.type.startsWith("stop") || order.peg) continue;
      found.set(order.price, (found.get(order.price) ?? 0) + Number(order.leaves_qty));
    }
    return found;
  }

  /** Enter an order; say what became of it. */
  async send(draft: Draft): Promise<void> {
    const { symbol, side } = draft;
    const own = `terminal-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
    const body = { ...orderOf(draft), client_order_id: own };
    if (draft.link) return this.sendList(draft);
    await this.told(async () => {
      const order = await ask<Order>(this.addresses.engine, "/api/v1/order", this.key, "POST", body);
      const filled = order.filled_qty === "0" ? "nothing filled yet" : `${order.filled_qty} filled at ${order.avg_price}`;
      return `Order ${order.id}: ${side} ${order.qty} ${symbol}, ${order.status.replaceAll("_", " ")}, ${filled}.`;
    });
  }

  private async sendList(draft: Draft): Promise<void> {
    await this.told(async () => {
      type Entered = { list_id: string; qty: string; orders: Order[]; waiting: WaitingLeg[] };
      const list = await ask<Entered>(this.addresses.engine, "/api/v1/order_lists", this.key, "POST", listOf(draft));
      const came = list.orders.map((order) => `order ${order.id} is ${order.status.replaceAll("_", " ")}`).join(", ");
      const waits = list.waiting.length ? `, ${list.waiting.length} wait for the entry` : "";
      return `List ${list.list_id} (${LINKS[draft.link as keyof typeof LINKS]}) of ${list.qty} ${draft.symbol}: ${came}${waits}.`;
    });
  }

  /** Cancel a list: whoever cancels one of its orders ends all of it. */
  async cancelList(list: OrderList): Promise<void> {
    await this.told(async () => {
      await ask(this.addresses.engine, `/api/v1/order/${list.order_ids[0]}`, this.key, "DELETE");
      return `List ${list.list_id} is cancelled, with all its orders.`;
    });
  }

  /** Cancel one order. */
  async cancel(id: string): Promise<void> {
    await this.told(async () => {
      await ask(this.addresses.engine, `/api/v1/order/${id}`, this.key, "DELETE");
      return `Order ${id} is cancelled.`;
    });
  }

  /** Cancel all live orders, of one symbol or of all. */
  async cancelAll(symbol = ""): Promise<void> {
    await this.told(async () => {
      const query = symbol ? `?symbol=${encodeURIComponent(symbol)}` : "";
      await ask(this.addresses.engine, `/api/v1/orders${query}`, this.key, "DELETE");
      return `All your orders${symbol ? ` in ${symbol}` : ""} are cancelled.`;
    });
  }

  /** Ask for everything anew. */
  async refresh(): Promise<void> {
    if (!this.key || this.busy) return;
    this.busy = true;
    const { engine, clearing } = this.addresses;
    const key = this.key;
    const get = <T>(base: string, path: string) => ask<Page<T>>(base, path, key).then((page) => page.items);
    const [orders, lists, fills, positions, balances] = await Promise.allSettled([
      get<Order>(engine, "/api/v1/orders?limit=100"),
      get<OrderList>(engine, "/api/v1/order_lists"),
      get<Fill>(engine, "/api/v1/fills?limit=100"),
      get<Position>(clearing, "/api/v1/positions?limit=200"),
      get<Balance>(clearing, "/api/v1/balances?limit=200"),
    ]);
    this.busy = false;
    if (key !== this.key) return;
    if (orders.status === "fulfilled") [this.orders, this.refused] = [orders.value, ""];
    else this.refused = sentence(orders.reason);
    if (lists.status === "fulfilled") this.lists = lists.value;
    this.known = Object.fromEntries(this.orders.map((order) => [order.id, order]));
    await this.lookUp(this.lists.flatMap((list) => list.order_ids));
    if (fills.status === "fulfilled") this.fills = fills.value;
    if (positions.status === "fulfilled") this.positions = positions.value;
    if (balances.status === "fulfilled") this.balances = balances.value;
    await this.askForUsage();
  }

  /** Ask what one's accounts have used of their limits. */
  private async askForUsage(): Promise<void> {
    const key = this.key;
    const limits = await ask<Page<Limited>>(this.addresses.engine, "/api/v1/risk/limits?limit=200", key).catch(() => ({ items: [] }));
    const accounts = subjects(limits.items).slice(0, ACCOUNTS_MAX);
    const found = await Promise.allSettled(
      accounts.map((account) => ask<Usage>(this.addresses.engine, `/api/v1/risk/usage/account/${account}`, key)),
    );
    if (key !== this.key) return;
    this.used = found.flatMap((one) => (one.status === "fulfilled" ? used(one.value) : []));
  }

  /** Ask for orders that are not among the newest. */
  async lookUp(ids: string[]): Promise<void> {
    const key = this.key;
    const unknown = ids.filter((id) => !this.known[id]).slice(0, LOOKED_UP_MAX);
    if (!unknown.length) return;
    const found = await Promise.allSettled(unknown.map((id) => ask<Order>(this.addresses.engine, `/api/v1/order/${id}`, key)));
    if (key !== this.key) return;
    const added = found.flatMap((one) => (one.status === "fulfilled" ? [[one.value.id, one.value] as const] : []));
    this.known = { ...this.known, ...Object.fromEntries(added) };
  }

  private async told(what: () => Promise<string>): Promise<void> {
    try {
      this.answer = { good: true, text: await what() };
    } catch (error) {
      this.answer = { good: false, text: sentence(error) };
    }
    await this.refresh();
  }
}

/** Tell whether an order is still in the book. */
export function isLive(order: Order): boolean {
  return order.status === "new" || order.status === "partially_filled";
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
