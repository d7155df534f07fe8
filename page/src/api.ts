// Questions to the server, in SQL.

export interface Answer {
  names: string[];
  types: string[];
  rows: unknown[][];
  truncated: boolean;
}

export type Row = Record<string, unknown>;
/** Rows of a query that was not answered yet: these, not any that are empty. */
export const NOT_YET: Row[] = [];

/** An error as the server tells it: its SQLSTATE, and what to do next. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly hint: string | null,
    readonly status: number,
    readonly position: number | null = null,
  ) {
    super(message);
  }

  /** True where the relation asked for does not exist: its pack is not installed. */
  get isMissing(): boolean {
    return this.code === "42P01" || this.code === "3F000";
  }
}

interface Told {
  code?: string;
  message?: string;
  hint?: string | null;
  position?: number | null;
}

async function answered(response: Response): Promise<unknown> {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {
    // What a proxy puts in between is not JSON; the status says enough.
  }
  if (response.ok) return body;
  const told = (body ?? {}) as Told;
  throw new Refused(
    told.message ?? `the server answered ${response.status}`,
    told.code ?? "08000",
    told.hint ?? null,
    response.status,
    told.position ?? null,
  );
}

/** Ask one query. Raises: Refused; TypeError where the server cannot be reached. */
export async function ask(sql: string, signal?: AbortSignal, searchPath?: string): Promise<Answer> {
  const response = await fetch("/v1/sql", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(searchPath ? { sql, search_path: searchPath } : { sql }),
    ...(signal ? { signal } : {}),
  });
  const body = (await answered(response)) as {
    columns: { name: string; type: string }[];
    rows: unknown[][];
    truncated: boolean;
  };
  return {
    names: body.columns.map((column) => column.name),
    types: body.columns.map((column) => column.type),
    rows: body.rows,
    truncated: body.truncated,
  };
}

/** Get what is not rows. Raises: Refused. */
export async function get(path: string): Promise<unknown> {
  return answered(await fetch(path));
}

/** Send an order, such as a command to a charger or an acknowledgement. Raises: Refused. */
export async function order(path: string, body: unknown): Promise<unknown> {
  return answered(
    await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

export function records(answer: Answer): Row[] {
  const { names } = answer;
  return answer.rows.map((values) => {
    const row: Row = {};
    for (let i = 0; i < names.length; i += 1) row[names[i]!] = values[i];
    return row;
  });
}

/** Spell a text as SQL does. */
export const literal = (text: string): string => "'" + text.replaceAll("'", "''") + "'";

/** Spell a name as SQL does. */
export const quoted = (name: string): string => '"' + name.replaceAll('"', '""') + '"';
