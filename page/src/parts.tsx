// Small parts that every page uses.

import { ComponentChildren } from "preact";
import { Refused } from "./api";
import { Result } from "./live";

export function Tile(props: { name: string; value: ComponentChildren; note?: ComponentChildren; state?: string; href?: string }) {
  const inside = (
    <>
      <span class="name">{props.name}</span>
      <strong>{props.value}</strong>
      <span class="note">{props.note ?? " "}</span>
    </>
  );
  const kind = `tile ${props.state ?? ""}`;
  return props.href ? <a class={kind} href={props.href}>{inside}</a> : <div class={kind}>{inside}</div>;
}

export function Part(props: { title: string; tools?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section>
      <header class="part"><h2>{props.title}</h2><div class="tools">{props.tools}</div></header>
      {props.children}
    </section>
  );
}

export function State({ value }: { value: unknown }) {
  const text = String(value ?? "");
  return <span class={`state s-${text.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`}>{text || "–"}</span>;
}

/** Return a value once its query was answered: before, nobody knows that there is none. */
export function once(of: Result, value: ComponentChildren): ComponentChildren {
  return of.isLoading ? "…" : value;
}

/** Say why there is nothing to see, and what to do next. */
export function Trouble({ of, needs }: { of: Result; needs?: string }) {
  if (of.error === null) return null;
  if (of.error instanceof Refused && of.error.isMissing && needs) {
    return (
      <p class="empty">
        This needs the pack <b>{needs}</b>, which is not installed here. Run <code>voltstream pack install {needs}</code>.
      </p>
    );
  }
  const hint = of.error instanceof Refused ? of.error.hint : "Is the server running?";
  return <p class="trouble" role="alert">{of.error.message}{hint ? ` ${hint}` : ""}</p>;
}
