"""PostgreSQL's array literals."""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},])|([^{},"]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_array(text: str) -> list[Any]:
    """Return an array's elements: texts, None, or lists of them. Raises: ValueError."""
    body = text[text.index("=") + 1 :] if text.startswith("[") else text  # [2:4]={…}
    stack: list[list[Any]] = [[]]
    at = 0
    while at < len(body):
        token = _TOKEN.match(body, at)
        if token is None:
            break
        at = token.end()
        quoted, mark, plain = token.groups()
        if mark == "{":
            stack.append([])
        elif mark == "}":
            whole = stack.pop()
            if not stack:
                break
            stack[-1].append(whole)
        elif quoted is not None:
            stack[-1].append(_ESCAPED.sub(r"\1", quoted))
        elif plain is not None:
            word = plain.strip()
            stack[-1].append(None if word.upper() == "NULL" else word)
    if at != len(body) or len(stack) != 1 or len(stack[0]) != 1 or not body.startswith("{"):
        raise ValueError(f'malformed array literal: "{text}"')
    [whole] = stack[0]
    return list(whole)
