// One stream of changes for the whole page, and queries that are asked again when they may differ.

import { useEffect, useRef, useState } from "preact/hooks";
import { Answer, NOT_YET, Refused, Row, ask, records } from "./api";
import { useHas } from "./known";

const REFRESH_MS = 250; // Four times a second at most, as people cannot read faster.
const POLL_MS = 2000; // Where the relation tells no changes of its own, such as rw_catalog.
const AGAIN_MS = 3000;
const REST = 2; // After an answer that took long a query rests for so many times as long.

const MISSING = new Refused("a relation that this needs does not exist", "42P01", null, 404);

type Listener = () => void;

/** Tells who listens to a relation that it has changed. The stream is opened for all of them. */
class Changes {
  private readonly listeners = new Map<string, Set<Listener>>();
  private stream: EventSource | null = null;
  private streamed = "";
  private planned: ReturnType<typeof setTimeout> | undefined;
  isOpen = false;

  listen(relation: string, listener: Listener): () => void {
    const set = this.listeners.get(relation) ?? new Set();
    set.add(listener);
    this.listeners.set(relation, set);
    this.plan(50);
    return () => {
      set.delete(listener);
      if (set.size === 0) this.listeners.delete(relation);
      this.plan(1000);
    };
  }

  private plan(ms: number): void {
    clearTimeout(this.planned);
    this.planned = setTimeout(() => this.open(), ms);
  }

  private open(): void {
    const wanted = [...this.listeners.keys()].sort().join(",");
    if (wanted === this.streamed && this.stream !== null) return;
    this.stream?.close();
    this.stream = null;
    this.streamed = wanted;
    if (wanted === "") return;
    const stream = new EventSource(`/v1/live?views=${encodeURIComponent(wanted)}&rows=false`);
    stream.onopen = () => {
      this.isOpen = true;
      this.tellAll();
    };
    stream.onerror = () => {
      this.isOpen = false;
      if (stream.readyState === EventSource.CLOSED) {
        this.stream = null;
        this.plan(AGAIN_MS);
      }
    };
    stream.addEventListener("touched", (event) => {
      const told = JSON.parse(event.data as string) as { view: string };
      this.tell(told.view);
    });
    this.stream = stream;
  }

  private tell(relation: string): void {
    for (const listener of this.listeners.get(relation) ?? []) listener();
  }

  private tellAll(): void {
    for (const relation of this.listeners.keys()) this.tell(relation);
  }
}

export const changes = new Changes();

export interface Result {
  rows: Row[];
  answer: Answer | null;
  error: Refused | Error | null;
  isLoading: boolean;
  again: () => void;
}

export interface Watch {
  /** Relations whose changes make the answer old. */
  of?: string[];
  /** Relations without which nothing is asked; those of `of` count too. */
  needs?: string[];
  /** Ask again after so long in any case; 0 for never. */
  everyMs?: number;
  /** Schemas in which unqualified names are looked for; without it those of the server. */
  searchPath?: string;
}

/** Ask a query, and again whenever its answer may differ. An empty query asks nothing. */
export function useQuery(sql: string, watch: Watch = {}): Result {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isLoading, setLoading] = useState(sql !== "");
  const asking = useRef<() => void>(() => undefined);
  const relations = (watch.of ?? []).join(",");
  const has = useHas([...(watch.of ?? []), ...(watch.needs ?? [])].filter((name) => !name.startsWith("voltstream.")));
  const asked = has === true ? sql : "";
  const everyMs = watch.everyMs ?? (relations === "" ? POLL_MS : 0);

  useEffect(() => {
    setAnswer(null);
    setError(null);
    if (asked === "") return setLoading(sql !== "" && has === null);
    setLoading(true);
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsked = false;
    let isOld = false;
    let pauseMs = REFRESH_MS;
    let due = Infinity; // When the timer runs out.
    const after = (ms: number) => {
      clearTimeout(timer);
      due = performance.now() + ms;
      timer = setTimeout(plan, ms);
    };
    const run = async () => {
      clearTimeout(timer);
      due = Infinity;
      if (isAsked) {
        isOld = true;
        return;
      }
      isAsked = true;
      isOld = false;
      let restMs = everyMs;
      const began = performance.now();
      try {
        const got = await ask(asked, abort.signal, watch.searchPath);
        setAnswer(got);
        setError(null);
      } catch (failure) {
        if (abort.signal.aborted) return;
        setError(failure as Error);
        restMs = AGAIN_MS;
      }
      setLoading(false);
      isAsked = false;
      pauseMs = Math.max(REFRESH_MS, REST * (performance.now() - began));
      // A hidden page asks nothing; it catches up when it is looked at.
      if (isOld) after(pauseMs);
      else if (restMs > 0) after(restMs);
    };
    const plan = () => {
      if (document.hidden) document.addEventListener("visibilitychange", plan, { once: true });
      else void run();
    };
    const soon = () => {
      // A change does not put off what an earlier one has planned.
      if (isAsked) isOld = true;
      else if (performance.now() + pauseMs < due) after(pauseMs);
    };
    asking.current = () => void run();
    void run();
    const stops = relations === "" ? [] : relations.split(",").map((name) => changes.listen(name, soon));
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", plan);
      for (const stop of stops) stop();
    };
  }, [asked, relations, everyMs, watch.searchPath]);

  const rows = useRecords(answer);
  if (has === false && sql !== "") {
    return { rows: [], answer: null, error: MISSING, isLoading: false, again: () => undefined };
  }
  return { rows: isLoading && answer === null ? NOT_YET : rows, answer, error, isLoading, again: () => asking.current() };
}

function useRecords(answer: Answer | null): Row[] {
  const kept = useRef<{ answer: Answer | null; rows: Row[] }>({ answer: null, rows: [] });
  if (kept.current.answer !== answer) {
    kept.current = { answer, rows: answer === null ? [] : records(answer) };
  }
  return kept.current.rows;
}
