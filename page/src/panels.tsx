// What packs think worth watching: the panels of their manifests, asked while they are open.

import { change, useAddress } from "./address";
import { Picture, isFigure } from "./answer";
import { figure, moment, plain } from "./format";
import { useQuery } from "./live";
import { Part, Trouble } from "./parts";
import { Column, Table } from "./table";

const PANELS = `
SELECT p.pack, i.title AS pack_title, p.place, p.title, p.query, p.search_path
FROM public.installed_panels p JOIN public.installed_packs i ON i.pack = p.pack ORDER BY p.pack, p.place`;
const EVERY_MS = 5000;

export function Panels() {
  const { settings } = useAddress();
  const panels = useQuery(PANELS, { needs: ["installed_panels"], everyMs: 30_000 });
  const opened = settings.get("pack");
  const packs = [...new Map(panels.rows.map((row) => [plain(row.pack), plain(row.pack_title)]))];
  if (packs.length === 0) return null;
  return (
    <Part title="Panels of packs" tools={packs.map(([name, title]) => (
      <button aria-pressed={opened === name} onClick={() => change({ pack: opened === name ? null : name })}>{title}</button>
    ))}>
      {opened === null && <p class="soft">Choose a pack to see what it shows.</p>}
      <div class="columns">
        {panels.rows.filter((row) => row.pack === opened).map((row) => (
          <Panel key={`${plain(row.pack)} ${plain(row.place)}`} title={plain(row.title)} query={plain(row.query)} path={plain(row.search_path)} />
        ))}
      </div>
    </Part>
  );
}

/** Show figures and instants as people read them; the CSV has them exact. */
function columnOf(name: string, type: string | undefined): Column {
  if (isFigure(type)) return { name, isFigure: true, show: (value) => (value === null ? "" : figure(value, 3)) };
  return /timestamp/.test(type ?? "") ? { name, show: (value) => (value === null ? "" : moment(value)) } : { name };
}

function Panel({ title, query, path }: { title: string; query: string; path: string }) {
  const found = useQuery(query, { everyMs: EVERY_MS, searchPath: path });
  return (
    <div class="panel">
      <h3>{title}</h3>
      <Trouble of={found} />
      {found.answer && <Picture answer={found.answer} rows={found.rows} label={title} />}
      {found.answer && (
        <Table label={title} rows={found.rows} maxRows={8} keyOf={(row) => String(found.rows.indexOf(row))} empty="Nothing to show."
          columns={found.answer.names.map((name, i) => columnOf(name, found.answer!.types[i]))} />
      )}
    </div>
  );
}
