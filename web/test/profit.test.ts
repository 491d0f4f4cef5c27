import { describe, expect, test } from "vitest";
import { profit, signed } from "../src/profit.ts";

describe("profit", () => {
  test("is the worth of what was traded less its cost", () => {
    expect(profit({ qty: "10030", deposited: "10000", cost: "5674.80" }, "189.26")).toBe(30_000n);
    expect(profit({ qty: "9995", deposited: "10000", cost: "-55.00" }, "10.00")).toBe(50_000n);
  });

  test("of a closed position needs no price", () => {
    expect(profit({ qty: "10000", deposited: "10000", cost: "-12.50" }, null)).toBe(125_000n);
  });

  test("is not known without a price", () => {
    expect(signed(profit({ qty: "1", deposited: "0", cost: "1.00" }, null))).toBe("–");
  });

  test("has its sign", () => {
    expect([signed(30_000n), signed(-5_000n), signed(0n)]).toEqual(["+3.00", "-0.50", "0.00"]);
  });
});
