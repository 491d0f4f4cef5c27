// Puts the page together: which symbol, what the stream says, and where it is shown.

import { Chart } from "./chart.js";
import { Feed } from "./feed.js";
import { Ladder } from "./ladder.js";
import { Limits } from "./limits.js";
import { Tape } from "./tape.js";
import { Ticket } from "./ticket.js";

const INTERVALS = ["1s", "5s", "1m", "5m", "1h"];
const CONFLATED_MS = 50;
const CANDLES = 300;
const STATE_TEXTS = { live: "live", stale: "stale: reconnecting", resyncing: "resyncing" };
const $ = (id) => document.getElementById(id);

const page = {
  symbol: decodeURIComponent(location.hash.slice(1)),
  interval: "1s",
  own: new Set(),
  book: { bids: [], asks: [] },
};

const ladder = new Ladder((price) => ticket.setPrice(price));
const tape = new Tape();
const chart = new Chart($("candles"));
let ticket;
let limits;
let feed;

start().catch((error) => notice(`The page could not start: ${error.message}. Reload it once the exchange is up.`));

async function start() {
  const addresses = await json("/config.json");
  ticket = new Ticket(addresses.engine, () => page.symbol, showOwn);
  limits = new Limits(addresses.engine);
  feed = new Feed(addresses.stream, { message: take, state: showState });
  const { items } = await json("/api/v1/symbols");
  $("symbol").replaceChildren(...items.map((item) => new Option(`${item.symbol} · ${item.name}`, item.symbol)));
  $("symbol").addEventListener("change", () => show($("symbol").value));
  $("intervals").replaceChildren(...INTERVALS.map(intervalButton));
  show(items.some((item) => item.symbol === page.symbol) ? page.symbol : (items[0]?.symbol ?? ""));
}

function show(symbol) {
  page.symbol = symbol;
  [page.phase, page.why, page.trading] = ["", "", "active"];
  $("symbol").value = symbol;
  history.replaceState(null, "", `#${encodeURIComponent(symbol)}`);
  tape.clear();
  limits.clear(symbol);
  ladder.show([], [], page.own);
  const symbols = [symbol];
  feed.subscribe([
    { channel: "book", symbols, conflated: CONFLATED_MS },
    { channel: "trades", symbols },
    { channel: "ticker", symbols, conflated: CONFLATED_MS },
    { channel: "candles", symbols, interval: page.interval, conflated: CONFLATED_MS },
    { channel: "status", symbols },
  ]);
  ticket.refresh();
}

function take(message) {
  if (message.symbol && message.symbol !== page.symbol) return;
  if (message.channel === "book") showBook(message);
  else if (message.channel === "trades") showTrades(message);
  else if (message.channel === "ticker") showTicker(message.ticker);
  else if (message.channel === "candles") showCandle(message);
  else if (message.channel === "status") showStatus(message);
  else if (message.message) notice(message.message);
}

function showBook(message) {
  page.book = message.book;
  $("book-seq").textContent = `seq ${message.seq}`;
  ladder.show(page.book.bids, page.book.asks, page.own);
}

function showTrades(message) {
  const trades = message.type === "snapshot" ? message.trades : [message.trade];
  for (const { match_id: id, executed_at, price, qty, taker_side: side, status, reason } of trades ?? []) {
    tape.add({ id, executed_at, price, qty, side, status, reason });
  }
}

function showTicker(ticker) {
  const last = $("last");
  last.textContent = ticker.last ?? "–";
  last.className = `last ${ticker.change_bps > 0 ? "up" : ticker.change_bps < 0 ? "down" : ""}`;
  const change = ticker.change_bps === null ? "–" : `${ticker.change} (${(ticker.change_bps / 100).toFixed(2)} %)`;
  const figures = {
    bid: ticker.bid ?? "–", ask: ticker.ask ?? "–", change, open: ticker.open ?? "–", high: ticker.high ?? "–",
    low: ticker.low ?? "–", volume: ticker.volume, trades: ticker.trades,
  };
  $("ticker").replaceChildren(...Object.entries(figures).map(([name, text]) => {
    const pair = document.createElement("div");
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, text];
    pair.append(term, value);
    return pair;
  }));
  if (ticker.state) showTrading(ticker.state);
}

async function showCandle(message) {
  if (message.interval !== page.interval) return;
  if (message.type === "snapshot") {
    const wanted = `${message.symbol} ${message.interval}`;
    const { items } = await json(`/api/v1/candles?symbol=${message.symbol}&interval=${message.interval}&limit=${CANDLES}`);
    if (wanted === `${page.symbol} ${page.interval}`) chart.replace(items);
  }
  if (message.candle) chart.update(message.candle);
}

function showStatus(message) {
  limits.take(message);
  if (message.phase && message.type !== "phase_scheduled") {
    [page.phase, page.why] = [message.phase, message.reason ?? ""];
    $("phase").textContent = message.phase.replaceAll("_", " ");
    $("indication").textContent = "";
    showTrading(page.trading);
  }
  if (message.state && message.type !== "limit_state") showTrading(message.state);
  const told = message.indication ?? (message.type === "auction_indicated" ? message : null);
  if (told) showIndication(told.price, told.paired_qty ?? told.qty, told.imbalance_qty, told.imbalance_side);
}

function showIndication(price, paired, imbalance, side) {
  const over = side ? `, ${imbalance} to ${side} left over` : "";
  $("indication").textContent = price ? `would be ${price}: ${paired} paired${over}` : "nobody meets yet";
}

function showTrading(state) {
  page.trading = state;
  const is = state === "suspended" ? state : page.phase === "halted" ? "halted" : "";
  const why = is === "halted" && page.why ? `: ${page.why}` : "";
  notice(is ? `Trading in ${page.symbol} is ${is}${why}; cancels are taken.` : "");
}

function showOwn(prices) {
  page.own = prices;
  ladder.show(page.book.bids, page.book.asks, page.own);
}

function showState(state) {
  $("state").className = `state ${state}`;
  $("state").textContent = STATE_TEXTS[state];
}

function intervalButton(interval) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = interval;
  button.setAttribute("aria-pressed", String(interval === page.interval));
  button.addEventListener("click", () => {
    page.interval = interval;
    for (const other of $("intervals").children) other.setAttribute("aria-pressed", String(other === button));
    show(page.symbol);
  });
  return button;
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

async function json(path) {
  const reply = await fetch(path);
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return reply.json();
}
