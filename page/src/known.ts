// Which relations there are, so that a page asks none that its pack would have brought.

import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";

const EVERY_MS = 10_000;
const SQL = "SELECT schema, name FROM rw_catalog.rw_relations";

class Known {
  private names: Set<string> | null = null;
  private readonly listeners = new Set<() => void>();
  private isAsking = false;

  /** True or false once it is known, else null. Unqualified names are looked for in any schema. */
  has(name: string): boolean | null {
    return this.names === null ? null : this.names.has(name);
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.names === null) void this.look();
    return () => this.listeners.delete(listener);
  }

  private async look(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      const { rows } = await ask(SQL);
      const found = new Set(rows.flatMap(([schema, name]) => [String(name), `${schema}.${name}`]));
      const isOther = this.names === null || found.size !== this.names.size || [...found].some((name) => !this.names?.has(name));
      this.names = found;
      if (isOther) for (const listener of this.listeners) listener();
    } catch {
      // The queries themselves tell that the server is away.
    }
    this.isAsking = false;
    setTimeout(() => void this.look(), EVERY_MS);
  }
}

const known = new Known();

/** Return whether all of these relations exist; null while that is not known. */
export function useHas(names: string[]): boolean | null {
  const [, setTurn] = useState(0);
  useEffect(() => known.listen(() => setTurn((turn) => turn + 1)), []);
  const found = names.map((name) => known.has(name));
  return found.includes(null) ? null : !found.includes(false);
}
