"""The rows of a few keys within a large state, found so that storage skips the rest.

DuckDB hands the least and greatest key of a join's small side to the scan of the large one, which
then skips whole row groups: with ``=``, but not with IS NOT DISTINCT FROM. So keys are matched by
``=``, and those with a NULL in them by a second branch, whose small side is nearly always empty
and then ends before it reads. What was found is deleted by its place.
docs/design/performance.md has the figures.
"""

from __future__ import annotations

from voltstream.sql.expressions import quote
from voltstream.sql.operators.stream import Writer
from voltstream.sql.plan import column_list
from voltstream.sql.program import Form, Swap

AT_ONCE: tuple[Form, ...] = ("near", "hashed")
PLACE = "_vs_place"  # Where a row of a state is, within one epoch.


def null_safe(columns: tuple[str, ...], left: str, right: str) -> str:
    """Print the equality of two rows on some columns, NULL equal to NULL."""
    parts = [f"{left}.{quote(c)} IS NOT DISTINCT FROM {right}.{quote(c)}" for c in columns]
    return " AND ".join(parts) or "TRUE"


def near(
    rows: str, touched: str, keys: tuple[str, ...], shown: str = "r.*", *, unique: bool = False
) -> str:
    """Print the query of the rows whose keys ``touched`` has; without keys, of all rows.

    Shape: ``rows`` and ``touched`` are relations or bracketed queries; ``shown`` is over ``r``;
    ``unique`` says that no two rows of ``touched`` have the same keys.
    """
    if not keys:
        return f"SELECT {shown} FROM {rows} AS r"
    plain, odd = _parted(touched, keys, unique)
    return (
        f"SELECT {shown} FROM {rows} AS r JOIN {plain} AS d ON {_equal(keys, 'r', 'd')} UNION ALL "
        f"SELECT {shown} FROM {rows} AS r JOIN {odd} AS d ON {null_safe(keys, 'r', 'd')}"
    )


def held(
    writer: Writer,
    state: str,
    touched: str,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    reads: tuple[str, ...],
    operator: str,
    *,
    retractions_only: bool = False,
    swap: Swap | None = None,
) -> str:
    """Copy the rows whose keys ``touched`` has, with their places; return the temp relation."""
    found = near(state, touched, keys, f"r.*{place(columns)}")
    return writer.temp(found, reads, operator, retractions_only=retractions_only, swap=swap)


def forget(
    writer: Writer,
    state: str,
    old: str,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    reads: tuple[str, ...],
    operator: str,
    *,
    form_of: str | None = None,
    swap: Swap | None = None,
) -> None:
    """Delete rows that were found: by place, which does not look for them again.

    Shape: ``old`` is a relation or bracketed query with the keys and, unless hidden, the place;
    ``form_of`` is a state that may be a log instead.
    """
    if not keys:
        statement = f"DELETE FROM {state}"
    elif place(columns):
        statement = f'DELETE FROM {state} WHERE rowid IN (SELECT "{PLACE}" FROM {old})'
    else:
        same = null_safe(keys, "r", "d")
        statement = f"DELETE FROM {state} AS r USING {old} AS d WHERE {same}"
    forms = AT_ONCE if form_of is not None else ()
    writer.run(statement, reads, operator, swap=swap, state=form_of, forms=forms)


def place(columns: tuple[str, ...]) -> str:
    """Print the place of row r as a column; a column of this name hides what DuckDB has."""
    hidden = any(column.lower() == "rowid" for column in columns)
    return "" if hidden else f', r.rowid AS "{PLACE}"'


def _parted(touched: str, keys: tuple[str, ...], unique: bool) -> tuple[str, str]:
    """Return the distinct keys without a NULL in them, and those with one."""
    distinct = f"SELECT {'' if unique else 'DISTINCT '}{column_list(keys)} FROM {touched}"
    plain = " AND ".join(f"{quote(key)} IS NOT NULL" for key in keys)
    odd = " OR ".join(f"{quote(key)} IS NULL" for key in keys)
    return f"({distinct} WHERE {plain})", f"({distinct} WHERE {odd})"


def _equal(keys: tuple[str, ...], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{quote(key)} = {right}.{quote(key)}" for key in keys)
