// The order ticket and one's own orders. The key stays in this tab (session storage) and goes to the engine only.

import { lineOf, listOf } from "./lists.js";
import { clock } from "./tape.js";

const ORDERS_EVERY_MS = 1000;

export class Ticket {
  constructor(engine, symbolNow, onOwnPrices) {
    this.engine = engine;
    this.symbolNow = symbolNow;
    this.onOwnPrices = onOwnPrices;
    this.form = document.getElementById("ticket");
    this.answer = document.getElementById("answer");
    this.rows = document.getElementById("orders");
    this.empty = document.getElementById("orders-empty");
    this.key = document.getElementById("key");
    this.key.value = sessionStorage.getItem("key") ?? "";
    this.key.addEventListener("change", () => {
      sessionStorage.setItem("key", this.key.value.trim());
      this.refresh();
    });
    this.lists = document.getElementById("lists");
    for (const id of ["type", "peg", "link"]) this.field(id).addEventListener("change", () => this.fitType(id === "type"));
    this.field("cancel-all").addEventListener("click", () => this.cancelAll());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(event.submitter?.value ?? "buy");
    });
    this.refresh();
    setInterval(() => document.hidden || this.refresh(), ORDERS_EVERY_MS);
  }

  field(id) {
    return document.getElementById(id);
  }

  setPrice(price) {
    this.field("type").value = "limit";
    this.fitType();
    this.field("price").value = price;
  }

  // isNew: another type of order was chosen, so its usual time in force is set.
  fitType(isNew = true) {
    const type = this.field("type").value;
    if (type === "pegged") this.field("link").value = "";
    const link = this.field("link").value;
    this.field("price").disabled = !hasLimit(type) && type !== "pegged";
    this.field("display-qty").disabled = this.field("hidden").disabled = !hasLimit(type);
    this.field("stop-price").disabled = !waits(type) && link !== "oco" && link !== "bracket";
    this.field("peg").disabled = type !== "pegged";
    this.field("peg-offset").disabled = (type !== "pegged" || this.field("peg").value === "midpoint") && type !== "trailing_stop";
    this.field("then-price").disabled = link !== "oto" && link !== "bracket";
    this.field("mark").disabled = this.field("located").disabled = type === "pegged";
    this.field("post-only").disabled = type !== "limit";
    if (isNew) this.field("tif").value = type === "market" ? "ioc" : "day";
  }

  text(id) {
    return this.field(id).disabled ? "" : this.field(id).value.trim();
  }

  order(side) {
    const type = this.field("type").value;
    const order = { side, type, time_in_force: this.field("tif").value };
    if (this.text("price")) order.price = this.text("price");
    if (this.text("display-qty")) order.display_qty = this.text("display-qty");
    if (waits(type)) order.stop_price = this.text("stop-price");
    if (type === "limit") order.post_only = this.field("post-only").checked;
    if (hasLimit(type) && this.field("hidden").checked) order.hidden = true;
    if (type === "pegged") Object.assign(order, { type: "limit", peg: this.text("peg") }, this.text("peg-offset") && { peg_offset: this.text("peg-offset") });
    if (type === "trailing_stop") Object.assign(order, { type: "stop" }, trail(this.text("peg-offset")));
    if (side === "sell" && this.text("mark")) Object.assign(order, { [this.text("mark")]: true, located: this.field("located").checked });
    return order;
  }

  async send(side) {
    const [symbol, qty, link] = [this.symbolNow(), this.text("qty"), this.field("link").value];
    const order = { ...this.order(side), client_order_id: `page-${crypto.getRandomValues(new Uint32Array(2)).join("-")}` };
    if (link) {
      const stop = this.field("type").value.startsWith("stop") && link !== "oto" ? "" : this.text("stop-price");
      const list = { contingency: link, symbol, qty, orders: listOf(link, order, this.text("then-price"), stop) };
      const made = await this.call("POST", "/api/v1/order_lists", list);
      if (made) this.say(`list ${made.list_id}: ${made.orders.length} in, ${made.waiting.length} wait for the entry`, true);
      return this.refresh();
    }
    const found = await this.call("POST", "/api/v1/order", { ...order, symbol, qty });
    if (found) this.say(`${side} ${found.qty} ${found.symbol}: ${found.status}, ${found.filled_qty} filled, order ${found.id}`, true);
    this.refresh();
  }

  async cancelAll() {
    if (await this.call("DELETE", "/api/v1/orders")) this.say("all orders are cancelled", true);
    this.refresh();
  }

  async cancel(id) {
    const found = await this.call("DELETE", `/api/v1/order/${id}`);
    if (found) this.say(`order ${id} cancelled`, true);
    this.refresh();
  }

  async refresh() {
    const key = this.key.value.trim();
    this.empty.hidden = Boolean(key);
    if (!key) return;
    const found = await this.call("GET", "/api/v1/orders?limit=50", undefined, true);
    if (!found) return;
    this.rows.replaceChildren(...found.items.map((order) => this.row(order)));
    const lists = await this.call("GET", "/api/v1/order_lists", undefined, true);
    if (lists) this.lists.replaceChildren(...lists.items.map((list) => lineOf(list, found.items, (id) => this.cancel(id))));
    const resting = found.items.filter((order) => rests(order) && order.symbol === this.symbolNow());
    this.onOwnPrices(new Set(resting.map((order) => order.price)));
  }

  row(order) {
    const row = document.createElement("tr");
    const status = order.busted_qty && order.busted_qty !== "0" ? `${order.status}, ${order.busted_qty} busted` : order.status;
    const texts = [clock(order.created_at), order.symbol, order.side, priceOf(order), order.qty, order.filled_qty, status];
    for (const text of texts) row.insertCell().textContent = text;
    const last = row.insertCell();
    if (live(order)) {
      const button = document.createElement("button");
      button.textContent = "Cancel";
      button.setAttribute("aria-label", `Cancel order ${order.id}`);
      button.addEventListener("click", () => this.cancel(order.id));
      last.append(button);
    }
    return row;
  }

  // Return what the engine answered, or nothing after showing the error; quiet: keep the last answer shown.
  async call(method, path, body, quiet = false) {
    const headers = { authorization: `Bearer ${this.key.value.trim()}` };
    if (body) headers["content-type"] = "application/json";
    try {
      const reply = await fetch(this.engine + path, { method, headers, body: body && JSON.stringify(body) });
      const found = await reply.json();
      if (reply.ok) return found;
      if (!quiet || reply.status === 401) this.say(found.message ?? `the engine answered ${reply.status}`, false);
    } catch (error) {
      if (!quiet) this.say(`the engine at ${this.engine} cannot be reached: ${error.message}`, false);
    }
    return undefined;
  }

  say(text, good) {
    this.answer.textContent = text;
    this.answer.className = good ? "good" : "bad";
  }
}

function rests(order) {
  return live(order) && order.price && !order.peg && (!order.stop_price || order.triggered_at);
}

function hasLimit(type) {
  return type === "limit" || type === "stop_limit";
}

function waits(type) {
  return type === "stop" || type === "stop_limit";
}

// How far a trailing stop follows: a share such as 1%, or an amount.
function trail(text) {
  return text.endsWith("%") ? { trail_bps: Math.round(Number(text.slice(0, -1)) * 100) } : { trail_amount: text };
}

// The price as the list shows it: of a stop that still waits with what it waits for.
function priceOf(order) {
  const price = order.peg ? `${order.peg} peg ${order.price ?? "aside"}` : order.price ?? "market";
  return order.stop_price && !order.triggered_at && live(order) ? `${price}, stop ${order.stop_price}` : price;
}

function live(order) {
  return order.status === "new" || order.status === "partially_filled";
}
