// What an officer watches over: alerts of surveillance, and reviews of trades.
import { ask, ApiError, type Addresses, type Page } from "../api.ts";
import type { Answer } from "./account.svelte.ts";

export interface Step {
  at: string;
  what: string;
  state: string;
  who: string;
  why: string;
}

export interface Alert {
  alert_id: string;
  detector: string;
  level: "note" | "alert";
  state: string;
  assignee: string;
  outcome: string;
  symbol: string;
  members: string[];
  accounts: string[];
  number: string;
  version: number;
  begins_at: string;
  ends_at: string;
  raised_at: string;
  score: number;
  summary: string;
  measures: { what: string; seen: string; limit: string }[];
  evidence: number[];
  steps: Step[];
}

export interface Surveillance {
  seq: number;
  alerts: number;
  by_state: Record<string, number>;
  problem: string;
}

export interface Remedy {
  kind: "none" | "bust" | "correct";
  price: string | null;
  qty: string | null;
}

export interface Review {
  review_id: string;
  match_id: string;
  symbol: string;
  state: string;
  /** Which side one is; empty for the office. */
  you: "" | "applicant" | "counterparty";
  basis: string;
  wanted: Remedy;
  remedy: Remedy;
  agreed: boolean;
  finding: string;
  eligible: boolean;
  due_at: string | null;
  overdue: boolean;
  waits_for_second: Remedy | null;
  steps: Step[];
}

export type Outcome = "unfounded" | "explained" | "warned" | "reported";
export const OUTCOMES: readonly Outcome[] = ["unfounded", "explained", "warned", "reported"];

const EVERY_MS = 2000;
const ALERTS = "/api/v1/surveillance/alerts";

export class Oversight {
  surveillance = $state.raw<Surveillance | undefined>();
  alerts = $state.raw<Alert[]>([]);
  reviews = $state.raw<Review[]>([]);
  answer = $state.raw<Answer>({ good: true, text: "" });
  refused = $state("");
  private key = "";
  private busy = false;

  constructor(private readonly addresses: Addresses) {}

  /** Ask now and then until the answer is called. key: of an officer, or of a member, who sees its own reviews. */
  watch(key: () => string): () => void {
    const look = () => {
      this.key = key();
      if (!document.hidden) void this.refresh();
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Ask for everything anew. */
  async refresh(): Promise<void> {
    if (this.busy) return;
    if (!this.key) {
      this.refused = "Enter the key of an operator, of clearing or of risk; a member's own shows the reviews of its trades.";
      return;
    }
    this.busy = true;
    const get = <T>(path: string) => ask<T>(this.addresses.clearing, path, this.key);
    try {
      const [surveillance, alerts, reviews] = await Promise.all([
        get<Surveillance>("/api/v1/surveillance").catch(absent),
        get<Page<Alert>>(`${ALERTS}?limit=100`).catch(absent),
        get<Page<Review>>("/api/v1/reviews?limit=50"),
      ]);
      this.surveillance = surveillance;
      this.alerts = alerts?.items ?? [];
      this.reviews = reviews.items;
      this.refused = "";
    } catch (error) {
      this.refused = sentence(error);
    } finally {
      this.busy = false;
    }
  }

  /** Do something about an alert; the reason is kept with it. */
  act(alert: Alert, verb: "assign" | "escalate" | "close" | "reopen", reason: string, more: object = {}): Promise<void> {
    return this.told(async () => {
      const found = await this.post<Alert>(`${ALERTS}/${alert.alert_id}/${verb}`, { ...more, reason });
      return `${alert.detector} is ${found.state.replaceAll("_", " ")}${found.outcome ? ` as ${found.outcome}` : ""}.`;
    });
  }

  /** Rule on a review; above a notional another officer must say the same. */
  rule(review: Review, remedy: Remedy, reason: string): Promise<void> {
    return this.told(async () => {
      const terms = Object.fromEntries(Object.entries({ price: remedy.price, qty: remedy.qty }).filter(([, text]) => text));
      const found = await this.post<Review>(`/api/v1/reviews/${review.review_id}/rule`, { remedy: remedy.kind, reason, ...terms });
      const second = found.waits_for_second ? " It waits for a second officer." : "";
      return `Review ${review.review_id} is ${found.state}.${second}`;
    });
  }

  /** What a side of the trade says to a review: that it agrees, takes it back, or appeals. */
  say(review: Review, verb: "agree" | "withdraw" | "appeal", reason: string): Promise<void> {
    return this.told(async () => {
      const found = await this.post<Review>(`/api/v1/reviews/${review.review_id}/${verb}`, { reason });
      return `Review ${review.review_id} is ${found.state}${verb === "agree" ? "; both sides agree" : ""}.`;
    });
  }

  private post<T>(path: string, body: object): Promise<T> {
    return ask<T>(this.addresses.clearing, path, this.key, "POST", body);
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

/** Where surveillance is switched off there is no such path, and members may not see it; anything else is an error. */
function absent(error: unknown): undefined {
  if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return undefined;
  throw error;
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
