import { describe, expect, test } from "vitest";
import { decimal, grouped, places, units } from "../src/feed/decimal.ts";

describe("decimals are exact", () => {
  test.each([["189.20", 1_892_000n], ["0.0001", 1n], ["10", 100_000n], ["-5.5", -55_000n]])("%s is read", (text, value) => {
    expect(units(text)).toBe(value);
  });

  test.each(["", "1.", "1.23456", "1e3", "x"])("%j is refused", (text) => {
    expect(() => units(text)).toThrow(RangeError);
  });

  test("they are written with two places at least, and no needless zeros beyond", () => {
    expect([decimal(1_892_000n), decimal(1n), decimal(-55_000n), decimal(1_234_500n)]).toEqual(["189.20", "0.0001", "-5.50", "123.45"]);
  });

  test("thousands are grouped in the whole part only", () => {
    expect([grouped("1234567.1234"), grouped("-1000"), grouped("999")]).toEqual(["1,234,567.1234", "-1,000", "999"]);
  });

  test("places are counted", () => {
    expect([places("1"), places("1.50")]).toEqual([0, 2]);
  });
});
