// The pipeline as it runs: what reads from what, how fast, at what cost, and what went wrong.

import { change, spell, useAddress } from "../address";
import { Row } from "../api";
import { ago, bytes, figure, lasting, moment, plain, short, toNumber } from "../format";
import { Box, Graph } from "../graph";
import { useQuery } from "../live";
import { Part, State, Tile, Trouble, once } from "../parts";
import { useRates } from "../rate";
import { Table } from "../table";

const OBJECTS = `
SELECT r.id, r.name, r.schema, r.relation_type AS kind, s.rows, s.bytes, s.state_tables,
       c.rows_in, c.rows_out, c.rows_scanned, c.seconds, c.epochs
FROM rw_catalog.rw_relations r
LEFT JOIN rw_catalog.rw_state_sizes s ON s.id = r.id
LEFT JOIN (
  SELECT name, sum(rows_in) AS rows_in, sum(rows_out) AS rows_out, sum(rows_scanned) AS rows_scanned,
         sum(seconds) AS seconds, max(epochs) AS epochs
  FROM rw_catalog.rw_operator_costs GROUP BY name
) c ON c.name = r.name
WHERE r.relation_type IN ('source', 'table', 'materialized view')
  AND r.schema NOT IN ('rw_catalog', 'pg_catalog', 'information_schema')`;
const READS = "SELECT objid, refobjid FROM rw_catalog.rw_depend";
const SINKS = "SELECT id, name, connector, state, detail, pending, dropped FROM rw_catalog.rw_sinks";
const SOURCES = "SELECT id, connector, state, detail FROM rw_catalog.rw_sources";
const LAG = `
SELECT name, partition, position, reached, behind, watermark, measured_at
FROM rw_catalog.rw_source_lag ORDER BY behind DESC NULLS LAST`;
const LETTERS = "SELECT id, source, position, reason, at, raw FROM rw_catalog.rw_dead_letters ORDER BY at DESC LIMIT 200";
const HALTED = "SELECT name, schema, kind, reason FROM rw_catalog.rw_suspended_objects";

const SMALL = 40; // Objects up to which what is empty is shown as well.
const counts = (row: Row): number | null => toNumber(row.rows);

type Flow = { from: string; to: string };

/** Return all that is reached from one object, along the lines or against them. */
function along(start: string, lines: Flow[], out: keyof Flow, into: keyof Flow): Set<string> {
  const next = new Map<string, string[]>();
  for (const line of lines) next.set(line[out], [...(next.get(line[out]) ?? []), line[into]]);
  const reached = new Set([start]);
  const waiting = [start];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const one of next.get(at) ?? []) {
      if (!reached.has(one)) {
        reached.add(one);
        waiting.push(one);
      }
    }
  }
  return reached;
}

/** Say what one object does in two short lines. */
function facts(row: Row, rate: number | undefined): string[] {
  const lines = [`${short(counts(row) ?? 0)} rows kept${rate ? `, ${short(rate)}/s` : ""}`];
  const scanned = toNumber(row.rows_scanned);
  const read = toNumber(row.rows_in);
  if (scanned !== null && read) lines.push(`${(scanned / read).toPrecision(2)} scanned per row in`);
  return lines;
}

export function Streams() {
  const { settings } = useAddress();
  const objects = useQuery(OBJECTS, { everyMs: 2000 });
  const reads = useQuery(READS, { everyMs: 10_000 });
  const sinks = useQuery(SINKS, { everyMs: 2000 });
  const sources = useQuery(SOURCES, { everyMs: 5000 });
  const lag = useQuery(LAG, { everyMs: 2000 });
  const letters = useQuery(LETTERS, { everyMs: 5000 });
  const halted = useQuery(HALTED, { everyMs: 5000 });
  const written = useRates(objects.rows, "id", "rows");
  const handled = useRates(objects.rows, "id", "rows_in");
  const showsAll = settings.get("all") === "1";
  const selected = settings.get("of");

  const stateOf = new Map(sources.rows.map((row) => [String(row.id), row]));
  const brokenNames = new Set(halted.rows.map((row) => String(row.name)));
  const linked = new Set(reads.rows.flatMap((row) => [String(row.objid), String(row.refobjid)]));
  const isSmall = objects.rows.length <= SMALL;
  const isShown = (row: Row): boolean =>
    showsAll || String(row.id) === selected || brokenNames.has(String(row.name)) || (counts(row) ?? 0) > 0 || (isSmall && linked.has(String(row.id)));
  const lines = reads.rows.map((row) => ({ from: String(row.refobjid), to: String(row.objid) }));
  // Of one that is chosen all that flows into it and out of it is shown, and nothing else.
  const around = selected === null ? null : new Set([...along(selected, lines, "from", "to"), ...along(selected, lines, "to", "from")]);
  const boxes: Box[] = objects.rows
    .filter((row) => (around ? around.has(String(row.id)) : isShown(row)))
    .map((row) => {
      const id = String(row.id);
      const rate = row.kind === "materialized view" ? handled.get(id) : written.get(id);
      const isFailed = stateOf.get(id)?.state === "failed" || brokenNames.has(String(row.name));
      return { id, kind: String(row.kind).split(" ").at(-1) ?? "", name: String(row.name), lines: facts(row, rate), isBad: isFailed };
    });
  for (const row of sinks.rows) {
    if (around && !around.has(String(row.id))) continue;
    boxes.push({
      id: String(row.id), kind: "sink", name: String(row.name),
      lines: [`${plain(row.connector)}, ${short(row.pending ?? 0)} to send`],
      isBad: row.state !== "running" || (toNumber(row.dropped) ?? 0) > 0,
    });
  }
  const chosen = objects.rows.find((row) => String(row.id) === selected);
  const into = objects.rows.filter((row) => row.kind !== "materialized view");
  const perSecond = into.reduce((sum, row) => sum + (written.get(String(row.id)) ?? 0), 0);
  const behind = lag.rows.reduce((sum, row) => sum + (toNumber(row.behind) ?? 0), 0);
  const stateBytes = objects.rows.reduce((sum, row) => sum + (toNumber(row.bytes) ?? 0), 0);

  return (
    <>
      <div class="tiles">
        <Tile name="Rows in" value={once(objects, `${short(perSecond)}/s`)} note={`${into.length} sources and tables`} />
        <Tile name="Behind" value={once(lag, short(behind))} note="records not yet read" state={behind > 100_000 ? "warning" : ""} />
        <Tile name="State" value={once(objects, bytes(stateBytes))} note={`${boxes.length} objects`} />
        <Tile name="Dead letters" value={letters.answer ? figure(letters.rows.length) + (letters.rows.length >= 200 ? "+" : "") : "…"}
          state={letters.rows.length ? "warning" : "good"} note="records that could not be read" />
        <Tile name="Suspended" value={once(halted, figure(halted.rows.length))} state={halted.rows.length ? "bad" : "good"} note="views that stand still" />
      </div>
      <Trouble of={objects} />
      <Part title="Pipeline" tools={selected !== null ? <button onClick={() => change({ of: null })}>Show the whole pipeline</button> :
        <label><input type="checkbox" checked={showsAll} onChange={() => change({ all: showsAll ? null : "1" })} /> also what is empty</label>
      }>
        <Graph label="Pipeline" boxes={boxes} lines={lines} selected={selected}
          onPress={(box) => change({ of: box.id === selected ? null : box.id })} />
        {chosen && <Chosen row={chosen} />}
      </Part>
      <Part title="Sources">
        <Table label="source lag" rows={lag.rows} maxRows={8} keyOf={(row) => `${row.name}/${row.partition}`}
          empty="No source has partitions: rows are pushed, not read."
          columns={[
            { name: "name" }, { name: "partition" }, { name: "position", isFigure: true }, { name: "reached", isFigure: true },
            { name: "behind", isFigure: true, show: (value) => figure(value) },
            { name: "watermark", show: (value) => (value ? moment(value) : "–") },
            { name: "measured_at", head: "measured", show: (value) => ago(value) },
          ]} />
      </Part>
      {sinks.rows.length > 0 && (
        <Part title="Sinks">
          <Table label="sinks" rows={sinks.rows} maxRows={8} columns={[
            { name: "name" }, { name: "connector" }, { name: "state", show: (value) => <State value={value} /> },
            { name: "pending", isFigure: true, show: (value) => figure(value) },
            { name: "dropped", isFigure: true, show: (value) => figure(value) }, { name: "detail" },
          ]} />
        </Part>
      )}
      {halted.rows.length > 0 && (
        <Part title="Views that stand still">
          <Table label="suspended views" rows={halted.rows} columns={[{ name: "name" }, { name: "kind" }, { name: "reason" }]} />
        </Part>
      )}
      <Part title="Dead letters">
        <Table label="dead letters" rows={letters.rows} maxRows={10} keyOf={(row) => plain(row.id)}
          empty="None: every record could be read."
          columns={[
            { name: "source" }, { name: "at", show: (value) => moment(value) }, { name: "reason" },
            { name: "position" }, { name: "raw" },
          ]} />
      </Part>
    </>
  );
}

const COSTS = (name: string) =>
  `SELECT operator, epochs, statements, seconds, rows_in, rows_out, rows_scanned, scanned_per_delta_row
   FROM rw_catalog.rw_operator_costs WHERE name = '${name.replaceAll("'", "''")}' ORDER BY seconds DESC`;

function Chosen({ row }: { row: Row }) {
  const name = String(row.name);
  const costs = useQuery(COSTS(name), { everyMs: 2000 });
  const from = `"${String(row.schema).replaceAll('"', '""')}"."${name.replaceAll('"', '""')}"`;
  const seconds = toNumber(row.seconds);
  return (
    <div class="chosen">
      <p>
        <b>{name}</b> <span class="soft">{plain(row.kind)}, {bytes(row.bytes)}, {figure(row.state_tables)} state tables
        {seconds !== null ? `, ${lasting(seconds * 1000)} of work since the start` : ""}</span>{" "}
        <a href={spell("sql", { q: `SELECT * FROM ${from} LIMIT 100`, run: "1" })}>show rows</a>{" "}
        {row.kind === "materialized view" && <a href={spell("sql", { q: `SELECT pg_get_viewdef('${from.replaceAll("'", "''")}'::regclass)`, run: "1" })}>definition</a>}
      </p>
      <Table label={`operators of ${name}`} rows={costs.rows} maxRows={10} empty="No operator has worked yet."
        keyOf={(cost) => plain(cost.operator)}
        columns={[
          { name: "operator" }, { name: "epochs", isFigure: true, show: (value) => figure(value) },
          { name: "statements", isFigure: true, show: (value) => figure(value) },
          { name: "seconds", isFigure: true, show: (value) => figure(value, 3) },
          { name: "rows_in", isFigure: true, show: (value) => figure(value) },
          { name: "rows_out", isFigure: true, show: (value) => figure(value) },
          { name: "rows_scanned", isFigure: true, show: (value) => figure(value) },
          { name: "scanned_per_delta_row", head: "scanned per row", isFigure: true, show: (value) => figure(value, 2) },
        ]} />
    </div>
  );
}

