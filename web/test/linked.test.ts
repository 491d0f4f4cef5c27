import { describe, expect, test } from "vitest";
import { allInWords, listOf, missingInAll, pricedAs } from "../src/linked.ts";
import { EMPTY, type Draft } from "../src/words.ts";

const BOOK = { bids: [{ price: "189.18", qty: "300", orders: 2 }], asks: [{ price: "189.20", qty: "500", orders: 1 }] };
const draft = (changes: Partial<Draft>): Draft => ({ ...EMPTY, symbol: "AAPL", price: "189.00", ...changes });
const say = (changes: Partial<Draft>) => allInWords(draft(changes), BOOK, "USD");

describe("linked orders", () => {
  test("a pair of which one cancels the other", () => {
    const made = draft({ link: "oco", loss_price: "195.00", loss_limit: "196.00" });
    expect(listOf(made)).toEqual({
      contingency: "oco", symbol: "AAPL", qty: "100", orders: [
        { side: "buy", time_in_force: "day", type: "limit", price: "189.00" },
        { side: "buy", time_in_force: "day", type: "stop_limit", stop_price: "195.00", price: "196.00" },
      ],
    });
    expect(allInWords(made, BOOK, "USD")).toContain(
      "With it waits a stop order: once the last trade is at 195.00 or more, buy up to 100 at 196.00 or less. Whatever the one fills, the other has less",
    );
  });

  test("a pair's stop price is worse than its limit", () => {
    expect(say({ link: "oco", loss_price: "188.00" })).toBe("To buy, the stop price must be above 189.00.");
    expect(say({ link: "oco", side: "sell", loss_price: "190.00" })).toBe("To sell, the stop price must be below 189.00.");
  });

  test("a pair must rest", () => {
    expect(missingInAll(draft({ link: "oco", time_in_force: "ioc", loss_price: "195" }))).toContain("a limit order that rests");
    expect(missingInAll(draft({ link: "oco", type: "market", loss_price: "195" }))).toContain("a limit order that rests");
  });

  test("an entry, and what follows it", () => {
    const made = draft({ link: "oto", type: "market", time_in_force: "ioc", then_side: "sell", then_price: "195.00" });
    expect(listOf(made).orders).toEqual([
      { side: "buy", time_in_force: "ioc", type: "market" },
      { side: "sell", time_in_force: "day", type: "limit", price: "195.00" },
    ]);
    expect(allInWords(made, BOOK, "USD")).toContain(
      "Once that is done, what it filled is to be sold at 195.00 or more, until the business day ends. If you cancel the entry, nothing follows.",
    );
    expect(say({ link: "oto", then_type: "stop", loss_price: "180" })).toContain("once the last trade is at 180 or less");
    expect(say({ link: "oto", then_type: "market" })).toContain("sold at the best prices there are");
  });

  test("a bracket takes a profit or stops a loss", () => {
    const made = draft({ link: "bracket", then_price: "195.00", loss_price: "180.00" });
    expect(listOf(made).orders).toEqual([
      { side: "buy", time_in_force: "day", type: "limit", price: "189.00" },
      { side: "sell", time_in_force: "day", type: "limit", price: "195.00" },
      { side: "sell", time_in_force: "day", type: "stop", stop_price: "180.00" },
    ]);
    expect(allInWords(made, BOOK, "USD")).toContain("at 195.00 or more, for the profit; or against a loss: once the last trade is at 180.00 or less");
  });

  test("an order without links is said as ever", () => {
    expect(say({})).toBe("Buy 100 AAPL at 189.00 or less, until the business day ends. It would rest in the book at 189.00, away from the best at 189.18.");
  });

  test("how a leg is priced", () => {
    expect(pricedAs({ type: "stop", stop_price: "180.00" })).toBe("stop 180.00");
    expect(pricedAs({ type: "market" })).toBe("market");
  });
});
