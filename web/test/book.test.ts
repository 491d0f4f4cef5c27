import { describe, expect, test } from "vitest";
import { Book, type BookChange } from "../src/feed/book.ts";
import { crc32 } from "../src/feed/checksum.ts";

// The very messages of docs/websocket.md.
const SNAPSHOT: BookChange = {
  type: "snapshot",
  checksum: 3140420662,
  bids: [["189.19", "200", 2], ["189.18", "100", 1]],
  asks: [["189.21", "50", 1], ["189.22", "300", 1]],
};
const DELTA: BookChange = { type: "delta", checksum: 2048526655, bids: [["189.19", "150", 2]], asks: [["189.21", "0", 0]] };

describe("a book", () => {
  test("CRC-32 is that of zlib", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  test("is right after the snapshot and the delta of the documentation", () => {
    const book = new Book();
    expect(book.take(SNAPSHOT)).toBe(true);
    expect(book.take(DELTA)).toBe(true);
    expect(book.bids).toEqual([{ price: "189.19", qty: "150", orders: 2 }, { price: "189.18", qty: "100", orders: 1 }]);
    expect(book.asks).toEqual([{ price: "189.22", qty: "300", orders: 1 }]);
  });

  test("says so when its checksum is wrong", () => {
    const book = new Book();
    book.take(SNAPSHOT);
    expect(book.take({ ...DELTA, checksum: 1 })).toBe(false);
  });

  test("is replaced by a second snapshot, and a side that did not change keeps its array", () => {
    const book = new Book();
    book.take(SNAPSHOT);
    const { asks } = book;
    book.take({ ...DELTA, asks: [] });
    expect(book.asks).toBe(asks);
    expect(book.take(SNAPSHOT)).toBe(true);
    expect(book.bids).toHaveLength(2);
  });

  test("is sorted by price and not by text", () => {
    const book = new Book();
    book.take({ type: "snapshot", checksum: 0, bids: [["9.50", "1", 1], ["10.00", "1", 1]], asks: [["100.00", "1", 1], ["20.00", "1", 1]] });
    expect(book.bids[0]!.price).toBe("10.00");
    expect(book.asks[0]!.price).toBe("20.00");
  });
});
