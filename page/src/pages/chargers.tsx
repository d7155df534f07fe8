// Every charger: where it stands, what its connectors do, what it said, and what it can be told.

import { useMemo, useRef, useState } from "preact/hooks";
import { change, spell, useAddress } from "../address";
import { Row, literal, order } from "../api";
import { Chart } from "../chart";
import { ago, figure, moment, plain, toNumber, toTime } from "../format";
import { useQuery } from "../live";
import { Part, State, Tile, Trouble, once } from "../parts";
import { Table } from "../table";
import { Span, Timeline } from "../timeline";

const LIMIT = 10_000;
const FLEET = `
SELECT l.charge_point_id, l.site, CASE WHEN l.offline_from > now() THEN 'online' ELSE 'offline' END AS link,
       l.last_seen_at, b.vendor, b.model, b.firmware_version, b.ocpp_version, k.states, s.power_kw
FROM charge_point_liveness l
LEFT JOIN (
  SELECT DISTINCT ON (charge_point_id) charge_point_id, vendor, model, firmware_version, ocpp_version
  FROM charge_point_registry WHERE valid_to IS NULL ORDER BY charge_point_id, valid_from DESC
) b ON b.charge_point_id = l.charge_point_id
LEFT JOIN (
  SELECT charge_point_id, string_agg(status, ', ' ORDER BY evse_id, connector_id) AS states
  FROM connector_state WHERE connector_id > 0 GROUP BY charge_point_id
) k ON k.charge_point_id = l.charge_point_id
LEFT JOIN (
  SELECT charge_point_id, sum(power_w) / 1000.0 AS power_kw FROM active_sessions GROUP BY charge_point_id
) s ON s.charge_point_id = l.charge_point_id
ORDER BY l.charge_point_id LIMIT ${LIMIT}`;

const STATE_COLOURS: Record<string, string> = {
  Available: "--series-2", Charging: "--series-1", Occupied: "--series-1", Preparing: "--series-6", Finishing: "--series-6",
  SuspendedEV: "--series-5", SuspendedEVSE: "--series-5", Reserved: "--series-4", Unavailable: "--series-5",
  Faulted: "--series-3", Offline: "--series-3", Unknown: "--neutral",
};

export function Chargers() {
  const { settings } = useAddress();
  const fleet = useQuery(FLEET, { of: ["charge_point_liveness", "connector_state", "active_sessions"], everyMs: 10_000 });
  const id = settings.get("id");
  const state = settings.get("state");
  const rows = useMemo(
    () => fleet.rows.filter((row) => state === null || plain(row.states).split(", ").includes(state) || row.link === state),
    [fleet.rows, state],
  );
  const count = (link: string) => fleet.rows.filter((row) => row.link === link).length;
  return (
    <>
      <div class="tiles">
        <Tile name="Chargers" value={once(fleet, figure(fleet.rows.length))} note={fleet.rows.length === LIMIT ? "and more" : "expected"} />
        <Tile name="Online" value={once(fleet, figure(count("online")))} state="good" href={spell("chargers", { state: "online" })} />
        <Tile name="Offline" value={once(fleet, figure(count("offline")))} state={count("offline") ? "bad" : "good"} href={spell("chargers", { state: "offline" })} />
        <Tile name="Charging" value={once(fleet, figure(fleet.rows.filter((row) => row.power_kw !== null).length))}
          note={`${figure(fleet.rows.reduce((sum, row) => sum + (toNumber(row.power_kw) ?? 0), 0), 1)} kW`} />
      </div>
      <Trouble of={fleet} needs="ocpp" />
      {id !== null && <Charger id={id} />}
      <Part title="Fleet" tools={state && <button onClick={() => change({ state: null })}>{state} ✕<span class="only-read"> show all again</span></button>}>
        <Table label="chargers" rows={rows} maxRows={18} opened={id} onOpen={(row) => change({ id: plain(row.charge_point_id) }, true)}
          empty="No charger is expected: insert them into charge_points, or point one at this server."
          columns={[
            { name: "charge_point_id", head: "charger" }, { name: "site" },
            { name: "link", show: (value) => <State value={value} /> }, { name: "states", head: "connectors" },
            { name: "power_kw", head: "kW", isFigure: true, show: (value) => (value === null ? "" : figure(value, 1)) },
            { name: "last_seen_at", head: "last seen", show: (value) => <span title={ago(value)}>{moment(value)}</span> },
            { name: "vendor" }, { name: "model" }, { name: "firmware_version", head: "firmware" }, { name: "ocpp_version", head: "OCPP" },
          ]} />
      </Part>
    </>
  );
}

function Charger({ id }: { id: string }) {
  const from = `charge_point_id = ${literal(id)}`;
  const connectors = useQuery(
    `SELECT evse_id, connector_id, status, error_code, vendor_error_code, since FROM connector_state WHERE ${from} ORDER BY evse_id, connector_id`,
    { of: ["connector_state"] },
  );
  const states = useQuery(
    `SELECT evse_id, connector_id, state, valid_from, valid_to, now() AS at FROM connector_timeline
     WHERE ${from} AND (valid_to IS NULL OR valid_to > now() - INTERVAL '24 hours') ORDER BY valid_from LIMIT 5000`,
    { of: ["connector_timeline"], everyMs: 30_000 },
  );
  const readings = useQuery(
    `SELECT connector_id, measurand, value_si, event_ts FROM charger_readings
     WHERE ${from} AND phase IS NULL AND measurand IN ('Power.Active.Import', 'SoC') ORDER BY event_ts DESC LIMIT 2000`,
    { everyMs: 5000 },
  );
  const frames = useQuery(
    `SELECT received_ts, direction, action, error_code, frame, reply FROM charger_frames WHERE ${from} ORDER BY received_ts DESC LIMIT 100`,
    { everyMs: 5000 },
  );
  const now = toTime(states.rows[0]?.at) ?? Date.now();
  const spans = useMemo(() => states.rows.map((row): Span => ({
    lane: `connector ${plain(row.evse_id)}/${plain(row.connector_id)}`, state: plain(row.state),
    from: toTime(row.valid_from) ?? 0, to: toTime(row.valid_to) ?? now,
  })), [states.rows]);
  const drawn = useMemo(() => draw(readings.rows), [readings.rows]);

  return (
    <Part title={`Charger ${id}`} tools={
      <>
        <Commands id={id} />
        <button onClick={() => change({ id: null })}>Close</button>
      </>
    }>
      {spans.length > 0 && <Timeline label="States of 24 hours" spans={spans} from={now - 86_400_000} to={now} colours={STATE_COLOURS} />}
      <div class="columns">
        <div>
          <h3>Connectors</h3>
          <Table label={`connectors of ${id}`} rows={connectors.rows} maxRows={8} empty="None has told its state."
            keyOf={(row) => `${plain(row.evse_id)}/${plain(row.connector_id)}`}
            columns={[
              { name: "evse_id", head: "EVSE", isFigure: true }, { name: "connector_id", head: "connector", isFigure: true },
              { name: "status", show: (value) => <State value={value} /> }, { name: "error_code", head: "error" },
              { name: "since", show: (value) => moment(value) },
            ]} />
        </div>
        <div>
          {drawn.times.length > 1
            ? <Chart label="Power and battery" times={drawn.times} series={drawn.series} height={200} />
            : <p class="empty">{once(readings, "No samples of power.")}</p>}
        </div>
      </div>
      <h3>Messages</h3>
      <Table label={`messages of ${id}`} rows={frames.rows} maxRows={8} keyOf={(row) => `${plain(row.received_ts)} ${plain(row.frame).length}`}
        empty="None was received through the gateway."
        columns={(frames.answer?.names ?? ["received_ts"]).map((name) => ({
          name, ...(name.endsWith("_ts") ? { show: (value: unknown) => moment(value) } : {}),
        }))} />
    </Part>
  );
}

function draw(rows: Row[]) {
  const ordered = [...rows].reverse();
  const times = [...new Set(ordered.map((row) => toTime(row.event_ts)))].filter((at) => at !== null).sort((a, b) => a - b);
  const place = new Map(times.map((at, i) => [at, i]));
  const lines = new Map<string, { name: string; unit: string; values: (number | null)[] }>();
  for (const row of ordered) {
    const isPower = row.measurand === "Power.Active.Import";
    const name = `${isPower ? "power" : "battery"} ${plain(row.connector_id)}`;
    const line = lines.get(name) ?? { name, unit: isPower ? "kW" : "%", values: times.map(() => null) };
    const at = place.get(toTime(row.event_ts) ?? -1);
    const value = toNumber(row.value_si);
    if (at !== undefined && value !== null) line.values[at] = isPower ? value / 1000 : value;
    lines.set(name, line);
  }
  return { times: times.map((at) => at / 1000), series: [...lines.values()] };
}

interface Command {
  name: string;
  says: string;
  asks: { name: string; initial: string }[];
}

const COMMANDS: Command[] = [
  { name: "remote_start", says: "Start a session", asks: [{ name: "token", initial: "" }, { name: "connector", initial: "1" }] },
  { name: "remote_stop", says: "Stop a session", asks: [{ name: "transaction", initial: "" }] },
  { name: "unlock", says: "Unlock a connector", asks: [{ name: "connector", initial: "1" }] },
  { name: "change_availability", says: "Change availability", asks: [{ name: "connector", initial: "0" }, { name: "type", initial: "Inoperative" }] },
  { name: "trigger", says: "Ask for a message", asks: [{ name: "message", initial: "StatusNotification" }] },
  { name: "reset", says: "Restart the charger", asks: [{ name: "type", initial: "Soft" }] },
  { name: "clear_cache", says: "Forget cached tokens", asks: [] },
];

function Commands({ id }: { id: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [command, setCommand] = useState<Command | null>(null);
  const [values, setValues] = useState<string[]>([]);
  const [told, setTold] = useState("");
  const choose = (name: string) => {
    const found = COMMANDS.find((one) => one.name === name) ?? null;
    setCommand(found);
    setValues(found?.asks.map((ask) => ask.initial) ?? []);
    setTold("");
    if (found) dialog.current?.showModal();
  };
  const send = async () => {
    if (!command) return;
    setTold("waiting for the charger …");
    try {
      const answer = await order(`/v1/chargers/${encodeURIComponent(id)}/${command.name}`, values.filter((value) => value !== ""));
      setTold(JSON.stringify(answer));
    } catch (error) {
      setTold((error as Error).message);
    }
  };
  return (
    <>
      <select aria-label={`Command to ${id}`} value="" onChange={(event) => { choose(event.currentTarget.value); event.currentTarget.value = ""; }}>
        <option value="">Command …</option>
        {COMMANDS.map((one) => <option value={one.name}>{one.says}</option>)}
      </select>
      <dialog ref={dialog} aria-label={command?.says ?? "Command"}>
        <h2>{command?.says}</h2>
        <p>This goes to charger <b>{id}</b> at once.</p>
        {command?.asks.map((ask, i) => (
          <p key={ask.name}>
            <label>{ask.name} <input value={values[i] ?? ""} onInput={(event) => setValues(values.map((old, at) => (at === i ? event.currentTarget.value : old)))} /></label>
          </p>
        ))}
        {told && <p role="status" class="mono">{told}</p>}
        <p class="tools">
          <button class="danger" onClick={() => void send()}>Send</button>
          <button onClick={() => dialog.current?.close()}>Close</button>
        </p>
      </dialog>
    </>
  );
}
