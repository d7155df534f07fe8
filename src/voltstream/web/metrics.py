"""/metrics: what the system catalogs say, as Prometheus reads it."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from voltstream.core.errors import InsufficientPrivilege, VoltstreamError
from voltstream.core.ports import Sessions
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of
from voltstream.web.sessions import Asking, person, run

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """A family of samples. Shape: the query's last column is the value, those before are labels."""

    name: str
    kind: str
    about: str
    query: str


METRICS = (
    Metric("voltstream_epochs_total", "counter", "Epochs committed.",
           "SELECT epoch FROM rw_epochs"),
    Metric("voltstream_epoch_age_seconds", "gauge", "Age of the latest epoch.",
           "SELECT extract(epoch FROM now() - now) FROM rw_epochs"),
    Metric("voltstream_source_up", "gauge", "1 while a source's connector runs.",
           "SELECT schema, name, CASE WHEN state = 'running' THEN 1 ELSE 0 END FROM rw_sources"),
    Metric("voltstream_source_behind_rows", "gauge", "Records of a partition not yet taken in.",
           "SELECT schema, name, partition, behind FROM rw_source_lag"),
    Metric("voltstream_sink_up", "gauge", "1 while a sink delivers.",
           "SELECT schema, name, CASE WHEN state = 'running' THEN 1 ELSE 0 END FROM rw_sinks"),
    Metric("voltstream_sink_pending_rows", "gauge", "Rows in a sink's outbox.",
           "SELECT schema, name, pending FROM rw_sinks"),
    Metric("voltstream_sink_dropped_rows_total", "counter", "Rows a full outbox has left out.",
           "SELECT schema, name, dropped FROM rw_sinks"),
    Metric("voltstream_late_rows_total", "counter", "Rows behind their watermark.",
           "SELECT schema, name, late_rows FROM rw_late_rows"),
    Metric("voltstream_dead_letters", "gauge", "Records that could not be taken in, and are kept.",
           "SELECT source, count(*) FROM rw_dead_letters GROUP BY source"),
    Metric("voltstream_alerts_open", "gauge", "Open alerts.",
           "SELECT rule, severity, CASE WHEN acknowledged_at IS NULL THEN 'false' ELSE 'true' END "
           "AS acknowledged, CASE WHEN suppressed_by IS NULL THEN 'false' ELSE 'true' END "
           "AS suppressed, count(*) FROM voltstream.alerts GROUP BY 1, 2, 3, 4"),
    Metric("voltstream_operator_seconds_total", "counter", "Time in an operator.",
           "SELECT name, operator, sum(seconds) FROM rw_operator_costs GROUP BY 1, 2"),
    Metric("voltstream_operator_rows_in_total", "counter", "Changes an operator took in.",
           "SELECT name, operator, sum(rows_in) FROM rw_operator_costs GROUP BY 1, 2"),
    Metric("voltstream_operator_scanned_per_delta_row", "gauge", "Rows scanned per row of change.",
           "SELECT name, operator, max(scanned_per_delta_row) FROM rw_operator_costs "
           "GROUP BY 1, 2"),
)  # fmt: skip


class MetricsRoute:
    """Asks in the caller's name; what the caller may not see is left out."""

    def __init__(self, sessions: Sessions, default_database: str) -> None:
        self._sessions = sessions
        self._default_database = default_database

    async def __call__(self, request: Request) -> Response:
        database = request.query_params.get("database", self._default_database)
        try:
            user = person(caller_of(request))
            text = await run_in_threadpool(self.text, database, user)
        except VoltstreamError as error:
            return refusal(error)
        return PlainTextResponse(text, media_type=MEDIA)

    def text(self, database: str, user: str) -> str:
        """Raises: VoltstreamError."""
        lines = list(_of_process())
        for metric in METRICS:
            try:
                found = run(self._sessions, database, user, Asking(metric.query))
            except InsufficientPrivilege:
                continue
            names = [column.name for column in found.columns][:-1]
            lines += _header(metric.name, metric.kind, metric.about)
            lines += [
                f"{metric.name}{_labels(zip(names, row[:-1], strict=True))} {_number(row[-1])}"
                for row in found.rows()
            ]
        return "\n".join(lines) + "\n"


def _header(name: str, kind: str, about: str) -> Iterable[str]:
    return (f"# HELP {name} {about}", f"# TYPE {name} {kind}")


def _labels(pairs: Iterable[tuple[str, object]]) -> str:
    shown = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in pairs)
    return f"{{{shown}}}" if shown else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: object) -> str:
    return "NaN" if value is None else str(value)


def _of_process() -> Iterable[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield from _header("process_cpu_seconds_total", "counter", "User and system time.")
    yield f"process_cpu_seconds_total {used.ru_utime + used.ru_stime}"
    yield from _header("process_max_resident_memory_bytes", "gauge", "Most memory at a time.")
    yield f"process_max_resident_memory_bytes {used.ru_maxrss * 1024}"
