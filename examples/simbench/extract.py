"""Take a few feeders and days out of the simbench wheel, as a small zip of the same layout.

Usage: python extract.py WHEEL OUTPUT.zip AREA FEEDER_NUMBERS DAY...
Get the wheel with `pip download --no-deps simbench`.
Law: the same wheel and arguments give the same bytes.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from voltstream.datasets.grid import Grid, folder_of, load_grid
from voltstream.datasets.packages import Files, files_of

SCENARIO = 1
Row = dict[str, str]


def main(wheel: Path, output: Path, area: str, feeders: set[str], days: list[date]) -> None:
    files = files_of("simbench", wheel)
    grid = load_grid(files, SCENARIO)
    names = {f"{area} feeder {number}" for number in feeders}
    subnets = {
        t.transformer_id.split("-")[1] for t in grid.transformers if t.feeder_id in names
    } | {area}
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in _tables(files, grid, names, subnets, days):
            told = zipfile.ZipInfo(f"{folder_of(SCENARIO)}/{name}.csv", (2016, 1, 1, 0, 0, 0))
            told.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(told, content)


def _tables(
    files: Files, grid: Grid, feeders: set[str], subnets: set[str], days: list[date]
) -> list[tuple[str, str]]:
    area = next(name for name in subnets if name.startswith("MV"))
    kept = {t.transformer_id for t in grid.transformers if t.feeder_id in feeders}
    profiles = {m.profile for m in grid.meters if _of(grid, m.transformer) in kept}
    plants = {p for m in grid.meters if _of(grid, m.transformer) in kept for p, _ in m.plants}
    stamps = tuple(day.strftime("%d.%m.%Y ") for day in days)

    def inside(row: Row) -> bool:
        return row["subnet"].partition("_")[0] in subnets

    def step(row: Row) -> bool:
        return row["id"] in kept or (row["voltLvl"] == "4" and area in row["subnet"])

    coordinates: set[str] = set()

    def node(row: Row) -> bool:
        if inside(row):
            coordinates.add(row["coordID"])
        return inside(row)

    def share(columns: set[str]) -> Callable[[str], bool]:
        return lambda name: (
            name == "time" or name.removesuffix("_pload").removesuffix("_qload") in columns
        )

    def on(row: Row) -> bool:
        return row["time"].startswith(stamps)

    def everything(_: object) -> bool:
        return True

    chosen: list[tuple[str, Callable[[Row], bool], Callable[[str], bool]]] = [
        ("Load", lambda row: inside(row) and row["voltLvl"] == "7", everything),
        ("RES", lambda row: inside(row) and row["voltLvl"] == "7", everything),
        ("Line", inside, everything),
        ("Switch", inside, everything),
        ("LineType", everything, everything),
        ("Transformer", step, everything),
        ("TransformerType", everything, everything),
        ("Node", node, everything),
        ("Coordinates", lambda row: row["id"] in coordinates, everything),
        ("LoadProfile", on, share(profiles)),
        ("RESProfile", on, share(plants)),
    ]
    return [(name, _cut(files, name, rows, columns)) for name, rows, columns in chosen]


def _of(grid: Grid, place: int) -> str:
    return grid.transformers[place].transformer_id


def _cut(
    files: Files, name: str, rows: Callable[[Row], bool], columns: Callable[[str], bool]
) -> str:
    text = files.read(f"{folder_of(SCENARIO)}/{name}.csv").decode()
    reader = csv.DictReader(io.StringIO(text), delimiter=";")
    kept = [column for column in reader.fieldnames or [] if columns(column)]
    out = io.StringIO()
    writer = csv.DictWriter(out, kept, delimiter=";", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(row for row in reader if rows(row))
    return out.getvalue()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        sys.argv[3],
        set(sys.argv[4].split(",")),
        [date.fromisoformat(day) for day in sys.argv[5:]],
    )
