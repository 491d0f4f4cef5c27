import { expect, test } from "vitest";
import { actionInWords, missingInAction, NO_ACTION, requestOf, type ActionDraft } from "../src/corporate.ts";

const LISTED = { symbol: "AAPL", reference_price: "189.25", ticks: [{ from: "0", tick: "0.0001" }, { from: "1.00", tick: "0.01" }] };
const draft = (changes: Partial<ActionDraft>): ActionDraft => ({ ...NO_ACTION, ...changes });
const say = (changes: Partial<ActionDraft>) => actionInWords(draft(changes), LISTED, "USD");

test("a split, forward and reverse", () => {
  expect(say({})).toContain("who has 100 has 200 then. Its reference price of 189.25 becomes 94.62.");
  expect(say({ new_shares: "1", old_shares: "3" })).toContain("who has 100 has 33 then, and the fraction in USD. Its reference price of 189.25 becomes 567.75.");
  expect(requestOf(draft({ cash_price: "90.00", note: " two for one " }))).toEqual({
    method: "POST", verb: "split", body: { new_shares: 2, old_shares: 1, cash_price: "90.00", note: "two for one" },
  });
});

test("a dividend lowers the reference to the tick", () => {
  expect(say({ action: "dividend", amount: "0.255" })).toContain("its reference price of 189.25 becomes 188.99.");
  expect(say({ action: "dividend", amount: "0.25" })).toContain("Who holds 100 shares gets 25.00 USD at once");
});

test("a new ticker, and terms of short sales", () => {
  expect(say({ action: "rename", ticker: "APPL" })).toContain("AAPL is called APPL from now on.");
  expect(say({ action: "short_sales", trigger: "10", needs_locate: true })).toContain("A trade 10 % below the closing price restricts");
  expect(requestOf(draft({ action: "short_sales", trigger: "7.5" })).body).toEqual({ trigger_bps: 750, needs_locate: false, needs_marking: false });
});

test("what is missing, and when it cannot be", () => {
  expect(missingInAction(draft({}), "continuous", "active")).toBe("It must be closed, halted or suspended first; now it is continuous.");
  expect(missingInAction(draft({}), "halted", "active")).toBe("");
  expect(missingInAction(draft({}), "continuous", "suspended")).toBe("");
  expect(missingInAction(draft({ new_shares: "0" }), "halted", "active")).toContain("1 to 10,000");
  expect(missingInAction(draft({ old_shares: "2" }), "halted", "active")).toContain("no split");
  expect(missingInAction(draft({ action: "rename", ticker: "x" }), "halted", "active")).toContain("capital letters");
  expect(missingInAction(draft({ action: "dividend", amount: "" }), "halted", "active")).toContain("amount per share");
  expect(missingInAction(draft({ action: "short_sales", trigger: "x" }), "continuous", "active")).toContain("percentage");
});
