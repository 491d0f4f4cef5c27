// What protects the symbol from sudden prices, and the breaker of the market, as text from the status channel.

export class Limits {
  constructor(engine) {
    this.engine = engine;
    this.breaker = null;
    this.clear("");
  }

  clear(symbol) {
    this.symbol = symbol;
    this.now = { mode: "none", state: "normal" };
    this.show();
    if (symbol) this.ask();
  }

  // The stream tells what moves; tier and corridor are asked for once, and whenever they are set.
  async ask() {
    const symbol = this.symbol;
    const reply = await fetch(`${this.engine}/api/v1/symbols/${encodeURIComponent(symbol)}/limits`).catch(() => undefined);
    const found = reply?.ok ? await reply.json() : undefined;
    if (!found || symbol !== this.symbol) return;
    this.now = { mode: found.mode, lowest: found.lowest_price, highest: found.highest_price, state: found.state, ends: found.pause_at };
    this.show();
  }

  take(message) {
    const { type } = message;
    if (!message.symbol) this.takeBreaker(message);
    else if (type === "price_bands") Object.assign(this.now, { mode: "bands", lowest: message.lowest_price, highest: message.highest_price });
    else if (type === "limit_state") Object.assign(this.now, { state: message.state, ends: message.ends_at });
    else if (["phase", "price_bands_set", "price_corridor_set", "snapshot"].includes(type)) this.ask();
    this.show();
  }

  takeBreaker(message) {
    const { type, index_level: level } = message;
    if (type === "snapshot") this.breaker = message.breaker ?? null;
    else if (type === "market_breaker") this.breaker = Number(level) ? { close_level: level, tripped_level: 0 } : null;
    else if (!this.breaker) return;
    else if (type === "index_level") Object.assign(this.breaker, { index_level: level, fall_bps: message.fall_bps ?? 0 });
    else if (type === "breaker_tripped") Object.assign(this.breaker, { tripped_level: message.level, ends_at: message.ends_at });
    else if (type === "business_date") Object.assign(this.breaker, { tripped_level: 0, fall_bps: 0, ends_at: undefined });
  }

  show() {
    const { mode, lowest, highest, state, ends } = this.now;
    const states = { normal: "", limit: "; limit state, trading pauses soon", straddle: "; straddle state" };
    const until = state === "limit" && ends ? ` (${ends.slice(11, 19)} UTC)` : "";
    tell("limits", mode === "none" ? "" : `${this.symbol} has ${mode === "bands" ? "price bands" : "a corridor"}${highest ? `: ${lowest || "0"} to ${highest}` : ", not now"}${states[state] ?? ""}${until}.`);
    const { breaker } = this;
    const stands = breaker?.index_level ? `the index stands at ${breaker.index_level}, ${(breaker.fall_bps / 100).toFixed(2)} % below its close of ${breaker.close_level}` : `the index closed at ${breaker?.close_level}`;
    tell("breaker", breaker ? `Market-wide breaker${breaker.tripped_level ? `: level ${breaker.tripped_level}, trading stands` : ""}; ${stands}.` : "");
  }
}

function tell(id, text) {
  const place = document.getElementById(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}
