// Decimal texts as the exchange sends them, exactly: prices in 1/10,000 as BigInt, and texts for people.

const SCALE = 4;

/** Read a decimal text in 1/10,000. Throws where it has more than four places or is no number. */
export function units(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(text);
  if (!match) throw new RangeError(`not a decimal with up to ${SCALE} places: ${text}`);
  const value = BigInt(match[2]!) * 10_000n + BigInt((match[3] ?? "").padEnd(SCALE, "0"));
  return match[1] ? -value : value;
}

/** Write 1/10,000 as a text with at least `places` places. */
export function decimal(value: bigint, places = 2): string {
  const size = value < 0n ? -value : value;
  const fraction = String(size % 10_000n).padStart(SCALE, "0");
  let shown = fraction.replace(/0+$/, "");
  if (shown.length < places) shown = fraction.slice(0, places);
  return `${value < 0n ? "-" : ""}${size / 10_000n}${shown ? `.${shown}` : ""}`;
}

/** Put thousands separators into a decimal text. */
export function grouped(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** Return the number of decimal places of a text. */
export function places(text: string): number {
  return text.split(".")[1]?.length ?? 0;
}
