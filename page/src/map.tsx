// Places on a map that needs no tiles: land and borders, a graticule, a scale, and the places themselves.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Canvas, Place } from "./canvas";
import { drawLand, useLand } from "./land";
import { colour } from "./theme";

export interface Spot {
  id: string;
  lon: number;
  lat: number;
  /** The name of a style sheet colour. */
  colour: string;
  radius: number;
  told: string;
}

/** A part of the map, a little larger than what is seen. Units: degrees. */
export interface Box {
  west: number;
  east: number;
  south: number;
  north: number;
}

interface Options {
  label: string;
  spots: Spot[];
  /** Small ones below the others, drawn as squares. */
  fine?: Spot[];
  /** What is said of the small ones. */
  fineTold?: string;
  /** Told where the map looks; cut to steps, so that a little move tells nothing. */
  onBox?: (box: Box) => void;
  selected?: string | null;
  height?: number;
  onPress?: (spot: Spot | null) => void;
}

interface View {
  lon: number;
  lat: number;
  /** Pixels per degree of latitude. */
  zoom: number;
}

const ZOOM_STEP = 1.25;
const NEAR_PX = 10;
const METRES_PER_DEGREE = 111_320;
const NICE = [1, 2, 5];

function around(spots: Spot[], width: number, height: number): View {
  const lons = spots.map((spot) => spot.lon);
  const lats = spots.map((spot) => spot.lat);
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  const lat = (south + north) / 2;
  const narrow = Math.cos((lat * Math.PI) / 180);
  const zoom = Math.min((width - 60) / Math.max(1e-4, (east - west) * narrow), (height - 60) / Math.max(1e-4, north - south));
  return { lon: (west + east) / 2, lat, zoom };
}

/** Return the largest nice length below a limit: 1, 2 or 5 times a power of ten. */
function nice(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  return power * (NICE.findLast((step) => step * power <= limit) ?? 1);
}

function boxOf(view: View, narrow: number, width: number, height: number): Box {
  const [halfLon, halfLat] = [width / 2 / view.zoom / narrow, height / 2 / view.zoom];
  const [lon, lat] = [nice(halfLon), nice(halfLat)];
  const cut = (at: number, step: number) => Number((at * step).toPrecision(12));
  return {
    west: cut(Math.floor((view.lon - halfLon) / lon), lon), east: cut(Math.ceil((view.lon + halfLon) / lon), lon),
    south: cut(Math.floor((view.lat - halfLat) / lat), lat), north: cut(Math.ceil((view.lat + halfLat) / lat), lat),
  };
}

const NONE: Spot[] = [];

export function SpotMap({ label, spots, fine = NONE, fineTold = "", selected, height = 420, onBox, onPress }: Options) {
  const [moved, setMoved] = useState<View | null>(null);
  const [pointed, setPointed] = useState<Spot | null>(null);
  const [size, setSize] = useState({ width: 800, height });
  const land = useLand();
  const shape = spots.length === 0 ? "" : `${spots.length} ${spots[0]!.id} ${spots.at(-1)!.id}`;
  const fitted = useMemo(() => (spots.length ? around(spots, size.width, height) : null), [shape, size.width, height]);
  const view = moved ?? fitted;
  const box = view && JSON.stringify(boxOf(view, Math.cos((view.lat * Math.PI) / 180), size.width, height));
  useEffect(() => {
    if (box !== null) onBox?.(JSON.parse(box) as Box);
  }, [box]);
  const looks = useMemo(() => [spots, fine].map((all) => all.map((spot) => spot.id + spot.colour + spot.radius).join()).join(";"), [spots, fine]);
  if (view === null) return <p class="empty">No place is known.</p>;
  const narrow = Math.cos((view.lat * Math.PI) / 180);
  const toPlace = (lon: number, lat: number): Place => ({
    x: size.width / 2 + (lon - view.lon) * narrow * view.zoom,
    y: height / 2 - (lat - view.lat) * view.zoom,
  });

  const draw = (context: CanvasRenderingContext2D, width: number) => {
    if (width !== size.width) return setSize({ width, height });
    if (land !== null) drawLand(context, land, width, height, { ...view, narrow });
    context.strokeStyle = colour("--line");
    context.fillStyle = colour("--soft");
    context.font = "11px system-ui";
    const step = nice((120 / view.zoom) * 1.0001);
    const stepLon = nice((160 / view.zoom / narrow) * 1.0001);
    const [left, right] = [view.lon - width / 2 / view.zoom / narrow, view.lon + width / 2 / view.zoom / narrow];
    const [low, high] = [view.lat - height / 2 / view.zoom, view.lat + height / 2 / view.zoom];
    const digitsOf = (length: number) => Math.max(0, -Math.floor(Math.log10(length)));
    context.beginPath();
    for (let lon = Math.ceil(left / stepLon) * stepLon; lon < right; lon += stepLon) {
      const { x } = toPlace(lon, 0);
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.fillText(`${lon.toFixed(digitsOf(stepLon))}°`, x + 3, height - 5);
    }
    for (let lat = Math.ceil(low / step) * step; lat < high; lat += step) {
      const { y } = toPlace(0, lat);
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.fillText(`${lat.toFixed(digitsOf(step))}°`, 3, y - 3);
    }
    context.stroke();
    for (const spot of fine) {
      const { x, y } = toPlace(spot.lon, spot.lat);
      if (x < -5 || y < -5 || x > width + 5 || y > height + 5) continue;
      const wide = spot.id === selected ? 2 * spot.radius : spot.radius;
      context.fillStyle = colour(spot.colour);
      context.fillRect(x - wide, y - wide, 2 * wide, 2 * wide);
    }
    for (const spot of spots) {
      const { x, y } = toPlace(spot.lon, spot.lat);
      if (x < -20 || y < -20 || x > width + 20 || y > height + 20) continue;
      context.beginPath();
      context.arc(x, y, spot.radius, 0, 2 * Math.PI);
      context.fillStyle = colour(spot.colour);
      context.globalAlpha = 0.8;
      context.fill();
      context.globalAlpha = 1;
      if (spot.id === selected) {
        context.strokeStyle = colour("--text");
        context.lineWidth = 2.5;
        context.stroke();
        context.lineWidth = 1;
      }
    }
    const metres = nice((160 / view.zoom) * METRES_PER_DEGREE);
    const long = (metres / METRES_PER_DEGREE) * view.zoom;
    context.fillStyle = colour("--text");
    context.fillRect(width - long - 12, height - 14, long, 3);
    context.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, width - long - 12, height - 19);
  };
  const near = (at: Place): Spot | null => {
    let found: Spot | null = null;
    let least = NEAR_PX;
    for (const spot of [...spots, ...fine]) {
      const { x, y } = toPlace(spot.lon, spot.lat);
      const distance = Math.hypot(x - at.x, y - at.y) - spot.radius / 2;
      // Of several in one place the last is seen, and meant.
      if (distance < least || (distance === least && found !== null)) [found, least] = [spot, distance];
    }
    return found;
  };
  const zoomAt = (at: Place, steps: number) => {
    const factor = ZOOM_STEP ** steps;
    const lon = view.lon + (at.x - size.width / 2) / view.zoom / narrow;
    const lat = view.lat - (at.y - height / 2) / view.zoom;
    setMoved({
      lon: lon - (lon - view.lon) / factor, lat: lat - (lat - view.lat) / factor,
      zoom: Math.min(1e7, Math.max(5, view.zoom * factor)),
    });
  };
  const middle = { x: size.width / 2, y: height / 2 };
  return (
    <div class="map">
      <Canvas
        label={label}
        told={`${spots.length} places. ${fineTold}`}
        height={height}
        draw={draw}
        drawnFrom={`${land !== null} ${size.width} ${JSON.stringify(view)} ${selected} ${looks}`}
        onPoint={(at) => setPointed(at && near(at))}
        onPress={(at) => onPress?.(near(at))}
        onWheel={zoomAt}
        onDrag={(by) => setMoved({ ...view, lon: view.lon - by.x / view.zoom / narrow, lat: view.lat + by.y / view.zoom })}
      />
      <p class="tools">
        <button onClick={() => zoomAt(middle, 2)} aria-label="Closer">+</button>
        <button onClick={() => zoomAt(middle, -2)} aria-label="Farther">−</button>
        <button onClick={() => setMoved(null)}>All</button>
        <span class="soft">{pointed ? pointed.told : `${fineTold} Wheel zooms, dragging moves.`}</span>
      </p>
    </div>
  );
}
