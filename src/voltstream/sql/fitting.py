"""Values on their way into a column: what its declared length says of them.

Source: PostgreSQL 15, src/backend/utils/adt/varchar.c and varbit.c, the casts of assignments.
"""

from __future__ import annotations

from voltstream.core.types import Kind, from_declared
from voltstream.sql.statements import ColumnSpec

MACROS = (
    ("_vs_fit_varchar(t, n, kind)",
     "CASE WHEN length(rtrim(t, ' ')) > n THEN _vs_fail('22001', 'value too long for type ' || "
     "kind) ELSE left(t, n) END"),
    # Blanks at the end say nothing: they are left out, and filled in where the value is shown.
    ("_vs_fit_bpchar(t, n, kind)",
     "CASE WHEN length(rtrim(t, ' ')) > n THEN _vs_fail('22001', 'value too long for type ' || "
     "kind) ELSE rtrim(t, ' ') END"),
    ("_vs_fit_bit(b, n, kind)",
     "CASE WHEN length(b) <> n THEN CAST(_vs_fail('22026', 'bit string length ' || length(b) || "
     "' does not match type ' || kind) AS BIT) ELSE b END"),
    ("_vs_fit_varbit(b, n, kind)",
     "CASE WHEN length(b) > n THEN CAST(_vs_fail('22001', 'bit string too long for type ' || "
     "kind) AS BIT) ELSE b END"),
)  # fmt: skip
_FITS = {
    Kind.VARCHAR: "_vs_fit_varchar",
    Kind.BPCHAR: "_vs_fit_bpchar",
    Kind.BIT: "_vs_fit_bit",
    Kind.VARBIT: "_vs_fit_varbit",
}
# Names of objects: each is looked up, and kept as it is shown then.
_LOOKED_UP = {
    Kind.REGCLASS: "regclass", Kind.REGTYPE: "regtype", Kind.REGNAMESPACE: "regnamespace",
}  # fmt: skip
_NAME_BYTES = 63  # PostgreSQL's NAMEDATALEN without the end of the string.


def fitted(value: str, spec: ColumnSpec) -> str:
    """Return a value in the store's words as its column keeps it.

    A row with a longer one fails the statement: 22001, or 22026 for bits of another count.
    """
    kept = f"CAST({value} AS {spec.store_type})"
    found = from_declared(spec.declared)
    if found is None or found.array_depth:
        return kept
    if found.kind is Kind.CHAR:
        return f"left({kept}, 1)"
    if found.kind in _LOOKED_UP:
        word = _LOOKED_UP[found.kind]
        return f"_pg.{word}_out(_pg.{word}_in({kept}))"
    if found.kind is Kind.NAME:
        return f"left({kept}, {_NAME_BYTES})"
    if found.kind not in _FITS or found.precision is None:
        return kept
    shown = f"{found.kind.pg_name}({found.precision})"
    return f"{_FITS[found.kind]}({kept}, {found.precision}, '{shown}')"
