"""How Flink spells a tree."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.generator import Generator as SqlglotGenerator
from sqlglot.tokens import Tokenizer as SqlglotTokenizer

from voltstream.sql.targets.words import Tree, bare


class FlinkText(SqlglotDialect):
    """How Flink spells a tree: Calcite's grammar, identifiers in backticks, NULL the least."""

    NULL_ORDERING = "nulls_are_small"

    class Tokenizer(SqlglotTokenizer):
        """Identifiers in backticks."""

        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]

    class Generator(SqlglotGenerator):
        """Calcite's grammar."""

        TYPED_DIVISION = True
        SAFE_DIVISION = False


def spelled(tree: Tree) -> str:
    return bare(tree).sql(dialect=FlinkText, comments=False)


def inner(tree: Tree) -> str:
    """Spell a tree as a part of a longer text."""
    text = spelled(tree)
    return text if isinstance(bare(tree), exp.Column | exp.Literal | exp.Var) else f"({text})"
