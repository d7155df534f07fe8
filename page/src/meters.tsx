// Meters on the map: asked for where the map looks, once there are few enough of them to be told apart.

import { useMemo, useRef } from "preact/hooks";
import { change } from "./address";
import { Refused, Row, literal } from "./api";
import { Chart } from "./chart";
import { figure, moment, plain, toNumber, toTime } from "./format";
import { useQuery } from "./live";
import { Box, Spot } from "./map";
import { Part, once } from "./parts";

const METERS_MAX = 5000; // More: their number alone is told, and nothing of them is sent.
const OUTSIDE = 48; // Bits of checked_reads.flags: below or above the limits of voltage.
const RADIUS = 2.5;
const WATCHED = { of: ["ami.meter_registry", "ami.transformer_load", "ami.outage_list"], needs: ["ami.checked_reads", "ami.outage_members"], everyMs: 15_000 };
const HOLDS = "m.valid_from <= now() AND (m.valid_to IS NULL OR m.valid_to > now())";
const IS_OUT = `EXISTS (
  SELECT 1 FROM ami.outage_members x JOIN ami.outages o ON o.outage_id = x.outage_id
  WHERE x.meter_id = m.meter_id AND x.restored_at IS NULL AND o.state NOT IN ('RESTORED', 'CLOSED'))`;
const READS = `
  SELECT meter_id, max_by(voltage_v, interval_start) AS voltage_v, max_by(flags, interval_start) AS flags
  FROM ami.checked_reads
  WHERE interval_start >= (SELECT max(window_start) FROM ami.transformer_load) - INTERVAL '2 hours'
  GROUP BY meter_id`;

// What is worse is drawn over the rest: several meters may be in one place.
const STATES = ["no read", "within limits", "outside limits", "out"] as const;
type MeterState = (typeof STATES)[number];
const COLOURS: Record<MeterState, string> = { "no read": "--neutral", "within limits": "--good", "outside limits": "--bad", out: "--text" };

function stateOf(row: Row): MeterState {
  if (row.is_out === true) return "out";
  const flags = toNumber(row.flags);
  if (flags === null) return "no read";
  return (flags & OUTSIDE) === 0 ? "within limits" : "outside limits";
}

const within = (box: Box) =>
  `m.lon BETWEEN ${box.west} AND ${box.east} AND m.lat BETWEEN ${box.south} AND ${box.north} AND ${HOLDS}`;

export interface Meters {
  spots: Spot[];
  /** One sentence: how many, and in which state; or why none are shown. */
  told: string;
}

/** Return the meters of a part of the map. */
export function useMeters(box: Box | null): Meters {
  const many = useQuery(box ? `SELECT count(*) AS meters FROM ami.meter_registry m WHERE ${within(box)}` : "", WATCHED);
  const count = many.rows.length ? toNumber(many.rows[0]!.meters) : null;
  const isFew = count !== null && count > 0 && count <= METERS_MAX;
  const asked = box && isFew
    ? `SELECT m.meter_id, m.transformer_id, m.lon, m.lat, r.voltage_v, r.flags, ${IS_OUT} AS is_out
       FROM ami.meter_registry m LEFT JOIN (${READS}) r ON r.meter_id = m.meter_id WHERE ${within(box)} LIMIT ${METERS_MAX}`
    : "";
  const found = useQuery(asked, WATCHED);
  const kept = useRef<Row[]>([]); // While the next part is asked for, what is known stays.
  if (asked !== "" && !found.isLoading && found.error === null) kept.current = found.rows;
  if (count !== null && !isFew) kept.current = [];
  const rows = kept.current;
  const spots = useMemo(() => spotsOf(rows), [rows]);
  return { spots, told: many.error === null ? toldOf(count, rows, spots) : refused(many.error) };
}

function spotsOf(rows: Row[]): Spot[] {
  const ranked = rows.map((row) => ({ row, state: stateOf(row) }));
  ranked.sort((one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state));
  return ranked.map(({ row, state }) => ({
    id: plain(row.meter_id), lon: toNumber(row.lon) ?? 0, lat: toNumber(row.lat) ?? 0, colour: COLOURS[state], radius: RADIUS,
    told: `${plain(row.meter_id)} of ${plain(row.transformer_id)}: ${state}${row.voltage_v === null ? "" : `, ${figure(row.voltage_v, 1)} V`}`,
  }));
}

function toldOf(count: number | null, rows: Row[], spots: Spot[]): string {
  if (count === null && rows.length === 0) return "";
  if (count === 0) return "No meter has a place here.";
  if (count !== null && count > METERS_MAX) return `${figure(count)} meters here: closer they are shown.`;
  const each = [...STATES].reverse().map((state) => [state, spots.filter((spot) => spot.colour === COLOURS[state]).length] as const);
  const told = each.filter(([, number]) => number > 0).map(([state, number]) => `${figure(number)} ${state}`);
  return rows.length ? `${figure(rows.length)} meters: ${told.join(", ")}.` : "";
}

function refused(error: Error): string {
  // A pack of an earlier version knows no places of meters.
  return error instanceof Refused && error.code === "42703" ? "Meters are shown after voltstream pack upgrade ami." : error.message;
}

/** One meter that was chosen: its latest reads. */
export function Meter({ id }: { id: string }) {
  const known = useQuery(
    `SELECT m.transformer_id, m.service_point_id, m.state, ${IS_OUT} AS is_out FROM ami.meter_registry m
     WHERE m.meter_id = ${literal(id)} AND ${HOLDS} LIMIT 1`,
    WATCHED,
  );
  const reads = useQuery(
    `SELECT interval_start, voltage_v, delivered_kwh, received_kwh, flags FROM ami.checked_reads
     WHERE meter_id = ${literal(id)} ORDER BY interval_start DESC LIMIT 200`,
    { of: ["ami.checked_reads"], everyMs: 30_000 },
  );
  const drawn = useMemo(() => {
    const ordered = [...reads.rows].reverse();
    const values = (column: string) => ordered.map((row) => toNumber(row[column]));
    return {
      times: ordered.map((row) => (toTime(row.interval_start) ?? 0) / 1000),
      energy: [
        { name: "Delivered", unit: "kWh", values: values("delivered_kwh") },
        { name: "Received", unit: "kWh", values: values("received_kwh") },
      ],
      voltage: [{ name: "Voltage", unit: "V", values: values("voltage_v") }],
    };
  }, [reads.rows]);
  const [meter] = known.rows;
  const [last] = reads.rows;
  return (
    <Part title={`Meter ${id}`} tools={<button onClick={() => change({ meter: null })}>Close</button>}>
      <p class="soft">
        {meter ? `${stateOf({ ...last, is_out: meter.is_out })}, fed by ${plain(meter.transformer_id)}, ${plain(meter.state)}` : once(known, "It is not in the registry.")}
        {last && `. Last read ${moment(last.interval_start)}: ${figure(last.voltage_v, 1)} V, ${figure(last.delivered_kwh, 3)} kWh`}
      </p>
      <div class="columns">
        {drawn.times.length > 1 ? <Chart label="Energy" times={drawn.times} series={drawn.energy} height={200} /> : <p class="empty">{once(reads, "No read is known.")}</p>}
        {drawn.times.length > 1 && <Chart label="Voltage of the meter" times={drawn.times} series={drawn.voltage} height={200} />}
      </div>
    </Part>
  );
}
