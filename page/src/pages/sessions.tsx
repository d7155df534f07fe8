// Charging sessions: what runs, what ended, whether the figures agree, and the sealed records.

import { useMemo, useState } from "preact/hooks";
import { change, spell, useAddress } from "../address";
import { Row, get, literal } from "../api";
import { Chart } from "../chart";
import { figure, lasting, moment, plain, toNumber, toTime } from "../format";
import { useQuery } from "../live";
import { Part, State, Tile, Trouble, once } from "../parts";
import { Reconciliation } from "../reconciliation";
import { Table } from "../table";

const RUNNING = `
SELECT charge_point_id, connector_id, transaction_id, id_tag, started_at, energy_wh, power_w, power_expected_w,
       soc_percent, charging_state
FROM active_sessions ORDER BY power_w DESC NULLS LAST LIMIT 5000`;
const ENDED = `
SELECT f.charge_point_id, f.connector_id, f.transaction_id, f.id_tag, f.started_at, f.stopped_at, f.duration_s,
       f.energy_wh, f.stop_reason, b.billed_wh, b.meter_wh, b.delta_wh, b.power_wh, b.difference, b.outcome
FROM finished_sessions f
LEFT JOIN billing_reconciliation b
  ON b.charge_point_id = f.charge_point_id AND b.transaction_id = f.transaction_id
ORDER BY f.stopped_at DESC NULLS LAST LIMIT 2000`;
const LEDGER = `
SELECT chain_no, cdr_id, version, charge_point_id, transaction_id, started_at, stopped_at, energy_wh, energy_basis, outcome, completeness, issued_at, hash
FROM current_charge_detail_records ORDER BY chain_no DESC LIMIT 500`;
const OUTCOMES = "SELECT outcome, difference, count(*) AS sessions FROM billing_reconciliation GROUP BY outcome, difference ORDER BY sessions DESC";

const keyOf = (row: Row) => `${plain(row.charge_point_id)}/${plain(row.transaction_id)}`;

export function Sessions() {
  const { settings } = useAddress();
  const running = useQuery(RUNNING, { of: ["active_sessions"], everyMs: 5000 });
  const ended = useQuery(ENDED, { of: ["sessions", "billing_reconciliation"], everyMs: 10_000 });
  const outcomes = useQuery(OUTCOMES, { of: ["billing_reconciliation"], everyMs: 10_000 });
  const ledger = useQuery(LEDGER, { needs: ["current_charge_detail_records"], everyMs: 10_000 });
  const opened = settings.get("session");
  const open = (row: Row) => change({ session: keyOf(row) === opened ? null : keyOf(row) });
  const chosen = [...running.rows, ...ended.rows].find((row) => keyOf(row) === opened);
  const sum = (name: string) => outcomes.rows.filter((row) => row.outcome === name).reduce((all, row) => all + Number(row.sessions), 0);
  const power = running.rows.reduce((all, row) => all + (toNumber(row.power_w) ?? 0), 0);

  return (
    <>
      <div class="tiles">
        <Tile name="Running" value={once(running, figure(running.rows.length))} note={`${figure(power / 1000, 1)} kW`} />
        <Tile name="Matched" value={once(outcomes, figure(sum("MATCHED")))} state="good" note="boundaries, steps and power agree" />
        <Tile name="Minor differences" value={once(outcomes, figure(sum("MINOR")))} state={sum("MINOR") ? "warning" : ""} />
        <Tile name="Disputed" value={once(outcomes, figure(sum("DISPUTED")))} state={sum("DISPUTED") ? "bad" : "good"} />
        <Tile name="Sealed records" value={ledger.answer ? figure(ledger.rows.length) + (ledger.rows.length >= 500 ? "+" : "") : "–"} note="charge detail records" />
      </div>
      <Trouble of={running} needs="ocpp" />
      {chosen && <Chosen session={chosen} />}
      <Part title="Running now">
        <Table label="running sessions" rows={running.rows} maxRows={12} keyOf={keyOf} onOpen={open} opened={opened} empty="No session runs."
          columns={[
            { name: "charge_point_id", head: "charger" }, { name: "connector_id", head: "connector", isFigure: true },
            { name: "transaction_id", head: "transaction" }, { name: "id_tag", head: "token" },
            { name: "started_at", head: "since", show: (value) => moment(value) },
            { name: "energy_wh", head: "kWh", isFigure: true, show: (value) => figure((toNumber(value) ?? 0) / 1000, 2) },
            { name: "power_w", head: "kW", isFigure: true, show: (value) => (value === null ? "–" : figure(Number(value) / 1000, 1)) },
            { name: "soc_percent", head: "charge", isFigure: true, show: (value) => (value === null ? "–" : `${figure(value)} %`) },
            { name: "charging_state", head: "state", show: (value) => <State value={value} /> },
          ]} />
      </Part>
      {running.error === null && (
        <Part title="Reconciliation">
          <Reconciliation rows={ended.rows} opened={opened} keyOf={keyOf} onOpen={open} />
        </Part>
      )}
      <Part title="Ended">
        <Table label="ended sessions" rows={ended.rows} maxRows={14} keyOf={keyOf} onOpen={open} opened={opened} empty="No session has ended yet."
          columns={[
            { name: "charge_point_id", head: "charger" }, { name: "transaction_id", head: "transaction" },
            { name: "stopped_at", head: "ended", show: (value) => moment(value) },
            { name: "duration_s", head: "lasted", isFigure: true, show: (value) => lasting(value === null ? null : Number(value) * 1000) },
            { name: "energy_wh", head: "kWh", isFigure: true, show: (value) => (value === null ? "–" : figure(Number(value) / 1000, 2)) },
            { name: "stop_reason", head: "reason" },
            { name: "outcome", show: (value) => <State value={value} /> }, { name: "difference" },
          ]} />
      </Part>
      <Part title="Charge detail records" tools={<Ledger isThere={ledger.answer !== null} />}>
        <Table label="charge detail records" rows={ledger.rows} maxRows={10} keyOf={(row) => plain(row.cdr_id)} empty="No record is sealed yet: the gateway seals one when a session has ended."
          columns={(ledger.answer?.names ?? ["cdr_id"]).map((name) => ({ name }))} />
      </Part>
    </>
  );
}

interface Verdict {
  records: number;
  holds: boolean;
  head: string;
  breaks: { chain_no: number; cdr_id: string; reason: string }[];
}

/** Prove the chain, and take the records away as other systems read them. */
function Ledger({ isThere }: { isThere: boolean }) {
  const [told, setTold] = useState("");
  if (!isThere) return null;
  const verify = async () => {
    setTold("reading every record …");
    try {
      const found = (await get("/v1/ledger")) as Verdict;
      const [first] = found.breaks;
      setTold(found.holds
        ? `${found.records.toLocaleString("en")} records, the chain holds; head ${found.head.slice(0, 12)}…`
        : `broken in ${found.breaks.length} places, first at record ${first?.chain_no}: ${first?.reason}`);
    } catch (error) {
      setTold((error as Error).message);
    }
  };
  return (
    <>
      <span role="status" class="soft">{told}</span>
      <button onClick={() => void verify()}>Verify the chain</button>
      <a class="button" href="/v1/ledger/export?format=csv" download>CSV</a>
      <a class="button" href="/v1/ledger/export?format=ocpi-2.2.1" download>OCPI 2.2.1</a>
      <a class="button" href="/v1/ledger/export?format=ocpi-2.3" download>OCPI 2.3</a>
    </>
  );
}

/** Show one session: its energy three ways as bars, and its power over time. */
function Chosen({ session }: { session: Row }) {
  const from = `charge_point_id = ${literal(plain(session.charge_point_id))} AND transaction_id = ${literal(plain(session.transaction_id))}`;
  const samples = useQuery(
    `SELECT event_ts, measurand, value_si FROM charger_readings
     WHERE ${from} AND phase IS NULL AND measurand IN ('Power.Active.Import', 'Energy.Active.Import.Register', 'SoC')
     ORDER BY event_ts LIMIT 9000`,
    { everyMs: 5000 },
  );
  const drawn = useMemo(() => {
    const times = [...new Set(samples.rows.map((row) => toTime(row.event_ts)))].filter((at) => at !== null).sort((a, b) => a - b);
    const place = new Map(times.map((at, i) => [at, i]));
    const values = (measurand: string, by: number) => {
      const all: (number | null)[] = times.map(() => null);
      for (const row of samples.rows) {
        const at = place.get(toTime(row.event_ts) ?? -1);
        const value = toNumber(row.value_si);
        if (row.measurand === measurand && at !== undefined && value !== null) all[at] = value / by;
      }
      return all;
    };
    return {
      times: times.map((at) => at / 1000),
      series: [
        { name: "Power", unit: "kW", isFilled: true, values: values("Power.Active.Import", 1000) },
        { name: "Register", unit: "kWh", isDashed: true, values: values("Energy.Active.Import.Register", 1000) },
        { name: "Battery", unit: "%", values: values("SoC", 1) },
      ].filter((one) => one.values.some((value) => value !== null)),
    };
  }, [samples.rows]);
  const bars = [
    ["billed", session.billed_wh], ["meter, stop less start", session.meter_wh], ["sum of steps", session.delta_wh], ["integral of power", session.power_wh],
  ].filter(([, value]) => toNumber(value) !== null) as [string, unknown][];
  const most = Math.max(1, ...bars.map(([, value]) => toNumber(value) ?? 0));
  return (
    <Part title={`Session ${plain(session.transaction_id)} on ${plain(session.charge_point_id)}`}
      tools={<a href={spell("chargers", { id: plain(session.charge_point_id) })}>charger</a>}>
      {bars.length > 0 && (
        <table class="bars" aria-label="Energy by each way of counting">
          {bars.map(([name, value]) => (
            <tr>
              <th scope="row">{name}</th>
              <td><meter min={0} max={most} value={toNumber(value) ?? 0} /></td>
              <td class="figure">{figure((toNumber(value) ?? 0) / 1000, 3)} kWh</td>
            </tr>
          ))}
        </table>
      )}
      {session.difference && session.difference !== "NONE" ? <p>Difference: <b>{plain(session.difference)}</b></p> : null}
      {drawn.times.length > 1 ? <Chart label="Power and energy" times={drawn.times} series={drawn.series} height={220} /> : <p class="empty">{once(samples, "No samples are kept of this session.")}</p>}
    </Part>
  );
}
