// A value for each row and instant, as colour: where it was too high, too low, or missing.

import { useState } from "preact/hooks";
import { Canvas } from "./canvas";
import { figure, moment } from "./format";
import { colour } from "./theme";

export interface Cell {
  row: string;
  at: number;
  value: number | null;
}

interface Options {
  label: string;
  cells: Cell[];
  unit: string;
  low: number;
  high: number;
  onPress?: (row: string) => void;
}

const NAME_PX = 120;
const AXIS_PX = 20;

/** Blue below, grey in the middle, red above, so that both limits stand out. */
function tint(value: number | null, low: number, high: number): string {
  if (value === null) return "transparent";
  const middle = (low + high) / 2;
  const part = Math.max(-1.25, Math.min(1.25, (value - middle) / Math.max(1e-9, (high - low) / 2)));
  const hue = part < 0 ? 215 : 8;
  return `hsl(${hue} ${Math.round(Math.abs(part) * 70)}% ${Math.round(72 - Math.abs(part) * 24)}%)`;
}

export function Heatmap({ label, cells, unit, low, high, onPress }: Options) {
  const [said, setSaid] = useState("");
  const rows = [...new Set(cells.map((cell) => cell.row))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const times = [...new Set(cells.map((cell) => cell.at))].sort((a, b) => a - b);
  const rowOf = new Map(rows.map((row, i) => [row, i]));
  const timeOf = new Map(times.map((time, i) => [time, i]));
  const rowPx = Math.max(3, Math.min(18, 420 / Math.max(1, rows.length)));
  const height = rows.length * rowPx + AXIS_PX;
  let drawnWidth = 0;

  const draw = (context: CanvasRenderingContext2D, width: number) => {
    drawnWidth = width;
    const cellPx = (width - NAME_PX) / Math.max(1, times.length);
    for (const cell of cells) {
      const i = timeOf.get(cell.at) ?? 0;
      context.fillStyle = tint(cell.value, low, high);
      context.fillRect(NAME_PX + i * cellPx, (rowOf.get(cell.row) ?? 0) * rowPx, Math.ceil(cellPx), Math.ceil(rowPx - 0.5));
    }
    context.fillStyle = colour("--soft");
    context.font = "11px system-ui";
    context.textBaseline = "middle";
    const every = Math.ceil(14 / rowPx);
    rows.forEach((row, i) => {
      if (i % every === 0) context.fillText(row, 0, Math.max(6, i * rowPx + rowPx / 2), NAME_PX - 8);
    });
    const ticks = Math.min(times.length, Math.max(2, Math.floor((width - NAME_PX) / 130)));
    for (let i = 0; i < ticks; i += 1) {
      const at = Math.floor((i * times.length) / ticks);
      context.fillText(moment(new Date(times[at] ?? 0).toISOString()), NAME_PX + at * cellPx, height - AXIS_PX / 2, 120);
    }
  };
  const cellAt = (place: { x: number; y: number }) => {
    const cellPx = (drawnWidth - NAME_PX) / Math.max(1, times.length);
    const row = rows[Math.floor(place.y / rowPx)];
    const at = times[Math.floor((place.x - NAME_PX) / cellPx)];
    return { row, at, cell: cells.find((cell) => cell.row === row && cell.at === at) };
  };
  const outside = cells.filter((cell) => cell.value !== null && (cell.value < low || cell.value > high)).length;
  return (
    <div>
      <Canvas
        label={label}
        told={`${rows.length} rows, ${times.length} instants; ${outside} values are outside ${low} to ${high} ${unit}.`}
        height={height}
        draw={draw}
        drawnFrom={cells}
        onPoint={(place) => {
          const { row, at, cell } = place ? cellAt(place) : { row: undefined, at: undefined, cell: undefined };
          const value = cell?.value === null || cell === undefined ? "no value" : `${figure(cell.value, 2)} ${unit}`;
          setSaid(row !== undefined && at !== undefined ? `${row}, ${moment(new Date(at).toISOString())}: ${value}` : "");
        }}
        onPress={(place) => {
          const { row } = cellAt(place);
          if (row !== undefined) onPress?.(row);
        }}
      />
      <p class="legend">
        <span><i style={{ background: tint(low, low, high) }} />{figure(low, 2)} {unit}</span>
        <span><i style={{ background: tint((low + high) / 2, low, high) }} />{figure((low + high) / 2, 2)}</span>
        <span><i style={{ background: tint(high, low, high) }} />{figure(high, 2)} {unit}</span>
        <span class="soft">{said}</span>
      </p>
    </div>
  );
}
