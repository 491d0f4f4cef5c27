// One symbol's order book, kept by snapshot and deltas, and right by its checksum.
import { checksum } from "./checksum.ts";

export interface Level {
  readonly price: string;
  readonly qty: string;
  readonly orders: number;
}

export type LevelText = readonly [price: string, qty: string, orders: number];

export interface BookChange {
  type: string;
  bids: readonly LevelText[];
  asks: readonly LevelText[];
  checksum: number;
}

/** Both sides, best first. The arrays are replaced by a change, never altered, so a view may keep them. */
export class Book {
  bids: readonly Level[] = [];
  asks: readonly Level[] = [];

  /** Take a snapshot or a delta in; return whether the book is right afterwards. */
  take(change: BookChange): boolean {
    if (change.type === "snapshot") this.bids = this.asks = [];
    this.bids = merged(this.bids, change.bids, -1);
    this.asks = merged(this.asks, change.asks, 1);
    return checksum(this.bids, this.asks) === change.checksum;
  }
}

function merged(levels: readonly Level[], changes: readonly LevelText[], direction: 1 | -1): readonly Level[] {
  if (!changes.length) return levels;
  const byPrice = new Map(levels.map((level) => [level.price, level]));
  for (const [price, qty, orders] of changes) {
    if (qty === "0") byPrice.delete(price);
    else byPrice.set(price, { price, qty, orders });
  }
  return [...byPrice.values()].sort((one, other) => direction * (Number(one.price) - Number(other.price)));
}
