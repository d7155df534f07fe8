"""Plain values as YAML: block mappings and lists, every text in double quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "str | int | Sequence[Value] | Mapping[str, Value]"
# JSON leaves these as they are; readers of YAML refuse them or end a line there.
_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def yaml_text(value: Mapping[str, Value]) -> str:
    """Return a document."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Value) -> list[str]:
    """Return a value's lines; of a scalar there is one."""
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return [_UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)]
    if isinstance(value, int):
        return [json.dumps(value)]
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, held in value.items():
            inner = _lines(held)
            if isinstance(held, str | int) or not held:
                lines.append(f"{key}: {inner[0]}")
            else:
                lines += [f"{key}:", *(f"  {line}" for line in inner)]
        return lines or ["{}"]
    for held in value:
        first, *rest = _lines(held)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return lines or ["[]"]
