// Candles on a canvas: open, high, low, close with volume below; drawn at most once per frame.

const WIDTH = 9;

export class Chart {
  constructor(canvas) {
    this.canvas = canvas;
    this.candles = [];
    this.asked = false;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  // candles: [{start, open, high, low, close, volume}], oldest first, decimals as text.
  replace(candles) {
    this.candles = candles.map(numbers);
    this.redraw();
  }

  // Put one candle in its place: a new one, the open one, or an old one that a bust has changed.
  update(candle) {
    const fresh = numbers(candle);
    let at = this.candles.length;
    while (at > 0 && this.candles[at - 1].start > fresh.start) at--;
    const same = at > 0 && this.candles[at - 1].start === fresh.start;
    if (candle.open === null) {
      if (same) this.candles.splice(at - 1, 1);
    } else {
      this.candles.splice(same ? at - 1 : at, same ? 1 : 0, fresh);
    }
    if (this.candles.length > 1000) this.candles.shift();
    this.redraw();
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const colour = (name) => getComputedStyle(this.canvas).getPropertyValue(name).trim();
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = colour("--faint");
    const shown = this.candles.slice(-Math.max(1, Math.floor((width - 64) / WIDTH)));
    if (!shown.length) {
      pen.fillText("No trades yet.", 12, 24);
      return;
    }
    this.drawCandles(pen, shown, width - 64, height - 18, colour);
    this.drawTimes(pen, shown, height, colour);
  }

  drawCandles(pen, shown, width, height, colour) {
    const high = Math.max(...shown.map((c) => c.high));
    const low = Math.min(...shown.map((c) => c.low));
    const range = high - low || high * 0.001 || 1;
    const priceHeight = height * 0.8;
    const y = (price) => 8 + ((high - price) / range) * (priceHeight - 16);
    const most = Math.max(1, ...shown.map((c) => c.volume));
    pen.textBaseline = "middle";
    for (let n = 0; n <= 4; n++) {
      const price = low + (range * n) / 4;
      pen.fillStyle = colour("--line");
      pen.fillRect(0, Math.round(y(price)), width, 1);
      pen.fillStyle = colour("--faint");
      pen.fillText(price.toFixed(range < 0.1 ? 4 : 2), width + 8, y(price));
    }
    shown.forEach((candle, n) => {
      const x = n * WIDTH + 2;
      const rising = candle.close >= candle.open;
      pen.fillStyle = colour(rising ? "--buy-bar" : "--sell-bar");
      const bar = (candle.volume / most) * (height - priceHeight - 6);
      pen.fillRect(x, height - bar, WIDTH - 3, bar);
      pen.fillStyle = colour(rising ? "--buy" : "--sell");
      pen.fillRect(x + (WIDTH - 4) / 2, y(candle.high), 1, Math.max(1, y(candle.low) - y(candle.high)));
      const top = y(Math.max(candle.open, candle.close));
      pen.fillRect(x, top, WIDTH - 3, Math.max(1, y(Math.min(candle.open, candle.close)) - top));
    });
  }

  drawTimes(pen, shown, height, colour) {
    pen.fillStyle = colour("--faint");
    pen.textBaseline = "alphabetic";
    for (let n = 0; n < shown.length; n += 16) {
      const time = new Date(shown[n].start).toLocaleTimeString([], { hour12: false });
      pen.fillText(time, n * WIDTH, height - 4);
    }
  }
}

function numbers(candle) {
  const start = Date.parse(String(candle.start).replace(/(\.\d{3})\d*Z$/, "$1Z"));
  const [open, high, low, close, volume] = ["open", "high", "low", "close", "volume"].map((key) => Number(candle[key]));
  return { start, open, high, low, close, volume };
}
