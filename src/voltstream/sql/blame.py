"""Where in its statement an error is, and the words that only the statement knows.

The store and the planner name what is wrong; here the name is found among the statement's tokens.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core import errors
from voltstream.core.errors import VoltstreamError
from voltstream.sql.catalog import Relation
from voltstream.sql.dialect import tokenize
from voltstream.sql.statements import (
    CopyTo,
    CreateSink,
    CreateView,
    Delete,
    Explain,
    Insert,
    ObjectName,
    Parsed,
    Query,
    Update,
)

_BOUND = (Query, Insert, Update, Delete, CreateView, CreateSink, CopyTo, Explain)
_BEFORE_RELATION = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "TUMBLE (", "HOP (", ","})
_STRINGS = frozenset({TokenType.STRING, TokenType.HEREDOC_STRING})

Relations = Mapping[str, Relation]


def blame(error: VoltstreamError, parsed: Parsed, relations: Relations) -> None:
    """Complete an error of a statement: position, qualified names, hint, constraint name."""
    if error.position is None and isinstance(parsed, _BOUND):
        tokens = tokenize(parsed.text)
        place = _place(error, tokens)
        if place is not None:
            error.position = parsed.offset + tokens[place].start + 1
            _reword(error, parsed, tokens, place)
        if error.hint is None and place is not None:
            error.hint = _near_column(error, tokens, relations)
    if isinstance(error, errors.UndefinedTable) and error.hint is None:
        error.hint = _near_relation(error.message, relations)
    if isinstance(error, errors.UniqueViolation) and isinstance(parsed, Insert | Update):
        _name_constraint(error, parsed.table, relations)
    error.args = (error.message,)


def _place(error: VoltstreamError, tokens: Sequence[Token]) -> int | None:
    """Return the index of the token to blame."""
    match error:
        case errors.UndefinedColumn() | errors.AmbiguousColumn() | errors.GroupingError():
            named = re.search(r'column (?:reference )?"?([^" ]+)"?', error.message)
            return _column(tokens, named[1]) if named else None
        case errors.UndefinedTable():
            named = re.search(r'table "([^"]+)"$', error.message)
            if named:  # missing FROM-clause entry
                return _before_dot(tokens, named[1])
            named = re.search(r'relation "(?:[^"]+\.)?([^".]+)"', error.message)
            return _relation(tokens, named[1]) if named else None
        case errors.UndefinedFunction():
            named = re.search(r"function (\w+)\(", error.message)
            if named:
                return _call(tokens, named[1])
            named = re.search(r"operator does not exist: (?:.* )?([^\w\s]+) ", error.message)
            return _operator(tokens, named[1]) if named else None
        case errors.InvalidText() | errors.InvalidDatetime() | errors.DatetimeOverflow():
            return _literal(tokens, error.message)
        case errors.NumericOutOfRange() if error.message.startswith("value "):
            return _literal(tokens, error.message)
        case errors.UndefinedObject():
            named = re.search(r'type "([^"]+)"', error.message)
            return _first(tokens, lambda at: _name(tokens, at) == named[1]) if named else None
        case _:
            return None


def _first(tokens: Sequence[Token], fits: Callable[[int], bool]) -> int | None:
    return next((at for at in range(len(tokens)) if fits(at)), None)


def _text(tokens: Sequence[Token], at: int) -> str:
    if not 0 <= at < len(tokens):
        return ""
    return " ".join(tokens[at].text.upper().split())


def _name(tokens: Sequence[Token], at: int) -> str | None:
    """Return what a token names, folded unless quoted."""
    token = tokens[at]
    if token.token_type in _STRINGS or token.token_type == TokenType.NUMBER:
        return None
    return token.text if token.token_type == TokenType.IDENTIFIER else token.text.lower()


def _column(tokens: Sequence[Token], dotted: str) -> int | None:
    table, _, name = dotted.rpartition(".")

    def fits(at: int) -> bool:
        if _name(tokens, at) != name or _text(tokens, at - 1) == "AS":
            return False
        if table:
            return _text(tokens, at - 1) == "." and _name(tokens, at - 2) == table
        return _text(tokens, at + 1) not in (".", "(")

    found = _first(tokens, fits)
    if found is None:
        return None
    return found - 2 if _text(tokens, found - 1) == "." else found


def _before_dot(tokens: Sequence[Token], name: str) -> int | None:
    return _first(tokens, lambda at: _name(tokens, at) == name and _text(tokens, at + 1) == ".")


def _relation(tokens: Sequence[Token], name: str) -> int | None:
    starts = [at for at in range(len(tokens)) if _name(tokens, at) == name]
    starts = [at - 2 if _text(tokens, at - 1) == "." else at for at in starts]
    for at in starts:
        before = _text(tokens, at - 1)
        if before in _BEFORE_RELATION or f"{_text(tokens, at - 2)} {before}" in _BEFORE_RELATION:
            return at
    return starts[0] if starts else None


def _call(tokens: Sequence[Token], name: str) -> int | None:
    return _first(
        tokens, lambda at: _name(tokens, at) == name.lower() and _text(tokens, at + 1) == "("
    )


def _operator(tokens: Sequence[Token], operator: str) -> int | None:
    spelled = {"~~": ("LIKE",), "~~*": ("ILIKE",), "<>": ("<>", "!=")}.get(operator, (operator,))
    return _first(tokens, lambda at: _text(tokens, at) in spelled)


def _literal(tokens: Sequence[Token], message: str) -> int | None:
    found = re.search(r'"(.*?)"(?: is out of range .*)?$', message, re.DOTALL)
    if found is None:
        return None
    return _first(
        tokens, lambda at: tokens[at].token_type in _STRINGS and tokens[at].text == found[1]
    )


def _reword(error: VoltstreamError, parsed: Parsed, tokens: Sequence[Token], place: int) -> None:
    """Write names as the statement does: m.kw, and the relation that a column is missing in."""
    qualified = _text(tokens, place + 1) == "."
    if isinstance(error, errors.UndefinedTable) and qualified:
        names = f"{_name(tokens, place)}.{_name(tokens, place + 2)}"
        error.message = re.sub(r'^relation "[^"]+"', f'relation "{names}"', error.message)
    elif isinstance(error, errors.UndefinedColumn) and qualified:
        names = f"{_name(tokens, place)}.{_name(tokens, place + 2)}"
        error.message = f"column {names} does not exist"
    elif isinstance(error, errors.UndefinedColumn) and _is_target(parsed, tokens, place):
        table = getattr(parsed, "table", None)
        error.message = (
            f'column "{_name(tokens, place)}" of relation "{table.name}" does not exist'
            if isinstance(table, ObjectName)
            else error.message
        )


def _is_target(parsed: Parsed, tokens: Sequence[Token], place: int) -> bool:
    if isinstance(parsed, Insert):
        return _name(tokens, place) in parsed.columns
    return (
        isinstance(parsed, Update)
        and _text(tokens, place - 1) in ("SET", ",")
        and _text(tokens, place + 1) == "="
    )


def _near_column(
    error: VoltstreamError, tokens: Sequence[Token], relations: Relations
) -> str | None:
    """Return PostgreSQL's hint when a column of a relation here differs by a slip of the pen."""
    found = re.match(r'column "?(?:[^". ]+\.)?([^". ]+)"? .*does not exist', error.message)
    if found is None or not isinstance(error, errors.UndefinedColumn):
        return None
    here = {name for at in range(len(tokens)) if (name := _name(tokens, at)) in relations}
    columns = sorted({c.name for name in here if name for c in relations[name].columns})
    best = difflib.get_close_matches(found[1], columns, n=1, cutoff=0.7)
    return f'Perhaps you meant to reference the column "{best[0]}".' if best else None


def _near_relation(message: str, relations: Relations) -> str | None:
    found = re.search(r'^relation "(?:[^"]+\.)?([^".]+)" does not exist', message)
    if found is None:
        return None
    best = difflib.get_close_matches(found[1], sorted(relations), n=1, cutoff=0.7)
    return f'Did you mean "{best[0]}"?' if best else None


def _name_constraint(
    error: errors.UniqueViolation, table: ObjectName, relations: Relations
) -> None:
    named = re.match(r"Key \((.*?)\)=", error.detail or "")
    if named is None or '"' in error.message:
        return
    columns = named[1].split(", ")
    known = relations.get(table.name)
    primary = known is not None and list(known.key) == columns
    name = "pkey" if primary else f"{'_'.join(columns)}_key"
    error.message += f' "{table.name}_{name}"'
