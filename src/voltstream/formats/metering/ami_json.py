"""JSON lines of head-ends: an object per reading, per interval or per event."""

from __future__ import annotations

import json

from voltstream.core.metering import MeterForm
from voltstream.formats.metering.fields import Names, Reader, names_of
from voltstream.formats.metering.records import Fault, Found, Unreadable


def read(lines: list[tuple[int, str]], form: MeterForm, *, events: bool) -> Found:
    """Read lines, each with its number; or one array of objects, over any number of lines."""
    found = Found()
    if lines and lines[0][1].lstrip().startswith("["):
        lines = _elements(lines, found)
    reader = Reader(form)
    known: dict[tuple[str, ...], Names] = {}
    for place, line in lines:
        try:
            given = json.loads(line)
            if not isinstance(given, dict):
                raise Unreadable("not a JSON object")
            keys = tuple(given)
            names = known.get(keys)
            if names is None:
                names = names_of(keys, form)
                if len(known) < 1_000:
                    known[keys] = names
            record = [_text(value) for value in given.values()]
            if events:
                found.events.append(reader.event(names, record))
            else:
                found.readings += reader.readings(names, record)
        except Unreadable as error:
            found.faults.append(Fault(place, line.encode(), error.message))
        except (ValueError, RecursionError) as error:
            found.faults.append(Fault(place, line.encode(), f"not valid JSON: {error}"))
    return found


def _elements(lines: list[tuple[int, str]], found: Found) -> list[tuple[int, str]]:
    whole = "\n".join(line for _, line in lines)
    try:
        given = json.loads(whole)
    except (ValueError, RecursionError) as error:
        found.faults.append(Fault(lines[0][0], whole.encode(), f"not valid JSON: {error}"))
        return []
    return [(number, json.dumps(one)) for number, one in enumerate(given, start=1)]


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case int():
            return str(value)
        case _:
            return json.dumps(value)
