// How fast counters grow, from what they were when last asked.

import { useRef } from "preact/hooks";
import { Row } from "./api";
import { toNumber } from "./format";

interface Count {
  at: number;
  value: number;
}

/** Return the growth per second of a counter in each row, by the row's key. */
export function useRates(rows: Row[], key: string, counter: string): Map<string, number> {
  const kept = useRef<{ rows: Row[]; counts: Map<string, Count>; rates: Map<string, number> }>({
    rows: [], counts: new Map(), rates: new Map(),
  });
  if (kept.current.rows !== rows) {
    const at = performance.now();
    const counts = new Map<string, Count>();
    const rates = new Map<string, number>();
    for (const row of rows) {
      const name = String(row[key]);
      const value = toNumber(row[counter]) ?? 0;
      const before = kept.current.counts.get(name);
      counts.set(name, { at, value });
      if (before && at > before.at) rates.set(name, Math.max(0, (value - before.value) / ((at - before.at) / 1000)));
    }
    kept.current = { rows, counts, rates };
  }
  return kept.current.rates;
}
