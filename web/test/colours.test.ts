import { describe, expect, test } from "vitest";
import sheet from "../src/styles/colours.css?raw";

// WCAG 2.2, contrast (minimum), AA: 4.5 for text.
const AA = 4.5;

function palette(selector: string): Record<string, string> {
  const at = sheet.indexOf(`${selector} {`);
  if (at < 0) throw new Error(`no ${selector} in colours.css`);
  const body = sheet.slice(at, sheet.indexOf("}", at));
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((found) => [found[1]!, found[2]!]));
}

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright! + 0.05) / (dark! + 0.05);
}

const GROUNDS = ["ground", "panel", "raised"];
const PAIRS = [
  ...GROUNDS.flatMap((ground) => ["ink", "faint", "buy", "sell", "accent", "warn"].map((text) => [text, ground] as const)),
  ["ink", "buy-bar"], ["ink", "sell-bar"], ["faint", "buy-bar"], ["faint", "sell-bar"], ["buy", "buy-bar"], ["sell", "sell-bar"],
  ["on-solid", "buy-solid"], ["on-solid", "sell-solid"], ["panel", "accent"], ["ink", "accent-bar"],
] as const;

describe.each([[":root"], [':root[data-theme="dark"]'], [':root[data-theme="auto"]']])("%s", (selector) => {
  const colours = palette(selector);
  test.each(PAIRS)("%s on %s can be read", (text, ground) => {
    expect(contrast(colours[text]!, colours[ground]!)).toBeGreaterThanOrEqual(AA);
  });
});

test("dark by hand is dark by the system", () => {
  expect(palette(':root[data-theme="auto"]')).toEqual(palette(':root[data-theme="dark"]'));
});
