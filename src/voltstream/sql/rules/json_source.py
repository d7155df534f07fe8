"""json: operators and functions that give parts of the text as it was written."""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.rules.json import jsonb
from voltstream.sql.rules.tree import (
    INTEGERS,
    JSON_SAID,
    Call,
    Rule,
    array_of,
    call,
    cast,
    string_of,
)


def _text(found: Call) -> exp.Expression:
    source = found[0]
    return source if string_of(source) is not None else cast(source, "VARCHAR")


def _part(found: Call) -> exp.Expression:
    if found.kind(1) in INTEGERS:
        return call("_vs_json_source_item", _text(found), cast(found[1], "BIGINT"))
    return call("_vs_json_source_member", _text(found), cast(found[1], "VARCHAR"))


def _deep_part(found: Call) -> exp.Expression:
    path = found[1]
    spelled = string_of(path) is not None
    keys = call("_vs_array_items", path) if spelled else cast(path, "VARCHAR[]")
    return call("_vs_json_source_at", _text(found), keys)


def _named_part(found: Call) -> exp.Expression:
    last = found.arguments[-1]
    if isinstance(last, exp.Variadic):
        keys = cast(last.this, "VARCHAR[]")
    else:
        names = [cast(key, "VARCHAR") for key in found.arguments[1:]]
        keys = cast(array_of(names), "VARCHAR[]")
    return call("_vs_json_source_at", _text(found), keys)


def _json(part: Rule) -> Rule:
    return lambda found: jsonb(part(found))


def _bare(part: Rule) -> Rule:
    return lambda found: call("_vs_json_source_text", part(found))


def _of_text(name: str) -> Rule:
    return lambda found: call(name, _text(found))


def _elements(found: Call) -> exp.Expression:
    return cast(call("_vs_json_source_elements", _text(found)), "JSON[]")


CALLS: dict[str, Rule] = {
    "operator json ->": _json(_part), "operator json ->>": _bare(_part),
    "operator json #>": _json(_deep_part), "operator json #>>": _bare(_deep_part),
    "json_extract_path": _json(_named_part), "json_extract_path_text": _bare(_named_part),
    "json_array_elements": _elements, "json_array_elements_text": _of_text("_vs_json_source_texts"),
    "json_object_keys": _of_text("_vs_json_source_keys"),
    "json_each": _of_text("_vs_json_source_pairs"),
    "json_each_text": _of_text("_vs_json_source_text_pairs"),
    JSON_SAID: _text,
}  # fmt: skip
