// Figures as people read them. Values come as JSON: numbers, or texts where JSON has no number.

const LOCALE = "en";

export function toNumber(value: unknown): number | null {
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** Return an instant in ms. Timestamps without a zone are of UTC, as everywhere in the server. */
export function toTime(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const text = String(value).replace(" ", "T");
  const zoned = /(Z|[+-]\d\d(:?\d\d)?)$/.test(text) ? text.replace(/([+-]\d\d)$/, "$1:00") : text + "Z";
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? null : time;
}

export function figure(value: unknown, digits = 0): string {
  const number = toNumber(value);
  if (number === null) return "–";
  return number.toLocaleString(LOCALE, { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

const STEPS: [number, string][] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** Return a figure in three digits with a prefix: 12.3 k. */
export function short(value: unknown, unit = ""): string {
  const number = toNumber(value);
  if (number === null) return "–";
  for (const [step, prefix] of STEPS) {
    if (Math.abs(number) >= step) return `${(number / step).toPrecision(3)} ${prefix}${unit}`;
  }
  const digits = Math.abs(number) >= 100 || Number.isInteger(number) ? 0 : 1;
  return `${figure(number, digits)}${unit ? " " + unit : ""}`;
}

const BYTES = ["B", "kB", "MB", "GB", "TB"];

export function bytes(value: unknown): string {
  let number = toNumber(value);
  if (number === null) return "–";
  let step = 0;
  while (number >= 1000 && step < BYTES.length - 1) {
    number /= 1000;
    step += 1;
  }
  return `${step === 0 ? number : number.toPrecision(3)} ${BYTES[step]}`;
}

/** Return a length of time in the two largest units that matter. */
export function lasting(ms: number | null): string {
  if (ms === null) return "–";
  const s = Math.max(0, Math.round(ms / 1000));
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function ago(value: unknown, now = Date.now()): string {
  const time = toTime(value);
  return time === null ? "–" : `${lasting(now - time)} ago`;
}

export function moment(value: unknown): string {
  const time = toTime(value);
  if (time === null) return "–";
  const at = new Date(time);
  const isToday = at.toDateString() === new Date().toDateString();
  const clock = at.toLocaleTimeString("en-GB");
  return isToday ? clock : `${at.toISOString().slice(0, 10)} ${clock}`;
}

/** Return a value of any type as text. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
