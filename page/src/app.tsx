// The frame: where one is, whether what is seen is fresh, and the page itself.

import { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { spell, useAddress } from "./address";
import { figure, moment, toTime } from "./format";
import { useQuery } from "./live";
import { Alerts } from "./pages/alerts";
import { Chargers } from "./pages/chargers";
import { Grid } from "./pages/grid";
import { Overview } from "./pages/overview";
import { Sessions } from "./pages/sessions";
import { Sql } from "./pages/sql";
import { Storage } from "./pages/storage";
import { Streams } from "./pages/streams";
import { choose, useTheme } from "./theme";

const PAGES: Record<string, { title: string; show: FunctionComponent }> = {
  overview: { title: "Overview", show: Overview },
  chargers: { title: "Chargers", show: Chargers },
  sessions: { title: "Sessions", show: Sessions },
  grid: { title: "Grid", show: Grid },
  alerts: { title: "Alerts", show: Alerts },
  streams: { title: "Streams", show: Streams },
  storage: { title: "Storage", show: Storage },
  sql: { title: "SQL", show: Sql },
};

const NOW_MS = 120_000;

function Freshness() {
  const epochs = useQuery("SELECT epoch, now FROM rw_catalog.rw_epochs", { everyMs: 1000 });
  if (epochs.error !== null) {
    return <span class="fresh bad" role="status">not connected: {epochs.error.message}</span>;
  }
  const [last] = epochs.rows;
  const at = last && Number(last.epoch) > 0 ? toTime(last.now) : null;
  if (at === null) return <span class="fresh" role="status">{epochs.isLoading ? "connecting …" : "connected"}</span>;
  // A replay has a clock of its own, and an idle server makes no epochs: the reader is told where it stands.
  const isNow = Math.abs(Date.now() - at) < NOW_MS;
  return (
    <span class="fresh" role="status" title={`epoch ${figure(last!.epoch)}`}>
      {isNow ? "live" : `as of ${moment(last!.now)}`}
    </span>
  );
}

export function App() {
  const address = useAddress();
  const theme = useTheme();
  const names = Object.keys(PAGES);
  const shown = PAGES[address.page] ?? PAGES.overview!;

  useEffect(() => {
    document.title = `${shown.title} · Voltstream`;
  }, [shown]);
  useEffect(() => {
    // g then a digit would surprise; Alt with a digit is free in every browser on the page itself.
    const press = (event: KeyboardEvent) => {
      const name = names[Number(event.key) - 1];
      if (event.altKey && name !== undefined) {
        event.preventDefault();
        location.hash = spell(name);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  return (
    <>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>
        Skip to content
      </a>
      <nav aria-label="Pages">
        <a class="brand" href={spell("overview")}>Voltstream</a>
        {names.map((name, i) => (
          <a href={spell(name)} aria-current={PAGES[name] === shown ? "page" : undefined} title={`Alt+${i + 1}`}>
            {PAGES[name]!.title}
          </a>
        ))}
        <span class="rest" />
        <Freshness />
        <button class="quiet" onClick={() => choose(theme === "dark" ? "light" : "dark")} aria-label={`Show in ${theme === "dark" ? "light" : "dark"}`}>
          {theme === "dark" ? "☀" : "☾"}
        </button>
      </nav>
      <main id="content" tabIndex={-1}>
        <h1 class="only-read">{shown.title}</h1>
        <shown.show key={address.page} />
      </main>
    </>
  );
}
