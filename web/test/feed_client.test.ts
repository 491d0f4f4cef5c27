import { beforeEach, describe, expect, test } from "vitest";
import { FeedClient, RESYNCS_MAX, RETRY_MS, SILENCE_MS, type FeedState, type Socket } from "../src/feed/feed_client.ts";
import type { StreamMessage } from "../src/feed/messages.ts";

class FakeSocket implements Socket {
  sent: Record<string, unknown>[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.isClosed = true;
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: FakeSocket[];
let waits: { delay_ms: number; what: () => void }[];
let heard: StreamMessage[];
let states: FeedState[];
let now: number;
let feed: FeedClient;

const TRADES = { channel: "trades", symbols: ["AAPL"] } as const;
const BOOK = { channel: "book", symbols: ["AAPL"], conflated: 100 } as const;
const SNAPSHOT = {
  channel: "book", type: "snapshot", symbol: "AAPL", seq: 118, checksum: 3140420662,
  bids: [["189.19", "200", 2], ["189.18", "100", 1]], asks: [["189.21", "50", 1], ["189.22", "300", 1]],
};
const DELTA = {
  channel: "book", type: "delta", symbol: "AAPL", prev_seq: 118, seq: 121, checksum: 2048526655, bids: [["189.19", "150", 2]], asks: [["189.21", "0", 0]],
};
const trade = (prev_seq: number, seq: number) => ({ channel: "trades", type: "trade", symbol: "AAPL", prev_seq, seq });

beforeEach(() => {
  [sockets, waits, heard, states, now] = [[], [], [], [], 0];
  feed = new FeedClient({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    now: () => now,
    later: (delay_ms, what) => waits.push({ delay_ms, what }),
    onMessage: (message) => heard.push(message),
    onState: (state) => states.push(state),
  });
  feed.start();
});

function opened(): FakeSocket {
  const socket = sockets.at(-1)!;
  socket.onopen!();
  return socket;
}

describe("the feed", () => {
  test("asks for what is wanted as soon as the connection is open, and is live with the snapshot", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    expect(socket.sent).toEqual([{ op: "subscribe", ...BOOK }]);
    expect(feed.state).toBe("resyncing");
    socket.say(SNAPSHOT);
    expect(feed.state).toBe("live");
    socket.say(DELTA);
    expect(heard.map((one) => one.type)).toEqual(["snapshot", "delta"]);
    expect(feed.seq).toBe(121);
  });

  test("is not live before every chain has its snapshot", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    feed.subscribe({ ...TRADES, symbols: ["AAPL"] });
    const socket = opened();
    socket.say(SNAPSHOT);
    expect(feed.state).toBe("resyncing");
    socket.say({ channel: "trades", type: "snapshot", symbol: "AAPL", seq: 7, trades: [] });
    expect(feed.state).toBe("live");
  });

  test("resumes the tape after a gap from where it was, and lets pass what does not follow", () => {
    feed.subscribe({ ...TRADES, symbols: ["AAPL"] });
    const socket = opened();
    socket.say({ channel: "trades", type: "snapshot", symbol: "AAPL", seq: 7, trades: [] });
    socket.say(trade(9, 10));
    expect(feed.state).toBe("resyncing");
    expect(socket.sent.slice(1)).toEqual([
      { op: "unsubscribe", ...TRADES },
      { op: "subscribe", ...TRADES, from_seq: 8 },
    ]);
    socket.say(trade(10, 11));
    socket.say({ channel: "trades", type: "resumed", symbol: "AAPL", from_seq: 8 });
    socket.say(trade(7, 9));
    socket.say(trade(9, 10));
    expect(feed.state).toBe("live");
    expect(heard.map((one) => one.seq)).toEqual([7, 9, 10]);
  });

  test("takes a new snapshot of a book whose checksum is wrong, and shows nothing wrong meanwhile", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    socket.say(SNAPSHOT);
    socket.say({ ...DELTA, checksum: 5 });
    expect(feed.state).toBe("resyncing");
    expect(socket.sent.at(-1)).toEqual({ op: "subscribe", ...BOOK });
    socket.say({ ...DELTA, prev_seq: 121, seq: 125 });
    expect(heard).toHaveLength(1);
    socket.say({ ...SNAPSHOT, seq: 130 });
    expect(feed.state).toBe("live");
    expect(heard).toHaveLength(2);
  });

  test("gives the connection up after too many gaps in a row", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    for (let n = 0; n <= RESYNCS_MAX; n++) socket.say({ ...SNAPSHOT, checksum: 1 });
    expect(socket.isClosed).toBe(true);
    expect(feed.state).toBe("stale");
  });

  test("is stale when the connection breaks, comes back with growing patience, and resumes", () => {
    feed.subscribe({ ...TRADES, symbols: ["AAPL"] });
    opened().say({ channel: "trades", type: "snapshot", symbol: "AAPL", seq: 7, trades: [] });
    sockets[0]!.onclose!();
    expect(feed.state).toBe("stale");
    expect(waits[0]!.delay_ms).toBe(RETRY_MS[0]);
    waits[0]!.what();
    sockets[1]!.onclose!();
    expect(waits[1]!.delay_ms).toBe(RETRY_MS[1]);
    waits[1]!.what();
    const socket = opened();
    expect(socket.sent).toEqual([{ op: "subscribe", ...TRADES, from_seq: 8 }]);
    socket.say({ channel: "trades", type: "resumed", symbol: "AAPL", from_seq: 8 });
    expect(feed.state).toBe("live");
    expect(states).toEqual(["live", "stale", "resyncing", "live"]);
  });

  test("is stale after silence, and drops the connection", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    socket.say(SNAPSHOT);
    now = SILENCE_MS;
    feed.watch();
    expect(feed.state).toBe("live");
    now = SILENCE_MS + 1;
    feed.watch();
    expect(feed.state).toBe("stale");
    expect(socket.isClosed).toBe(true);
  });

  test("is stale while the reporter says that nothing comes from the engine", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    socket.say(SNAPSHOT);
    socket.say({ type: "heartbeat", seq: 118, problem: "the engine cannot be reached" });
    expect(feed.state).toBe("stale");
    socket.say({ type: "heartbeat", seq: 118 });
    expect(feed.state).toBe("live");
  });

  test("does not take what an old connection still says", () => {
    feed.subscribe({ ...TRADES, symbols: ["AAPL"] });
    const old = opened();
    old.onclose!();
    old.say({ channel: "trades", type: "snapshot", symbol: "AAPL", seq: 7, trades: [] });
    expect(heard).toEqual([]);
  });

  test("forgets a channel that was given up", () => {
    feed.subscribe({ ...BOOK, symbols: ["AAPL"] });
    const socket = opened();
    socket.say(SNAPSHOT);
    feed.unsubscribe({ ...BOOK, symbols: ["AAPL"] });
    expect(socket.sent.at(-1)).toEqual({ op: "unsubscribe", channel: "book", symbols: ["AAPL"] });
    sockets[0]!.onclose!();
    waits[0]!.what();
    expect(opened().sent).toEqual([]);
  });
});
