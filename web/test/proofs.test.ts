import { expect, test } from "vitest";
import { LAG_MAX, lights, type Known } from "../src/proofs.ts";

const feed = { position: 9, lag: 0, gaps: 0, problem: "" };
const KNOWN = {
  engine: { halted: "", queue: { braked: "" }, sequences: { event: 9, durable_event: 9 }, journal: { durability: "fsync" } },
  reporter: { seq: 9, feed },
  clearing: { seq: 9, halted: "", trades: { held: 1, busted: 2 }, feed },
  proof: { holds: true, seq: 9, trades: 3, faults: [], assets: [{ asset: "cash", sum: "0.00" }, { asset: "AAPL", sum: "0" }] },
} as unknown as Known;

function broken(changes: object): string[] {
  return lights({ ...KNOWN, ...changes } as Known).filter((one) => one.state === "bad").map((one) => one.name);
}

test("every light is good when everything holds", () => {
  expect(new Set(lights(KNOWN).map((one) => one.state))).toEqual(new Set(["good"]));
});

test("no light is good without knowledge", () => {
  const none = lights({ engine: undefined, reporter: undefined, clearing: undefined, proof: undefined });
  expect(new Set(none.map((one) => one.state))).toEqual(new Set(["unknown"]));
});

test("each fault puts its own light out", () => {
  expect(broken({ engine: { ...KNOWN.engine, halted: "the disk is full" } })).toEqual(["Engine takes orders"]);
  expect(broken({ reporter: { ...KNOWN.reporter, feed: { ...feed, lag: LAG_MAX + 1 } } })).toEqual(["Reporter has no gap"]);
  expect(broken({ clearing: { ...KNOWN.clearing, halted: "look" } })).toEqual(["Clearing judges"]);
  const assets = [{ asset: "cash", sum: "0.01", house: "0" }, { asset: "AAPL", sum: "-1", house: "0" }];
  expect(broken({ proof: { ...KNOWN.proof, assets } })).toEqual(["Cash sums to zero", "Shares sum to zero"]);
  expect(broken({ proof: { ...KNOWN.proof, holds: false, faults: [1] } })).toEqual(["Books equal the ledger"]);
});
