// The market data stream: one WebSocket, a snapshot in band, then deltas that must fit without a gap.
// A gap or a wrong checksum drops the connection and starts again from fresh snapshots.

const SILENCE_MS = 4000;
const RETRY_MS = [250, 500, 1000, 2000, 4000];

export class Feed {
  // on: {message(message), state("live" | "resyncing" | "stale")}; subscriptions: the operations to send when connected.
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.subscriptions = [];
    this.tries = 0;
    this.lastHeard = 0;
    setInterval(() => this.watch(), 1000);
  }

  subscribe(subscriptions) {
    this.subscriptions = subscriptions;
    this.connect();
  }

  connect() {
    if (this.socket) this.socket.onclose = this.socket.onmessage = null;
    this.socket?.close();
    this.last = new Map();
    this.books = new Map();
    this.on.state("resyncing");
    const socket = (this.socket = new WebSocket(this.url));
    socket.onopen = () => this.subscriptions.forEach((one) => socket.send(JSON.stringify({ op: "subscribe", ...one })));
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      this.on.state("stale");
      setTimeout(() => socket === this.socket && this.connect(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
    };
  }

  watch() {
    if (this.socket?.readyState === WebSocket.OPEN && Date.now() - this.lastHeard > SILENCE_MS) this.on.state("stale");
  }

  take(message) {
    this.lastHeard = Date.now();
    if (message.type === "subscribed") return;
    if (message.channel) {
      if (!this.inOrder(message)) return this.connect();
      if (message.channel === "book" && !this.takeBook(message)) return this.connect();
    }
    if (message.type !== "welcome") {
      this.tries = 0;
      this.on.state("live");
    }
    this.on.message(message);
  }

  inOrder(message) {
    const chain = [message.channel, message.symbol, message.interval].join(" ");
    const known = this.last.get(chain);
    this.last.set(chain, message.seq ?? known);
    return message.prev_seq === undefined || known === undefined || message.prev_seq === known;
  }

  takeBook(message) {
    if (message.type === "snapshot") this.books.set(message.symbol, { bids: [], asks: [] });
    const book = this.books.get(message.symbol);
    if (!book) return true;
    book.bids = merge(book.bids, message.bids, -1);
    book.asks = merge(book.asks, message.asks, 1);
    message.book = book;
    return checksum(book) === message.checksum;
  }
}

function merge(levels, changes, direction) {
  if (!changes.length) return levels;
  const byPrice = new Map(levels.map((level) => [level.price, level]));
  for (const [price, qty, orders] of changes) {
    if (qty === "0") byPrice.delete(price);
    else byPrice.set(price, { price, qty, orders });
  }
  return [...byPrice.values()].sort((a, b) => direction * (Number(a.price) - Number(b.price)));
}

// CRC-32 over the ten best levels, bids then asks: price and quantity as 64-bit integers, little-endian.
function checksum(book) {
  const levels = [...book.bids.slice(0, 10), ...book.asks.slice(0, 10)];
  const view = new DataView(new ArrayBuffer(levels.length * 16));
  levels.forEach((level, n) => {
    const [whole, fraction = ""] = level.price.split(".");
    view.setBigInt64(n * 16, BigInt(whole) * 10000n + BigInt(fraction.padEnd(4, "0")), true);
    view.setBigInt64(n * 16 + 8, BigInt(level.qty), true);
  });
  let crc = 0xffffffff;
  for (const byte of new Uint8Array(view.buffer)) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});
