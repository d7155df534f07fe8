"""`voltstream ingest`: files to a source; every part is durable before the next is sent."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from voltstream.cli.address import (
    HostOption,
    HttpPortOption,
    PgPortOption,
    ServerUnreachable,
    UrlOption,
    parts_of,
)
from voltstream.cli.parts import METER_FORMATS, FileFormat, Part, format_of, parts_of_file
from voltstream.cli.terminal import err, remark, say
from voltstream.core.errors import InvalidParameter, VoltstreamError

ANSWER_WAIT_S = 150  # Longer than a statement waits for the writer (core/limits.WRITER_WAIT_S).
CONTENT_TYPES: dict[str, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; header=present",
    "parquet": "application/x-ndjson",  # Sent as the lines it spells.
    **dict.fromkeys(METER_FORMATS, "application/octet-stream"),
}

EXAMPLES = """
Examples:

  voltstream ingest meter_readings day1.ndjson day2.ndjson.gz

  voltstream ingest registry stations.csv --http-port 8080

  voltstream ingest meter_readings archive/*.parquet

  voltstream ingest ami.channel_reads drop/*.xml --format iec61968 --option tz=Europe/Berlin
"""


@dataclass
class Tally:
    """What the server has made durable so far."""

    rows: int = 0
    dead_letters: int = 0


class RowPusher:
    """One kept-open HTTP connection to a source."""

    def __init__(
        self,
        host: str,
        port: int,
        database: str,
        source: str,
        token: str = "",
        root: str = "",
        said: Mapping[str, str] | None = None,
    ) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_WAIT_S)
        if root:
            trusted = ssl.create_default_context(cafile=None if root == "system" else root)
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=ANSWER_WAIT_S, context=trusted
            )
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._place = f"{host}:{port}"
        self._path = f"/v1/sources/{quote(source, safe='')}/rows?" + urlencode(
            {"database": database, **(said or {})}
        )

    def push(self, payload: bytes, content_type: str) -> Tally:
        """Send a part and wait until it is durable. Raises: VoltstreamError as the server says."""
        try:
            self._connection.request(
                "POST",
                self._path,
                body=payload,
                headers={"Content-Type": content_type, **self._headers},
            )
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(
                f"cannot reach {self._place}: {error}",
                hint="Start a server with: voltstream serve",
            ) from error
        said = _object(body)
        if answer.status != http.client.OK:
            raise _refusal(answer.status, said)
        return Tally(int(str(said.get("rows", 0))), int(str(said.get("dead_letters", 0))))

    def close(self) -> None:
        self._connection.close()


def ingest(
    source: Annotated[str, typer.Argument(help="Source that takes the rows.")],
    files: Annotated[
        list[Path], typer.Argument(help="NDJSON, CSV or Parquet files; the first two also .gz.")
    ],
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="Format, when names do not tell.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="What a meter format leaves open, such as tz=Europe/Berlin."),
    ] = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
    http_port: HttpPortOption = 8080,
    token: Annotated[
        str,
        typer.Option(envvar="VOLTSTREAM_TOKEN", help="Bearer token of a role that may insert."),
    ] = "",
    tls_root: Annotated[
        str,
        typer.Option("--tls-root", help="Use TLS: a PEM file of roots, or system."),
    ] = "",
) -> None:
    """Send files to a source over HTTP and tell how many rows are durable."""
    del pg_port  # Taken, so that one set of flags names a server for every verb.
    sized = [(file, file_format or format_of(file), _size_of(file)) for file in files]
    server, database = parts_of(url, host)
    pusher = RowPusher(server, http_port, database, source, token, tls_root, _said(sized, option))
    tally = Tally()
    try:
        with _progress() as progress:
            for file, chosen, size in sized:
                task = progress.add_task(file.name, total=size)
                parts = _shown(parts_of_file(file, chosen), progress, task)
                _push_all(pusher, parts, CONTENT_TYPES[chosen], tally)
                progress.update(task, completed=size)
    except (VoltstreamError, KeyboardInterrupt):
        err.print(f"{tally.rows:,} rows were durable before this.")
        raise
    finally:
        pusher.close()
    say(f"{tally.rows:,} rows durable in {source}")
    if tally.dead_letters:
        remark(
            "WARNING",
            f"{tally.dead_letters:,} records could not be decoded",
            f"SELECT reason, count(*) FROM dead_letters WHERE source = '{source}' GROUP BY reason;",
        )


def _said(
    sized: Sequence[tuple[Path, FileFormat, int]], option: Sequence[str] | None
) -> dict[str, str]:
    """Return what a push says of a head-end's files. Raises: InvalidParameter (22023)."""
    formats = {chosen for _, chosen, _ in sized}
    meters = formats & set(METER_FORMATS)
    if not meters:
        if option:
            raise InvalidParameter("--option is for the formats of meters")
        return {}
    if len(formats) > 1:
        raise InvalidParameter("files of a meter format are sent alone")
    given = dict(part.partition("=")[::2] for part in option or ())
    return {"encode": meters.pop(), **given}


def _push_all(pusher: RowPusher, parts: Iterable[Part], content_type: str, tally: Tally) -> None:
    for part in parts:
        done = pusher.push(part.payload, content_type)
        tally.rows += done.rows
        tally.dead_letters += done.dead_letters


def _shown(parts: Iterator[Part], progress: Progress, task: TaskID) -> Iterator[Part]:
    """Move the bar once a part has been answered."""
    for part in parts:
        yield part
        progress.update(task, completed=part.progress)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise InvalidParameter(f'cannot read "{file}": {error.strerror}') from error


def _object(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _refusal(status: int, said: dict[str, object]) -> VoltstreamError:
    inner = said.get("error")
    fields: dict[str, object] = inner if isinstance(inner, dict) else said
    message = fields.get("message") or (inner if isinstance(inner, str) else None)
    hint = fields.get("hint")
    refusal = VoltstreamError(
        str(message or f"the server answered HTTP {status}"), hint=str(hint) if hint else None
    )
    refusal.sqlstate = str(fields.get("sqlstate") or fields.get("code") or refusal.sqlstate)
    return refusal
