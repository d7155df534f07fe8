"""Options that name a secret instead of stating it: WITH (password = SECRET name)."""

from __future__ import annotations

_MARK = "\x01secret:"  # No text that a statement states begins so.


def reference(name: str) -> str:
    """Return the value of an option that names a secret."""
    return _MARK + name


def referenced(value: str) -> str | None:
    """Return the secret that an option's value names, as ``name`` or ``schema.name``."""
    return value.removeprefix(_MARK) if value.startswith(_MARK) else None
