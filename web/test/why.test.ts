import { expect, test } from "vitest";
import { ladder } from "../src/why.ts";

test("the book before and after is one ladder, highest price first, with one's own order marked", () => {
  const level = (price: string, qty: string, own_qty = "0") => ({ price, qty, own_qty });
  expect(
    ladder({ bids: [level("9.50", "30")], asks: [level("10.00", "100")] }, { bids: [level("9.50", "30"), level("10.00", "5", "5")], asks: [] }),
  ).toEqual([["", "100", "10.00", "5*", ""], ["30", "", "9.50", "30", ""]]);
});
