// CRC-32 over the ten best levels, bids then asks: price and quantity as 64-bit integers, little-endian.
import type { Level } from "./book.ts";
import { units } from "./decimal.ts";

const LEVELS = 10;
const BYTES_PER_LEVEL = 16;
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** Compute the checksum of both sides, each best first. */
export function checksum(bids: readonly Level[], asks: readonly Level[]): number {
  const levels = [...bids.slice(0, LEVELS), ...asks.slice(0, LEVELS)];
  const bytes = new Uint8Array(levels.length * BYTES_PER_LEVEL);
  const view = new DataView(bytes.buffer);
  levels.forEach((level, n) => {
    view.setBigInt64(n * BYTES_PER_LEVEL, units(level.price), true);
    view.setBigInt64(n * BYTES_PER_LEVEL + 8, BigInt(level.qty), true);
  });
  return crc32(bytes);
}

/** Compute the CRC-32 of zlib and Ethernet. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
