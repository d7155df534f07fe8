// A graph that flows from left to right: boxes in layers, lines between them.

import { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

export interface Box {
  id: string;
  kind: string;
  name: string;
  lines: string[];
  isBad?: boolean;
}

export interface Line {
  from: string;
  to: string;
  label?: string;
}

interface Options {
  label: string;
  boxes: Box[];
  lines: Line[];
  selected?: string | null;
  onPress?: (box: Box) => void;
  children?: ComponentChildren;
}

const WIDE = 190;
const GAP_X = 64;
const GAP_Y = 14;
const LINE_PX = 15;

interface Placed extends Box {
  x: number;
  y: number;
  height: number;
}

/** Put each box behind all it reads from, and near the middle of them. */
function place(boxes: Box[], lines: Line[]): { placed: Map<string, Placed>; width: number; height: number } {
  const known = new Set(boxes.map((box) => box.id));
  const reads = new Map<string, string[]>(boxes.map((box) => [box.id, []]));
  for (const line of lines) {
    if (known.has(line.from) && known.has(line.to)) reads.get(line.to)?.push(line.from);
  }
  const layers = new Map<string, number>();
  const layerOf = (id: string, path: Set<string>): number => {
    const found = layers.get(id);
    if (found !== undefined) return found;
    if (path.has(id)) return 0; // A sink into a table that its own view reads.
    path.add(id);
    const layer = Math.max(0, ...(reads.get(id) ?? []).map((from) => layerOf(from, path) + 1));
    path.delete(id);
    layers.set(id, layer);
    return layer;
  };
  for (const box of boxes) layerOf(box.id, new Set());
  const columns: Box[][] = [];
  for (const box of boxes) (columns[layers.get(box.id) ?? 0] ??= []).push(box);
  const placed = new Map<string, Placed>();
  let height = 0;
  columns.forEach((column, layer) => {
    const middle = (box: Box) => {
      const from = (reads.get(box.id) ?? []).map((id) => placed.get(id)).filter((one) => one !== undefined);
      return from.length ? from.reduce((sum, one) => sum + one.y, 0) / from.length : Infinity;
    };
    const ordered = [...column].sort((a, b) => middle(a) - middle(b) || a.name.localeCompare(b.name));
    let y = 8;
    for (const box of ordered) {
      const tall = 26 + box.lines.length * LINE_PX;
      placed.set(box.id, { ...box, x: 8 + layer * (WIDE + GAP_X), y, height: tall });
      y += tall + GAP_Y;
    }
    height = Math.max(height, y);
  });
  return { placed, width: columns.length * (WIDE + GAP_X), height };
}

const cut = (text: string, length: number) => (text.length > length ? text.slice(0, length - 1) + "…" : text);

export function Graph({ label, boxes, lines, selected, onPress }: Options) {
  const shape = JSON.stringify([boxes.map((box) => [box.id, box.lines.length]), lines.map((line) => [line.from, line.to])]);
  const { placed, width, height } = useMemo(() => place(boxes, lines), [shape]);
  const near = new Set(lines.filter((line) => line.from === selected || line.to === selected).flatMap((line) => [line.from, line.to]));
  return (
    <div class="graph scroll" tabIndex={0} role="region" aria-label={label}>
      <svg width={width} height={height} role="group" aria-label={`${label}: ${boxes.length} parts`}>
        {lines.map((line) => {
          const from = placed.get(line.from);
          const to = placed.get(line.to);
          if (!from || !to) return null;
          const [x1, y1, x2, y2] = [from.x + WIDE, from.y + from.height / 2, to.x, to.y + to.height / 2];
          const bend = Math.max(24, (x2 - x1) / 2);
          const isNear = selected && (line.from === selected || line.to === selected);
          return <path class={isNear ? "near" : ""} d={`M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`} />;
        })}
        {boxes.map((box) => {
          const at = placed.get(box.id);
          if (!at) return null;
          const state = `${box.kind} ${box.isBad ? "bad" : ""} ${selected === box.id ? "selected" : ""} ${near.has(box.id) ? "near" : ""}`;
          return (
            <g
              class={state}
              transform={`translate(${at.x},${at.y})`}
              tabIndex={0}
              role="button"
              aria-label={`${box.kind} ${box.name}. ${box.lines.join(". ")}`}
              onClick={() => onPress?.(box)}
              onKeyDown={(event) => {
                if (event.key === "Enter" || event.key === " ") {
                  event.preventDefault();
                  onPress?.(box);
                }
              }}
            >
              <rect width={WIDE} height={at.height} rx="5" />
              <text x="9" y="17" class="name">{cut(box.name, 24)}</text>
              {box.lines.map((text, i) => <text x="9" y={17 + (i + 1) * LINE_PX} class="fact">{cut(text, 29)}</text>)}
              <title>{box.name}</title>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
