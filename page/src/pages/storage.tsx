// What lies on disk: hypertables, their chunks on a time axis, compression, tiers and jobs.

import { useMemo } from "preact/hooks";
import { change, useAddress } from "../address";
import { Row, literal } from "../api";
import { ago, bytes, figure, moment, plain, toNumber, toTime } from "../format";
import { useQuery } from "../live";
import { Part, State, Tile, Trouble, once } from "../parts";
import { Table } from "../table";
import { Span, Timeline } from "../timeline";

const TABLES = `
SELECT hypertable_schema, hypertable_name, owner, num_dimensions, num_chunks, compression_enabled
FROM timescaledb_information.hypertables ORDER BY hypertable_schema, hypertable_name`;
const CHUNKS = `
SELECT hypertable_schema, hypertable_name, chunk_schema, chunk_name, range_start, range_end, is_compressed, chunk_tablespace
FROM timescaledb_information.chunks ORDER BY range_start DESC LIMIT 5000`;
const JOBS = `
SELECT j.job_id, j.application_name, j.hypertable_name, j.schedule_interval, j.scheduled, j.next_start,
       s.last_run_status, s.last_run_started_at, s.total_runs, s.total_failures
FROM timescaledb_information.jobs j LEFT JOIN timescaledb_information.job_stats s ON s.job_id = j.job_id
ORDER BY j.job_id`;
const STATES = "SELECT name, schema, kind, state_tables, rows, bytes FROM rw_catalog.rw_state_sizes ORDER BY bytes DESC NULLS LAST";

const COLOURS = { compressed: "--series-2", hot: "--series-1", tiered: "--series-4" };

function tier(chunk: Row): string {
  if (chunk.chunk_tablespace) return "tiered";
  return chunk.is_compressed ? "compressed" : "hot";
}

export function Storage() {
  const { settings } = useAddress();
  const tables = useQuery(TABLES, { everyMs: 5000 });
  const chunks = useQuery(CHUNKS, { everyMs: 5000 });
  const jobs = useQuery(JOBS, { everyMs: 5000 });
  const states = useQuery(STATES, { everyMs: 5000 });
  const opened = settings.get("table");
  const spans = useMemo(() => chunks.rows.flatMap((chunk): Span[] => {
    const from = toTime(chunk.range_start);
    const to = toTime(chunk.range_end);
    return from === null || to === null ? [] : [{ lane: plain(chunk.hypertable_name), state: tier(chunk), from, to }];
  }), [chunks.rows]);
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.max(...spans.map((span) => span.to));
  const count = (state: string) => spans.filter((span) => span.state === state).length;
  const total = states.rows.reduce((sum, row) => sum + (toNumber(row.bytes) ?? 0), 0);
  const failed = jobs.rows.filter((row) => row.last_run_status === "Failed").length;

  return (
    <>
      <div class="tiles">
        <Tile name="Hypertables" value={once(tables, figure(tables.rows.length))} note={`${figure(spans.length)} chunks`} />
        <Tile name="Compressed" value={once(chunks, figure(count("compressed")))} note={`${count("hot")} hot, ${count("tiered")} tiered`} />
        <Tile name="Tables and state" value={once(states, bytes(total))} note="estimated, eight bytes a value" />
        <Tile name="Jobs" value={once(jobs, figure(jobs.rows.length))} state={failed ? "bad" : ""} note={failed ? `${failed} failed last time` : "none failed last time"} />
      </div>
      <Trouble of={tables} />
      <Part title="Chunks over time">
        {spans.length > 0
          ? <Timeline label="Chunks" spans={spans} from={from} to={to} colours={COLOURS} onPress={(span) => change({ table: span.lane })} />
          : <p class="empty">{once(chunks, <>No hypertable has chunks. <code>SELECT create_hypertable('readings', by_range('time'))</code> makes one.</>)}</p>}
      </Part>
      <Part title="Hypertables">
        <Table label="hypertables" rows={tables.rows} maxRows={10} opened={opened}
          keyOf={(row) => plain(row.hypertable_name)}
          onOpen={(row) => change({ table: plain(row.hypertable_name) })}
          empty="There is no hypertable."
          columns={[
            { name: "hypertable_name", head: "name" }, { name: "hypertable_schema", head: "schema" },
            { name: "num_chunks", head: "chunks", isFigure: true, show: (value) => figure(value) },
            { name: "compression_enabled", head: "compression", show: (value) => (value ? "on" : "off") }, { name: "owner" },
          ]} />
        {opened && <Chunks table={opened} of={tables.rows.find((row) => row.hypertable_name === opened)} chunks={chunks.rows} />}
      </Part>
      <Part title="Jobs">
        <Table label="jobs" rows={jobs.rows} maxRows={10} keyOf={(row) => plain(row.job_id)} empty="There is no job or policy."
          columns={[
            { name: "job_id", head: "job", isFigure: true }, { name: "application_name", head: "what" },
            { name: "hypertable_name", head: "of" }, { name: "schedule_interval", head: "every" },
            { name: "last_run_status", head: "last run", show: (value) => <State value={value} /> },
            { name: "last_run_started_at", head: "at", show: (value) => ago(value) },
            { name: "next_start", head: "next", show: (value) => moment(value) },
            { name: "total_runs", head: "runs", isFigure: true }, { name: "total_failures", head: "failures", isFigure: true },
          ]} />
      </Part>
      <Part title="Tables and state of views">
        <Table label="state" rows={states.rows} maxRows={14} keyOf={(row) => `${row.schema}.${row.name}`} columns={[
          { name: "name" }, { name: "schema" }, { name: "kind" },
          { name: "state_tables", head: "tables", isFigure: true },
          { name: "rows", isFigure: true, show: (value) => figure(value) },
          { name: "bytes", isFigure: true, show: (value) => bytes(value) },
        ]} />
      </Part>
    </>
  );
}

function Chunks({ table, of, chunks }: { table: string; of: Row | undefined; chunks: Row[] }) {
  const name = of ? `"${plain(of.hypertable_schema)}"."${table}"` : `"${table}"`;
  const sizes = useQuery(`SELECT * FROM chunks_detailed_size(${literal(name)})`, { everyMs: 10_000 });
  const sizeOf = new Map(sizes.rows.map((row) => [row.chunk_name, row.total_bytes]));
  const rows = chunks.filter((row) => row.hypertable_name === table).map((row) => ({ ...row, tier: tier(row), total_bytes: sizeOf.get(row.chunk_name) }));
  return (
    <div class="chosen">
      <p><b>{table}</b></p>
      <Table label={`chunks of ${table}`} rows={rows} maxRows={12} keyOf={(row) => plain(row.chunk_name)} columns={[
        { name: "chunk_name", head: "chunk" }, { name: "range_start", head: "from", show: (value) => moment(value) },
        { name: "range_end", head: "to", show: (value) => moment(value) },
        { name: "tier", show: (value) => <State value={value} /> },
        { name: "total_bytes", head: "size", isFigure: true, show: (value) => bytes(value) },
      ]} />
    </div>
  );
}
