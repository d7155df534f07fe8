"""The first row of each partition, as Flink keeps it right."""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.plan import SortKey
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.postgres import block_column


def first_row(
    composer: Composer, block: Block, partition: tuple[str, ...], order: tuple[SortKey, ...]
) -> Block:
    """Return the first row of each partition, whatever comes later.

    Of rows that only come, Flink 2.3 takes the first for one that stays, unless the order is one
    column, descending: a row that comes before it later is then in nobody's input (FLINK-40368).
    Of the first two it knows that they change, so the first is taken from these.
    """
    if not (len(order) == 1 and order[0].descending):
        block = _first(composer, block, partition, order, 2)
    return _first(composer, block, partition, order, 1)


def _first(
    composer: Composer, block: Block, partition: tuple[str, ...], order: tuple[SortKey, ...],
    count: int,
) -> Block:  # fmt: skip
    name = "_rank" if count == 1 else "_place"
    made = composer.numbered(block, partition, order, "row_number", name)
    kind = exp.EQ if count == 1 else exp.LTE
    bound = kind(this=block_column(name), expression=exp.Literal.number(count))
    made.select.where(bound, copy=False)
    return made
