// One symbol's order book, order by order: who stands where in the line. Kept by snapshot and deltas, right by its checksum.
import { crc32 } from "./checksum.ts";
import { units } from "./decimal.ts";

export interface Waiting {
  readonly id: string;
  readonly price: string;
  readonly qty: string;
}

export type WaitingText = readonly [id: string, price: string, qty: string];

export interface QueueChange {
  type: string;
  bids: readonly WaitingText[];
  asks: readonly WaitingText[];
  checksum: number;
}

/** Where one order stands at its price. */
export interface Place {
  readonly order: Waiting;
  readonly side: "bids" | "asks";
  /** All orders at its price, in the sequence in which they trade. */
  readonly line: readonly Waiting[];
  /** 1 for the first. */
  readonly place: number;
  readonly ahead: bigint;
}

const ORDERS = 10;
const BYTES = 24;

/** Both sides; an order that comes is the last at its price. */
export class Queue {
  private readonly sides = { bids: new Map<string, Waiting>(), asks: new Map<string, Waiting>() };

  /** Take a snapshot or a delta in; return whether the queue is right afterwards. */
  take(change: QueueChange): boolean {
    for (const side of ["bids", "asks"] as const) {
      const orders = this.sides[side];
      if (change.type === "snapshot") orders.clear();
      for (const [id, price, qty] of change[side]) {
        if (qty === "0") orders.delete(id);
        else orders.set(id, { id, price, qty });
      }
    }
    return this.checksum() === change.checksum;
  }

  /** Return the orders of a side in the sequence in which they trade. */
  line(side: "bids" | "asks"): Waiting[] {
    const direction = side === "bids" ? -1 : 1;
    return [...this.sides[side].values()].sort((one, other) => direction * Number(units(one.price) - units(other.price)));
  }

  /** Say where an order stands; nothing where it is not in the book. */
  placeOf(id: string): Place | undefined {
    for (const side of ["bids", "asks"] as const) {
      const order = this.sides[side].get(id);
      if (!order) continue;
      const line = [...this.sides[side].values()].filter((one) => one.price === order.price);
      const at = line.indexOf(order);
      const ahead = line.slice(0, at).reduce((sum, one) => sum + BigInt(one.qty), 0n);
      return { order, side, line, place: at + 1, ahead };
    }
    return undefined;
  }

  private checksum(): number {
    const first = [...this.line("bids").slice(0, ORDERS), ...this.line("asks").slice(0, ORDERS)];
    const bytes = new Uint8Array(first.length * BYTES);
    const view = new DataView(bytes.buffer);
    first.forEach((order, n) => {
      view.setBigInt64(n * BYTES, BigInt(order.id), true);
      view.setBigInt64(n * BYTES + 8, units(order.price), true);
      view.setBigInt64(n * BYTES + 16, BigInt(order.qty), true);
    });
    return crc32(bytes);
  }
}
