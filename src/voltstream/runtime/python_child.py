"""The process in which users' Python functions run; it imports nothing of the server.

Shape: frames on stdin and stdout, each four bytes of length, one of kind, and a body. ``D`` defines
a function (JSON); ``C`` calls it with rows (four bytes of header length, a JSON header, an Arrow
stream), answered by ``R`` (an Arrow stream of ``v`` and ``e``) or ``F`` (text: no row is to blame).
Law: rows in, rows out; there is no file, socket or process to reach: none can be opened any more.
"""

from __future__ import annotations

import ast
import builtins
import datetime
import importlib
import io
import json
import operator
import os
import resource
import struct
import sys
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, cast
from uuid import UUID

import pyarrow as pa

MODULES = frozenset({
    "base64", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re",
    "statistics", "string", "struct", "textwrap", "time", "typing", "unicodedata", "urllib.parse",
    "uuid", "zlib",
})  # fmt: skip
_HIDDEN = frozenset({
    "open", "eval", "exec", "compile", "input", "breakpoint", "exit", "quit", "help", "globals",
    "locals", "vars", "memoryview", "copyright", "credits", "license",
})  # fmt: skip
_NOBODY = 65_534
_DEPTH_MAX = 500  # Calls of a function by itself: deeper is an error of the row.
_HEADER = struct.Struct(">IB")
_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "blob": pa.binary(), "date": pa.date32(),
    "time": pa.time64("us"), "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "interval": pa.month_day_nano_interval(),
}  # fmt: skip
_BITS = {"smallint": 16, "integer": 32, "bigint": 64, "hugeint": 128}
_UTC = datetime.UTC

Shape = dict[str, Any]
Convert = Callable[[Any], Any]


class Record(dict[str, Any]):
    """A struct: its fields by key and as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


# --- values in ----------------------------------------------------------------------------------


def incoming(shape: Shape) -> Convert | None:
    """Return what makes a Python value of an argument, or None when Arrow's own will do."""
    kind = shape["kind"]
    if kind == "json":
        return _document
    if kind == "uuid":
        return UUID
    if kind == "hugeint":
        return int
    if kind == "decimal":
        return _shortest
    if kind == "list":
        inner = incoming(shape["of"])
        return (lambda items: [_or_none(inner, item) for item in items]) if inner else None
    if kind == "struct":
        fields = [(name, incoming(of)) for name, of in shape["fields"]]
        return lambda value: Record({n: _or_none(c, value[n]) for n, c in fields})
    if kind == "map":
        return dict
    return None


def _or_none(convert: Convert | None, value: Any) -> Any:
    return value if value is None or convert is None else convert(value)


def _shortest(value: Decimal) -> Decimal:
    """Drop the zeros that only fill the column's scale."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(1) if isinstance(exponent, int) and exponent > 0 else short


def _document(text: str) -> Any:
    return json.loads(text)


# --- values out ---------------------------------------------------------------------------------


def outgoing(shape: Shape, *, nested: bool = False) -> Convert:
    """Return what makes of a function's value what travels; in a document when ``nested``."""
    kind = shape["kind"]
    if kind in _BITS:
        return _integer(kind)
    if kind == "decimal":
        return _decimal(shape["precision"], shape["scale"])
    if kind == "list":
        inner = outgoing(shape["of"], nested=True)
        return lambda value: [None if item is None else inner(item) for item in _items(value)]
    if kind == "struct":
        return _record(shape["fields"])
    if kind in ("json", "map"):
        return (lambda value: value) if nested else _dumped
    direct = _LEAVES[kind]
    text = _TEXTS.get(kind) if nested else None
    return direct if text is None else lambda value: text(direct(value))


def _integer(kind: str) -> Convert:
    least = -(1 << (_BITS[kind] - 1))

    def convert(value: Any) -> int:
        number = operator.index(value)
        if not least <= number < -least:
            raise OverflowError(f"{kind} out of range")
        return number

    return convert if kind != "hugeint" else lambda value: str(convert(value))


def _record(fields: Sequence[tuple[str, Shape]]) -> Convert:
    converts = [(name, outgoing(of, nested=True)) for name, of in fields]

    def convert(value: Any) -> dict[str, Any]:
        if isinstance(value, tuple | list):
            if len(value) != len(converts):
                raise TypeError(f"expected {len(converts)} fields, got {len(value)}")
            parts = list(value)
        elif isinstance(value, dict):
            parts = [value[name] for name, _ in converts]
        else:
            parts = [getattr(value, name) for name, _ in converts]
        return {
            name: None if part is None else inner(part)
            for (name, inner), part in zip(converts, parts, strict=True)
        }

    return convert


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, str | bytes | dict):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an array")
    items: Iterable[Any] = value
    return items


def _of(kinds: type | tuple[type, ...], what: str, but: type | None = None) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, kinds) or (but is not None and isinstance(value, but)):
            name = type(value).__name__
            raise TypeError(f"'{name}' object cannot be interpreted as {what}")
        return value

    return convert


_number = _of((int, float, Decimal), "a number", bool)
_moment = _of(datetime.datetime, "a timestamp")


def _decimal(precision: int, scale: int) -> Convert:
    unit, bound = Decimal(1).scaleb(-scale), Decimal(10) ** (precision - scale)
    exact = Context(prec=2 * precision + scale, rounding=ROUND_HALF_UP)

    def convert(value: Any) -> str:
        found = _number(value)
        number = Decimal(repr(found)) if isinstance(found, float) else Decimal(found)
        if not number.is_finite() or abs(number) >= bound:
            raise OverflowError("numeric field overflow")
        return str(number.quantize(unit, context=exact))

    return convert


def _zoned(value: Any) -> datetime.datetime:
    moment: datetime.datetime = _moment(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_UTC)


def _plain(value: Any) -> datetime.datetime:
    moment: datetime.datetime = _moment(value)
    return moment.astimezone(_UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment


def _span(*parts: int) -> pa.MonthDayNano:
    make = cast("Callable[[tuple[int, ...]], pa.MonthDayNano]", pa.MonthDayNano)
    return make(parts)


def _interval(value: Any) -> pa.MonthDayNano:
    if isinstance(value, datetime.timedelta):
        us = value.seconds * 1_000_000 + value.microseconds
        return _span(0, value.days, us * 1000)
    return _span(*value)


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_in_document, ensure_ascii=False)


def _in_document(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.date | datetime.time | UUID):
        return str(value)
    raise TypeError(f"'{type(value).__name__}' object is not JSON serializable")


_LEAVES: dict[str, Convert] = {
    "boolean": _of(bool, "a boolean"),
    "float": lambda value: float(_number(value)),
    "double": lambda value: float(_number(value)),
    "varchar": _of(str, "text"),
    "blob": _of((bytes, bytearray), "bytea"),
    "date": _of(datetime.date, "a date", datetime.datetime),
    "time": _of(datetime.time, "a time"),
    "timestamp": _plain,
    "timestamp with time zone": _zoned,
    "interval": _interval,
    "uuid": lambda value: str(UUID(str(value))),
}
# How a value is written inside a document; what is not named is written as it is.
_TEXTS: dict[str, Convert] = {
    "float": lambda value: value if value - value == 0 else str(value),
    "double": lambda value: value if value - value == 0 else str(value),
    "blob": bytes.decode,
    "date": str,
    "time": str,
    "timestamp": str,
    "timestamp with time zone": str,
    "interval": lambda span: f"{span[0]} months {span[1]} days {span[2] // 1000} microseconds",
}


# --- functions ----------------------------------------------------------------------------------


class Function:
    """A defined function: rows of arguments to rows of values and errors."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        scope: dict[str, Any] = {"__builtins__": allowed_builtins(), "__name__": wanted["name"]}
        exec(compile(ast.parse(wanted["source"]), wanted["name"], "exec"), scope)
        self._call = scope[wanted["name"]]
        self._strict = bool(wanted["strict"])
        self._many = bool(wanted["many"])
        self._arguments = [incoming(shape) for shape in wanted["arguments"]]
        shape = wanted["result"]
        self._result = outgoing(shape, nested=self._many)
        self._dumps = self._many or shape["kind"] in ("list", "struct")
        self._arrow = pa.string() if self._dumps else _ARROW.get(shape["kind"], pa.string())

    def answer(self, columns: Sequence[pa.Array[Any]], rows: int) -> pa.RecordBatch:
        """Call the function for every row; one that raises gives NULL and the reason."""
        values: list[Any] = [None] * rows
        reasons: list[str | None] = [None] * rows
        for at, row in enumerate(self._rows(columns, rows)):
            if self._strict and None in row:
                continue
            try:
                values[at] = self._one(row)
            except MemoryError:
                raise
            except Exception as error:
                reasons[at] = _said(error)
        return pa.RecordBatch.from_arrays(
            [pa.array(values, self._arrow), pa.array(reasons, pa.string())], names=["v", "e"]
        )

    def _rows(self, columns: Sequence[pa.Array[Any]], rows: int) -> Iterator[tuple[Any, ...]]:
        lists: list[list[Any]] = []
        for column, convert in zip(columns, self._arguments, strict=True):
            values = column.to_pylist()
            lists.append([_or_none(convert, v) for v in values] if convert else values)
        return zip(*lists, strict=True) if lists else iter([()] * rows)

    def _one(self, row: tuple[Any, ...]) -> Any:
        found = self._call(*row)
        if self._many:
            rows = () if found is None else found
            made = [None if item is None else self._result(item) for item in rows]
            return json.dumps(made, default=_in_document, ensure_ascii=False)
        if found is None:
            return None
        value = self._result(found)
        return json.dumps(value, default=_in_document, ensure_ascii=False) if self._dumps else value


def _said(error: Exception) -> str:
    text = str(error)
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def allowed_builtins() -> dict[str, Any]:
    """Return the built-in names a function sees; import reaches the allowed modules only."""

    def limited(name: str, *rest: Any, **named: Any) -> Any:
        level = rest[3] if len(rest) > 3 else named.get("level", 0)
        if level or name not in MODULES:
            raise ImportError(f"import of '{name}' is not allowed")
        return __import__(name, *rest, **named)

    def unheard(*_: object, **__: object) -> None:
        return None

    shown = {name: value for name, value in vars(builtins).items() if name not in _HIDDEN}
    return shown | {"__import__": limited, "print": unheard}


# --- the process --------------------------------------------------------------------------------


def lock_up(memory: int) -> None:
    """Give away every way out: no new file or socket, nothing written, memory bounded."""
    for name in MODULES:
        importlib.import_module(name)
    zoneinfo.ZoneInfo("UTC")
    pa.array([datetime.datetime(2000, 1, 1, tzinfo=_UTC)]).to_pylist()
    pa.set_cpu_count(1)
    sys.setrecursionlimit(_DEPTH_MAX)
    if os.geteuid() == 0:  # The superuser is not bound by a limit of processes.
        with suppress(OSError):
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
    with open("/proc/self/statm" if os.path.exists("/proc/self/statm") else os.devnull) as file:
        pages = file.read().split()
    used = int(pages[0]) * resource.getpagesize() if pages else 0
    for which, bound in (
        (resource.RLIMIT_AS, used + memory if used else resource.RLIM_INFINITY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(which, (bound, bound))


def allow_seconds(seconds: int) -> None:
    """Let the process use so much processor time from here on; more ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def serve(source: io.RawIOBase, target: io.RawIOBase, seconds: int) -> None:
    functions: dict[str, Function] = {}
    while True:
        head = _read(source, _HEADER.size)
        if not head:
            return
        length, kind = _HEADER.unpack(head)
        body = _read(source, length)
        allow_seconds(seconds)
        try:
            if kind == ord("D"):
                wanted = json.loads(body)
                functions[wanted["id"]] = Function(wanted)
                answer = b""
            else:
                answer = _called(functions, body)
            _write(target, b"R", answer)
        except MemoryError:
            _write(target, b"F", b"out of memory")
        except Exception as error:
            _write(target, b"F", _said(error).encode())


def _called(functions: dict[str, Function], body: bytes) -> bytes:
    size = int.from_bytes(body[:4], "big")
    header = json.loads(body[4 : 4 + size])
    batch = pa.ipc.open_stream(pa.py_buffer(body)[4 + size :]).read_next_batch()
    made = functions[header["id"]].answer(batch.columns[1:], batch.num_rows)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, made.schema) as stream:
        stream.write_batch(made)
    return sink.getvalue()


def _read(source: io.RawIOBase, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = source.read(size)
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(target: io.RawIOBase, kind: bytes, body: bytes) -> None:
    rest = memoryview(_HEADER.pack(len(body), kind[0]) + body)
    while rest:
        rest = rest[target.write(rest) or 0 :]


def main() -> None:
    seconds, memory = int(sys.argv[1]), int(sys.argv[2])
    source = io.FileIO(os.dup(0), "rb")
    target = io.FileIO(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # What a function prints goes nowhere.
        os.dup2(nothing, descriptor)
    lock_up(memory)
    _write(target, b"R", b"")
    serve(source, target, seconds)


if __name__ == "__main__":
    main()
