// What an operator sees: the components, their figures and proofs, participants, and the trades that are held.
import { ask, ApiError, type Addresses, type Page } from "../api.ts";
import type { Answer } from "./account.svelte.ts";

export interface Component {
  component: string;
  instance: string;
  state: string;
  seq: string;
  version: string;
  heard_ms_ago: number;
  reasons: string[];
}

export interface Happening {
  time: string;
  component: string;
  what: string;
  match_id: string | null;
}

export interface FeedFigures {
  position: number;
  lag: number;
  gaps: number;
  problem: string;
}

export interface EngineStats {
  matcher: string;
  running_hash: string;
  halted: string;
  business_date: string;
  day_ends_at: string | null;
  uptime_s: number;
  sequences: { epoch: number; command: number; event: number; durable_event: number };
  counters: { orders: number; cancels: number; trades: number; rejects: Record<string, number>; resting_orders: number };
  queue: { pending: number; pending_max: number; braked: string };
  journal: { durability: string; write_p50_us: number; write_p99_us: number };
}

export interface ReporterStats {
  seq: number;
  feed: FeedFigures;
  stream: { connections: number; subscriptions: number };
}

export interface ClearingStats {
  seq: number;
  halted: string;
  ledger_hash: string;
  trades: Record<string, number>;
  feed: FeedFigures;
  outbox: { waiting: number; problem: string };
}

export interface Proof {
  holds: boolean;
  seq: number;
  trades: number;
  assets: { asset: string; sum: string; house: string }[];
  faults: unknown[];
}

export interface Participant {
  id: string;
  name: string;
  accounts: string[];
}

export interface ClearedTrade {
  match_id: string;
  symbol: string;
  state: string;
  price: string;
  qty: string;
  notional: string;
  reference_price: string;
  buy_account: string | null;
  sell_account: string | null;
  executed_at: string;
}

export interface Story extends ClearedTrade {
  steps: { at: string; state: string; what: string; who: string | null; why: string | null }[];
  rulings: { verdict: string; who: string | null; why: string | null; hits: { rule_id: string; kind: string; sentence: string }[] }[];
}

export interface Block {
  scope: string;
  subject: string;
  by: string;
  cause: string;
  reason?: string;
}

export interface RiskLimit {
  scope: string;
  subject: string;
  kind: string;
  symbol?: string;
  value?: string;
  span?: number;
}

const EVERY_MS = 2000;
const PROVE_EVERY_MS = 60_000;

export class Office {
  components = $state.raw<Component[]>([]);
  happenings = $state.raw<Happening[]>([]);
  engine = $state.raw<EngineStats | undefined>();
  reporter = $state.raw<ReporterStats | undefined>();
  clearing = $state.raw<ClearingStats | undefined>();
  proof = $state.raw<Proof | undefined>();
  participants = $state.raw<Participant[]>([]);
  held = $state.raw<Story[]>([]);
  ruled = $state.raw<ClearedTrade[]>([]);
  blocks = $state.raw<Block[]>([]);
  limits = $state.raw<RiskLimit[]>([]);
  answer = $state.raw<Answer>({ good: true, text: "" });
  refused = $state("");
  isWatched = false;
  private provenAt = 0;
  private key = "";
  private busy = false;

  constructor(private readonly addresses: Addresses) {
    setInterval(() => document.hidden || !this.isWatched || void this.refresh(), EVERY_MS);
  }

  /** Use another key. */
  use(key: string): void {
    if (key === this.key) return;
    this.key = key;
    this.provenAt = 0;
    this.engine = this.reporter = this.clearing = this.proof = undefined;
    this.participants = [];
    this.held = [];
    this.ruled = [];
    this.blocks = [];
    this.limits = [];
    this.refused = "";
    void this.refresh();
  }

  /** Ask every component anew. */
  async refresh(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.refreshComponents();
      if (this.key) await this.refreshFigures();
    } finally {
      this.busy = false;
    }
  }

  /** Return everything that is known of a trade and how it was judged. key: of an operator or a side's own. */
  story(match_id: string, key = this.key): Promise<Story> {
    return ask<Story>(this.addresses.clearing, `/api/v1/trades/${match_id}`, key);
  }

  /** Release a held trade or have one busted; the reason is kept with the ruling. */
  async rule(match_id: string, verdict: "release" | "bust", reason: string): Promise<void> {
    await this.told(async () => {
      const path = `/api/v1/trades/${match_id}/${verdict}`;
      const trade = await ask<ClearedTrade>(this.addresses.clearing, path, this.key, "POST", { reason });
      return `Trade ${match_id} is ${trade.state.replaceAll("_", " ")}.`;
    });
  }

  /** Suspend a symbol or let it trade again. */
  async setTrading(symbol: string, verb: "suspend" | "resume", reason: string): Promise<void> {
    await this.told(async () => {
      const path = `/api/v1/symbols/${encodeURIComponent(symbol)}/${verb}`;
      const { state } = await ask<{ state: string }>(this.addresses.engine, path, this.key, "POST", { reason });
      return `${symbol} is ${state} now.`;
    });
  }

  /** Pull the kill switch, or lift it; another role than pulled it lifts it. subject: empty for the whole market. */
  async block(scope: string, subject: string, reason: string, cancel_orders: boolean): Promise<void> {
    await this.told(async () => {
      const body = { scope, subject, reason, cancel_orders };
      const done = await ask<{ canceled_orders?: number }>(this.addresses.engine, "/api/v1/risk/blocks", this.key, "POST", body);
      return `${named(scope, subject)} may not trade now; ${done.canceled_orders ?? 0} orders are cancelled.`;
    });
  }

  /** Let trade again who was blocked. */
  async lift(scope: string, subject: string, reason: string): Promise<void> {
    await this.told(async () => {
      await ask(this.addresses.engine, "/api/v1/risk/blocks/lift", this.key, "POST", { scope, subject, reason });
      return `${named(scope, subject)} may trade again.`;
    });
  }

  /** Set a limit; without a value it is taken away. */
  async setLimit(limit: RiskLimit): Promise<void> {
    await this.told(async () => {
      await ask(this.addresses.engine, "/api/v1/risk/limits", this.key, "PUT", limit);
      const what = `${limit.kind.replaceAll("_", " ")} of ${named(limit.scope, limit.subject)}`;
      return limit.value === undefined ? `The limit on ${what} is taken away.` : `The limit on ${what} is ${limit.value} now.`;
    });
  }

  /** Have the engine do something, and say what came of it; return its answer, or nothing where it was refused. */
  async carryOut<T>(method: string, path: string, body: object, say: (answer: T) => string): Promise<T | undefined> {
    let found: T | undefined;
    await this.told(async () => {
      found = await ask<T>(this.addresses.engine, path, this.key, method, body);
      return say(found);
    });
    return found;
  }

  /** Have the books recomputed now: the sums over all accounts, from the ledger. */
  async prove(): Promise<void> {
    this.provenAt = 0;
    await this.refresh();
  }

  /** The proof reads the whole ledger, so it is asked for once a minute only. */
  private async proveSometimes(): Promise<Proof | undefined> {
    if (this.provenAt && Date.now() - this.provenAt < PROVE_EVERY_MS) return this.proof;
    const proof = await ask<Proof>(this.addresses.clearing, "/api/v1/prove", this.key);
    this.provenAt = Date.now();
    return proof;
  }

  private async refreshComponents(): Promise<void> {
    const { reporter, engine, clearing } = this.addresses;
    type Roster = { items: Component[]; happenings: Happening[] };
    for (const base of [reporter, engine, clearing]) {
      const found = await ask<Roster>(base, "/api/v1/components").catch(() => undefined);
      if (!found) continue;
      this.components = [...found.items].sort((one, other) => one.instance.localeCompare(other.instance));
      this.happenings = found.happenings;
      return;
    }
  }

  private async refreshFigures(): Promise<void> {
    const { engine, reporter, clearing } = this.addresses;
    const get = <T>(base: string, path: string) => ask<T>(base, path, this.key);
    const [figures, relayed, cleared, proof, people, held, busted, blocks, limits] = await Promise.allSettled([
      get<EngineStats>(engine, "/api/v1/stats"),
      get<ReporterStats>(reporter, "/api/v1/stats"),
      get<ClearingStats>(clearing, "/api/v1/stats"),
      this.proveSometimes(),
      get<Page<Participant>>(engine, "/api/v1/participants?limit=200"),
      get<Page<ClearedTrade>>(clearing, "/api/v1/trades?state=held&limit=50"),
      get<Page<ClearedTrade>>(clearing, "/api/v1/trades?state=busted&limit=20"),
      get<Page<Block>>(engine, "/api/v1/risk/blocks"),
      get<Page<RiskLimit>>(engine, "/api/v1/risk/limits?limit=200"),
    ]);
    this.engine = valueOf(figures);
    this.reporter = valueOf(relayed);
    this.clearing = valueOf(cleared);
    this.proof = valueOf(proof);
    this.participants = valueOf(people)?.items ?? this.participants;
    this.ruled = valueOf(busted)?.items ?? this.ruled;
    this.blocks = valueOf(blocks)?.items ?? this.blocks;
    this.limits = valueOf(limits)?.items ?? this.limits;
    this.refused = figures.status === "rejected" ? sentence(figures.reason) : "";
    const stories = await Promise.allSettled((valueOf(held)?.items ?? []).map((one) => this.story(one.match_id)));
    if (held.status === "fulfilled") this.held = stories.flatMap((one) => valueOf(one) ?? []);
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

/** Name whom a block or limit concerns. */
export function named(scope: string, subject: string): string {
  return scope === "market" ? "the market" : `${scope} ${subject}`;
}

function valueOf<T>(settled: PromiseSettledResult<T>): T | undefined {
  return settled.status === "fulfilled" ? settled.value : undefined;
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
