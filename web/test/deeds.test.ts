import { expect, test } from "vitest";
import { bps, deedInWords, deedRequest, missingInDeed, NO_DEED, type Deed } from "../src/deeds.ts";

const deed = (changes: Partial<Deed>): Deed => ({ ...NO_DEED, reason: "end of day", ...changes });

test("what is missing in a deed", () => {
  expect(missingInDeed(deed({ what: "close" }))).toBe("It needs a day.");
  expect(missingInDeed(deed({ what: "close", date: "2026-11-23", reason: " " }))).toContain("needs a reason");
  expect(missingInDeed(deed({ what: "pay", amount: "0" }))).toContain("needs an amount");
  expect(missingInDeed(deed({ what: "pay", amount: "5" }))).toContain("Whose payment");
  expect(missingInDeed(deed({ what: "pay", amount: "-5", account: "1" }))).toContain("reference of its own");
  expect(missingInDeed(deed({ what: "pay", amount: "5", purse: "capital", reference: "own" }))).toBe("");
  expect(missingInDeed(deed({ what: "default", account: "1" }))).toContain("account that takes over");
});

test("each deed in words, and as clearing takes it", () => {
  expect(deedInWords(deed({ what: "close", date: "2026-11-23" }), "USD")).toContain("The trading day 2026-11-23");
  expect(deedRequest(deed({ what: "settle", date: "2026-11-24" }))).toEqual({ path: "/api/v1/settlements", body: { date: "2026-11-24", reason: "end of day" } });
  expect(deedRequest(deed({ what: "buy_in", date: "2026-11-30" })).path).toBe("/api/v1/buy-ins");
  expect(deedRequest(deed({ what: "give_up" })).path).toBe("/api/v1/settlements/give-up");
  expect(deedRequest(deed({ what: "margin" }))).toEqual({ path: "/api/v1/margin", body: { reason: "end of day" } });
  expect(deedInWords(deed({ what: "pay", amount: "-5000.00", account: "1" }), "USD")).toBe("5,000.00 USD go out of the margin of account 1.");
  expect(deedInWords(deed({ what: "pay", amount: "5000", purse: "capital" }), "USD")).toBe("5,000 USD go into the house's own money.");
  expect(deedRequest(deed({ what: "pay", amount: "5", purse: "capital", account: "1", reference: "own" })).body).toMatchObject({ what: "capital", account: "" });
  const gone = deed({ what: "default", account: "3", taker: "1", worse: "7.5" });
  expect(deedInWords(gone, "USD")).toContain("at prices 7.5 % worse");
  expect(deedRequest(gone).body).toEqual({ participant: "3", taker: "1", worse_bps: 750, reason: "end of day" });
  expect(bps("")).toBe(0);
});
