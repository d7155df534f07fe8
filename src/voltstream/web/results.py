"""The rows of a statement as an answer: JSON, CSV or an Arrow stream."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

import pyarrow as pa
from starlette.responses import JSONResponse, Response

from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import HTTP_ANSWER_BYTES_MAX
from voltstream.core.ports import RowStream
from voltstream.core.schema import Schema
from voltstream.web.values import plain

ARROW = "application/vnd.apache.arrow.stream"
FORMATS = {"json": "application/json", "csv": "text/csv", "arrow": ARROW}
_TRUNCATED = "Voltstream-Truncated"


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one statement; ``truncated`` tells that there are more."""

    columns: Schema
    batches: tuple[pa.RecordBatch, ...]
    truncated: bool
    tag: str

    def rows(self) -> list[list[object]]:
        return [
            [plain(value) for value in row]
            for batch in self.batches
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]


def collected(stream: RowStream, rows_max: int, tag: str) -> Found:
    """Take rows up to the limit of rows, or of bytes."""
    taken: list[pa.RecordBatch] = []
    room, left = rows_max, HTTP_ANSWER_BYTES_MAX
    truncated = False
    for batch in stream.batches():
        truncated = len(batch) > room or batch.nbytes > left
        if batch.nbytes > left:
            room = min(room, len(batch) * left // max(batch.nbytes, 1))
        taken.append(batch.slice(0, room))
        room -= len(taken[-1])
        left -= batch.nbytes
        if truncated:
            break
    return Found(tuple(stream.columns), tuple(taken), truncated, tag)


def wanted_format(said: str | None, accept: str) -> str:
    """Return the form of the answer: as said, or by Accept. Raises: InvalidParameter (22023)."""
    if said is not None:
        if said not in FORMATS:
            raise InvalidParameter(
                f'"{said}" is no format of answers', hint=f"Use one of {', '.join(FORMATS)}."
            )
        return said
    return next((name for name, media in FORMATS.items() if media in accept), "json")


def answered(found: Found, form: str) -> Response:
    headers = {_TRUNCATED: "true"} if found.truncated else {}
    if form == "csv":
        return Response(_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    if form == "arrow":
        return Response(_arrow(found), media_type=ARROW, headers=headers)
    columns = [{"name": c.name, "type": c.type.pg_name} for c in found.columns]
    answer = {"columns": columns, "rows": found.rows(), "truncated": found.truncated}
    if found.tag:
        answer["command"] = found.tag
    return JSONResponse(answer)


def _csv(found: Found) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in found.columns])
    for row in found.rows():
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value)
        case _:
            return value


def _arrow(found: Found) -> bytes:
    sink = io.BytesIO()
    names = [column.name for column in found.columns]
    batches = [pa.RecordBatch.from_arrays(b.columns, names=names) for b in found.batches]
    schema = batches[0].schema if batches else pa.schema([(name, pa.string()) for name in names])
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()
