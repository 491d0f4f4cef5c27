// The order book as a ladder: asks above, bids below, bars for size, a dot where one's own orders rest.

const LEVELS = 12;

export class Ladder {
  constructor(onPrice) {
    this.asks = document.getElementById("asks");
    this.bids = document.getElementById("bids");
    this.spread = document.querySelector("#spread td");
    for (const body of [this.asks, this.bids]) {
      body.addEventListener("click", (event) => {
        const row = event.target.closest("tr");
        if (row?.dataset.price) onPrice(row.dataset.price);
      });
    }
  }

  // bids, asks: arrays of {price, qty, orders}, best first, decimals as text; own: a Set of prices.
  show(bids, asks, own) {
    const best = [bids.slice(0, LEVELS), asks.slice(0, LEVELS)];
    const largest = Math.max(1, ...best.flat().map((level) => Number(level.qty)));
    fill(this.bids, best[0], largest, own);
    fill(this.asks, best[1].reverse(), largest, own);
    this.spread.textContent = bids.length && asks.length
      ? `spread ${(Number(asks[0].price) - Number(bids[0].price)).toFixed(decimals(asks[0].price))}`
      : "one side of the book is empty";
  }
}

function fill(body, levels, largest, own) {
  while (body.rows.length > levels.length) body.deleteRow(-1);
  while (body.rows.length < levels.length) {
    const row = body.insertRow();
    for (let n = 0; n < 3; n++) row.insertCell();
  }
  levels.forEach((level, n) => {
    const row = body.rows[n];
    const texts = [String(level.orders ?? ""), level.qty, level.price];
    texts.forEach((text, cell) => {
      if (row.cells[cell].textContent !== text) row.cells[cell].textContent = text;
    });
    row.dataset.price = level.price;
    row.classList.toggle("mine", own.has(level.price));
    row.style.setProperty("--share", `${Math.round((100 * Number(level.qty)) / largest)}%`);
  });
}

function decimals(price) {
  return (price.split(".")[1] ?? "").length;
}
