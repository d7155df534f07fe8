"""Whether two statements are the same, however they are laid out."""

from __future__ import annotations

from voltstream.sql.dialect import tokenize


def signature(text: str) -> tuple[str, ...]:
    """Return a statement's words without comments and white space, each with its kind."""
    return tuple(f"{token.token_type.name} {token.text}" for token in tokenize(text))
