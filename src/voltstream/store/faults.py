"""What DuckDB says, in words of core/errors: a class and its SQLSTATE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from voltstream.core import errors
from voltstream.core.errors import VoltstreamError
from voltstream.store.wording import worded

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
    (r'role ".*" does not exist', errors.UndefinedObject),  # Said by a macro of ours.
    (r'database ".*" does not exist', errors.UndefinedDatabase),
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
    (duckdb.FatalException, (), errors.StorageFault),
    (duckdb.OutOfMemoryException, (), errors.OutOfMemory),
    (duckdb.TransactionException, (), errors.SerializationFailure),
    (duckdb.InvalidInputException, _INPUT, errors.InvalidParameter),
)
# An error of a function of our own: its SQLSTATE travels in the text.
_NATIVE = re.compile(r"NativeFault: \[([0-9A-Z]{5})\] (.*)", re.DOTALL)
_PREFIX = re.compile(r"^[A-Z][A-Za-z0-9 ]* (Error|Exception): ")


def mapped(error: duckdb.Error) -> VoltstreamError:
    """Translate one DuckDB error."""
    if isinstance(error, duckdb.InterruptException):
        return errors.QueryCanceled("canceling statement due to user request")
    text = _PREFIX.sub("", str(error)).split("\n\nLINE ")[0].split("\nLINE ")[0]
    native = _NATIVE.search(text)
    if native:
        return _by_sqlstate(native[1])(native[2])
    known = worded(text)
    if known is not None:
        return known
    first, _, _ = text.partition("\n")  # What follows are DuckDB's own candidates.
    for family, rules, fallback in _FAMILIES:
        if isinstance(error, family):
            for pattern, found in rules:
                if re.search(pattern, text):
                    return found(first)
            return fallback(first)
    return errors.InternalError(first)


def _by_sqlstate(code: str) -> type[VoltstreamError]:
    known = {error.sqlstate: error for error in reversed(VoltstreamError.__subclasses__())}
    return known.get(code, errors.InternalError)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what DuckDB raises as VoltstreamError."""
    try:
        yield
    except duckdb.Error as error:
        raise mapped(error) from error
    except UnicodeDecodeError as error:
        # DuckDB shows the first 50 bytes of a JSON document it cannot read. Where that cuts a
        # character in two, its message is no text, and Python raises this in its place.
        raise mapped(_meant(error.object.decode(errors="replace"))) from error
    except (OSError, pa.ArrowException) as error:  # Rows come through Arrow, and so do errors.
        raise mapped(_meant(str(error))) from error


def _meant(text: str) -> duckdb.Error:
    """Return the error that a message was written for."""
    named = _PREFIX.match(text)
    kind = named[0].rsplit(" ", 2)[0].title().replace(" ", "") if named else ""
    found = getattr(duckdb, f"{kind}Exception", duckdb.Error)
    error: duckdb.Error = found(text)
    return error
