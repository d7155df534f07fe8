// Whether what is billed agrees with what was metered: each ended session is a dot.

import { useMemo, useState } from "preact/hooks";
import { Row } from "./api";
import { Canvas, Place } from "./canvas";
import { figure, plain, toNumber } from "./format";
import { colour } from "./theme";

const HEIGHT = 240;
const LEFT = 56;
const BELOW = 30;
const LIMIT = 0.02; // The share by which the pack lets energies differ.
const NEAR_PX = 9;
const COLOURS: Record<string, string> = { MATCHED: "--good", MINOR: "--warning", DISPUTED: "--bad" };

interface Dot {
  row: Row;
  kwh: number;
  share: number;
}

interface Options {
  rows: Row[];
  opened: string | null;
  keyOf: (row: Row) => string;
  onOpen: (row: Row) => void;
}

export function Reconciliation({ rows, opened, keyOf, onOpen }: Options) {
  const [pointed, setPointed] = useState<Dot | null>(null);
  const [width, setWidth] = useState(800);
  const dots = useMemo(() => rows.flatMap((row): Dot[] => {
    const billed = toNumber(row.billed_wh);
    const others = [toNumber(row.delta_wh), toNumber(row.power_wh)].filter((value) => value !== null);
    if (billed === null || others.length === 0) return [];
    // Of the sum of steps and the integral of power the one that is further away counts.
    const shares = others.map((other) => (billed - other) / Math.max(Math.abs(billed), Math.abs(other), 1));
    const share = shares.reduce((far, one) => (Math.abs(one) > Math.abs(far) ? one : far));
    return [{ row, kwh: billed / 1000, share }];
  }), [rows]);
  const shown = useMemo(() => ({}), [dots, opened]);
  if (dots.length === 0) return <p class="empty">No ended session has two figures to compare.</p>;
  const most = Math.max(1, ...dots.map((dot) => dot.kwh)) * 1.05;
  const far = Math.min(1, Math.max(0.05, ...dots.map((dot) => Math.abs(dot.share))) * 1.1);
  const placeOf = (dot: Dot, wide: number): Place => ({
    x: LEFT + (dot.kwh / most) * (wide - LEFT - 10),
    y: (HEIGHT - BELOW) * (0.5 - dot.share / far / 2),
  });
  const draw = (context: CanvasRenderingContext2D, wide: number) => {
    if (wide !== width) setWidth(wide);
    const middle = (HEIGHT - BELOW) / 2;
    const band = middle * (LIMIT / far);
    context.fillStyle = colour("--good");
    context.globalAlpha = 0.12;
    context.fillRect(LEFT, middle - band, wide - LEFT - 10, band * 2);
    context.globalAlpha = 1;
    context.font = "11px system-ui";
    context.fillStyle = colour("--soft");
    context.strokeStyle = colour("--line");
    for (const share of [-far, -far / 2, 0, far / 2, far]) {
      const y = (HEIGHT - BELOW) * (0.5 - share / far / 2);
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(wide - 10, y);
      context.stroke();
      context.fillText(`${share > 0 ? "+" : ""}${(share * 100).toFixed(1)} %`, 2, Math.min(HEIGHT - BELOW - 2, Math.max(10, y + 4)));
    }
    for (const part of [0.25, 0.5, 0.75, 1]) {
      context.fillText(`${figure(most * part, 1)} kWh`, LEFT + part * (wide - LEFT - 10) - 50, HEIGHT - 10);
    }
    for (const dot of dots) {
      const { x, y } = placeOf(dot, wide);
      context.fillStyle = colour(COLOURS[plain(dot.row.outcome)] ?? "--neutral");
      context.globalAlpha = 0.75;
      context.beginPath();
      context.arc(x, y, keyOf(dot.row) === opened ? 7 : 4, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  };
  const near = (at: Place): Dot | null => {
    let found: Dot | null = null;
    let least = NEAR_PX;
    for (const dot of dots) {
      const { x, y } = placeOf(dot, width);
      const distance = Math.hypot(x - at.x, y - at.y);
      if (distance < least) [found, least] = [dot, distance];
    }
    return found;
  };
  const count = (outcome: string) => dots.filter((dot) => dot.row.outcome === outcome).length;
  return (
    <>
      <Canvas
        label="Billed energy, and how far it is from what was metered"
        told={`${dots.length} sessions: ${count("MATCHED")} matched, ${count("MINOR")} with minor differences, ${count("DISPUTED")} disputed. The table below has each.`}
        height={HEIGHT}
        draw={draw}
        drawnFrom={shown}
        onPoint={(at) => setPointed(at && near(at))}
        onPress={(at) => {
          const dot = near(at);
          if (dot) onOpen(dot.row);
        }}
      />
      <p class="legend">
        <span><i style={{ background: "var(--good)" }} />matched</span><span><i style={{ background: "var(--warning)" }} />minor</span>
        <span><i style={{ background: "var(--bad)" }} />disputed</span>
        <span class="soft">{pointed
          ? `${plain(pointed.row.transaction_id)} on ${plain(pointed.row.charge_point_id)}: ${figure(pointed.kwh, 3)} kWh billed, ${(pointed.share * 100).toFixed(2)} % more than metered`
          : "The band is 2 %. A dot opens its session."}</span>
      </p>
    </>
  );
}
