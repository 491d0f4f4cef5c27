// How much of its limits for a day an account has used, from `GET /api/v1/risk/usage`.
import { decimal, units } from "./feed/decimal.ts";

export interface Usage {
  subject: string;
  open_buys: string;
  open_sells: string;
  gross: string;
  loss: string;
  limits: { kind: string; value?: string | null }[];
}

export interface Limited {
  scope: string;
  subject: string;
  kind: string;
}

export interface Used {
  account: string;
  what: string;
  used: string;
  limit: string;
  percent: number;
}

const KINDS = [
  ["gross", "Traded and open today"],
  ["loss", "Lost today"],
] as const;
/** Where the exchange tells an alert first, and where nearly nothing is left. */
export const ALERT_PERCENT = 70;
export const NEARLY_PERCENT = 90;

/** List the limits of a day that an account has, with how much of each is used. */
export function used(usage: Usage): Used[] {
  return KINDS.flatMap(([kind, what]) => {
    const limits = usage.limits.filter((limit) => limit.kind === kind && limit.value).map((limit) => limit.value as string);
    const open = kind === "gross" ? units(usage.open_buys) + units(usage.open_sells) : 0n;
    const sum = units(usage[kind]) + open;
    const amount = sum > 0n ? sum : 0n;
    return limits.map((limit) => {
      const percent = Number((amount * 100n) / (units(limit) || 1n));
      return { account: usage.subject, what, used: decimal(amount), limit, percent };
    });
  });
}

/** List the accounts that have a limit of a day. */
export function subjects(limits: Limited[]): string[] {
  const own = limits.filter((limit) => limit.scope === "account" && KINDS.some(([kind]) => kind === limit.kind));
  return [...new Set(own.map((limit) => limit.subject))];
}
