"""Rows that Flink has to know to change."""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.expressions import column
from voltstream.sql.plan import Plan
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer


def changing(composer: Composer, block: Block, plan: Plan) -> Block:
    """Return the rows of a block as rows that may go again.

    Flink 2.3 lets an OVER window read rows that change, but takes what it returns for rows that
    stay (FlinkRelMdModifiedMonotonicity), so that MIN and MAX above it would forget nothing. Of
    VALUES it claims nothing, nor of what they are united with, even if they are never a row.
    """
    typer, block = Typer(composer.oracle, plan), composer.nested(block)
    never = exp.Select().from_(exp.Table(this=exp.Var(this="(VALUES (0)) AS never (n)")))
    never.where(exp.Var(this="RAND() < 0"), copy=False)  # Known to nobody before it runs.
    absent = {n: composer.words.cast(exp.Null(), typer.of(column(n))) for n in block.names}
    return united(composer, block.query(), Block(never, absent).query(), names=(*block.names,))


def united(composer: Composer, one: exp.Query, two: exp.Query, *, names: tuple[str, ...]) -> Block:
    """Return the rows of two queries as a query of their own name."""
    name = composer.fresh("u")
    composer.ctes.append((name, exp.Union(this=one, expression=two, distinct=False)))
    select = exp.Select().from_(exp.Table(this=exp.to_identifier(name)))
    return Block(select, {own: column(own) for own in names}, single=True)
