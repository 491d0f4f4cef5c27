// The order ticket and one's own orders. The key stays in this tab (session storage) and goes to the engine only.

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
    this.field("type").addEventListener("change", () => this.fitType());
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

  fitType() {
    const type = this.field("type").value;
    this.field("price").disabled = !hasLimit(type);
    this.field("display-qty").disabled = !hasLimit(type);
    this.field("stop-price").disabled = !waits(type);
    this.field("post-only").disabled = type !== "limit";
    this.field("tif").value = type === "market" ? "ioc" : "day";
  }

  async send(side) {
    const type = this.field("type").value;
    const order = {
      symbol: this.symbolNow(), side, type, qty: this.field("qty").value.trim(),
      time_in_force: this.field("tif").value, client_order_id: `page-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`,
    };
    if (hasLimit(type)) {
      order.price = this.field("price").value.trim();
      const shown = this.field("display-qty").value.trim();
      if (shown) order.display_qty = shown;
    }
    if (waits(type)) order.stop_price = this.field("stop-price").value.trim();
    if (type === "limit") order.post_only = this.field("post-only").checked;
    const found = await this.call("POST", "/api/v1/order", order);
    if (found) this.say(`${side} ${found.qty} ${found.symbol}: ${found.status}, ${found.filled_qty} filled, order ${found.id}`, true);
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
  return live(order) && order.price && (!order.stop_price || order.triggered_at);
}

function hasLimit(type) {
  return type === "limit" || type === "stop_limit";
}

function waits(type) {
  return type === "stop" || type === "stop_limit";
}

// The price as the list shows it: of a stop that still waits with what it waits for.
function priceOf(order) {
  const price = order.price ?? "market";
  return order.stop_price && !order.triggered_at && live(order) ? `${price}, stop ${order.stop_price}` : price;
}

function live(order) {
  return order.status === "new" || order.status === "partially_filled";
}
