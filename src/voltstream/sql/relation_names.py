"""Where a query names relations, so that the names alone can be replaced in its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.dialect import parse_query, tokenize
from voltstream.sql.resolve import WINDOWS, is_local


@dataclass(frozen=True, slots=True)
class Mention:
    """One name as written. ``bare``: nothing else names its rows.

    Shape: ``start`` and ``end`` are its first and its last character in the text.
    """

    schema: str | None
    name: str
    start: int
    end: int
    bare: bool


def mentions(tree: exp.Expression) -> Iterator[Mention]:
    """Find the relations that a query reads, those of its own WITH left out."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Anonymous):
            if table.this.name.upper() in WINDOWS:
                yield from _window_input(table.this)
        elif isinstance(table.this, exp.Identifier) and not is_local(table):
            parts = [table.args.get("catalog"), table.args.get("db"), table.this]
            start, end = _span(parts)
            yield Mention(table.db or None, table.name, start, end, bare=not table.alias)


def _window_input(call: exp.Anonymous) -> Iterator[Mention]:
    """Find what stands where a column would: TUMBLE(reading, …). Its rows have an alias."""
    column = call.expressions[0] if call.expressions else None
    if not isinstance(column, exp.Column):
        return
    named = exp.Table(this=column.this.copy(), db=column.args.get("table"))
    named.parent = call.parent
    if not is_local(named):
        start, end = _span([column.args.get("db"), column.args.get("table"), column.this])
        yield Mention(column.table or None, column.name, start, end, bare=False)


def _span(parts: list[exp.Expression | None]) -> tuple[int, int]:
    found = [part.meta for part in parts if isinstance(part, exp.Identifier)]
    return min(meta["start"] for meta in found), max(meta["end"] for meta in found)


def with_references(
    text: str, reference: Callable[[Mention], str | None], kept: Callable[[str], str]
) -> str:
    """Return a query with its relations written in another way; None leaves one as it is.

    Shape: ``kept`` is applied to the text between the names.
    """
    found = sorted(mentions(parse_query(tokenize(text), text)), key=lambda one: one.start)
    written: list[str] = []
    at = 0
    for mention in found:
        path = reference(mention)
        if path is not None:
            written += [kept(text[at : mention.start]), path]
            at = mention.end + 1
    return "".join(written) + kept(text[at:])
