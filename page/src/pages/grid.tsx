// The distribution grid: where it is overloaded, where voltage leaves its limits, and what is out.

import { useMemo, useState } from "preact/hooks";
import { change, useAddress } from "../address";
import { Row, literal } from "../api";
import { Chart } from "../chart";
import { figure, lasting, moment, plain, toNumber, toTime } from "../format";
import { Cell, Heatmap } from "../heatmap";
import { useQuery } from "../live";
import { Box, Spot, SpotMap } from "../map";
import { Meter, useMeters } from "../meters";
import { Part, State, Tile, Trouble, once } from "../parts";
import { Table } from "../table";

const PLACES = `
SELECT t.transformer_id, t.feeder_id, t.kva, t.lon, t.lat, l.loading_pct, l.net_kw, l.reads, l.expected, l.window_start
FROM ami.transformers t
LEFT JOIN (
  SELECT DISTINCT ON (transformer_id) transformer_id, loading_pct, net_kw, reads, expected, window_start
  FROM ami.transformer_load
  WHERE window_start >= (SELECT max(window_start) FROM ami.transformer_load) - INTERVAL '2 hours'
  ORDER BY transformer_id, complete DESC, window_start DESC
) l ON l.transformer_id = t.transformer_id
WHERE t.valid_to IS NULL OR t.valid_to > now()`;
const OUTAGES = `
SELECT outage_id, device_id, kind, parent_id, started_at, known_at, restored_at, state, heard, meters, expected_out, confidence,
       COALESCE(restored_at, now()) AS to_at
FROM ami.outages ORDER BY started_at DESC LIMIT 500`;
const VOLTAGES = `
SELECT transformer_id, window_start, min_v, median_v, max_v FROM ami.transformer_voltage
WHERE window_start >= (SELECT max(window_start) FROM ami.transformer_voltage) - INTERVAL '24 hours'
LIMIT 10000`;
const VIOLATIONS = `
SELECT window_start, transformer_id, violation, extent, meters, voltages, worst_v, worst_meter, persistent
FROM ami.voltage_violations ORDER BY window_start DESC LIMIT 500`;
const HEATED = 60; // Rows of the heat map: those that went furthest from their middle.
const SHARE = 0.1; // What EN 50160 allows on either side of nominal voltage.
const NOMINAL_V = [120, 230, 240, 277];

const isOut = (row: Row) => row.state !== "RESTORED" && row.state !== "CLOSED";

function shade(row: Row, out: Set<string>): string {
  if (out.has(plain(row.transformer_id)) || out.has(plain(row.feeder_id))) return "--text";
  const load = toNumber(row.loading_pct);
  if (load === null) return "--neutral";
  if (load > 100) return "--bad";
  return load > 80 ? "--warning" : "--good";
}

export function Grid() {
  const { settings } = useAddress();
  const places = useQuery(PLACES, { of: ["ami.transformers", "ami.transformer_load"], everyMs: 15_000 });
  const outages = useQuery(OUTAGES, { needs: ["ami.outages"], of: ["ami.outage_list"], everyMs: 10_000 });
  const voltages = useQuery(VOLTAGES, { of: ["ami.transformer_voltage"], everyMs: 30_000 });
  const violations = useQuery(VIOLATIONS, { of: ["ami.voltage_violations"], everyMs: 30_000 });
  const selected = settings.get("transformer");
  const [box, setBox] = useState<Box | null>(null);
  const meters = useMeters(box);
  const open = outages.rows.filter(isOut);
  const out = new Set(open.map((row) => plain(row.device_id)));
  const spots = useMemo(() => places.rows.flatMap((row): Spot[] => {
    const [lon, lat] = [toNumber(row.lon), toNumber(row.lat)];
    if (lon === null || lat === null) return [];
    const id = plain(row.transformer_id);
    return [{
      id, lon, lat, colour: shade(row, out), radius: 3 + Math.min(7, Math.sqrt(toNumber(row.kva) ?? 25) / 4),
      told: `${id}: ${out.has(id) ? "out" : `${figure(row.loading_pct)} % of ${figure(row.kva)} kVA`}`,
    }];
  }), [places.rows, outages.rows]);
  const heat = useMemo(() => heated(voltages.rows), [voltages.rows]);
  const overloaded = places.rows.filter((row) => (toNumber(row.loading_pct) ?? 0) > 100).length;
  const customers = open.reduce((sum, row) => sum + (row.parent_id === null ? (toNumber(row.expected_out) ?? 0) : 0), 0);

  return (
    <>
      <div class="tiles">
        <Tile name="Transformers" value={once(places, figure(places.rows.length))} note={`${figure(new Set(places.rows.map((row) => row.feeder_id)).size)} feeders`} />
        <Tile name="Outages" value={once(outages, figure(open.length))} state={open.length ? "bad" : "good"} note={`${figure(customers)} customers out`} />
        <Tile name="Overloaded" value={once(places, figure(overloaded))} state={overloaded ? "bad" : "good"} note="transformers above 100 %" />
        <Tile name="Voltage" value={once(violations, figure(violations.rows.length) + (violations.rows.length >= 500 ? "+" : ""))}
          state={violations.rows.length ? "warning" : "good"} note="windows outside their limits" />
      </div>
      <Trouble of={places} needs="ami" />
      {places.error === null && (
        <div class="columns">
          <Part title="Map">
            {places.isLoading
              ? <p class="empty">…</p>
              : <SpotMap label="Transformers by load" spots={spots} fine={meters.spots} fineTold={meters.told} onBox={setBox}
                  selected={settings.get("meter") ?? selected}
                  onPress={(spot) => change(spot && meters.spots.includes(spot) ? { meter: spot.id } : { transformer: spot?.id ?? null, meter: null })} />}
            <p class="legend">
              <span><i style={{ background: "var(--good)" }} />to 80 %</span><span><i style={{ background: "var(--warning)" }} />to 100 %</span>
              <span><i style={{ background: "var(--bad)" }} />overloaded</span><span><i style={{ background: "var(--text)" }} />out</span>
              <span><i style={{ background: "var(--neutral)" }} />not known</span>
              {meters.spots.length > 0 && <span>Small squares are meters: red ones read a voltage outside their limits.</span>}
            </p>
          </Part>
          <Part title="Outages">
            <Table label="outages" rows={outages.rows} maxRows={12} keyOf={(row) => plain(row.outage_id)}
              opened={settings.get("outage")} onOpen={(row) => change({ outage: plain(row.outage_id) })}
              empty="No outage is known." columns={[
                { name: "device_id", head: "device", show: (value, row) => <span title={plain(row.kind)}>{plain(value)}</span> },
                { name: "state", show: (value) => <State value={value} /> },
                { name: "started_at", head: "since", show: (value) => moment(value) },
                { name: "to_at", head: "lasted", isFigure: true, show: (value, row) => lasting((toTime(value) ?? 0) - (toTime(row.started_at) ?? 0)) },
                { name: "expected_out", head: "meters out", isFigure: true, show: (value, row) => `${figure(value)} of ${figure(row.meters)}` },
                { name: "confidence", isFigure: true, show: (value) => `${figure((toNumber(value) ?? 0) * 100)} %` },
              ]} />
            {settings.get("outage") && <Members outage={settings.get("outage")!} of={outages.rows.find((row) => plain(row.outage_id) === settings.get("outage"))} />}
          </Part>
        </div>
      )}
      {settings.get("meter") && <Meter id={settings.get("meter")!} />}
      {selected && <Transformer id={selected} />}
      {heat !== null && (
        <Part title="Voltage">
          <Heatmap label={`Median voltage of transformers that went furthest from ${heat.nominal} V, 24 hours`} cells={heat.cells} unit="V"
            low={heat.nominal * (1 - SHARE)} high={heat.nominal * (1 + SHARE)} onPress={(row) => change({ transformer: row })} />
        </Part>
      )}
      {places.error === null && (
        <Part title="Voltage outside its limits">
          <Table label="voltage violations" rows={violations.rows} maxRows={10}
            keyOf={(row) => [row.window_start, row.transformer_id, row.violation, row.extent].map(plain).join(" ")}
            onOpen={(row) => change({ transformer: plain(row.transformer_id) })}
            empty="Every voltage was within its limits." columns={[
              { name: "transformer_id", head: "transformer" }, { name: "window_start", head: "window", show: (value) => moment(value) },
              { name: "violation" }, { name: "extent" },
              { name: "meters", isFigure: true, show: (value, row) => `${figure(value)} of ${figure(row.voltages)}` },
              { name: "worst_v", head: "worst", isFigure: true, show: (value) => `${figure(value, 1)} V` }, { name: "worst_meter", head: "meter" },
            ]} />
        </Part>
      )}
    </>
  );
}

function heated(rows: Row[]): { cells: Cell[]; nominal: number } | null {
  if (rows.length === 0) return null;
  const sorted = rows.map((row) => toNumber(row.median_v) ?? 0).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 230;
  const nominal = NOMINAL_V.reduce((best, one) => (Math.abs(one - middle) < Math.abs(best - middle) ? one : best));
  const farthest = new Map<string, number>();
  for (const row of rows) {
    const away = Math.max(Math.abs((toNumber(row.min_v) ?? nominal) - nominal), Math.abs((toNumber(row.max_v) ?? nominal) - nominal));
    const id = plain(row.transformer_id);
    farthest.set(id, Math.max(away, farthest.get(id) ?? 0));
  }
  const shown = new Set([...farthest].sort((a, b) => b[1] - a[1]).slice(0, HEATED).map(([id]) => id));
  const cells = rows
    .filter((row) => shown.has(plain(row.transformer_id)))
    .map((row) => ({ row: plain(row.transformer_id), at: toTime(row.window_start) ?? 0, value: toNumber(row.median_v) }));
  return { cells, nominal };
}

function Members({ outage, of }: { outage: string; of: Row | undefined }) {
  const members = useQuery(
    `SELECT meter_id, transformer_id, gasped, out_at, restored_at FROM ami.outage_members
     WHERE outage_id = ${literal(outage)} ORDER BY out_at LIMIT 2000`,
    { of: ["ami.outage_members"], everyMs: 10_000 },
  );
  return (
    <div class="chosen">
      <p>
        <b>{outage}</b>
        {of && <span class="soft"> {plain(of.kind).toLowerCase()} {plain(of.device_id)}, {figure(of.heard)} of {figure(of.meters)} meters told, confidence {figure((toNumber(of.confidence) ?? 0) * 100)} %</span>}
      </p>
      <Table label={`members of ${outage}`} rows={members.rows} maxRows={8} keyOf={(row) => plain(row.meter_id)} columns={[
        { name: "meter_id", head: "meter" }, { name: "transformer_id", head: "transformer" },
        { name: "gasped", show: (value) => (value ? "told" : "taken to be out") },
        { name: "out_at", head: "out", show: (value) => moment(value) },
        { name: "restored_at", head: "back", show: (value) => (value ? moment(value) : "") },
      ]} />
    </div>
  );
}

function Transformer({ id }: { id: string }) {
  const load = useQuery(
    `SELECT window_start, net_kw, loading_pct, reads, expected, complete FROM ami.transformer_load
     WHERE transformer_id = ${literal(id)} ORDER BY window_start DESC LIMIT 400`,
    { of: ["ami.transformer_load"], everyMs: 30_000 },
  );
  const voltage = useQuery(
    `SELECT window_start, min_v, median_v, max_v FROM ami.transformer_voltage
     WHERE transformer_id = ${literal(id)} ORDER BY window_start DESC LIMIT 400`,
    { of: ["ami.transformer_voltage"], everyMs: 30_000 },
  );
  const lines = (rows: Row[], all: [string, string, string][]) => {
    const ordered = [...rows].reverse();
    return {
      times: ordered.map((row) => (toTime(row.window_start) ?? 0) / 1000),
      series: all.map(([name, column, unit]) => ({ name, unit, values: ordered.map((row) => toNumber(row[column])) })),
    };
  };
  const loads = useMemo(() => lines(load.rows, [["Load", "net_kw", "kW"], ["Loading", "loading_pct", "%"]]), [load.rows]);
  const volts = useMemo(
    () => lines(voltage.rows, [["Least", "min_v", "V"], ["Median", "median_v", "V"], ["Greatest", "max_v", "V"]]),
    [voltage.rows],
  );
  const [last] = load.rows;
  return (
    <Part title={`Transformer ${id}`} tools={<button onClick={() => change({ transformer: null })}>Close</button>}>
      {last && <p class="soft">Last window {moment(last.window_start)}: {figure(last.reads)} of {figure(last.expected)} meters{last.complete ? "" : ", not complete"}.</p>}
      <div class="columns">
        {loads.times.length > 1 ? <Chart label="Load" times={loads.times} series={loads.series} height={200} /> : <p class="empty">{once(load, "No load is known.")}</p>}
        {volts.times.length > 1 ? <Chart label="Voltage" times={volts.times} series={volts.series} height={200} /> : <p class="empty">{once(voltage, "No voltage is known.")}</p>}
      </div>
    </Part>
  );
}
