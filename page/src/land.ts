// Coasts and borders below a map. They come from this server, when a map is first shown.

import { useEffect, useState } from "preact/hooks";
import { colour } from "./theme";

/** Hundredths of a degree, longitude and latitude by turns. */
interface Line {
  points: Int16Array;
  west: number;
  east: number;
  south: number;
  north: number;
}

export interface Land {
  land: Line[];
  borders: Line[];
}

interface View {
  lon: number;
  lat: number;
  zoom: number;
  narrow: number;
}

const UNIT = 100;
let asked: Promise<Land> | null = null;

function lineOf(steps: number[]): Line {
  const points = new Int16Array(steps.length);
  const line = { points, west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  for (let at = 0, x = 0, y = 0; at < steps.length; at += 2) {
    x += steps[at]!;
    y += steps[at + 1]!;
    points[at] = x;
    points[at + 1] = y;
    line.west = Math.min(line.west, x / UNIT);
    line.east = Math.max(line.east, x / UNIT);
    line.south = Math.min(line.south, y / UNIT);
    line.north = Math.max(line.north, y / UNIT);
  }
  return line;
}

async function fetched(): Promise<Land> {
  const answer = await fetch("/assets/land.json");
  if (!answer.ok) throw new Error(answer.statusText);
  const found = (await answer.json()) as { land: number[][]; borders: number[][] };
  return { land: found.land.map(lineOf), borders: found.borders.map(lineOf) };
}

/** Return what lies below a map, or null until it is there; a map works without it. */
export function useLand(): Land | null {
  const [land, setLand] = useState<Land | null>(null);
  useEffect(() => {
    asked ??= fetched();
    asked.then(setLand, () => (asked = null));
  }, []);
  return land;
}

export function drawLand(context: CanvasRenderingContext2D, all: Land, width: number, height: number, view: View): void {
  const across = width / 2 / view.zoom / view.narrow;
  const along = height / 2 / view.zoom;
  const seen = (line: Line) =>
    line.west < view.lon + across && line.east > view.lon - across && line.south < view.lat + along && line.north > view.lat - along;
  const trace = (lines: Line[], isClosed: boolean) => {
    context.beginPath();
    for (const { points } of lines.filter(seen)) {
      for (let at = 0; at < points.length; at += 2) {
        const x = width / 2 + (points[at]! / UNIT - view.lon) * view.narrow * view.zoom;
        const y = height / 2 - (points[at + 1]! / UNIT - view.lat) * view.zoom;
        if (at === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      if (isClosed) context.closePath();
    }
  };
  context.fillStyle = colour("--sea");
  context.fillRect(0, 0, width, height);
  trace(all.land, true);
  context.fillStyle = colour("--land");
  context.fill("evenodd");
  context.strokeStyle = colour("--border");
  context.stroke();
  trace(all.borders, false);
  context.stroke();
}
