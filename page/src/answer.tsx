// An answer of any query as a picture, where it has a time and figures.

import { useMemo } from "preact/hooks";
import { Answer, Row } from "./api";
import { Chart } from "./chart";
import { toNumber, toTime } from "./format";

const SERIES_MAX = 6;

export const isFigure = (type: string | undefined): boolean => /int|numeric|double|real/.test(type ?? "");

export function Picture({ answer, rows, label = "Answer over time" }: { answer: Answer; rows: Row[]; label?: string }) {
  const time = answer.names.find((_, i) => /timestamp|date/.test(answer.types[i] ?? ""));
  const figures = answer.names.filter((_, i) => isFigure(answer.types[i])).slice(0, SERIES_MAX);
  const drawn = useMemo(() => {
    if (time === undefined) return null;
    const sorted = rows.filter((row) => toTime(row[time]) !== null).sort((a, b) => toTime(a[time])! - toTime(b[time])!);
    // Several rows of one instant are of several things: a line through them would say nothing.
    if (sorted.some((row, i) => i > 0 && row[time] === sorted[i - 1]![time])) return null;
    return {
      times: sorted.map((row) => toTime(row[time])! / 1000),
      series: figures.map((name) => ({ name, unit: "", values: sorted.map((row) => toNumber(row[name])) })),
    };
  }, [answer]);
  if (drawn === null || figures.length === 0 || drawn.times.length < 2) return null;
  return <Chart label={label} times={drawn.times} series={drawn.series} height={220} />;
}
