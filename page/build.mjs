// Bundles the page into the Python package, with the licences of what is bundled.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync, mkdirSync, copyFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { feature, mesh } from "topojson-client";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../src/voltstream/web/assets");

function* files(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

// A test compares this with the sources, so that an old build is noticed without Node.
function digest() {
  const hash = createHash("sha256");
  for (const path of [...files(join(here, "src")), join(here, "package-lock.json")]) {
    hash.update(relative(here, path)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

mkdirSync(out, { recursive: true });
await build({
  entryPoints: { page: join(here, "src/main.tsx") },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
copyFileSync(join(here, "src/index.html"), join(out, "index.html"));

// Coasts and borders of Natural Earth, in hundredths of a degree: each point from the one before.
function steps(line) {
  const found = [];
  let [x, y] = [0, 0];
  for (const [lon, lat] of line) {
    const [atX, atY] = [Math.round(lon * 100), Math.round(lat * 100)];
    if (found.length > 0 && atX === x && atY === y) continue;
    found.push(atX - x, atY - y);
    [x, y] = [atX, atY];
  }
  return found;
}
const atlas = JSON.parse(readFileSync(join(here, "node_modules/world-atlas/countries-50m.json"), "utf8"));
const land = feature(atlas, atlas.objects.land).features.flatMap(({ geometry }) =>
  geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(),
);
const borders = mesh(atlas, atlas.objects.countries, (one, other) => one !== other).coordinates;
writeFileSync(
  join(out, "land.json"),
  JSON.stringify({ land: land.map(steps).filter((line) => line.length >= 8), borders: borders.map(steps).filter((line) => line.length >= 4) }),
);
const licences = ["preact", "uplot", "world-atlas"].map((name) => {
  const folder = join(here, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
});
licences.push("Natural Earth\n\nland.json is made with Natural Earth, which is in the public domain.\n");
writeFileSync(join(out, "LICENSES.txt"), licences.join("\n----\n\n"));
writeFileSync(join(out, "sources.sha256"), digest() + "\n");
