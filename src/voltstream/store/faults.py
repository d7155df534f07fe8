"""What DuckDB says, in words of core/errors: a class and its SQLSTATE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from voltstream.core import errors
from voltstream.core.errors import VoltstreamError

_BINDER: tuple[tuple[str, type[VoltstreamError]], ...] = (
    (r"[Aa]mbiguous reference to column", errors.AmbiguousColumn),
    (
        r"[Rr]eferenced (update )?column|does not have a column|[Cc]olumn .* not found",
        errors.UndefinedColumn,
    ),
    (r"[Rr]eferenced table", errors.UndefinedTable),
    (
        r"must appear in the GROUP BY|aggregate function calls cannot|cannot contain aggregates",
        errors.GroupingError,
    ),
    (r"No function matches|Could not choose a best candidate", errors.UndefinedFunction),
    (r"[Cc]annot (compare|mix|cast|combine)|type mismatch", errors.DatatypeMismatch),
    (
        r"has \d+ columns but \d+ values|[Ee]xpected \d+ values|set operation.*number of",
        errors.SyntaxFault,
    ),
)
_CATALOG: tuple[tuple[str, type[VoltstreamError]], ...] = (
    (r"[Ff]unction with name .* does not exist", errors.UndefinedFunction),
    (r"Table with name .* does not exist", errors.UndefinedTable),
    (r"(Table|View|Index) with name .* already exists", errors.DuplicateTable),
    (r"[Ss]chema .* does not exist", errors.UndefinedSchema),
    (r"[Ss]chema .* already exists", errors.DuplicateSchema),
    (r"configuration parameter|does not exist", errors.UndefinedObject),
)
_CONSTRAINT: tuple[tuple[str, type[VoltstreamError]], ...] = (
    (r"PRIMARY KEY or UNIQUE|[Dd]uplicate key|unique constraint", errors.UniqueViolation),
    (r"NOT NULL", errors.NotNullViolation),
    (r"CHECK", errors.CheckViolation),
)
_CONVERSION: tuple[tuple[str, type[VoltstreamError]], ...] = (
    (r"date field value out of range|timestamp.*out of range", errors.DatetimeOverflow),
    (r"out of range|Could not cast value .* to DECIMAL", errors.NumericOutOfRange),
    (r"Unimplemented type for cast", errors.DatatypeMismatch),
)
_INPUT: tuple[tuple[str, type[VoltstreamError]], ...] = (
    (r"Division by zero|division by zero", errors.DivisionByZero),
    (r"Overflow|out of range", errors.NumericOutOfRange),
)
_FAMILIES: tuple[
    tuple[type[duckdb.Error], tuple[tuple[str, type[VoltstreamError]], ...], type[VoltstreamError]],
    ...,
] = (
    (duckdb.ParserException, (), errors.SyntaxFault),
    (duckdb.BinderException, _BINDER, errors.DatatypeMismatch),
    (duckdb.CatalogException, _CATALOG, errors.UndefinedObject),
    (duckdb.ConstraintException, _CONSTRAINT, errors.CheckViolation),
    (duckdb.ConversionException, _CONVERSION, errors.InvalidText),
    (duckdb.OutOfRangeException, (), errors.NumericOutOfRange),
    (duckdb.InterruptException, (), errors.QueryCanceled),
    (duckdb.NotImplementedException, (), errors.FeatureNotSupported),
    (duckdb.IOException, (), errors.StorageFault),
    (duckdb.InvalidInputException, _INPUT, errors.InvalidParameter),
)
# PostgreSQL's own words, by which clients and people recognise the error.
_WORDINGS: tuple[tuple[str, str], ...] = (
    (r"Table with name \"?([^\s\"]+)\"? does not exist", 'relation "{}" does not exist'),
    (r"Referenced (?:update )?column \"?([^\s\"]+)\"? not found", 'column "{}" does not exist'),
    (r"does not have a column (?:with name|named) \"([^\"]+)\"", 'column "{}" does not exist'),
    (r"Referenced table \"([^\"]+)\" not found", 'missing FROM-clause entry for table "{}"'),
    (r"Function with name \"?([^\s\"]+)\"? does not exist", "function {}() does not exist"),
    (r"(?:Table|View) with name \"([^\"]+)\" already exists", 'relation "{}" already exists'),
    (r"Ambiguous reference to column name \"([^\"]+)\"", 'column reference "{}" is ambiguous'),
    (
        r"NOT NULL constraint failed: \S+\.(\S+)",
        'null value in column "{}" violates not-null constraint',
    ),
    (
        r"column \"([^\"]+)\" must appear in the GROUP BY",
        'column "{}" must appear in the GROUP BY clause or be used in an aggregate function',
    ),
)
_PREFIX = re.compile(r"^[A-Z][A-Za-z0-9 ]* (Error|Exception): ")


def mapped(error: duckdb.Error) -> VoltstreamError:
    """Translate one DuckDB error; its candidate lists become the hint."""
    text = _PREFIX.sub("", str(error))
    first, _, rest = text.partition("\n")
    hint = rest.split("\n\nLINE ")[0].split("\nLINE ")[0].strip() or None
    if isinstance(error, duckdb.InterruptException):
        return errors.QueryCanceled("canceling statement due to user request")
    if re.search(r"[Dd]ivision by zero", text):
        return errors.DivisionByZero("division by zero")
    first = _worded(first)
    for family, rules, fallback in _FAMILIES:
        if isinstance(error, family):
            for pattern, found in rules:
                if re.search(pattern, text):
                    return found(first, hint=hint)
            return fallback(first, hint=hint)
    return errors.InternalError(first, hint=hint)


def _worded(first: str) -> str:
    for pattern, wording in _WORDINGS:
        found = re.search(pattern, first)
        if found:
            return wording.format(found[1])
    if re.search(r"PRIMARY KEY or UNIQUE|[Dd]uplicate key", first):
        return f"duplicate key value violates unique constraint: {first}"
    return first


@contextmanager
def translated() -> Iterator[None]:
    """Raise what DuckDB raises as VoltstreamError."""
    try:
        yield
    except duckdb.Error as error:
        raise mapped(error) from error
