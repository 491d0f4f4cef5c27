// What one's trading has brought: the shares traded at the last price, less what they have cost.
import { decimal, units } from "./feed/decimal.ts";

export interface Held {
  qty: string;
  deposited: string;
  cost: string;
}

/** Return the profit of a position in 1/10,000, or undefined where nothing was traded or no price is known. */
export function profit(held: Held, last: string | null | undefined): bigint | undefined {
  const traded = BigInt(held.qty) - BigInt(held.deposited);
  if (!traded) return -units(held.cost);
  return last ? traded * units(last) - units(held.cost) : undefined;
}

/** Write a profit with its sign. */
export function signed(value: bigint | undefined): string {
  if (value === undefined) return "–";
  return `${value > 0n ? "+" : ""}${decimal(value)}`;
}
