// What can be proven of the exchange at this moment, as lights: good, bad, or not known.
import type { ClearingStats, EngineStats, Proof, ReporterStats } from "./state/office.svelte.ts";

export interface Light {
  name: string;
  state: "good" | "bad" | "unknown";
  text: string;
}

export interface Known {
  engine: EngineStats | undefined;
  reporter: ReporterStats | undefined;
  clearing: ClearingStats | undefined;
  proof: Proof | undefined;
}

/** Events by which a consumer may be behind and still count as following. */
export const LAG_MAX = 5000;

/** Judge everything that is known. */
export function lights({ engine, reporter, clearing, proof }: Known): Light[] {
  const cash = proof?.assets.find((one) => one.asset === "cash");
  const shares = proof?.assets.filter((one) => one.asset !== "cash");
  return [
    light("Engine takes orders", engine && !engine.halted && !engine.queue.braked, engine?.halted || engine?.queue.braked || "no halt, no brake"),
    light(
      "Everything answered is on disk",
      engine && engine.sequences.durable_event <= engine.sequences.event,
      engine ? `durable ${engine.sequences.durable_event} of ${engine.sequences.event}, ${engine.journal.durability}` : "",
    ),
    follows("Reporter has no gap", reporter?.feed),
    follows("Clearing has no gap", clearing?.feed),
    light("Clearing judges", clearing && !clearing.halted, clearing?.halted || `${clearing?.trades.held ?? 0} held, ${clearing?.trades.busted ?? 0} busted`),
    light("Cash sums to zero", cash && isZero(cash.sum), `sum ${cash?.sum} over all accounts, event ${proof?.seq}`),
    light("Shares sum to zero", shares && shares.every((one) => isZero(one.sum)), `${shares?.length} symbols, ${proof?.trades} trades`),
    light("Books equal the ledger", proof?.holds, proof?.holds ? "recomputed from every entry" : `${proof?.faults.length} faults`),
  ];
}

function follows(name: string, feed: { lag: number; gaps: number; problem: string } | undefined): Light {
  return light(name, feed && !feed.problem && feed.lag <= LAG_MAX, feed?.problem || `${feed?.lag} events behind, ${feed?.gaps} gaps filled`);
}

function light(name: string, isGood: boolean | undefined, text: string): Light {
  if (isGood === undefined) return { name, state: "unknown", text: "not known: needs an operator's key and the component" };
  return { name, state: isGood ? "good" : "bad", text };
}

function isZero(text: string): boolean {
  return /^-?0+(\.0+)?$/.test(text);
}
