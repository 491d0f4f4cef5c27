import { describe, expect, test } from "vitest";
import { linesOf, missingInQuotes, protectionInWords, quotesInWords, usedOf } from "../src/quotes.ts";

const BOTH = { symbol: "AAPL", bid_price: "189.10", bid_qty: "1000", ask_price: "189.30", ask_qty: "200" };
const BID = { symbol: "MSFT", bid_price: "41.00", bid_qty: "10", ask_price: "", ask_qty: "100" };

describe("quotes", () => {
  test("a mass quote, with a side that is left out", () => {
    expect(linesOf([BOTH, BID])).toEqual([
      { symbol: "AAPL", bid_price: "189.10", bid_qty: "1000", ask_price: "189.30", ask_qty: "200" },
      { symbol: "MSFT", bid_price: "41.00", bid_qty: "10" },
    ]);
    expect(quotesInWords([BOTH, BID])).toContain("AAPL: buy 1,000 at 189.10, sell 200 at 189.30; MSFT: buy 10 at 41.00. Each takes the place");
  });

  test("what is missing", () => {
    expect(missingInQuotes([])).toContain("Fill in");
    expect(missingInQuotes([{ ...BOTH, ask_price: "189.10" }])).toBe("In AAPL the bid must be below the ask.");
    expect(missingInQuotes([{ ...BID, bid_qty: "0" }])).toContain("needs a whole number of shares");
    expect(missingInQuotes([{ ...BID, bid_price: "x" }])).toContain("is no price");
  });

  test("a protection in words, and how much of it is used", () => {
    const limits = { symbol: "AAPL", qty: 500, executions: 3, percent_bps: 0, delta: 0, window_ms: 1000 };
    expect(protectionInWords(limits)).toBe(
      "When 500 shares or 3 trades have traded in AAPL within 1000 ms, all quotes it protects are withdrawn, and none is taken until you reset it.",
    );
    expect(protectionInWords({ ...limits, window_ms: 0 })).toBe("Quotes in AAPL have no protection.");
    const used = { traded_qty: "40", traded_executions: 1, traded_percent_bps: 0, traded_delta: 40, reached: false, account: "1", bid_order_id: null, ask_order_id: null };
    expect(usedOf({ ...limits, ...used })).toBe("40 of 500 shares, 1 of 3 trades");
  });
});
