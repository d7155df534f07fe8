// Ask anything: an editor with completion, answers as table and chart, plans as pictures.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { spell, useAddress } from "../address";
import { Picture, isFigure } from "../answer";
import { Answer, Refused, Row, ask, records } from "../api";
import { lasting, plain } from "../format";
import { Box, Graph, Line } from "../graph";
import { useQuery } from "../live";
import { Part } from "../parts";
import { Table } from "../table";

const KEPT = "voltstream.queries";
const KEPT_MAX = 30;
const FIRST = "SELECT name, schema, kind, rows, bytes\nFROM rw_catalog.rw_state_sizes\nORDER BY bytes DESC";
const WORDS = "SELECT FROM WHERE GROUP BY ORDER BY LIMIT JOIN LEFT JOIN ON HAVING AS AND OR NOT IN IS NULL DISTINCT COUNT SUM AVG MIN MAX CASE WHEN THEN ELSE END INTERVAL EXPLAIN".split(" ");

interface Told {
  answer: Answer | null;
  error: Error | null;
  ms: number;
  sql: string;
}

const keptQueries = (): string[] => {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]") as string[];
  } catch {
    return [];
  }
};

export function Sql() {
  const { settings } = useAddress();
  const [text, setText] = useState(settings.get("q") ?? FIRST);
  const [told, setTold] = useState<Told | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [kept, setKept] = useState(keptQueries);
  const names = useQuery(
    `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, ordinal_position`,
    { everyMs: 60_000 },
  );

  const run = async (sql: string) => {
    if (sql.trim() === "") return;
    history.replaceState(null, "", spell("sql", { q: sql, run: "1" }));
    setAsking(true);
    const started = performance.now();
    try {
      const answer = await ask(sql);
      setTold({ answer, error: null, ms: performance.now() - started, sql });
      const all = [sql, ...kept.filter((one) => one !== sql)].slice(0, KEPT_MAX);
      setKept(all);
      localStorage.setItem(KEPT, JSON.stringify(all));
    } catch (error) {
      setTold({ answer: null, error: error as Error, ms: performance.now() - started, sql });
    }
    setAsking(false);
  };
  const linked = settings.get("q");
  useEffect(() => {
    if (linked === null) return;
    setText(linked);
    if (settings.get("run") === "1") void run(linked);
  }, [linked]);

  return (
    <div class="sql">
      <Part title="Query" tools={
        <>
          <select aria-label="Queries asked before" onChange={(event) => event.currentTarget.value && setText(event.currentTarget.value)}>
            <option value="">History</option>
            {kept.map((sql) => <option value={sql}>{sql.replaceAll(/\s+/g, " ").slice(0, 80)}</option>)}
          </select>
          <button onClick={() => void navigator.clipboard.writeText(location.origin + location.pathname + spell("sql", { q: text, run: "1" }))}>Copy link</button>
          <button onClick={() => void run(`EXPLAIN ${text.trim().replace(/^EXPLAIN\s+/i, "").replace(/;\s*$/, "")}`)}>Explain</button>
          <button class="main" onClick={() => void run(text)} disabled={isAsking} title="Ctrl+Enter">{isAsking ? "Asking …" : "Run"}</button>
        </>
      }>
        <Editor text={text} onText={setText} onRun={() => void run(text)} columns={names.rows} />
      </Part>
      {told && <Outcome told={told} />}
    </div>
  );
}

function Editor(props: { text: string; onText: (text: string) => void; onRun: () => void; columns: Row[] }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [offers, setOffers] = useState<string[]>([]);
  const [at, setAt] = useState(0);
  const vocabulary = useMemo(() => {
    const all = new Set<string>();
    for (const row of props.columns) {
      all.add(plain(row.table_name));
      all.add(plain(row.column_name));
    }
    return [...all].sort().concat(WORDS);
  }, [props.columns]);

  const wordBefore = (): string => {
    const place = area.current?.selectionStart ?? 0;
    return /[\w.]*$/.exec(props.text.slice(0, place))?.[0].split(".").at(-1) ?? "";
  };
  const offer = (isForced: boolean) => {
    const start = wordBefore().toLowerCase();
    const found = isForced || start.length >= 2
      ? vocabulary.filter((word) => word.toLowerCase().startsWith(start) && word.toLowerCase() !== start).slice(0, 8)
      : [];
    setOffers(found);
    setAt(0);
  };
  const take = (word: string) => {
    const element = area.current;
    if (element === null) return;
    const place = element.selectionStart;
    const start = place - wordBefore().length;
    props.onText(props.text.slice(0, start) + word + props.text.slice(place));
    setOffers([]);
    requestAnimationFrame(() => {
      element.focus();
      element.setSelectionRange(start + word.length, start + word.length);
    });
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      setOffers([]);
      props.onRun();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      offer(true);
    } else if (offers.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : offers.length - 1)) % offers.length);
    } else if (offers.length > 0 && (event.key === "Tab" || event.key === "Enter")) {
      event.preventDefault();
      take(offers[at] ?? "");
    } else if (event.key === "Escape") setOffers([]);
  };
  return (
    <div class="editor">
      <textarea
        ref={area}
        rows={Math.min(18, Math.max(5, props.text.split("\n").length + 1))}
        spellcheck={false}
        aria-label="SQL"
        aria-describedby="sql-keys"
        value={props.text}
        onInput={(event) => {
          props.onText(event.currentTarget.value);
          requestAnimationFrame(() => offer(false));
        }}
        onKeyDown={press}
        onBlur={() => setTimeout(() => setOffers([]), 150)}
      />
      {offers.length > 0 && (
        <ul class="offers" aria-label="Completions">
          {offers.map((word, i) => (
            <li><button tabIndex={-1} class={i === at ? "at" : ""} onMouseDown={(event) => { event.preventDefault(); take(word); }}>{word}</button></li>
          ))}
        </ul>
      )}
      <p class="soft" id="sql-keys">Ctrl+Enter runs, Ctrl+Space completes. Queries only read.</p>
    </div>
  );
}

function Outcome({ told }: { told: Told }) {
  if (told.error !== null) {
    const position = told.error instanceof Refused ? told.error.position : null;
    return (
      <div class="trouble" role="alert">
        <p><b>{told.error instanceof Refused ? told.error.code : "Error"}</b> {told.error.message}</p>
        {position !== null && <pre>{told.sql.slice(Math.max(0, position - 40), position + 40)}{"\n"}{" ".repeat(Math.min(40, Math.max(0, position - 1)))}^</pre>}
        {told.error instanceof Refused && told.error.hint && <p>{told.error.hint}</p>}
      </div>
    );
  }
  const answer = told.answer;
  if (answer === null) return null;
  const rows = records(answer);
  const isPlan = /^\s*explain\b/i.test(told.sql);
  return (
    <Part title="Answer" tools={<span class="soft">{rows.length.toLocaleString("en")} rows{answer.truncated ? ", cut off there" : ""}, {lasting(told.ms)}</span>}>
      {isPlan ? <Plan lines={answer.rows.map((row) => plain(row[0]))} /> : <Picture answer={answer} rows={rows} />}
      {isPlan ? <pre class="scroll" tabIndex={0} role="region" aria-label="answer">{answer.rows.map((row) => plain(row[0])).join("\n")}</pre> : <Table label="answer" rows={rows} maxRows={20} keyOf={(row) => String(rows.indexOf(row))}
        columns={answer.names.map((name, i) => ({ name, isFigure: isFigure(answer.types[i]) }))} />}
    </Part>
  );
}

const FACT = 29; // Characters of a line in a box.
const FACTS_MAX = 4;

function folded(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < FACT) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.length > FACTS_MAX ? [...lines.slice(0, FACTS_MAX - 1), "…"] : lines;
}

/** A plan is text indented by depth; what is deeper flows into what it stands below. */
export function planOf(lines: string[]): { boxes: Box[]; lines: Line[] } {
  const boxes: Box[] = [];
  const flows: Line[] = [];
  const path: { depth: number; id: string }[] = [];
  lines.flatMap((text) => text.split("\n")).forEach((text, i) => {
    const name = text.replace(/^[\s│├└─>-]+/, "");
    if (name === "") return;
    const depth = text.length - name.length;
    const id = String(i);
    // What an operator is comes in plain words; what it does follows, from the first name or condition on.
    const head = /^[A-Z][a-z]*(?: (?!on\b|by\b)[a-z]+(?![\w.]*[._(="]))*/.exec(name)?.[0] ?? name.slice(0, 20);
    boxes.push({ id, kind: "view", name: head.trim(), lines: folded(name.slice(head.length).trim()) });
    while (path.length > 0 && path.at(-1)!.depth >= depth) path.pop();
    const above = path.at(-1);
    if (above) flows.push({ from: id, to: above.id });
    path.push({ depth, id });
  });
  return { boxes, lines: flows };
}

function Plan({ lines }: { lines: string[] }) {
  const { boxes, lines: flows } = useMemo(() => planOf(lines), [lines.join("\n")]);
  return <Graph label="Plan" boxes={boxes} lines={flows} />;
}
