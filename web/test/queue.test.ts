import { describe, expect, test } from "vitest";
import { Queue, type QueueChange } from "../src/feed/queue.ts";

// Checksums: zlib.crc32 over struct.pack("<qqq", id, price, quantity) of the ten first orders of each side.
const SNAPSHOT: QueueChange = {
  type: "snapshot", checksum: 1321482767, bids: [["7", "189.18", "300"], ["9", "189.18", "100"], ["3", "189.17", "50"]], asks: [["8", "189.20", "40"]],
};

describe("the book order by order", () => {
  test("an order knows its place, and who trades before it", () => {
    const queue = new Queue();
    expect(queue.take(SNAPSHOT)).toBe(true);
    expect(queue.placeOf("9")).toMatchObject({ side: "bids", place: 2, ahead: 300n });
    expect(queue.placeOf("9")!.line.map((one) => one.id)).toEqual(["7", "9"]);
    expect(queue.placeOf("77")).toBeUndefined();
    expect(queue.line("bids").map((one) => one.id)).toEqual(["7", "9", "3"]);
  });

  test("one that shrinks keeps its place, one that goes and comes is last, and a wrong checksum is seen", () => {
    const queue = new Queue();
    queue.take(SNAPSHOT);
    const change: QueueChange = { type: "delta", checksum: 700954566, bids: [["9", "189.18", "60"], ["7", "189.18", "0"], ["7", "189.18", "300"]], asks: [["8", "189.20", "0"]] };
    expect(queue.take(change)).toBe(true);
    expect(queue.placeOf("9")).toMatchObject({ place: 1, ahead: 0n });
    expect(queue.placeOf("7")).toMatchObject({ place: 2, ahead: 60n });
    expect(queue.take({ ...change, checksum: 1 })).toBe(false);
  });
});
