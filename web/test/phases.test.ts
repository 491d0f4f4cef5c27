import { expect, test } from "vitest";
import { after, countdown, endOf, gathers, inWords, UNKNOWN, withScheduled, type SymbolPhase } from "../src/state/phases.ts";

const at = (second: number) => `2026-11-23T09:00:${String(second).padStart(2, "0")}.000000000Z`;
const ms = (second: number) => Date.parse(`2026-11-23T09:00:${String(second).padStart(2, "0")}.000Z`);
const follow = (...messages: object[]): SymbolPhase =>
  messages.reduce<SymbolPhase>((state, message) => after(state, message as never, ms(0)), UNKNOWN);

test("an auction builds up, is kept over its no-cancel phase, and is gone with continuous trading", () => {
  const indicated = { type: "auction_indicated", price: "10.00", qty: "60", imbalance_qty: "40", imbalance_side: "buy", reference_price: "9.90" };
  const before = follow(
    { type: "phase", phase: "opening_auction", at: at(1) }, { ...indicated, at: at(2) }, { ...indicated, price: "", qty: "0", at: at(3) },
    { type: "phase", phase: "opening_no_cancel", at: at(4) },
  );
  expect(before.told.map(({ price, paired }) => [price, paired])).toEqual([["10.00", "60"], [null, "0"]]);
  expect(before.told[0]!.at).toBe(ms(2));
  expect(after(before, { type: "phase", phase: "continuous", at: at(5) }, 0).told).toEqual([]);
});

test("a snapshot tells phase and indication at once", () => {
  const indication = {
    price: "10.00", far_price: null, reference_price: "9.90", paired_qty: "60", imbalance_qty: "40", imbalance_side: "sell",
  };
  const now = follow({ type: "snapshot", phase: "closing_auction", indication });
  expect([now.phase, now.told.at(-1)?.side]).toEqual(["closing_auction", "sell"]);
});

test("a halt lasts until trading goes on, the auction that reopens it included", () => {
  const halted = follow({ type: "phase", phase: "halted", reason: "news", at: at(1) });
  expect(halted.halts).toEqual([{ from: ms(1), reason: "news" }]);
  const calling = after(halted, { type: "phase", phase: "reopening_auction", ends_at: at(9), at: at(2) }, 0);
  expect(calling.halts.at(-1)?.to).toBeUndefined();
  expect(endOf("XYZ", calling, [], ms(3))).toBe(ms(9));
  expect(after(calling, { type: "phase", phase: "continuous", at: at(9) }, 0).halts).toEqual([{ from: ms(1), to: ms(9), reason: "news" }]);
});

test("an extension has a collar and another end", () => {
  const extended = follow(
    { type: "phase", phase: "closing_auction", at: at(1) },
    { type: "auction_extended", lowest_price: "9.00", highest_price: "11.00", ends_at: at(30), at: at(2) },
  );
  expect([extended.collar, extended.ends_at]).toEqual(["9.00 to 11.00", at(30)]);
});

test("the end of a call is the first phase that is none, of the market or the symbol", () => {
  let rows = withScheduled([], { symbol: "", phase: "continuous", at: at(30) });
  rows = withScheduled(rows, { symbol: "", phase: "opening_no_cancel", at: at(20) });
  rows = withScheduled(rows, { symbol: "OTHER", phase: "closed", at: at(10) });
  const call = follow({ type: "phase", phase: "opening_auction", at: at(1) });
  expect(endOf("XYZ", call, rows, ms(2))).toBe(ms(30));
  expect(endOf("XYZ", call, rows, ms(31))).toBeUndefined();
  expect(endOf("XYZ", UNKNOWN, rows, ms(2))).toBeUndefined();
});

test("words and times", () => {
  expect(inWords("pre_open")).toBe("pre-open");
  expect(inWords("opening_no_cancel")).toBe("opening no cancel");
  expect([gathers("continuous"), gathers("halted"), gathers("volatility_auction")]).toEqual([false, false, true]);
  expect([countdown(65_000), countdown(-5), countdown(900)]).toEqual(["1:05", "0:00", "0:01"]);
});
