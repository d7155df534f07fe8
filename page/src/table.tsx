// A table of any length: only the rows in sight are in the document.

import { ComponentChildren } from "preact";
import { useMemo, useRef, useState, useEffect } from "preact/hooks";
import { NOT_YET, Row } from "./api";
import { plain, toNumber } from "./format";
import { saveText } from "./save";

export interface Column {
  name: string;
  head?: string;
  isFigure?: boolean;
  width?: string;
  show?: (value: unknown, row: Row) => ComponentChildren;
  /** What the row is sorted and searched by, where it is not the value itself. */
  by?: (row: Row) => unknown;
}

interface Options {
  columns: Column[];
  rows: Row[];
  label: string;
  keyOf?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  opened?: string | null;
  empty?: ComponentChildren;
  sortBy?: string;
  isDescending?: boolean;
  maxRows?: number;
}

const ROW_PX = 32;
const BEYOND = 8; // Rows drawn above and below what is seen, so that scrolling shows no gap.

const collator = new Intl.Collator("en", { numeric: true });

interface Keyed {
  row: Row;
  value: unknown;
  number: number | null;
  text: string;
}

/** Sort rows; what each is sorted by is read once, as a comparison is made many times for each. */
function sorted(rows: Row[], by: (row: Row) => unknown, sign: number): Row[] {
  const keyed = rows.map((row): Keyed => {
    const value = by(row) ?? null;
    const number = value === null ? null : toNumber(value);
    return { row, value, number, text: value === null || number !== null ? "" : String(value) };
  });
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return a.value === b.value ? 0 : sign * (a.value === null ? 1 : -1);
    if (a.number !== null && b.number !== null) return sign * (a.number - b.number);
    return sign * collator.compare(a.text || String(a.value), b.text || String(b.value));
  });
  return keyed.map((one) => one.row);
}

const searched = new WeakMap<Row, string>();

/** Return all of a row as text to search in; it is made once for each row. */
function textOf(row: Row, columns: Column[]): string {
  let text = searched.get(row);
  if (text === undefined) {
    text = columns.map((column) => plain(row[column.name])).join("\t").toLowerCase();
    searched.set(row, text);
  }
  return text;
}

function asCsv(columns: Column[], rows: Row[]): string {
  const cell = (value: unknown) => {
    const text = plain(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => columns.map((column) => cell(row[column.name])).join(","));
  return [columns.map((column) => cell(column.name)).join(","), ...lines].join("\n") + "\n";
}

export function Table(options: Options) {
  const { columns, rows, label, onOpen, opened, maxRows = 18 } = options;
  const keyOf = options.keyOf ?? ((row: Row) => plain(row[columns[0]?.name ?? ""]));
  const [sort, setSort] = useState<{ name: string; down: boolean } | null>(
    options.sortBy ? { name: options.sortBy, down: options.isDescending ?? false } : null,
  );
  const [search, setSearch] = useState("");
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(maxRows);
  const box = useRef<HTMLDivElement>(null);

  // Pages spell their columns anew at each drawing; which they are changes seldom.
  const shape = columns.map((column) => column.name).join("\t");
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length
      ? rows.filter((row) => {
          const text = textOf(row, columns);
          return words.every((word) => text.includes(word));
        })
      : rows;
    if (sort === null) return found;
    const column = columns.find((one) => one.name === sort.name);
    const by = column?.by ?? ((row: Row) => row[sort.name]);
    return sorted(found, by, sort.down ? -1 : 1);
  }, [rows, shape, search, sort]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = new ResizeObserver(() => setSeen(Math.ceil(element.clientHeight / ROW_PX)));
    measure.observe(element);
    return () => measure.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / ROW_PX) - BEYOND);
  const last = Math.min(shown.length, first + seen + 2 * BEYOND);
  const turn = (name: string) =>
    setSort(sort?.name === name ? (sort.down ? null : { name, down: true }) : { name, down: false });
  const isLong = rows.length > maxRows;

  return (
    <div class="table">
      {(isLong || search !== "") && (
        <div class="tools">
          <input
            type="search"
            placeholder="Search"
            aria-label={`Search in ${label}`}
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
          <span class="soft">{shown.length.toLocaleString("en")} rows</span>
        </div>
      )}
      {shown.length > 0 && (
        <button class="quiet csv" onClick={() => saveText(`${label}.csv`, asCsv(columns, shown))} aria-label={`Save ${label} as CSV`}>CSV</button>
      )}
      <div
        class="scroll"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label={label}
        style={{ maxHeight: `${(maxRows + 1.5) * ROW_PX}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <table aria-rowcount={shown.length + 1}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  scope="col"
                  class={column.isFigure ? "figure" : ""}
                  style={column.width ? { width: column.width } : {}}
                  aria-sort={sort?.name === column.name ? (sort.down ? "descending" : "ascending") : "none"}
                >
                  <button class="head" onClick={() => turn(column.name)}>
                    {column.head ?? column.name.replaceAll("_", " ")}
                    <span aria-hidden="true">{sort?.name === column.name ? (sort.down ? " ↓" : " ↑") : ""}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <tr aria-hidden="true" style={{ height: `${first * ROW_PX}px` }} />}
            {shown.slice(first, last).map((row, i) => {
              const key = keyOf(row);
              return (
                <tr key={key} aria-rowindex={first + i + 2} class={opened === key ? "opened" : ""}>
                  {columns.map((column, at) => {
                    const value = row[column.name];
                    const text = column.show ? column.show(value, row) : plain(value);
                    return (
                      <td class={column.isFigure ? "figure" : ""} title={column.show ? undefined : plain(value)}>
                        {at === 0 && onOpen ? <button class="link" onClick={() => onOpen(row)}>{text}</button> : text}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
            {last < shown.length && (
              <tr aria-hidden="true" style={{ height: `${(shown.length - last) * ROW_PX}px` }} />
            )}
          </tbody>
        </table>
        {shown.length === 0 && <p class="empty">{options.rows === NOT_YET ? "…" : search ? "Nothing is found." : (options.empty ?? "No rows.")}</p>}
      </div>
    </div>
  );
}
