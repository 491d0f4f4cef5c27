// The candle chart: lightweight-charts in the page's colours, with volume below and one's own orders as lines.
import {
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  LineStyle,
  TickMarkType,
  type AutoscaleInfo,
  type CandlestickData,
  type HistogramData,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { Clock, milliseconds } from "./clock.ts";
import { places } from "./feed/decimal.ts";
import type { Candle } from "./feed/messages.ts";
import type { Halt } from "./state/phases.ts";

const VOLUME_SHARE = 0.2;
const OWN_LINES_MAX = 20;
const SHADES_MAX = 600;
/** Bands so many heights of the candles away are out of view; their prices stand in the header. */
const BANDS_REACH = 4;

export class PriceChart {
  private readonly chart: IChartApi;
  private readonly prices: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly halts: ISeriesApi<"Histogram">;
  private lines: IPriceLine[] = [];
  private own: string[] = [];
  private bandLines: IPriceLine[] = [];
  private bands: string[] = [];
  private isNear = false;
  private shown: readonly Candle[] = [];
  private what = "";
  private clock = new Clock("UTC");

  constructor(private readonly box: HTMLElement) {
    this.chart = createChart(box, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      rightPriceScale: { borderVisible: false },
      timeScale: {
        borderVisible: false, timeVisible: true, secondsVisible: true, rightOffset: 4, barSpacing: 7,
        tickMarkFormatter: (time: number, kind: TickMarkType) => this.tick(time, kind),
      },
      localization: { timeFormatter: (time: number) => this.clock.atSeconds(time) },
    });
    this.halts = this.chart.addSeries(HistogramSeries, { priceScaleId: "halts", lastValueVisible: false, priceLineVisible: false });
    this.halts.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 } });
    this.prices = this.chart.addSeries(CandlestickSeries, {
      borderVisible: false, priceLineStyle: LineStyle.Dotted,
      autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => {
        const found = original();
        if (!found?.priceRange) return found;
        const { minValue, maxValue } = found.priceRange;
        return { ...found, priceRange: withBands(minValue, maxValue, this.bands, this.isNear) };
      },
    });
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false,
    });
    this.prices.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: VOLUME_SHARE + 0.06 } });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
    this.recolour();
  }

  /** Show candles, oldest first. what: their symbol and interval; a new one shows from the newest candle on. */
  show(what: string, candles: readonly Candle[]): void {
    const fresh = candles.at(-1);
    const before = this.shown.at(-1);
    const isMove = what === this.what && fresh !== undefined && before !== undefined && isTail(this.shown, candles);
    this.shown = candles;
    if (isMove) {
      for (const candle of candles.slice(-2)) {
        if (milliseconds(candle.start) < milliseconds(before.start)) continue;
        this.prices.update(priceOf(candle));
        this.volumes.update(this.volumeOf(candle));
      }
      return;
    }
    const decimals = Math.max(2, places(fresh?.close ?? ""));
    this.prices.applyOptions({ priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals } });
    this.prices.setData(candles.map(priceOf));
    this.volumes.setData(candles.map((candle) => this.volumeOf(candle)));
    if (what !== this.what) this.chart.timeScale().scrollToRealTime();
    this.what = what;
  }

  /** Mark the prices of one's own resting orders. */
  showOwn(prices: string[]): void {
    if (prices.join() === this.own.join()) return;
    this.own = prices;
    for (const line of this.lines) this.prices.removePriceLine(line);
    this.lines = prices.slice(0, OWN_LINES_MAX).map((price) =>
      this.prices.createPriceLine({
        price: Number(price), color: this.colour("--accent"), lineWidth: 1, lineStyle: LineStyle.Dashed, title: "own",
      }),
    );
  }

  /** Mark the prices beyond which nothing trades now; an empty text is none. isNear: show them whatever else there is. */
  showBands(lowest: string, highest: string, isNear: boolean): void {
    if ([lowest, highest].join() === this.bands.join() && isNear === this.isNear) return;
    this.bands = [lowest, highest];
    this.isNear = isNear;
    for (const line of this.bandLines) this.prices.removePriceLine(line);
    this.bandLines = this.bands.flatMap((price, n) =>
      price ? [this.prices.createPriceLine({ price: Number(price), color: this.colour("--warn"), lineWidth: 1, lineStyle: LineStyle.Solid, title: n ? "upper limit" : "lower limit" })] : [],
    );
  }

  /** Shade the times without trading. now: milliseconds, the end of a halt that lasts. */
  showHalts(halts: readonly Halt[], interval: string, now: number): void {
    const color = this.colour("--sell-bar");
    this.halts.setData(shadesOf(halts, interval, now).map((time) => ({ time: time as UTCTimestamp, value: 1, color })));
  }

  /** Show times as another clock does. */
  useClock(clock: Clock): void {
    this.clock = clock;
    // Setting a formatter anew makes the chart write its times anew.
    this.chart.applyOptions({ localization: { timeFormatter: (time: number) => clock.atSeconds(time) } });
  }

  /** Take the colours of the page anew. */
  recolour(): void {
    const [line, faint, up, down] = ["--line", "--faint", "--buy", "--sell"].map((name) => this.colour(name));
    this.chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: this.colour("--panel") }, textColor: faint! },
      grid: { vertLines: { color: line! }, horzLines: { color: line! } },
    });
    this.prices.applyOptions({ upColor: up!, downColor: down!, wickUpColor: up!, wickDownColor: down! });
    this.volumes.setData(this.shown.map((candle) => this.volumeOf(candle)));
    for (const line of this.bandLines) line.applyOptions({ color: this.colour("--warn") });
    for (const line of this.lines) line.applyOptions({ color: this.colour("--accent") });
  }

  /** Take the chart off the page. */
  remove(): void {
    this.chart.remove();
  }

  private tick(time: number, kind: TickMarkType): string {
    if (kind === TickMarkType.TimeWithSeconds) return this.clock.atSeconds(time);
    return kind === TickMarkType.Time ? this.clock.minuteOf(time) : this.clock.dateOf(time);
  }

  private volumeOf(candle: Candle): HistogramData<UTCTimestamp> {
    const rises = Number(candle.close) >= Number(candle.open);
    return { time: timeOf(candle), value: Number(candle.volume), color: this.colour(rises ? "--buy-bar" : "--sell-bar") };
  }

  private colour(name: string): string {
    return getComputedStyle(this.box).getPropertyValue(name).trim();
  }
}

/** Return the beginnings of the intervals, in seconds, within halts: rising, at most so many, the newest. */
export function shadesOf(halts: readonly Halt[], interval: string, now: number): number[] {
  const step = Number.parseInt(interval, 10) * { s: 1, m: 60, h: 3600 }[interval.at(-1) as "s" | "m" | "h"];
  const found = new Set<number>();
  for (const { from, to } of halts) {
    const last = Math.floor((to ?? now) / 1000 / step);
    for (let at = Math.max(Math.floor(from / 1000 / step), last - SHADES_MAX + 1); at <= last; at++) found.add(at * step);
  }
  return [...found].sort((one, other) => one - other).slice(-SHADES_MAX);
}

/** Return the prices to show: those of the candles, with the bands unless these would press the candles flat. */
export function withBands(low: number, high: number, bands: readonly string[], isNear: boolean): { minValue: number; maxValue: number } {
  const reach = isNear || high === low ? Infinity : BANDS_REACH * (high - low);
  const shown = bands.filter(Boolean).map(Number).filter((price) => price >= low - reach && price <= high + reach);
  return { minValue: Math.min(low, ...shown), maxValue: Math.max(high, ...shown) };
}

/** Tell whether `after` is `before` with only its end moved on: then the chart need not be drawn anew. */
export function isTail(before: readonly Candle[], after: readonly Candle[]): boolean {
  const grown = after.length - before.length;
  if (grown < 0 || grown > 1 || !before.length) return false;
  // The list is cut at its front when full; then every place differs and the chart is drawn anew.
  for (let n = 0; n < before.length - 1; n++) if (before[n] !== after[n]) return false;
  return before.at(-1)!.start === after[before.length - 1]!.start;
}

function priceOf(candle: Candle): CandlestickData<UTCTimestamp> {
  const { open, high, low, close } = candle;
  return { time: timeOf(candle), open: Number(open), high: Number(high), low: Number(low), close: Number(close) };
}

function timeOf(candle: Candle): UTCTimestamp {
  return Math.floor(milliseconds(candle.start) / 1000) as UTCTimestamp;
}
