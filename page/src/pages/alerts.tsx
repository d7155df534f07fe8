// Alerts through their life: what is open, what happened, and who took it.

import { useState } from "preact/hooks";
import { change, useAddress } from "../address";
import { Evidence, useAlerts } from "../alertlist";
import { Row, order } from "../api";
import { figure, moment, plain } from "../format";
import { useQuery } from "../live";
import { Part, State, Tile, Trouble, once } from "../parts";
import { Table } from "../table";

const EVENTS = `
SELECT event_id, alert_id, at, event, severity, title, rule, entity, who, comment
FROM voltstream.alert_events ORDER BY event_id DESC LIMIT 500`;
const history = (alert: string) => `
SELECT event_id, at, event, severity, who, comment FROM voltstream.alert_events
WHERE alert_id = ${Number(alert)} ORDER BY event_id`;

export function Alerts() {
  const { settings } = useAddress();
  const showsAll = settings.get("suppressed") === "1";
  const alerts = useAlerts(2000, showsAll ? "TRUE" : "suppressed_by IS NULL");
  const events = useQuery(EVENTS, { of: ["voltstream.alert_events"], everyMs: 5000 });
  const opened = settings.get("alert");
  const chosen = alerts.rows.find((row) => plain(row.alert_id) === opened);
  const count = (severity: string) => alerts.rows.filter((row) => row.severity === severity).length;
  const open = (row: Row) => change({ alert: plain(row.alert_id) === opened ? null : plain(row.alert_id) });

  return (
    <>
      <div class="tiles">
        <Tile name="Critical" value={once(alerts, figure(count("critical")))} state={count("critical") ? "bad" : "good"} />
        <Tile name="Error" value={once(alerts, figure(count("error")))} state={count("error") ? "bad" : "good"} />
        <Tile name="Warning" value={once(alerts, figure(count("warning")))} state={count("warning") ? "warning" : "good"} />
        <Tile name="Taken" value={figure(alerts.rows.filter((row) => row.acknowledged_at !== null).length)} note="somebody is at it" />
      </div>
      <Trouble of={alerts} />
      <Part title="Open" tools={
        <label><input type="checkbox" checked={showsAll} onChange={() => change({ suppressed: showsAll ? null : "1" })} /> also suppressed</label>
      }>
        <Table label="alerts" rows={alerts.rows} maxRows={14} keyOf={(row) => plain(row.alert_id)} onOpen={open} opened={opened}
          empty="Nothing needs anybody."
          columns={[
            { name: "title", head: "alert" }, { name: "entity", head: "about" },
            { name: "severity", show: (value) => <State value={value} /> }, { name: "rule" },
            { name: "opened_at", head: "since", show: (value) => moment(value) },
            { name: "acknowledged_by", head: "taken by" }, { name: "comment" },
            ...(showsAll ? [{ name: "suppressed_by", head: "suppressed by" }] : []),
          ]} />
        {chosen && <Chosen alert={chosen} onDone={() => { alerts.again(); events.again(); }} />}
      </Part>
      <Part title="What happened">
        <Table label="alert events" rows={events.rows} maxRows={14} keyOf={(row) => plain(row.event_id)} empty="Nothing yet." columns={[
          { name: "at", show: (value) => moment(value) }, { name: "event" }, { name: "title", head: "alert" },
          { name: "entity", head: "about" }, { name: "severity", show: (value) => <State value={value} /> },
          { name: "who" }, { name: "comment" },
        ]} />
      </Part>
    </>
  );
}

function Chosen({ alert, onDone }: { alert: Row; onDone: () => void }) {
  const id = plain(alert.alert_id);
  const [comment, setComment] = useState("");
  const [trouble, setTrouble] = useState("");
  const past = useQuery(history(id), { of: ["voltstream.alert_events"], everyMs: 5000 });
  const send = async (verb: string) => {
    try {
      await order(`/v1/alerts/${id}/${verb}`, comment ? { comment } : {});
      setComment("");
      setTrouble("");
      onDone();
    } catch (error) {
      setTrouble((error as Error).message);
    }
  };
  return (
    <div class="chosen">
      <p><b>{plain(alert.title)}</b> {plain(alert.entity)}</p>
      <Evidence details={alert.details} />
      <p class="tools">
        <input aria-label="Comment" placeholder="Comment" value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
        {alert.acknowledged_at === null
          ? <button onClick={() => void send("acknowledge")}>Acknowledge</button>
          : <button onClick={() => void send("unacknowledge")}>Give back</button>}
        <button disabled={comment === ""} onClick={() => void send("comment")}>Comment</button>
      </p>
      {trouble && <p class="trouble" role="alert">{trouble}</p>}
      <Table label={`history of alert ${id}`} rows={past.rows} maxRows={8} keyOf={(row) => plain(row.event_id)} columns={[
        { name: "at", show: (value) => moment(value) }, { name: "event" },
        { name: "severity", show: (value) => <State value={value} /> }, { name: "who" }, { name: "comment" },
      ]} />
    </div>
  );
}
