"""The grid of SimBench: meters, transformers, feeders and the lines between them.

Source: SimBench (simbench.net), ODbL 1.0. Units there: MW, kV, km, ohm per km; here too.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import csv

from voltstream.datasets.packages import Files

_HV_MV, _MV, _MV_LV, _LV = 4, 5, 6, 7  # SimBench's levels of voltage.
SCENARIOS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Meter:
    """A customer. Shape: ``plants`` are (profile, MW) of what it generates behind the meter."""

    meter_id: str
    node: str
    transformer: int
    profile: str
    p_mw: float
    q_mw: float
    lon: float
    lat: float
    plants: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A line, or a closed switch without length. Units: ohm."""

    node_a: str
    node_b: str
    r_ohm: float
    x_ohm: float


@dataclass(frozen=True, slots=True)
class Transformer:
    """Units: kVA, kV; ``r_ohm`` and ``x_ohm`` seen from its low side."""

    transformer_id: str
    feeder_id: str
    section_id: str
    node_lv: str
    kva: float
    volts_lv_kv: float
    no_load_kw: float
    load_loss_kw: float
    r_ohm: float
    x_ohm: float
    ratio: float  # What its tap makes of the voltage.
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Shape: ``branches`` by the place of the transformer that feeds them; a section's parent is
    a section or a feeder.
    """

    meters: Sequence[Meter]
    transformers: Sequence[Transformer]
    branches: Mapping[int, Sequence[Branch]]
    parents: Mapping[str, str]


Row = dict[str, Any]


def _table(files: Files, folder: str, name: str) -> list[Row]:
    read = csv.read_csv(
        io.BytesIO(files.read(f"{folder}/{name}.csv")),
        parse_options=csv.ParseOptions(delimiter=";"),
        convert_options=csv.ConvertOptions(
            null_values=["NULL", ""], strings_can_be_null=True, column_types={"id": pa.string()}
        ),
    )
    return list(read.to_pylist())


def load_grid(files: Files, scenario: int = 1, limit: int | None = None) -> Grid:
    """Read the complete grid; ``limit`` keeps the first transformers by their names."""
    folder = folder_of(scenario)
    types = {row["id"]: row for row in _table(files, folder, "TransformerType")}
    steps = [row for row in _table(files, folder, "Transformer") if row["voltLvl"] == _MV_LV]
    steps.sort(key=lambda row: str(row["id"]))
    nodes = {row["id"]: row for row in _table(files, folder, "Node")}
    places = {row["id"]: row for row in _table(files, folder, "Coordinates")}
    lines = _table(files, folder, "Line")
    switches = [row for row in _table(files, folder, "Switch") if row["cond"] == 1]
    high = [str(row["nodeHV"]) for row in steps]
    feeders, busbars = _feeders(files, folder, lines, switches, high)
    sections, parents = _sections(feeders, busbars, lines, switches, steps)
    steps = steps[:limit]
    transformers = [
        _transformer(row, types[row["type"]], feeders, sections, nodes, places) for row in steps
    ]
    by_subnet = {str(row["subnet"]): at for at, row in enumerate(steps)}
    meters = list(_meters(files, folder, by_subnet, nodes, places))
    branches = _branches(lines, switches, by_subnet, _table(files, folder, "LineType"))
    used = {one.section_id for one in transformers} | {one.feeder_id for one in transformers}
    return Grid(meters, transformers, branches, _above(used, parents))


def folder_of(scenario: int) -> str:
    return f"simbench/networks/1-complete_data-mixed-all-{scenario}-sw"


def _transformer(
    row: Row,
    kind: Row,
    feeders: Mapping[str, str],
    sections: Mapping[str, str],
    nodes: Mapping[str, Row],
    places: Mapping[str, Row],
) -> Transformer:
    rated_mva, low_kv = float(kind["sR"]), float(kind["vmLV"])
    r_ohm = float(kind["pCu"]) / 1000 * (low_kv / rated_mva) ** 2
    z_ohm = float(kind["vmImp"]) / 100 * low_kv**2 / rated_mva
    steps = int(row["tappos"] or 0) - int(kind["tapNeutr"] or 0)
    spot = places[nodes[row["nodeLV"]]["coordID"]]
    feeder = feeders[row["nodeHV"]]
    return Transformer(
        transformer_id=str(row["id"]),
        feeder_id=feeder,
        section_id=sections.get(str(row["id"]), feeder),
        node_lv=str(row["nodeLV"]),
        kva=rated_mva * 1000,
        volts_lv_kv=low_kv,
        no_load_kw=float(kind["pFe"]),
        load_loss_kw=float(kind["pCu"]),
        r_ohm=r_ohm,
        x_ohm=max(z_ohm**2 - r_ohm**2, 0.0) ** 0.5,
        ratio=1 / (1 + steps * float(kind["dVm"] or 0) / 100),
        lon=float(spot["x"]),
        lat=float(spot["y"]),
    )


def _meters(
    files: Files,
    folder: str,
    by_subnet: Mapping[str, int],
    nodes: Mapping[str, Row],
    places: Mapping[str, Row],
) -> Iterable[Meter]:
    plants: dict[str, list[tuple[str, float]]] = {}
    for row in _table(files, folder, "RES"):
        if row["voltLvl"] == _LV and row["subnet"] in by_subnet:
            plants.setdefault(row["node"], []).append((row["profile"], float(row["pRES"])))
    for row in _table(files, folder, "Load"):
        if row["voltLvl"] != _LV or row["subnet"] not in by_subnet:
            continue
        spot = places[nodes[row["node"]]["coordID"]]
        behind = plants.pop(row["node"], [])  # The first meter of a node has the plants there.
        yield Meter(
            str(row["id"]), str(row["node"]), by_subnet[row["subnet"]], str(row["profile"]),
            float(row["pLoad"]), float(row["qLoad"]), float(spot["x"]), float(spot["y"]),
            tuple(behind),
        )  # fmt: skip


def _branches(
    lines: Sequence[Row],
    switches: Sequence[Row],
    by_subnet: Mapping[str, int],
    line_types: Sequence[Row],
) -> dict[int, list[Branch]]:
    ohms = {row["id"]: (float(row["r"]), float(row["x"])) for row in line_types}
    found: dict[int, list[Branch]] = {at: [] for at in by_subnet.values()}
    for row in lines:
        if row["voltLvl"] == _LV and row["subnet"] in by_subnet:
            r, x = ohms[row["type"]]
            length_km = float(row["length"])
            branch = Branch(row["nodeA"], row["nodeB"], r * length_km, x * length_km)
            found[by_subnet[row["subnet"]]].append(branch)
    for row in switches:
        if row["voltLvl"] == _LV and row["subnet"] in by_subnet:
            found[by_subnet[row["subnet"]]].append(Branch(row["nodeA"], row["nodeB"], 0.0, 0.0))
    return found


class _Groups:
    """Nodes that hang together."""

    def __init__(self) -> None:
        self._head: dict[str, str] = {}

    def of(self, node: str) -> str:
        head = self._head.setdefault(node, node)
        while head != self._head[head]:
            self._head[head] = self._head[self._head[head]]
            head = self._head[head]
        self._head[node] = head
        return head

    def join(self, one: str, other: str) -> None:
        self._head[self.of(one)] = self.of(other)


def _feeders(
    files: Files, folder: str, lines: Sequence[Row], switches: Sequence[Row], nodes: Sequence[str]
) -> tuple[dict[str, str], set[str]]:
    """Return the feeder of each node that a transformer hangs on, and the nodes of busbars.

    Law: a feeder is what still hangs together when the busbars, the nodes that closed switches
    alone join to a substation's transformer, are taken away.
    """
    bars, rest = _Groups(), _Groups()
    heads = [r["nodeLV"] for r in _table(files, folder, "Transformer") if r["voltLvl"] == _HV_MV]
    medium = [row for row in switches if row["voltLvl"] == _MV]
    for row in medium:
        bars.join(row["nodeA"], row["nodeB"])
    busbars = {bars.of(head) for head in heads}
    for row in [*medium, *(line for line in lines if line["voltLvl"] == _MV)]:
        if not busbars & {bars.of(row["nodeA"]), bars.of(row["nodeB"])}:
            rest.join(row["nodeA"], row["nodeB"])
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    for node in sorted(nodes):
        group = rest.of(node)
        area = node.split(" ")[0]
        count = sum(1 for name in names.values() if name.startswith(f"{area} "))
        found[node] = names.setdefault(group, f"{area} feeder {count + 1}")
    ends = {row[end] for row in medium for end in ("nodeA", "nodeB")} | set(heads)
    return found, {node for node in ends if bars.of(node) in busbars}


SECTION_TRANSFORMERS = 4  # Behind one switch, about as many as lie between two ring main units.


def _sections(
    feeders: Mapping[str, str],
    busbars: set[str],
    lines: Sequence[Row],
    switches: Sequence[Row],
    steps: Sequence[Row],
) -> tuple[dict[str, str], dict[str, str]]:
    """Cut feeders into switchable sections. Returns them by transformer, and their parents.

    Law: a section is fed through its parent; what it holds hangs together behind one line.
    """
    around: dict[str, list[str]] = {}
    for row in [*lines, *switches]:
        if row["voltLvl"] == _MV:
            around.setdefault(row["nodeA"], []).append(row["nodeB"])
            around.setdefault(row["nodeB"], []).append(row["nodeA"])
    waiting: dict[str, list[str]] = {}  # Transformers at a node and behind it without a section.
    feeder_of: dict[str, str] = {}
    for row in steps:
        waiting.setdefault(str(row["nodeHV"]), []).append(str(row["id"]))
        feeder_of[str(row["id"])] = feeders[str(row["nodeHV"])]
    tops: dict[str, list[str]] = {}  # Sections behind a node without a parent.
    of = dict(feeder_of)
    parents: dict[str, str] = {}
    numbers: dict[str, int] = {}
    order, above = _walked(sorted(busbars), around)
    for node in reversed(order):
        up = above[node]
        if up is None:
            continue
        mine, below = waiting.pop(node, []), tops.pop(node, [])
        if up in busbars:  # The feeder itself: what its breaker switches.
            parents |= {name: name.partition(" section ")[0] for name in below}
            continue
        if len(mine) >= SECTION_TRANSFORMERS:
            feeder = feeder_of[mine[0]]
            numbers[feeder] = numbers.get(feeder, 0) + 1
            name = f"{feeder} section {numbers[feeder]}"
            of |= dict.fromkeys(mine, name)
            parents |= dict.fromkeys(below, name)
            mine, below = [], [name]
        waiting.setdefault(up, []).extend(mine)
        tops.setdefault(up, []).extend(below)
    return of, parents


def _walked(
    heads: Sequence[str], around: Mapping[str, Sequence[str]]
) -> tuple[list[str], dict[str, str | None]]:
    """Return nodes from the heads on, each after the one that feeds it."""
    above: dict[str, str | None] = dict.fromkeys(heads)
    order = list(heads)
    for node in order:
        for other in around.get(node, ()):
            if other not in above:
                above[other] = node
                order.append(other)
    return order, above


def _above(used: set[str], parents: Mapping[str, str]) -> dict[str, str]:
    """Return the parents of what is used, and theirs."""
    found: dict[str, str] = {}
    waiting = sorted(used)
    while waiting:
        name = waiting.pop()
        if name in parents and name not in found:
            found[name] = parents[name]
            waiting.append(parents[name])
    return found
