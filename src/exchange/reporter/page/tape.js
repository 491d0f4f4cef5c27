// The tape: newest trade first; a bust strikes its trade through and says why, and never removes it.

const ROWS = 100;

export class Tape {
  constructor() {
    this.body = document.getElementById("trades");
    this.clear();
  }

  clear() {
    this.rows = new Map();
    this.body.replaceChildren();
  }

  // trade: {id, executed_at, price, qty, side, status, reason}
  add(trade) {
    if (this.rows.has(trade.id)) return this.mark(trade);
    const row = this.body.insertRow(0);
    for (let n = 0; n < 4; n++) row.insertCell();
    this.rows.set(trade.id, row);
    this.mark(trade);
    while (this.body.rows.length > ROWS) {
      const oldest = this.body.rows[this.body.rows.length - 1];
      this.rows.delete(oldest.dataset.id);
      oldest.remove();
    }
  }

  mark(trade) {
    const row = this.rows.get(trade.id);
    if (!row) return;
    row.dataset.id = trade.id;
    row.className = `${trade.side} ${trade.status}`;
    const note = trade.status === "busted" ? `busted: ${trade.reason}`
      : trade.status === "corrected" ? "corrected" : "";
    [clock(trade.executed_at), trade.price, trade.qty, note].forEach((text, n) => (row.cells[n].textContent = text));
  }
}

export function clock(time) {
  return new Date(time.replace(/(\.\d{3})\d*Z$/, "$1Z")).toLocaleTimeString([], { hour12: false });
}
