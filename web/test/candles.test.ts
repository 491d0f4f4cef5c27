import { expect, test } from "vitest";
import type { Candle } from "../src/feed/messages.ts";
import { isTail, shadesOf, withBands } from "../src/price_chart.ts";
import { withCandle } from "../src/state/candles.ts";

const candle = (second: number, close: string | null = "1.00"): Candle => ({
  start: `2026-11-23T14:30:0${second}.000000000Z`, open: close, high: close, low: close, close, volume: "5",
});
const LIST = [candle(1), candle(3)];

test("a candle takes its place: new, open, late, mended, emptied", () => {
  expect(withCandle(LIST, candle(4)).map((one) => one.start[18])).toEqual(["1", "3", "4"]);
  expect(withCandle(LIST, candle(3, "2.00")).map((one) => one.close)).toEqual(["1.00", "2.00"]);
  expect(withCandle(LIST, candle(2)).map((one) => one.start[18])).toEqual(["1", "2", "3"]);
  expect(withCandle(LIST, candle(1, "9.00")).map((one) => one.close)).toEqual(["9.00", "1.00"]);
  expect(withCandle(LIST, candle(3, null)).map((one) => one.start[18])).toEqual(["1"]);
  expect(withCandle(LIST, candle(2, null))).toEqual(LIST);
});

test("only a move at the end spares the chart a redraw", () => {
  expect(isTail(LIST, withCandle(LIST, candle(4)))).toBe(true);
  expect(isTail(LIST, withCandle(LIST, candle(3, "2.00")))).toBe(true);
  expect(isTail(LIST, withCandle(LIST, candle(1, "2.00")))).toBe(false);
  expect(isTail(LIST, withCandle(LIST, candle(3, null)))).toBe(false);
  expect(isTail([], LIST)).toBe(false);
});

test("a halt is shaded interval by interval, the last one to now, and no more than can be seen", () => {
  const halts = [{ from: 61_000, to: 125_000, reason: "" }, { from: 300_000, reason: "news" }];
  expect(shadesOf(halts, "1m", 370_000)).toEqual([60, 120, 300, 360]);
  expect(shadesOf([{ from: 0, reason: "" }], "1s", 10_000_000)).toHaveLength(600);
});

test("bands are in view where they do not press the candles flat, and in a limit state always", () => {
  expect(withBands(10, 11, ["9.00", "12.00"], false)).toEqual({ minValue: 9, maxValue: 12 });
  expect(withBands(10, 11, ["", "100.00"], false)).toEqual({ minValue: 10, maxValue: 11 });
  expect(withBands(10, 11, ["", "100.00"], true)).toEqual({ minValue: 10, maxValue: 100 });
  expect(withBands(10, 10, ["9.50", "10.50"], false)).toEqual({ minValue: 9.5, maxValue: 10.5 });
});
