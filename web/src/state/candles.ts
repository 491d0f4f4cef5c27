// The candles of one symbol and interval, oldest first, as the stream changes them.
import { milliseconds } from "../clock.ts";
import type { Candle } from "../feed/messages.ts";

export const CANDLES_MAX = 500;

/** Put a candle in its place: a new one, the open one, or an old one that a bust has changed or emptied. */
export function withCandle(candles: readonly Candle[], fresh: Candle): Candle[] {
  const start = milliseconds(fresh.start);
  let at = candles.length;
  while (at > 0 && milliseconds(candles[at - 1]!.start) >= start) at--;
  const same = candles[at] !== undefined && milliseconds(candles[at]!.start) === start;
  const made = candles.slice();
  made.splice(at, same ? 1 : 0, ...(fresh.open === null ? [] : [fresh]));
  return made.slice(-CANDLES_MAX);
}
