// The address is the state of the page: #/chargers?id=CP-1 can be sent to a colleague.

import { useEffect, useState } from "preact/hooks";

export interface Address {
  page: string;
  settings: URLSearchParams;
}

export function read(hash = location.hash): Address {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { page: path || "overview", settings: new URLSearchParams(search) };
}

export function spell(page: string, settings: Record<string, string | null> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    if (value !== null && value !== "") search.set(name, value);
  }
  const text = search.toString();
  return `#/${page}${text ? "?" + text : ""}`;
}

/** Change settings of the page that is shown; null takes one away. */
export function change(changes: Record<string, string | null>, keepsHistory = false): void {
  const { page, settings } = read();
  const all = { ...Object.fromEntries(settings), ...changes };
  const next = spell(page, all);
  if (keepsHistory) location.hash = next;
  else {
    history.replaceState(null, "", next);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

export function useAddress(): Address {
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const follow = () => setAddress(read());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return address;
}
