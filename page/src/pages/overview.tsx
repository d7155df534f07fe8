// What goes on now, in one look.

import { useMemo } from "preact/hooks";
import { spell } from "../address";
import { AlertList } from "../alertlist";
import { Chart } from "../chart";
import { figure, plain, short, toNumber, toTime } from "../format";
import { useQuery } from "../live";
import { Panels } from "../panels";
import { Part, State, Tile, Trouble, once } from "../parts";
import { useRates } from "../rate";
import { Table } from "../table";

const FLEET = `
SELECT count(*) AS chargers, count(*) FILTER (WHERE offline_from > now()) AS online,
       count(*) FILTER (WHERE NOT ever_seen) AS never
FROM charge_point_liveness`;
const RUNNING = `
SELECT count(*) AS sessions, sum(power_w) / 1000.0 AS power_kw, sum(energy_wh) / 1000.0 AS energy_kwh
FROM active_sessions`;
const ENERGY = `
SELECT window_start, energy_kwh FROM fleet_energy_15min ORDER BY window_start DESC LIMIT 192`;
const SITES = `
SELECT site, active_sessions, power_kw, energy_kwh FROM site_load ORDER BY power_kw DESC NULLS LAST LIMIT 100`;
const STATES = `
SELECT status, count(*) AS connectors FROM connector_state WHERE connector_id > 0 GROUP BY status ORDER BY connectors DESC`;
const ROWS = `
SELECT 'all' AS name, sum(s.rows) AS rows FROM rw_catalog.rw_state_sizes s WHERE s.kind IN ('source', 'table')`;
const OUTAGES = `
SELECT count(*) AS open, sum(expected_out) AS customers FROM ami.outages WHERE state NOT IN ('RESTORED', 'CLOSED')`;

export function Overview() {
  const fleet = useQuery(FLEET, { needs: ["charge_point_liveness"], everyMs: 2000 });
  const running = useQuery(RUNNING, { of: ["active_sessions"], everyMs: 5000 });
  const energy = useQuery(ENERGY, { of: ["fleet_energy_15min"], everyMs: 10_000 });
  const sites = useQuery(SITES, { of: ["site_load"], everyMs: 5000 });
  const states = useQuery(STATES, { of: ["connector_state"], everyMs: 10_000 });
  const rows = useQuery(ROWS, { everyMs: 2000 });
  const outages = useQuery(OUTAGES, { needs: ["ami.outages"], of: ["ami.outage_list"], everyMs: 5000 });
  const rate = useRates(rows.rows, "name", "rows").get("all");
  const [all] = fleet.rows;
  const [now] = running.rows;
  const offline = all ? Number(all.chargers) - Number(all.online) : 0;

  const drawn = useMemo(() => {
    const ordered = [...energy.rows].reverse();
    return {
      times: ordered.map((row) => (toTime(row.window_start) ?? 0) / 1000),
      series: [{ name: "Energy", unit: "kWh", isBars: true, values: ordered.map((row) => toNumber(row.energy_kwh)) }],
    };
  }, [energy.rows]);

  return (
    <>
      <div class="tiles">
        <Tile name="Chargers online" value={all ? `${figure(all.online)} of ${figure(all.chargers)}` : "–"}
          state={offline > 0 ? "warning" : "good"} href={spell("chargers")}
          note={all && toNumber(all.never) ? `${figure(all.never)} never seen` : `${figure(offline)} offline`} />
        <Tile name="Charging now" value={now ? figure(now.sessions) : "–"} note="sessions" href={spell("sessions")} />
        <Tile name="Power" value={now ? `${figure(now.power_kw, 1)} kW` : "–"} note="of all sessions" />
        <Tile name="Energy" value={now ? `${figure(now.energy_kwh, 1)} kWh` : "–"} note="in running sessions" />
        {outages.error === null && outages.rows[0] && (
          <Tile name="Grid outages" value={figure(outages.rows[0].open)} state={toNumber(outages.rows[0].open) ? "bad" : "good"}
            note={`${figure(outages.rows[0].customers ?? 0)} customers out`} href={spell("grid")} />
        )}
        <Tile name="Throughput" value={rate === undefined ? "…" : `${short(rate)}/s`} note="rows stored" href={spell("streams")} />
      </div>
      <Trouble of={running} needs="ocpp" />
      <div class="columns">
        <Part title="Alerts" tools={<a href={spell("alerts")}>all</a>}>
          <AlertList limit={8} />
        </Part>
        <Part title="Energy delivered">
          {drawn.times.length > 1
            ? <Chart label="Energy by quarter of an hour" times={drawn.times} series={drawn.series} height={210} />
            : <p class="empty">{once(energy, "No energy has been metered yet.")}</p>}
        </Part>
      </div>
      <div class="columns">
        <Part title="Sites">
          <Table label="sites" rows={sites.rows} maxRows={10} empty="No session runs." columns={[
            { name: "site" }, { name: "active_sessions", head: "sessions", isFigure: true, show: (value) => figure(value) },
            { name: "power_kw", head: "kW", isFigure: true, show: (value) => figure(value, 1) },
            { name: "energy_kwh", head: "kWh", isFigure: true, show: (value) => figure(value, 1) },
          ]} />
        </Part>
        <Part title="Connectors">
          <Table label="connector states" rows={states.rows} maxRows={10} empty="No connector has told its state." columns={[
            { name: "status", show: (value) => <State value={value} /> },
            { name: "connectors", isFigure: true, show: (value, row) => (
              <a href={spell("chargers", { state: plain(row.status) })}>{figure(value)}</a>
            ) },
          ]} />
        </Part>
      </div>
      <Panels />
    </>
  );
}
