import { expect, test } from "vitest";
import {
  breakerAfter, breakerInWords, limitsAfter, limitsInWords, limitsOf, NO_BREAKER, NO_LIMITS, stateInWords, tripInWords, type Breaker, type Limits,
} from "../src/state/limits.ts";

const follow = (...messages: object[]): Limits => messages.reduce<Limits>((state, one) => limitsAfter(state, one as never), NO_LIMITS);
const market = (...messages: object[]): Breaker => messages.reduce<Breaker>((state, one) => breakerAfter(state, one as never), NO_BREAKER);
const BANDS = { type: "price_bands", reference_price: "10.00", lowest_price: "9.50", highest_price: "10.50" };

test("bands are set, move, are reached and are gone with the pause", () => {
  const set = follow({ type: "price_bands_set", tier: 1 });
  expect([set.mode, limitsInWords(set)]).toEqual(["bands", "bands, not now"]);
  const moved = limitsAfter(set, { ...BANDS, is_doubled: true } as never);
  expect(limitsInWords(moved)).toBe("bands (doubled) 9.50 to 10.50");
  const reached = limitsAfter(moved, { type: "limit_state", state: "limit", ends_at: "2026-11-23T09:00:15.000000000Z" } as never);
  expect(stateInWords(reached, Date.parse("2026-11-23T09:00:03Z"))).toBe("limit state, pauses in 0:12");
  expect(stateInWords(limitsAfter(moved, { type: "limit_state", state: "straddle" } as never), 0)).toContain("straddle");
  expect(limitsInWords(limitsAfter(reached, { type: "phase", phase: "volatility_auction" } as never))).toBe("bands, not now");
});

test("a snapshot tells bands, and REST the rest", () => {
  const bands = { reference_price: "10.00", lowest_price: null, highest_price: "10.50", state: "normal" };
  const told = follow({ type: "snapshot", bands });
  expect(limitsInWords(told)).toBe("bands 0 to 10.50");
  const answer = {
    symbol: "XYZ", mode: "corridor", tier: 0, dynamic_bps: 200, static_bps: 500, reference_price: null, lowest_price: "9.80", highest_price: "10.20",
    state: "normal", pause_at: null,
  } as const;
  expect(limitsInWords(limitsOf(answer, told))).toBe("corridor 9.80 to 10.20");
  expect(follow({ type: "price_corridor_set", dynamic_bps: 0, static_bps: 0 }).mode).toBe("none");
});

test("the breaker watches, trips, and begins anew with the day", () => {
  const at = (time: string) => time.slice(11, 16);
  expect(breakerInWords(NO_BREAKER, at)).toBe("");
  const set = market({ type: "market_breaker", index_level: "5000.00" });
  expect(breakerInWords(set, at)).toBe("the index closed at 5000.00");
  const fallen = breakerAfter(set, { type: "index_level", index_level: "4600.00", fall_bps: 800 } as never);
  const tripped = breakerAfter(fallen, { type: "breaker_tripped", level: 1, ends_at: "2026-11-23T09:15:00Z" } as never);
  expect(breakerInWords(tripped, at)).toBe(
    "market-wide breaker, level 1: trading stands until 09:15; the index stands at 4600.00, 8.00 % below its close of 5000.00",
  );
  expect(breakerAfter(tripped, { type: "business_date" } as never).tripped).toBe(0);
  const breaker = { close_level: "5000.00", index_level: "4600.00", fall_bps: 800, tripped_level: 1, ends_at: "2026-11-23T09:15:00Z" };
  expect(market({ type: "snapshot", breaker })).toEqual(tripped);
  expect(market({ type: "snapshot", breaker }, { type: "market_breaker", index_level: "0.00" })).toEqual(NO_BREAKER);
});

test("what a level would do is said before it is reported", () => {
  expect(tripInWords("", "5")).toContain("watches nothing");
  expect(tripInWords("5000.00", "")).toBe("Level 1 trips at 4650.00, level 2 at 4350.00, level 3 at 4000.00.");
  expect(tripInWords("5000.00", "4900")).toContain("nothing follows");
  expect(tripInWords("5000.00", "4300")).toContain("level 2, every symbol that trades gathers orders for 15 minutes");
  expect(tripInWords("5000.00", "3900")).toContain("level 3, every symbol is halted");
});
