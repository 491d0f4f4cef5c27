import { expect, test } from "vitest";
import { ago, Clock, milliseconds } from "../src/clock.ts";

test("times are shown in the market's zone", () => {
  const text = "2026-11-23T14:30:01.123456789Z";
  expect(milliseconds(text) % 1000).toBe(123);
  expect(new Clock("UTC").at(text)).toBe("14:30:01");
  expect(new Clock("America/New_York").at(text)).toBe("09:30:01");
  expect(new Clock("America/New_York").minuteOf(milliseconds(text) / 1000)).toBe("09:30");
  expect(new Clock("UTC").dateOf(milliseconds(text) / 1000)).toBe("23 Nov");
});

test("an age is said shortly", () => {
  expect([ago(0), ago(4200), ago(120_000), ago(7_300_000)]).toEqual(["now", "4 s ago", "2 min ago", "2 h ago"]);
});
