"""SimBench's meters through the ami pack, in process; what it finds beside the truth.

Options: package=PATH (a wheel, a folder or the extract), day=YYYY-MM-DD, defects=SEED,
again=1 (the whole day a second time), dst=1 (the days of 92 and 100 quarters), outages=N,
gasps=SHARE, pack=FOLDER (the shipped one by default).
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.contenders.meter import arguments, peak_rss_mb, tell
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import install
from voltstream.cli.packs import find_pack
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.ports import RawBatch, Receipt
from voltstream.datasets.defects import Defects, Rates
from voltstream.datasets.grid import Grid, load_grid
from voltstream.datasets.outages import Outage, Plan, events, plan_outages
from voltstream.datasets.packages import Files, files_of
from voltstream.datasets.profiles import load_day
from voltstream.datasets.reads import DayOfReads, day_of_reads, registry
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions

PLAYED = 10
# What outages rest on; the rest of the pack would be kept for nothing.
_OUTAGES = ("010", "020", "021", "025", "030", "040", "070", "080", "085")
AHEAD = 3  # Batches on their way.
COUNT_ROWS = 20_000
AGAIN_ROWS = 200_000  # Of a day that is sent again, at once.
DST_DAYS = (date(2016, 3, 27), date(2016, 10, 30))  # 92 and 100 quarters.


class PackRun:
    """An engine with a pack; its clock is moved by hand. Of ``part`` only files that begin so."""

    def __init__(
        self, folder: Path, start_s: float, pack: str = "ami", part: Sequence[str] = ()
    ) -> None:
        self._clock = ManualClock()
        self.at(start_s)
        self._instance = Instance(folder, EngineOptions(), self._clock, ConnectorRegistry(None))
        self._instance.start()
        options = {"TimeZone": "UTC"}
        self._session = self._instance.open(database=DEFAULT_DATABASE, user="volt", options=options)
        self.door = EngineDoor(self._session)
        self._pending: list[Future[Receipt]] = []
        chosen = find_pack(pack)
        if part:
            kept = tuple(one for one in chosen.files if one[0].startswith(tuple(part)))
            chosen = replace(chosen, files=kept)
        install(self.door, chosen)

    def at(self, seconds: float) -> None:
        self._clock.set(datetime.fromtimestamp(seconds, UTC))

    def send(self, source: str, batch: RawBatch) -> None:
        self._pending.append(self._instance.submit(DEFAULT_DATABASE, source, batch))
        if len(self._pending) > AHEAD:
            self._settled(self._pending.pop(0))

    def wait(self) -> None:
        """Wait until all that was sent is in every view."""
        for future in self._pending:
            self._settled(future)
        self._pending.clear()

    def settle(self) -> None:
        """Wait, and let the clock's time pass in every view."""
        self.wait()
        loop = self._instance.engine(DEFAULT_DATABASE).loop
        loop.run_statement(lambda epoch: epoch.number).result()

    @staticmethod
    def _settled(future: Future[Receipt]) -> None:
        receipt = future.result(timeout=600)
        if receipt.dead_letters:
            raise SystemExit(f"{receipt.dead_letters} rows could not be read")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        [statement] = self._session.parse(sql)
        outcome = self._session.execute(statement)
        if outcome.rows is None:
            return []
        try:
            return [row for batch in outcome.rows.batches() for row in batch.to_pylist()]
        finally:
            outcome.rows.close()

    def stop(self) -> None:
        self._session.close()
        self._instance.stop()


class GridRun(PackRun):
    """The ami pack of one grid, whose registry is filled."""

    def __init__(
        self, folder: Path, grid: Grid, start_s: int, pack: str = "ami", part: Sequence[str] = ()
    ) -> None:
        super().__init__(folder, start_s - 86_400, pack, part)
        self.grid = grid
        for name, rows in registry(grid, start_s - 30 * 86_400).items():
            self._fill(name, rows)

    def _fill(self, name: str, rows: pa.Table) -> None:
        listed = ", ".join(rows.column_names)
        for first in range(0, len(rows), COUNT_ROWS):
            values = ", ".join(
                "(" + ", ".join(_spelled(value) for value in row.values()) + ")"
                for row in rows.slice(first, COUNT_ROWS).to_pylist()
            )
            self.door.ask(f"INSERT INTO ami.{name} ({listed}) VALUES {values}")

    def send_table(self, source: str, rows: pa.Table) -> None:
        self.send(source, RawBatch("arrow", table=rows, position="grid"))


def _spelled(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return str(value)
        case _:
            return "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class Sums:
    """How windows compare with the truth."""

    windows: int
    complete: int  # Told as complete.
    equal: int  # Of these, with the true sum.
    wrongly_complete: int  # Told as complete where a read is missing or wrong.
    wrongly_flagged: int  # Flagged where every read is right.


def send_day(run: GridRun, wrong: Defects, step_s: int) -> int:
    """Send a day as it arrives, so many seconds at once. Returns the rows."""
    count = 0
    for sent in wrong.sent(step_s):
        run.at(sent.at_s)
        run.send_table("ami.interval_reads", sent.rows)
        count += len(sent.rows)
    run.settle()
    return count


def compare_sums(run: GridRun, reads: DayOfReads, wrong: Defects) -> Sums:
    """Compare every window of every transformer with what its meters measured."""
    names = {t.transformer_id: at for at, t in enumerate(run.grid.transformers)}
    slots = {second: at for at, second in enumerate(reads.starts_s)}
    truth, whole = reads.transformer_kwh(), wrong.complete()
    found = run.rows(
        "SELECT extract(epoch FROM window_start)::BIGINT AS second, transformer_id,"
        " complete AND estimated = 0 AS complete, delivered_kwh::DOUBLE PRECISION AS kwh"
        " FROM ami.transformer_load WHERE window_start BETWEEN"
        f" to_timestamp({reads.starts_s[0]}) AND to_timestamp({reads.starts_s[-1]})"
    )
    complete = equal = wrongly_complete = wrongly_flagged = 0
    for row in found:
        place = names[row["transformer_id"]], slots[row["second"]]
        if row["complete"]:
            complete += 1
            equal += bool(abs(row["kwh"] - truth[place]) < 1e-6)
            wrongly_complete += not whole[place]
        else:
            wrongly_flagged += bool(whole[place])
    return Sums(len(found), complete, equal, wrongly_complete, wrongly_flagged)


@dataclass(frozen=True)
class Score:
    """How outages that were found compare with those that were made."""

    made: int
    found: int  # Outages of the view, services left out.
    right: int  # Of these, on the device that was opened, when it was.
    hit: int  # Of those made, found on their device.
    detect_s: float  # Median time from the switch to the device being known.

    @property
    def precision(self) -> float:
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.hit / max(self.made, 1)


NEAR_S = 300  # The start of an outage that is found lies so near to the truth.


_FOUND = (
    "SELECT device_id, extract(epoch FROM started_at)::BIGINT AS second"
    " FROM ami.outage_list WHERE kind <> 'SERVICE' AND parent_id IS NULL"
)
FILTER_S = 120.0  # An outage is one after a minute: by now it is known.


def play_outages(run: GridRun, made: list[Outage], plan: Plan) -> Score:
    """Send events minute by minute and note when each device is first known to be out."""
    known: dict[tuple[str, int], float] = {}
    last_s = float("inf")
    for at_s, rows in events(run.grid, made, plan):
        if at_s - last_s > FILTER_S:  # Nothing is told meanwhile, but time passes.
            run.at(last_s + FILTER_S)
            run.settle()
            _look(run, last_s + FILTER_S, known)
        run.at(at_s)
        run.send_table("ami.meter_events", rows)
        run.wait()
        _look(run, at_s, known)
        last_s = at_s
    run.at(last_s + 3600)
    run.settle()
    return _scored(made, _final(run), known)


def score_outages(run: GridRun, made: list[Outage], plan: Plan) -> Score:
    """Send all events at once, as after a day without a head-end: what is found in the end."""
    told = list(events(run.grid, made, plan))
    run.at(told[-1][0] + 3600)
    rows = pa.concat_tables([rows for _, rows in told]).combine_chunks()
    for first in range(0, len(rows), COUNT_ROWS):
        run.send_table("ami.meter_events", rows.slice(first, COUNT_ROWS))
    run.settle()
    return _scored(made, _final(run), {})


def _final(run: GridRun) -> set[tuple[str, int]]:
    return {(row["device_id"], int(row["second"])) for row in run.rows(_FOUND)}


def _look(run: GridRun, at_s: float, known: dict[tuple[str, int], float]) -> None:
    for row in run.rows(_FOUND):
        known.setdefault((row["device_id"], int(row["second"])), at_s)


def _scored(
    made: list[Outage], final: set[tuple[str, int]], known: dict[tuple[str, int], float]
) -> Score:
    truth: dict[str, list[Outage]] = {}
    for one in made:
        truth.setdefault(one.device_id, []).append(one)
    right = [
        (device, second)
        for device, second in final
        if any(abs(second - one.start_s) <= NEAR_S for one in truth.get(device, ()))
    ]
    hits, times = 0, []
    for one in made:
        near = [
            place
            for place in final
            if place[0] == one.device_id and abs(place[1] - one.start_s) <= NEAR_S
        ]
        hits += bool(near)
        seen = [known[place] for place in near if place in known]
        times += [min(seen) - one.start_s] if seen else []
    median_s = statistics.median(times) if times else float("nan")
    return Score(len(made), len(final), len(right), hits, median_s)


READS = ("010", "020", "021", "025", "030", "040", "060")  # What sums and days rest on.
_VIEWS = "SELECT matviewname AS name FROM pg_matviews WHERE schemaname = 'ami' ORDER BY 1"
_CONTENT = (
    "SELECT count(*) AS rows, md5(string_agg(t::text, ',' ORDER BY t::text)) AS content"
    " FROM ami.{} AS t"
)


def contents(run: GridRun) -> dict[str, tuple[int, str]]:
    """Return every maintained view of the pack: how many rows, and a digest of them."""
    names = [str(row["name"]) for row in run.rows(_VIEWS)]
    found = {name: run.rows(_CONTENT.format(name))[0] for name in names}
    return {name: (int(row["rows"]), str(row["content"])) for name, row in found.items()}


def send_again(run: GridRun, wrong: Defects) -> dict[str, object]:
    """Send the whole day a second time. Returns the rows, and in which views anything moved.

    Shape: views whose rows are others than before, and views that told those who follow them.
    """
    before = contents(run)
    for name in before:
        run.door.ask(f"CREATE SUBSCRIPTION of_{name} FROM ami.{name} WITH (retention = '1 day')")
        run.door.ask(f"DECLARE at_{name} SUBSCRIPTION CURSOR FOR of_{name}")
    rows, cpu_s = 0, time.process_time()
    for sent in wrong.sent(86_400):
        for first in range(0, len(sent.rows), AGAIN_ROWS):
            run.send_table("ami.interval_reads", sent.rows.slice(first, AGAIN_ROWS))
        rows += len(sent.rows)
    run.settle()
    cpu_s = time.process_time() - cpu_s
    after = contents(run)
    told = [name for name in before if run.rows(f"FETCH NEXT FROM at_{name}")]
    changed = [name for name, content in before.items() if after[name] != content]
    return {
        "again_rows": rows,
        "again_cpu_s": cpu_s,
        "again_views": len(before),
        "again_changed": changed,
        "again_told": told,
    }


def play_reads(
    out: Path, grid: Grid, reads: DayOfReads, options: Mapping[str, str]
) -> dict[str, object]:
    """Send a day, compare its sums with the truth, and send it again when asked to."""
    wrong = Defects(reads, Rates(seed=int(options["defects"])))
    steps = list(wrong.sent(int(options.get("step", "900"))))
    run = GridRun(out, grid, reads.starts_s[0], options.get("pack", "ami"))
    began, cpu_s = time.perf_counter(), time.process_time()
    for sent in steps:
        run.at(sent.at_s)
        run.send_table("ami.interval_reads", sent.rows)
    run.settle()
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    sums = compare_sums(run, reads, wrong)
    found: dict[str, object] = {
        "rows": sum(len(sent.rows) for sent in steps),
        "seconds": seconds,
        "cpu_s": cpu_s,
        **asdict(sums),
    }
    if int(options.get("again", "0")):
        found |= send_again(run, wrong)
    run.stop()
    return found


def play_dst(out: Path, grid: Grid, files: Files, zone: str = "Europe/Berlin") -> dict[str, object]:
    """Send the days on which clocks change: their windows, sums, and days of meters."""
    found: dict[str, object] = {}
    for day in DST_DAYS:
        reads = day_of_reads(grid, load_day(files, 1, day), noise_seed=2)
        wrong = Defects(reads, Rates(silent=0.002, seed=3))
        run = GridRun(out / day.isoformat(), grid, reads.starts_s[0], part=READS)
        run.door.ask(f"UPDATE ami.ami_parameters SET time_zone = '{zone}'")
        rows = send_day(run, wrong, 6 * 3600)
        sums = compare_sums(run, reads, wrong)
        days = run.rows(
            "SELECT count(*) AS meters, min(expected) AS least, max(expected) AS most,"
            " count(*) FILTER (WHERE complete) AS complete FROM ami.daily_energy"
            f" WHERE local_day = DATE '{day}'"
        )[0]
        run.stop()
        found[day.isoformat()] = {
            "rows": rows,
            "quarters": sums.windows / len(grid.transformers),
            **asdict(sums),
            **{f"days_{name}": value for name, value in days.items()},
        }
    return found


def main() -> None:
    _, out, options = arguments()
    files = files_of("simbench", Path(options["package"]) if options.get("package") else None)
    grid = load_grid(files)
    pack = options.get("pack", "ami")
    reads = day_of_reads(grid, load_day(files, 1, date.fromisoformat(options["day"])), noise_seed=1)
    result: dict[str, object] = {"meters": len(grid.meters)}
    if int(options.get("reads", "1")):
        result |= play_reads(out / "reads", grid, reads, options)
    if int(options.get("dst", "0")):
        result["dst"] = play_dst(out / "dst", grid, files)
    count = int(options.get("outages", "0"))
    if count:
        plan = Plan(count=count, gasp_success=float(options.get("gasps", "0.6")), service_share=0.0)
        made = plan_outages(grid, reads.starts_s[0], plan)
        began = time.perf_counter()
        run = GridRun(out / "outages", grid, reads.starts_s[0], pack, _OUTAGES)
        score = score_outages(run, made, plan)
        run.stop()
        # How soon is told of the first few, minute by minute.
        run = GridRun(out / "played", grid, reads.starts_s[0], pack, _OUTAGES)
        played = play_outages(run, made[:PLAYED], plan)
        run.stop()
        result |= {
            "outages": score.made,
            "levels": dict(Counter(one.level for one in made)),
            "precision": score.precision,
            "recall": score.recall,
            "played": played.made,
            "detect_s": played.detect_s,
            "outage_s": time.perf_counter() - began,
        }
    result["rss_mb"] = peak_rss_mb()
    tell(result)


if __name__ == "__main__":
    main()
