import { describe, expect, test } from "vitest";
import { EMPTY, inWords, missing, orderOf, trailOf, type Draft } from "../src/words.ts";

const BOOK = {
  bids: [{ price: "189.18", qty: "300", orders: 2 }, { price: "189.17", qty: "100", orders: 1 }],
  asks: [{ price: "189.20", qty: "50", orders: 1 }, { price: "189.21", qty: "1000", orders: 1 }],
};
const draft = (changes: Partial<Draft>): Draft => ({
  ...EMPTY, symbol: "AAPL", price: "189.20", ...changes,
});
const say = (changes: Partial<Draft>) => inWords(draft(changes), BOOK, "USD");

describe("the ticket says what will happen", () => {
  test("an order that trades in part", () => {
    expect(say({})).toBe(
      "Buy 100 AAPL at 189.20 or less, until the business day ends. 50 would trade at once, up to 189.20 at worst, for about 9,460.00 USD. 50 would rest in the book at 189.20, as the new best price.",
    );
  });

  test("an order that joins a queue", () => {
    expect(say({ price: "189.18", time_in_force: "gtc" })).toBe(
      "Buy 100 AAPL at 189.18 or less, until it is cancelled. It would rest in the book at 189.18, behind 300 shares.",
    );
  });

  test("an order away from the market", () => {
    expect(say({ side: "sell", price: "190" })).toContain("It would rest in the book at 190, away from the best at 189.20.");
  });

  test("a market order beyond what is there", () => {
    expect(say({ type: "market", price: "", qty: "2000", time_in_force: "ioc" })).toContain(
      "1,050 would trade at once, up to 189.21 at worst, for about 198,670.00 USD. 950 would find nothing and be cancelled.",
    );
  });

  test("a sale sweeps the bids downwards", () => {
    expect(say({ side: "sell", type: "market", qty: "350", time_in_force: "ioc" })).toContain("All of it would trade at once, down to 189.17 at worst");
  });

  test("a fill-or-kill order that cannot be filled", () => {
    expect(say({ time_in_force: "fok" })).toContain("Only 50 are there now, so nothing would trade and it would end.");
  });

  test("a post-only order that would trade", () => {
    expect(say({ post_only: true })).toContain("as post-only it would be refused");
  });

  test("a stop order waits", () => {
    expect(say({ type: "stop", side: "sell", price: "", stop_price: "188.00" })).toBe(
      "Sell 100 AAPL at the best prices there are, until the business day ends. It waits, unseen, until the last trade is at 188.00 or less; only then does it come into the book.",
    );
    expect(say({ type: "stop_limit", stop_price: "190.00" })).toContain("at 189.20 or less, until the business day ends. It waits, unseen, until the last trade is at 190.00 or more");
  });

  test("an iceberg shows a part at a time", () => {
    expect(say({ price: "189.18", display_qty: "10" })).toContain("behind 300 shares. What rests shows 10 at a time.");
  });

  test.each([
    [{ type: "stop", stop_price: "" }, "needs a stop price"],
    [{ display_qty: "-1" }, "show at a time"],
    [{ qty: "0" }, "whole number"],
    [{ qty: "1.5" }, "whole number"],
    [{ price: "" }, "needs a price"],
    [{ price: "1.00001" }, "needs a price"],
    [{ symbol: "" }, "Choose a symbol"],
  ])("what is missing in %j", (changes, text) => {
    expect(missing(draft(changes as Partial<Draft>))).toContain(text);
  });
});

describe("the rarer orders", () => {
  test("each is told in words", () => {
    expect(say({ type: "market_to_limit", price: "" })).toContain("50 would trade at 189.20, and 50 would rest at that price.");
    expect(say({ type: "trailing_stop", side: "sell", trail: "1%", price: "" })).toContain("until the last trade is 1% below the highest one from now on");
    expect(say({ time_in_force: "at_the_close" })).toContain("in the closing auction or not at all. It waits there for the auction");
    expect(say({ time_in_force: "gtd", expires: "2026-11-24T17:30", price: "189.18" })).toContain("until 2026-11-24 17:30. It would rest");
    expect(say({ hidden: true, price: "189.18" })).toContain("seen by nobody");
    expect(say({ all_or_none: true })).toContain("It trades whole or waits, unseen.");
    expect(say({ min_qty: "60" })).toContain("It trades at least 60 at once or waits, unseen.");
    expect(say({ post_only: true, reprice: true })).toContain("rests one tick behind");
  });

  test("what they lack is told", () => {
    expect(missing(draft({ type: "trailing_stop", trail: "x" }))).toContain("how far it follows");
    expect(missing(draft({ time_in_force: "gtd" }))).toContain("needs the date");
    expect(missing(draft({ min_qty: "0" }))).toContain("whole number above zero");
  });

  test("a trail is an amount or a share", () => {
    expect(trailOf("0.50")).toEqual({ trail_amount: "0.50" });
    expect(trailOf("1.25 %")).toEqual({ trail_bps: 125 });
    for (const text of ["", "0%", "100%", "abc", "-1"]) expect(trailOf(text)).toBeUndefined();
  });

  test("only what an order has is sent", () => {
    expect(orderOf(draft({}))).toEqual({ symbol: "AAPL", side: "buy", qty: "100", time_in_force: "day", type: "limit", price: "189.20" });
    expect(orderOf(draft({ type: "trailing_stop", trail: "1%", price: "" }))).toEqual({
      symbol: "AAPL", side: "buy", qty: "100", time_in_force: "day", type: "stop", trail_bps: 100,
    });
    expect(orderOf(draft({ hidden: true, display_qty: "10", all_or_none: true }))).toMatchObject({ hidden: true, all_or_none: true });
    expect(orderOf(draft({ hidden: true, display_qty: "10" }))).not.toHaveProperty("display_qty");
    expect(orderOf(draft({ post_only: true, reprice: true }))).toMatchObject({ post_only: true, reprice: true });
    expect(orderOf(draft({ time_in_force: "gtd", expires: "2026-11-24T17:30" }))).toHaveProperty("expires_at");
  });
});

describe("a pegged order", () => {
  test("follows its own side, the other, or their middle", () => {
    expect(say({ type: "pegged", price: "", peg_offset: "-0.02" })).toBe(
      "Buy 100 AAPL, until the business day ends. Its price follows 0.02 below the best bid: now about 189.16. It rests unseen, never so good that it would trade with what is shown, and stands aside while there is no such price, and in auctions.",
    );
    expect(say({ type: "pegged", peg: "midpoint", price: "189.10" })).toContain("the middle of bid and offer, never above 189.10: now about 189.10.");
    expect(say({ type: "pegged", peg: "market", side: "sell", price: "" })).toContain("the best bid: now about 189.18.");
  });

  test("without the side it follows it waits aside", () => {
    expect(inWords(draft({ type: "pegged", price: "" }), { bids: [], asks: [] }, "USD")).toContain("now there is no such price");
  });

  test("is sent with nothing but its peg", () => {
    const made = draft({ type: "pegged", peg: "market", peg_offset: "0.01", price: "", hidden: true, mark: "short", side: "sell" });
    expect(orderOf(made)).toEqual({ symbol: "AAPL", side: "sell", qty: "100", time_in_force: "day", type: "limit", peg: "market", peg_offset: "0.01" });
    expect(orderOf(draft({ type: "pegged", peg: "midpoint", peg_offset: "0.01", price: "" }))).not.toHaveProperty("peg_offset");
    expect(missing(draft({ type: "pegged", price: "", peg_offset: "a lot" }))).toContain("offset is an amount");
  });
});

test("a sale is marked short, with its locate", () => {
  expect(orderOf(draft({ side: "sell", mark: "short_exempt", located: true }))).toMatchObject({ short_exempt: true, located: true });
  expect(orderOf(draft({ side: "buy", mark: "short" }))).not.toHaveProperty("short");
  expect(say({ side: "sell", mark: "short", price: "190" })).toContain("It is marked as a short sale; shares to borrow are not located.");
});
