// Corporate actions in words before they are carried out, and as the engine takes them.
import { decimal, grouped, units } from "./feed/decimal.ts";
import { isPrice } from "./words.ts";

export interface Listed {
  symbol: string;
  reference_price: string;
  ticks: readonly { from: string; tick: string }[];
}

export interface ActionDraft {
  action: "split" | "rename" | "dividend" | "short_sales";
  new_shares: string;
  old_shares: string;
  cash_price: string;
  ticker: string;
  name: string;
  amount: string;
  note: string;
  trigger: string;
  needs_locate: boolean;
  needs_marking: boolean;
}

export const NO_ACTION: ActionDraft = {
  action: "split", new_shares: "2", old_shares: "1", cash_price: "", ticker: "", name: "", amount: "", note: "", trigger: "0", needs_locate: false,
  needs_marking: false,
};
const SHARES = /^[1-9]\d{0,3}$|^10000$/;

/** Say what is missing, or why it cannot be done now; nothing where it can. phase, state: of the symbol. */
export function missingInAction(draft: ActionDraft, phase: string, state: string): string {
  if (draft.action === "split" && !(SHARES.test(draft.new_shares) && SHARES.test(draft.old_shares))) return "A split is of 1 to 10,000 new shares for 1 to 10,000 old ones.";
  if (draft.action === "split" && draft.new_shares === draft.old_shares) return "So many for as many is no split.";
  if (draft.action === "split" && draft.cash_price && !isPrice(draft.cash_price)) return "What a fraction is paid at is a price, or left out.";
  if (draft.action === "rename" && !/^[A-Z][A-Z0-9.]{0,7}$/.test(draft.ticker)) return "A ticker is up to eight capital letters, digits and dots.";
  if (draft.action === "dividend" && !isPrice(draft.amount)) return "A dividend is an amount per share, such as 0.25.";
  if (draft.action === "short_sales") return /^\d{1,2}(\.\d{1,2})?$/.test(draft.trigger) ? "" : "The decline is a percentage such as 10, or 0 for none.";
  if (phase !== "closed" && phase !== "halted" && state !== "suspended") {
    return `It must be closed, halted or suspended first; now it is ${phase.replaceAll("_", " ")}.`;
  }
  return "";
}

/** Return method, path below the symbol and body as the engine takes them. */
export function requestOf(draft: ActionDraft): { method: string; verb: string; body: object } {
  const note = draft.note.trim();
  switch (draft.action) {
    case "split": {
      const shares = { new_shares: Number(draft.new_shares), old_shares: Number(draft.old_shares) };
      return { method: "POST", verb: "split", body: { ...shares, ...(draft.cash_price && { cash_price: draft.cash_price }), note } };
    }
    case "rename":
      return { method: "POST", verb: "rename", body: { symbol: draft.ticker, name: draft.name.trim() } };
    case "dividend":
      return { method: "POST", verb: "dividend", body: { amount: draft.amount, note } };
    case "short_sales": {
      const { needs_locate, needs_marking } = draft;
      return { method: "PUT", verb: "short_sales", body: { trigger_bps: Math.round(Number(draft.trigger) * 100), needs_locate, needs_marking } };
    }
  }
}

/** Say in whole sentences what it would do to a symbol. currency: "USD". */
export function actionInWords(draft: ActionDraft, listed: Listed, currency: string): string {
  const { symbol } = listed;
  switch (draft.action) {
    case "split":
      return splitInWords(draft, listed, currency);
    case "rename":
      return `${symbol} is called ${draft.ticker} from now on${draft.name.trim() ? `, and named ${draft.name.trim()}` : ""}. Its orders, limits and holdings stay, and feeds go on under the new ticker. The old one points to it and is never given to another symbol.`;
    case "dividend": {
      if (!isPrice(draft.amount)) return "";
      const after = toTick(units(listed.reference_price) - units(draft.amount), listed);
      const paid = grouped(decimal(units(draft.amount) * 100n));
      return `${symbol} goes ex dividend: its reference price of ${listed.reference_price} becomes ${shown(after)}. Buys with a limit and stops to sell that are good till cancel or a date are lowered by ${draft.amount}, to the tick below, unless marked do-not-reduce. Who holds 100 shares gets ${paid} ${currency} at once; who is short pays it.`;
    }
    case "short_sales": {
      const trigger = Number(draft.trigger) ? `A trade ${draft.trigger} % below the closing price restricts its short sales to above the best bid, for the rest of the day and the next` : "No decline restricts its short sales";
      const asks = [draft.needs_locate && "a locate", draft.needs_marking && "that sales of shares that are not there are marked"].filter(Boolean);
      return `${symbol}: ${trigger}. ${asks.length ? `Of short sales is asked ${asks.join(", and ")}.` : "Nothing else is asked of short sales."}`;
    }
  }
}

function splitInWords({ new_shares, old_shares, cash_price }: ActionDraft, listed: Listed, currency: string): string {
  if (!SHARES.test(new_shares) || !SHARES.test(old_shares)) return "";
  const [n, m] = [BigInt(new_shares), BigInt(old_shares)];
  const reference = toTick((units(listed.reference_price) * m) / n, listed);
  const shares = (100n * n) / m;
  const rest = (100n * n) % m ? `, and the fraction in ${currency}` : "";
  return `Holders of ${listed.symbol} get ${new_shares} new shares for ${old_shares} old: who has 100 has ${grouped(String(shares))} then${rest}. Its reference price of ${listed.reference_price} becomes ${shown(reference)}. Every live order is adjusted: of a buy of 100 at ${listed.reference_price} remain ${grouped(String(shares))} at ${shown(reference)}, in whole lots. Pegs, quotes and entries of linked orders are cancelled. Fractions are paid at ${cash_price || "the new reference price"}. Trades from before can no longer be busted or corrected.`;
}

/** Round a price down to its tick. */
function toTick(price: bigint, { ticks }: Listed): bigint {
  const row = [...ticks].reverse().find(({ from }) => units(from) <= price) ?? ticks[0];
  const tick = row ? units(row.tick) : 1n;
  return price - (price % tick);
}

function shown(price: bigint): string {
  return price > 0n ? decimal(price) : "none";
}
