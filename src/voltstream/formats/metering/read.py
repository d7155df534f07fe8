"""A batch of a head-end's documents to rows of a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from voltstream.core.limits import DOCUMENT_BYTES_MAX, LINE_BYTES_MAX
from voltstream.core.metering import MeterForm
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Schema
from voltstream.formats import columnar
from voltstream.formats.lines import BYTE_ORDER_MARK
from voltstream.formats.metering import ami_csv, ami_json, cmep, espi, iec61968, nem12
from voltstream.formats.metering.records import Event, Fault, Found, Reading
from voltstream.formats.metering.tables import Shape, shape_of, to_table
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import DeadLetter, Decoded, dead_letter


def read(
    batch: RawBatch, form: MeterForm, schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    """Read each document by itself; what is wrong in one is a dead letter with its line.

    Shape: a letter's place is the line in a document that is a file or a body, and the number of
    the message where a batch has many.
    """
    documents = batch.records or ([bytes(batch.payload)] if batch.payload else [])
    shape = shape_of(schema)
    readings: list[Reading] = []
    events: list[Event] = []
    origins: list[int] = []
    letters: list[DeadLetter] = []
    for index, document in enumerate(documents):
        found = _document(document, form, shape)
        for fault in found.faults:
            number, reason = fault.line, fault.reason
            if batch.records:
                number, reason = index + 1, f"line {fault.line}: {fault.reason}"
            letters.append(dead_letter(batch.position, number, fault.raw, reason, now_us))
        readings += found.readings
        events += found.events
        origins += [index] * len(found.events if shape == "events" else found.readings)
    table, owners = to_table(shape, readings, events, origins)
    rows, refused = columnar.cast(table, schema, decoder)
    for at, reason in refused:
        raw = str(table.slice(at, 1).to_pylist()[0]).encode()
        letters.append(dead_letter(batch.position, owners[at] + 1, raw, reason, now_us))
    kept = np.delete(np.array(owners, np.int64), [at for at, _ in refused])
    return Decoded(rows, letters, kept if batch.beside is not None else None)


def _document(document: bytes, form: MeterForm, shape: Shape) -> Found:
    if len(document) > DOCUMENT_BYTES_MAX:
        told = f"the document is longer than {DOCUMENT_BYTES_MAX} bytes"
        return Found(faults=[Fault(1, document, told)])
    if not document.strip():
        return Found()
    found = _read(document, form, shape)
    wanted, other = (
        (found.events, found.readings)
        if shape == "events"
        else (
            found.readings,
            found.events,
        )
    )
    if other and not wanted and not found.faults:
        held, takes = ("readings", "events") if shape == "events" else ("events", "readings")
        told = f"the document holds {held} and the source takes {takes}"
        found.faults.append(Fault(1, document, told))
    return found


def _read(document: bytes, form: MeterForm, shape: Shape) -> Found:
    match form.format:
        case "iec61968":
            return iec61968.read(document, form)
        case "espi":
            return espi.read(document, form)
        case "cmep":
            lines, faults = _lines(document)
            return _with(faults, cmep.read(lines, form))
        case "nem12":
            lines, faults = _lines(document)
            return _with(faults, nem12.read(lines, form))
        case "ami_csv":
            lines, faults = _lines(document)
            return _with(faults, ami_csv.read(lines, form, events=shape == "events"))
        case "ami_json":
            lines, faults = _lines(document)
            return _with(faults, ami_json.read(lines, form, events=shape == "events"))
        case _:
            assert_never(form.format)


def _lines(document: bytes) -> tuple[list[tuple[int, str]], list[Fault]]:
    """Cut a document into numbered lines that are text; blank ones are none."""
    lines: list[tuple[int, str]] = []
    faults: list[Fault] = []
    for number, raw in enumerate(document.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        line = raw.rstrip(b"\r")
        if not line.strip():
            continue
        if len(line) > LINE_BYTES_MAX:
            told = f"record of {len(line)} bytes is longer than {LINE_BYTES_MAX}"
            faults.append(Fault(number, line, told))
            continue
        try:
            lines.append((number, line.decode()))
        except UnicodeDecodeError as error:
            told = f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
            faults.append(Fault(number, line, told))
    return lines, faults


def _with(faults: Sequence[Fault], found: Found) -> Found:
    found.faults = sorted([*faults, *found.faults], key=lambda fault: fault.line)
    return found
