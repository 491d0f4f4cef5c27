// An explanation as the engine gives it, and its book before and after as one ladder.
export interface Level {
  price: string;
  qty: string;
  own_qty: string;
}

export interface Book {
  bids: Level[];
  asks: Level[];
}

export interface Line {
  text: string;
  rule: string;
}

export interface Moment {
  command: number;
  at: string;
  title: string;
  phase: string;
  lines: Line[];
  tables: { title: string; columns: string[]; rows: string[][]; mark: number }[];
  before: Book;
  after: Book;
}

export interface Why {
  headline: string;
  lines: Line[];
  moments: Moment[];
  moments_left_out: number;
  rules: { number: string; title: string; link: string }[];
  seq: number;
  proven: string;
}

/** Return a row for each price, highest first: bought and sold before, the price, bought and sold after. */
export function ladder(before: Book, after: Book): string[][] {
  const rows = new Map<string, string[]>();
  const put = (place: number, levels: Level[]) => {
    for (const { price, qty, own_qty } of levels) {
      const row = rows.get(price) ?? ["", "", price, "", ""];
      row[place] = own_qty === "0" ? qty : `${qty}*`;
      rows.set(price, row);
    }
  };
  put(0, before.bids);
  put(1, before.asks);
  put(3, after.bids);
  put(4, after.asks);
  return [...rows.values()].sort((one, other) => Number(other[2]) - Number(one[2]));
}
