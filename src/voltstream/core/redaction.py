"""What nobody is shown: the values of options whose names tell a secret."""

from __future__ import annotations

import re

REDACTED = "[REDACTED]"
# Both patterns are also run by the store's engine: no look-around, no reference back.
SECRET_NAME = (
    "passw|passphrase|secret|credential|token|jaas|oauthbearer|(access|account|api|private).?key|"
    r"key\.pem"
)
# An option stands behind a bracket or a comma; its value is a string of any kind, or bare words.
SECRET_OPTION = (
    rf"([(,][^,()=]*(?:{SECRET_NAME.replace('(', '(?:')})[^,()=]*=\s*)"
    r"(?:e'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|\$\w*\$.*?\$\w*\$|[^\s,()'][^,()']*)"
)
# What names a secret tells none: set in brackets it is no value of an option, and stays.
SECRET_NAMED = (r"(=\s*)(SECRET\s+[\w.\"$]+)", r"\1(\2)")
SECRET_SHOWN = (r"(=\s*)\((SECRET\s+[\w.\"$]+)\)", r"\1\2")
# Views, indexes and functions have no options of a connector, and show what they compute.
KINDS_WITH_SECRETS = ("table", "source", "sink", "connection", "secret")

_NAME = re.compile(SECRET_NAME, re.IGNORECASE)
_OPTION = re.compile(SECRET_OPTION, re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(SECRET_NAMED[0], re.IGNORECASE)
_SHOWN = re.compile(SECRET_SHOWN[0], re.IGNORECASE)
_STATED = re.compile(
    r"(\bPASSWORD\s+|^\s*(?:CREATE|ALTER)\s+SECRET\b.*\bAS\s+)(?:e?'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$)",
    re.IGNORECASE | re.DOTALL,
)


def is_secret(name: str) -> bool:
    """Tell whether the option of this name holds a secret."""
    return _NAME.search(name) is not None


def redacted(statement: str) -> str:
    """Return a statement without the secrets it states."""
    hidden = rf"\1'{REDACTED}'"
    kept = _OPTION.sub(hidden, _NAMED.sub(SECRET_NAMED[1], statement))
    return _STATED.sub(hidden, _SHOWN.sub(SECRET_SHOWN[1], kept))


def shown_definition(kind: str, definition: str) -> str:
    """Return an object's definition as it may be shown."""
    return redacted(definition) if kind in KINDS_WITH_SECRETS else definition
