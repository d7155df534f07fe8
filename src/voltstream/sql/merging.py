"""MERGE as the INSERTs, UPDATEs and DELETEs that its WHEN clauses stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported


@dataclass(frozen=True, slots=True)
class Clause:
    """One WHEN clause over the rows as they were before the statement.

    Shape: ``verb`` is update, delete or insert; for a delete ``update`` changes nothing, it
    finds the rows.
    """

    verb: str
    update: exp.Update = field(default_factory=exp.Update)
    insert: exp.Insert = field(default_factory=exp.Insert)


def merge_clauses(tree: exp.Merge) -> list[Clause]:
    """Take a MERGE apart. Raises: FeatureNotSupported for WHEN NOT MATCHED BY SOURCE."""
    found: list[Clause] = []
    before: dict[bool, list[exp.Expression]] = {True: [], False: []}
    for when in tree.args["whens"].expressions:
        if when.args.get("source"):
            raise FeatureNotSupported(
                "WHEN NOT MATCHED BY SOURCE is not supported", hint="Write it as a DELETE."
            )
        matched = bool(when.args.get("matched"))
        condition = when.args.get("condition")
        wanted: list[exp.Expression] = [exp.Not(this=_true(earlier)) for earlier in before[matched]]
        if condition is not None:
            wanted.append(_true(condition))
        before[matched].append(condition if condition is not None else exp.true())
        found.extend(_clause(tree, when, wanted, matched=matched))
    return found


def _true(condition: exp.Expression) -> exp.Expression:
    """Read a condition as WHEN does: unknown is not true."""
    return exp.Coalesce(this=exp.Paren(this=condition.copy()), expressions=[exp.false()])


def _clause(
    tree: exp.Merge, when: exp.When, wanted: list[exp.Expression], *, matched: bool
) -> list[Clause]:
    then = when.args.get("then")
    if isinstance(then, exp.Insert):
        return [Clause("insert", insert=_insert(tree, then, wanted))]
    if isinstance(then, exp.Update):
        return [Clause("update", _update(tree, then.expressions, wanted))]
    verb = then.name.upper() if isinstance(then, exp.Expression) else ""
    if verb == "DELETE" and matched:
        return [Clause("delete", _update(tree, [], wanted))]
    if "NOTHING" in verb:
        return []
    raise FeatureNotSupported(f"WHEN … THEN {verb} is not supported in MERGE")


def _update(
    tree: exp.Merge, assignments: list[exp.Expression], wanted: list[exp.Expression]
) -> exp.Update:
    update = exp.Update(this=tree.this.copy(), expressions=[a.copy() for a in assignments])
    update.set("from_", exp.From(this=tree.args["using"].copy()))
    update.set("where", exp.Where(this=exp.and_(tree.args["on"].copy(), *wanted)))
    return update


def _insert(tree: exp.Merge, then: exp.Insert, wanted: list[exp.Expression]) -> exp.Insert:
    target = tree.this.copy()
    target.set("alias", None)
    missing = exp.Not(
        this=exp.Exists(this=exp.select("1").from_(tree.this.copy()).where(tree.args["on"].copy()))
    )
    values = then.args.get("expression")
    if not isinstance(values, exp.Tuple):
        raise FeatureNotSupported("INSERT DEFAULT VALUES is not supported in MERGE")
    source = exp.select(*[value.copy() for value in values.expressions])
    source = source.from_(tree.args["using"].copy()).where(exp.and_(missing, *wanted))
    into: exp.Expression = target
    if isinstance(then.this, exp.Tuple):
        names = [exp.to_identifier(item.name, quoted=True) for item in then.this.expressions]
        into = exp.Schema(this=target, expressions=names)
    return exp.Insert(this=into, expression=source)
