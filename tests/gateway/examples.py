"""The smallest message that a schema allows, made from the schema."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voltstream.ocpp.versions import Version

_FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


def schema_of(version: Version, name: str) -> dict[str, Any]:
    found = find_spec("ocpp")
    assert found is not None and found.origin is not None
    file = Path(found.origin).parent / _FOLDERS[version] / "schemas" / f"{name}.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8-sig"))
    return content


def smallest(schema: dict[str, Any], root: dict[str, Any], name: str = "") -> Any:
    """Return a value with the required fields only."""
    if "$ref" in schema:
        return smallest(root["definitions"][schema["$ref"].rpartition("/")[2]], root, name)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            return {key: smallest(known[key], root, key) for key in schema.get("required", [])}
        case "array":
            return [smallest(schema["items"], root, name)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
        case _ if schema.get("format") == "date-time":
            return "2026-06-01T12:00:00Z"
        case _ if schema.get("format") == "uri":
            return "https://example.com/x"
        case _:
            return name[: schema.get("maxLength", 100)] or "x"


def request(version: Version, action: str) -> dict[str, Any]:
    bare = version is Version.V16 or action == "NotifyPeriodicEventStream"
    root = schema_of(version, action if bare else f"{action}Request")
    found: dict[str, Any] = smallest(root, root)
    return found
