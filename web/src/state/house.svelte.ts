// The clearing house as its REST shows it: closed days, settlement, margin, the default fund, and the house's own ledger.
import { ask, ApiError, type Addresses, type Page } from "../api.ts";
import type { Answer } from "./account.svelte.ts";

export interface Cycle {
  date: string;
  closed_at: string;
  obligations: number;
  left_out: number;
  who: string;
}

export interface Obligation {
  account: string;
  symbol: string;
  qty: string;
  cash: string;
}

export interface Instruction {
  cycle: string;
  account: string;
  symbol: string;
  due: string;
  qty: string;
  cash: string;
  compensated: string;
  days: number;
  settled_on: string;
}

export interface Run {
  number: string;
  date: string;
  state: string;
  instructions: number;
  failed: number;
  unpaid: string[];
  paid: string;
  who: string;
}

export interface Line {
  cycle: string;
  account: string;
  symbol: string;
  qty: string;
  price: string;
  mark: string;
  failed: string;
}

export interface Margin {
  account: string;
  variation: string;
  value_at_risk: string;
  floor: string;
  haircut: string;
  required: string;
  held: string;
  called: string;
  due: string;
  overdue: boolean;
}

export interface Borne {
  step: string;
  account: string;
  amount: string;
}

export interface Drill {
  participant: string;
  worth: string;
  loss: string;
  borne: Borne[];
  uncovered: string;
}

export interface Defaulter {
  participant: string;
  declared_at: string;
  stopped_at: string;
  answer: string;
  borne: Borne[];
}

export interface HouseBalance {
  holder: string;
  account: string;
  asset: string;
  balance: string;
  reserved: string;
  free: string;
  below_zero: boolean;
}

export interface Act {
  number: string;
  kind: string;
  date: string;
  at: string;
  who: string;
  why: string;
  entries: number;
}

export interface HouseEntry {
  place: string;
  debit: string;
  credit: string;
  asset: string;
  amount: string;
  code: string;
  phase: string;
}

/** What one component has of a symbol's trades. */
export interface Figures {
  trades: number;
  qty: string;
  notional: string;
  busted: number;
}

export interface Breaks {
  status: "agree" | "break" | "incomplete";
  business_date: string;
  at: string;
  engine: { problem: string };
  clearing: { problem: string };
  reporter: { problem: string };
  items: { symbol: string; engine: Figures | null; clearing: Figures | null; reporter: Figures | null; breaks: string[] }[];
}

export interface Statement {
  account: string;
  business_date: string;
  currency: string;
  lines: {
    symbol: string;
    opening: string;
    bought: string;
    sold: string;
    closing: string;
    mark: string | null;
    realised_fifo: string;
    unrealised_fifo: string;
    fees: string;
  }[];
  fills_count: number;
}

const EVERY_MS = 3000;

export class House {
  cycles = $state.raw<Cycle[]>([]);
  instructions = $state.raw<Instruction[]>([]);
  runs = $state.raw<Run[]>([]);
  margin = $state.raw<Margin[]>([]);
  balances = $state.raw<HouseBalance[]>([]);
  acts = $state.raw<Act[]>([]);
  defaults = $state.raw<Defaulter[]>([]);
  drilled = $state.raw<Drill | undefined>();
  breaks = $state.raw<Breaks | undefined>();
  statement = $state.raw<Statement | undefined>();
  /** What was opened: the lines of a day, a run or an act, by its kind and number. */
  opened = $state.raw<{ what: string; obligations: Obligation[]; lines: Line[]; entries: HouseEntry[] }>({ what: "", obligations: [], lines: [], entries: [] });
  /** Open instructions only, or settled ones too. */
  onlyOpen = $state(true);
  answer = $state.raw<Answer>({ good: true, text: "" });
  refused = $state("");
  private key = "";
  private busy = false;

  constructor(private readonly addresses: Addresses) {}

  /** Ask now and then until the answer is called. key: of an officer, or of a member, who sees its own. */
  watch(key: () => string): () => void {
    const look = () => {
      this.key = key();
      if (!document.hidden) void this.refresh();
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Ask for everything anew; what only the office may see stays empty for a member. */
  async refresh(): Promise<void> {
    if (this.busy) return;
    if (!this.key) {
      this.refused = "Enter the key of an operator or of clearing; a member's own shows what is its own.";
      return;
    }
    this.busy = true;
    const get = <T>(path: string) => ask<Page<T>>(this.addresses.clearing, path, this.key).then((page) => page.items);
    try {
      const everybodys = Promise.all([
        get<Cycle>("/api/v1/cycles?limit=20"),
        get<Instruction>(`/api/v1/instructions?open=${this.onlyOpen}&limit=200`),
        get<Run>("/api/v1/settlements?limit=20"),
        get<Margin>("/api/v1/margin"),
        get<HouseBalance>("/api/v1/house/balances"),
      ]);
      const office = Promise.all([get<Act>("/api/v1/house/acts?limit=50").catch(hidden), get<Defaulter>("/api/v1/defaults").catch(hidden)]);
      [this.cycles, this.instructions, this.runs, this.margin, this.balances] = await everybodys;
      const [acts, defaults] = await office;
      [this.acts, this.defaults] = [acts as Act[], defaults as Defaulter[]];
      this.refused = "";
    } catch (error) {
      this.refused = sentence(error);
    } finally {
      this.busy = false;
    }
  }

  /** Open a closed day, a run of settlement or an act; the same again hides it. */
  async open(kind: "cycle" | "run" | "act", number: string): Promise<void> {
    const what = `${kind} ${number}`;
    const closed = { what: "", obligations: [], lines: [], entries: [] };
    if (this.opened.what === what) {
      this.opened = closed;
      return;
    }
    const path = { cycle: `/api/v1/cycles/${number}`, run: `/api/v1/settlements/${number}`, act: `/api/v1/house/acts/${number}/entries` }[kind];
    try {
      const { items } = await ask<Page<never>>(this.addresses.clearing, `${path}?limit=200`, this.key);
      const field = { cycle: "obligations", run: "lines", act: "entries" }[kind];
      this.opened = { ...closed, what, [field]: items };
    } catch (error) {
      this.answer = { good: false, text: sentence(error) };
    }
  }

  /** Have clearing do something, and say what came of it. */
  async carryOut<T>(path: string, body: object, say: (answer: T) => string): Promise<void> {
    try {
      this.answer = { good: true, text: say(await ask<T>(this.addresses.clearing, path, this.key, "POST", body)) };
    } catch (error) {
      this.answer = { good: false, text: sentence(error) };
    }
    await this.refresh();
  }

  /** Compare what engine, clearing and reporter have of a day's trades. date: empty for this day. */
  compare(date: string): Promise<void> {
    return this.read<Breaks>(`/api/v1/break-report${date && `?date=${date}`}`, (found) => (this.breaks = found));
  }

  /** Ask for an account's statement of a day. account, date: empty for one's own, of this day. */
  async show(account: string, date: string): Promise<void> {
    await this.read<Statement>(statementPath(account, date, "json"), (found) => (this.statement = found));
  }

  /** Save the statement as a page to print or as a table. */
  async save(account: string, date: string, format: "html" | "csv"): Promise<void> {
    const headers = { authorization: `Bearer ${this.key}` };
    const reply = await fetch(this.addresses.clearing + statementPath(account, date, format), { headers }).catch(() => undefined);
    if (!reply?.ok) {
      this.answer = { good: false, text: "The statement could not be fetched; show it first to see why." };
      return;
    }
    const [url, link] = [URL.createObjectURL(await reply.blob()), document.createElement("a")];
    Object.assign(link, { href: url, download: `statement-${account || "own"}-${date || "today"}.${format}` }).click();
    URL.revokeObjectURL(url);
  }

  private async read<T>(path: string, take: (found: T) => void): Promise<void> {
    try {
      take(await ask<T>(this.addresses.clearing, path, this.key));
      this.answer = { good: true, text: "" };
    } catch (error) {
      this.answer = { good: false, text: sentence(error) };
    }
  }

  /** Let one default run through the waterfall; nothing is booked. */
  drill(participant: string, worse_bps: number): Promise<void> {
    return this.carryOut<Drill>("/api/v1/defaults/drill", { participant, worse_bps }, (found) => {
      this.drilled = found;
      return `The drill of participant ${participant} is done; nothing is booked.`;
    });
  }
}

function statementPath(account: string, date: string, format: string): string {
  return `/api/v1/statement?${new URLSearchParams({ account: account.trim(), date, format })}`;
}

/** What a member's key may not see is empty; anything else is an error. */
function hidden(error: unknown): never[] {
  if (error instanceof ApiError && error.status === 403) return [];
  throw error;
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
