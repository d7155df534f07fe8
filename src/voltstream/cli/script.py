"""Cut a script into statements, as psql does: the server's own parser sees them one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECES = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<quoted>  [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z) )
    | (?P<dollar>  (?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$ .*? (?:\$(?P=tag)\$|\Z) )
    | (?P<end>     ; )
    | (?P<word>    [A-Za-z_]\w* )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)


def split_script(script: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with the offset of its first character; empty ones are left out."""
    start: int | None = None
    end = 0
    for piece in _PIECES.finditer(script):
        if piece.lastgroup == "end":
            if start is not None:
                yield start, script[start:end]
            start = None
        elif piece.lastgroup != "comment" and not piece[0].isspace():
            start = piece.start() if start is None else start
            end = piece.end()
    if start is not None:
        yield start, script[start:end]
