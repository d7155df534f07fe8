"""What DuckDB says, in PostgreSQL's words: the texts that clients and people recognise.

Source: PostgreSQL 16, src/backend/utils/errcodes.txt and its messages as psql shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voltstream.core import errors
from voltstream.core.errors import VoltstreamError
from voltstream.core.types import Kind, from_store

_NATIVE = {"INT8": "smallint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint",
           "INT128": "numeric", "UINT8": "smallint", "UINT16": "integer", "UINT32": "bigint",
           "UINT64": "numeric", "UINT128": "numeric", "BOOL": "boolean", "FLOAT": "real",
           "INTEGER_LITERAL": "integer", "STRING_LITERAL": "unknown", '"NULL"': "unknown",
           "HUGEINT": "numeric", "DECIMAL": "numeric"}  # fmt: skip
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_FUNCTION_HINT = (
    "No function matches the given name and argument types. You might need to add explicit type "
    "casts."
)
_OPERATOR_HINT = _FUNCTION_HINT.replace("function", "operator")

Make = Callable[[re.Match[str], str], VoltstreamError]


def pg_type(spelling: str) -> str:
    """Return PostgreSQL's name of a type as DuckDB's messages spell it."""
    text = spelling.strip()
    if text in _NATIVE:
        return _NATIVE[text]
    found = from_store(text)
    return found.pg_name if found.kind is not Kind.TEXT else text.lower()


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    make: Make


def _says(fault: type[VoltstreamError], template: str, hint: str | None = None) -> Make:
    return lambda found, _: fault(template.format(*found.groups()), hint=hint)


def _unconvertible(found: re.Match[str], _: str) -> VoltstreamError:
    text, kind = found[1], pg_type(found[2])
    if kind in ("smallint", "integer", "bigint") and _INTEGER.fullmatch(text):
        return errors.NumericOutOfRange(f'value "{text}" is out of range for type {kind}')
    if kind == "numeric" and text.strip().lower().lstrip("+-") in _NO_NUMBERS:
        return _no_number()
    if kind == "interval":
        return errors.InvalidDatetime(f'invalid input syntax for type {kind}: "{text}"')
    return errors.InvalidText(f'invalid input syntax for type {kind}: "{text}"')


def _out_of_range(found: re.Match[str], _: str) -> VoltstreamError:
    kind = pg_type(found[1].split("(")[0])
    if kind == "numeric":
        return errors.NumericOutOfRange("numeric field overflow")
    return errors.NumericOutOfRange(f"{kind} out of range")


_NO_NUMBERS = frozenset({"nan", "inf", "infinity"})


def _no_number() -> VoltstreamError:
    return errors.FeatureNotSupported(
        "numeric does not hold NaN and infinity", hint="Use double precision."
    )


def _decimal_overflow(found: re.Match[str], text: str) -> VoltstreamError:
    if re.search(r"cast value [-+]?(nan|inf)", text, re.IGNORECASE):
        return _no_number()
    precision, scale = int(found[1]), int(found[2])
    whole = precision - scale
    return errors.NumericOutOfRange(
        "numeric field overflow",
        detail=f"A field with precision {precision}, scale {scale} must round to an absolute "
        f"value less than {'1' if whole == 0 else f'10^{whole}'}.",
    )


def _bad_time(found: re.Match[str], _: str) -> VoltstreamError:
    text = found[2]
    if any(mark.isdigit() for mark in text):
        return errors.DatetimeOverflow(f'date/time field value out of range: "{text}"')
    return errors.InvalidDatetime(f'invalid input syntax for type {found[1]}: "{text}"')


def _no_match(found: re.Match[str], _: str) -> VoltstreamError:
    name, given = found[1], [part for part in _arguments(found[2]) if part]
    types = [pg_type(part) for part in given]
    if name[0].isalpha() or name[0] == "_":
        return errors.UndefinedFunction(
            f"function {name}({', '.join(types)}) does not exist", hint=_FUNCTION_HINT
        )
    shown = f"{types[0]} {name} {types[1]}" if len(types) == 2 else f"{name} {' '.join(types)}"
    return errors.UndefinedFunction(f"operator does not exist: {shown}", hint=_OPERATOR_HINT)


def _arguments(text: str) -> list[str]:
    parts, depth = [""], 0
    for mark in text:
        depth += (mark == "(") - (mark == ")")
        if mark == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += mark
    return [part.strip() for part in parts]


def _duplicate_key(found: re.Match[str], _: str) -> VoltstreamError:
    pairs = [part.split(": ", 1) for part in found[1].split(", ")]
    detail = None
    if all(len(pair) == 2 for pair in pairs):
        names, values = zip(*pairs, strict=True)
        detail = f"Key ({', '.join(names)})=({', '.join(values)}) already exists."
    return errors.UniqueViolation("duplicate key value violates unique constraint", detail=detail)


def _check(found: re.Match[str], _: str) -> VoltstreamError:
    table = found[1]
    names = set(re.findall(r"(?<!['\w])[a-z_]\w*(?!\w*\()", re.sub(r"'[^']*'", "", found[2])))
    names -= {"and", "or", "not", "in", "is", "null", "true", "false", "between", "like", "cast",
              "as"}  # fmt: skip
    column = f"_{names.pop()}" if len(names) == 1 else ""
    return errors.CheckViolation(
        f'new row for relation "{table}" violates check constraint "{table}{column}_check"'
    )


def _not_unique(found: re.Match[str], _: str) -> VoltstreamError:
    types = [pg_type(part) for part in _arguments(found[2])]
    shown = f" {found[1]} ".join(types) if len(types) > 1 else f"{found[1]} {types[0]}"
    return errors.AmbiguousFunction(
        f"operator is not unique: {shown}",
        hint="Could not choose a best candidate operator. You might need to add explicit "
        "type casts.",
    )


def _bad_pattern(found: re.Match[str], _: str) -> VoltstreamError:
    """RE2 says what is wrong with a pattern, and where."""
    return errors.InvalidRegex(f"invalid regular expression: {found[0]}")


def _rules(*pairs: tuple[str, Make]) -> tuple[_Rule, ...]:
    return tuple(_Rule(re.compile(pattern), make) for pattern, make in pairs)


_RULES = _rules(
    (r"[Dd]ivision by zero", _says(errors.DivisionByZero, "division by zero")),
    (r"Like pattern must not end with escape",
     _says(errors.InvalidEscape, "LIKE pattern must not end with escape character")),
    (r"Could not choose a best candidate function for the function call \"([^a-z_(]+)\((.*)\)\"",
     _not_unique),
    (r"LIMIT/OFFSET cannot be negative",
     _says(errors.InvalidRowCount, "LIMIT and OFFSET must not be negative")),
    (r"(\w+(?: BY)?) clause cannot contain window functions",
     _says(errors.WindowingError, "window functions are not allowed in {}")),
    (r"^(?:missing|invalid|bad|unexpected|no argument|trailing) .*: [^\n]*$", _bad_pattern),
    (r"required extension '(\w+)", lambda found, _: errors.UndefinedObject(
        f'type "{found[1]}" does not exist')),
    (r"Date out of range: (\S+)", _says(errors.DatetimeOverflow,
                                        "date field value out of range: {}")),
    (r"Cannot cast STRUCTs of different size",
     _says(errors.SyntaxFault, "unequal number of entries in row expressions")),
    # Names.
    (
        r"(?:Table|View) with name \"?([^\s\"]+)\"? does not exist",
        _says(errors.UndefinedTable, 'relation "{}" does not exist'),
    ),
    (r"Referenced (?:update )?column \"?([^\s\"]+)\"?(?: was)? not found",
     _says(errors.UndefinedColumn, 'column "{}" does not exist')),
    (r"does not have a column (?:with name|named) \"([^\"]+)\"",
     _says(errors.UndefinedColumn, 'column "{}" does not exist')),
    (r"[Cc]olumn with name \"?([^\s\"]+)\"? does not exist",
     _says(errors.UndefinedColumn, 'column "{}" does not exist')),
    (
        r"Referenced table \"([^\"]+)\" not found",
        _says(errors.UndefinedTable, 'missing FROM-clause entry for table "{}"'),
    ),
    (
        r"Ambiguous reference to column name \"([^\"]+)\"",
        _says(errors.AmbiguousColumn, 'column reference "{}" is ambiguous'),
    ),
    (
        r"(?:Function|Macro) with name \"?([^\s\"]+)\"? does not exist",
        _says(errors.UndefinedFunction, "function {}() does not exist", _FUNCTION_HINT),
    ),
    (r"Type with name \"?([^\s\"!]+)\"? does not exist",
     _says(errors.UndefinedObject, 'type "{}" does not exist')),
    (
        r"(?:Table|View) with name \"([^\"]+)\" already exists",
        _says(errors.DuplicateTable, 'relation "{}" already exists'),
    ),
    # Shapes.
    (
        r"column \"([^\"]+)\" must appear in the GROUP BY",
        _says(
            errors.GroupingError,
            'column "{}" must appear in the GROUP BY clause or be used in an aggregate function',
        ),
    ),
    (r"(WHERE|GROUP BY|JOIN) clause cannot contain aggregates",
     _says(errors.GroupingError, "aggregate functions are not allowed in {}")),
    (r"aggregate function calls cannot be nested",
     _says(errors.GroupingError, "aggregate function calls cannot be nested")),
    (r"[Ss]et operations can only apply .* same number of result columns",
     _says(errors.SyntaxFault, "each UNION query must have the same number of columns")),
    (r"More than one row returned by a subquery used as an expression",
     _says(errors.CardinalityViolation,
           "more than one row returned by a subquery used as an expression")),
    (r"Subquery returns \d+ columns - expected \d+",
     _says(errors.SyntaxFault, "subquery has too many columns")),
    (r"ORDER term out of range",
     _says(errors.InvalidColumnReference, "ORDER BY position is not in select list")),
    (r"Duplicate column name \"([^\"]+)\" in INSERT|Column with name \"([^\"]+)\" already exists",
     lambda found, _: errors.DuplicateColumn(
         f'column "{found[1] or found[2]}" specified more than once')),
    (r"has (\d+) columns but (\d+) values were supplied|expected (\d+) columns but (\d+) values",
     lambda found, _: errors.SyntaxFault(
         "INSERT has more expressions than target columns"
         if int(found[2] or found[4]) > int(found[1] or found[3])
         else "INSERT has more target columns than expressions")),
    # Types.
    (r"No function matches the given name and argument types '([^(]+)\((.*)\)'\.", _no_match),
    (r"Macro (?:_vs_)?(\w+)\(\) does not support the supplied arguments",
     lambda found, _: errors.UndefinedFunction(
         f"function {found[1]} does not exist with such arguments", hint=_FUNCTION_HINT)),
    (r"Unimplemented type for cast \((.+) -> (.+?)\)",
     lambda found, _: errors.CannotCoerce(
         f"cannot cast type {pg_type(found[1])} to {pg_type(found[2])}")),
    (r"Cannot mix values of type (.+) and (.+?) in (\w+) expression",
     lambda found, _: errors.DatatypeMismatch(
         f"{found[3]} types {pg_type(found[2])} and {pg_type(found[1])} cannot be matched")),
    (r"Cannot compare values of type (.+) and (?:type )?(.+?) -",
     lambda found, _: errors.UndefinedFunction(
         f"operator does not exist: {pg_type(found[1])} = {pg_type(found[2])}",
         hint=_OPERATOR_HINT)),
    # Values.
    (r"Could not convert string ['\"](.*)['\"] to ([A-Z0-9 _(),]+?)(?: when casting.*)?$",
     _unconvertible),
    (r"(date|timestamp|time) field value out of range: \"(.*?)\"(?:, expected.*)?$", _bad_time),
    (r"invalid (date|timestamp|time) field format: \"(.*?)\", expected",
     lambda found, _: errors.InvalidDatetime(
         f'invalid input syntax for type {found[1]}: "{found[2]}"')),
    (r"extract specifier \"(.*)\" not recognized",
     _says(errors.InvalidParameter, 'unit "{}" not recognized')),
    (r"Malformed JSON .*Input: (.*)$",
     lambda _found, _: errors.InvalidText("invalid input syntax for type json")),
    (r"type DECIMAL\((\d+),\s*(\d+)\) failed: value is out of range", _decimal_overflow),
    (r"Could not cast value .* to DECIMAL\((\d+),\s*(\d+)\)", _decimal_overflow),
    (r"Overflow in \w+ of (\w+)", _out_of_range),
    (r"out of range for the destination type (\w+)", _out_of_range),
    (r"^Period must be greater than 0|Can't bucket using zero (?:days|months)",
     _says(errors.InvalidParameter, "period must be greater than 0")),
    (r"Month intervals cannot have day or time component",
     _says(errors.FeatureNotSupported, "month intervals cannot have day or time component")),
    (r"Unknown TimeZone '(.*)'!", _says(errors.InvalidParameter, 'time zone "{}" not recognized')),
    # Constraints.
    (r"Duplicate key \"(.*)\" violates (.*) constraint", _duplicate_key),
    (r"constraint violation: duplicate key \"(.*)\"",
     lambda found, _: errors.UniqueViolation(
         "duplicate key value violates unique constraint",
         detail=f"Key value ({found[1]}) appears more than once.")),
    (
        r"NOT NULL constraint failed: (\S+)\.\"?([^\s\"]+)\"?",
        _says(errors.NotNullViolation,
              'null value in column "{1}" of relation "{0}" violates not-null constraint'),
    ),
    (r"CHECK constraint failed on table \"?([^\s\"]+)\"? with expression (.*)$", _check),
)  # fmt: skip


def worded(text: str) -> VoltstreamError | None:
    """Return the error that PostgreSQL would raise; None for a text nobody foresaw."""
    first, _, _ = text.partition("\n")
    for rule in _RULES:
        found = rule.pattern.search(first)
        if found:
            return rule.make(found, text)
    return None
