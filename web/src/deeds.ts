// What officers have the clearing house do: what is missing, what it would do in words, and the request.
import { grouped } from "./feed/decimal.ts";

export interface Deed {
  what: "close" | "settle" | "buy_in" | "give_up" | "margin" | "pay" | "default";
  date: string;
  reason: string;
  account: string;
  purse: "margin" | "fund" | "capital";
  amount: string;
  reference: string;
  taker: string;
  worse: string;
}

export const DEEDS: Record<Deed["what"], string> = {
  close: "close a trading day", settle: "settle what is due", buy_in: "buy in old fails", give_up: "give up a reserved run", margin: "work margin out",
  pay: "book a payment", default: "declare a default",
};
export const NO_DEED: Deed = { what: "close", date: "", reason: "", account: "", purse: "margin", amount: "", reference: "", taker: "", worse: "0" };

/** Tell whether a deed is of a day. */
export function hasDate({ what }: Deed): boolean {
  return what === "close" || what === "settle" || what === "buy_in";
}

/** Say what is missing, or nothing. */
export function missingInDeed(deed: Deed): string {
  if (hasDate(deed) && !/^\d{4}-\d\d-\d\d$/.test(deed.date)) return "It needs a day.";
  if (deed.what === "pay" && !/^-?(?![0.]+$)\d{1,14}(\.\d{1,4})?$/.test(deed.amount.trim())) return "A payment needs an amount, below zero out of it.";
  if (deed.what === "pay" && deed.purse !== "capital" && !deed.account.trim()) return "Whose payment it is must be said.";
  if (deed.what === "pay" && !/^[A-Za-z0-9._-]{1,60}$/.test(deed.reference.trim())) return "A payment needs a reference of its own: the same once more does nothing.";
  if (deed.what === "default" && !(deed.account.trim() && deed.taker.trim())) return "A default needs the participant, and the account that takes over.";
  return deed.reason.trim() ? "" : "It needs a reason, which is kept with it.";
}

/** Say what it would do. currency: "USD". */
export function deedInWords(deed: Deed, currency: string): string {
  switch (deed.what) {
    case "close":
      return `The trading day ${deed.date}, and all before it that are open, are closed: what stands is netted into obligations and instructions, and fees are booked.`;
    case "settle":
      return `All that is due by ${deed.date} is settled, all or nothing, shares against money; what is not delivered fails, stays open, and is marked.`;
    case "buy_in":
      return `After the run of ${deed.date}, fails that are too old are closed for money: who did not deliver pays a premium.`;
    case "give_up":
      return "What a run that was interrupted has reserved is given free again.";
    case "margin":
      return "Each account's margin is worked out at the last prices, and what is missing is called with a deadline.";
    case "pay": {
      const [out, amount] = [deed.amount.trim().startsWith("-"), grouped(deed.amount.trim().replace("-", ""))];
      const purse = { margin: `the margin of account ${deed.account}`, fund: `the part of account ${deed.account} in the default fund`, capital: "the house's own money" }[deed.purse];
      return `${amount} ${currency} go ${out ? "out of" : "into"} ${purse}.`;
    }
    case "default":
      return `Participant ${deed.account} is in default: account ${deed.taker} takes over what is open, at prices ${deed.worse || 0} % worse; the loss runs through the waterfall; and the kill switch stops the participant. This cannot be taken back.`;
  }
}

/** Return path and body as clearing takes them. */
export function deedRequest(deed: Deed): { path: string; body: object } {
  const reason = deed.reason.trim();
  switch (deed.what) {
    case "close":
      return { path: "/api/v1/cycles", body: { date: deed.date, reason } };
    case "settle":
      return { path: "/api/v1/settlements", body: { date: deed.date, reason } };
    case "buy_in":
      return { path: "/api/v1/buy-ins", body: { date: deed.date, reason } };
    case "give_up":
      return { path: "/api/v1/settlements/give-up", body: { reason } };
    case "margin":
      return { path: "/api/v1/margin", body: { reason } };
    case "pay": {
      const account = deed.purse === "capital" ? "" : deed.account.trim();
      return { path: "/api/v1/payments", body: { reference: deed.reference.trim(), what: deed.purse, amount: deed.amount.trim(), account, reason } };
    }
    case "default":
      return { path: "/api/v1/defaults", body: { participant: deed.account.trim(), taker: deed.taker.trim(), worse_bps: bps(deed.worse), reason } };
  }
}

/** Read a percentage in basis points. */
export function bps(percent: string): number {
  return Math.round(Number(percent || 0) * 100);
}
