import { describe, expect, it } from "vitest";
import { subjects, used, type Usage } from "../src/usage.ts";

const usage: Usage = {
  subject: "1",
  open_buys: "1000.00",
  open_sells: "600.00",
  gross: "6000.00",
  loss: "-20.00",
  limits: [
    { kind: "max_quantity", value: "100" },
    { kind: "gross", value: "10000.00" },
    { kind: "loss", value: "500.00" },
  ],
};

describe("limits of a day", () => {
  it("are shown with how much of them is used", () => {
    expect(used(usage)[0]).toEqual({ account: "1", what: "Traded and open today", used: "7600.00", limit: "10000.00", percent: 76 });
  });
  it("count a profit as nothing lost", () => {
    expect(used(usage)[1]).toMatchObject({ used: "0.00", percent: 0 });
  });
  it("are none where none is set", () => {
    expect(used({ ...usage, limits: [] })).toEqual([]);
  });
  it("are asked for where there are any", () => {
    const limit = (scope: string, subject: string, kind: string) => ({ scope, subject, kind });
    expect(subjects([limit("account", "1", "gross"), limit("account", "1", "loss"), limit("account", "2", "collar"), limit("participant", "3", "gross")])).toEqual(["1"]);
  });
});
