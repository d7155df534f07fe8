// Dark and light: as the system says, until the reader chooses.

import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";
const KEY = "voltstream.theme";
const colours = new Map<string, string>(); // Asked for each spot of a map.
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = (): Theme | null => {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : null;
};

export const current = (): Theme => chosen() ?? (system.matches ? "dark" : "light");

export function apply(): void {
  document.documentElement.dataset.theme = current();
  dispatchEvent(new Event("themechange"));
}

export function choose(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  apply();
}

system.addEventListener("change", apply);

export function useTheme(): Theme {
  const [theme, setTheme] = useState(current);
  useEffect(() => {
    const follow = () => setTheme(current());
    addEventListener("themechange", follow);
    return () => removeEventListener("themechange", follow);
  }, []);
  return theme;
}

/** Return a colour of the style sheet, for what is drawn on a canvas. */
export function colour(name: string): string {
  const theme = document.documentElement.dataset.theme ?? "";
  const key = `${theme} ${name}`;
  let found = colours.get(key);
  if (found === undefined) {
    found = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    colours.set(key, found);
  }
  return found;
}
