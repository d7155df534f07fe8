// Open alerts, worst first; pressing one shows its evidence and what can be done.

import { useState } from "preact/hooks";
import { Row } from "./api";
import { ago, moment, plain } from "./format";
import { Result, useQuery } from "./live";
import { State, Trouble } from "./parts";
import { Table } from "./table";

const ORDER = "CASE severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END";
const OPEN = `
SELECT alert_id, severity, title, rule, entity, opened_at, updated_at, acknowledged_at, acknowledged_by,
       comment, suppressed_by, details
FROM voltstream.alerts`;

export function useAlerts(limit: number, where = "TRUE"): Result {
  return useQuery(`${OPEN} WHERE ${where} ORDER BY ${ORDER}, opened_at DESC LIMIT ${limit}`, {
    of: ["voltstream.alerts"], everyMs: 5000,
  });
}

export function AlertList({ limit, onOpen }: { limit: number; onOpen?: (row: Row) => void }) {
  const alerts = useAlerts(limit, "suppressed_by IS NULL");
  const [opened, setOpened] = useState<string | null>(null);
  const open = onOpen ?? ((row: Row) => setOpened(opened === plain(row.alert_id) ? null : plain(row.alert_id)));
  const shown = alerts.rows.find((row) => plain(row.alert_id) === opened);
  return (
    <>
      <Trouble of={alerts} />
      <Table label="open alerts" rows={alerts.rows} maxRows={Math.max(4, limit)} keyOf={(row) => plain(row.alert_id)} onOpen={open} opened={opened}
        empty="Nothing needs anybody."
        columns={[
          { name: "title", head: "alert" },
          { name: "entity", head: "about" },
          { name: "severity", show: (value) => <State value={value} /> },
          { name: "opened_at", head: "since", show: (value) => <span title={ago(value)}>{moment(value)}</span> },
          { name: "acknowledged_by", head: "taken by" },
        ]} />
      {shown && <Evidence details={shown.details} />}
    </>
  );
}

export function Evidence({ details }: { details: unknown }) {
  const facts = typeof details === "string" ? (JSON.parse(details) as Record<string, unknown>) : (details as Record<string, unknown> | null);
  if (!facts) return null;
  return (
    <dl class="facts chosen">
      {Object.entries(facts).map(([name, value]) => [<dt>{name.replaceAll("_", " ")}</dt>, <dd>{plain(value)}</dd>])}
    </dl>
  );
}
