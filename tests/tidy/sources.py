"""What the tidy tests read: this checkout's own files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = "voltstream"

FLOORS = {
    "core": 0,
    "sql": 1,
    "formats": 1,
    "store": 1,
    "runtime": 2,
    "connectors": 2,
    "pgwire": 3,
    "ocpp": 3,
    "sim": 3,
    "datasets": 3,
    "web": 3,
    "deploy": 3,
    "cli": 4,
}


@dataclass(frozen=True)
class Module:
    """A Python file, parsed. ``package`` is its floor's name; empty at the top."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def package(self) -> str:
        parts = self.path.relative_to(SOURCE / PACKAGE).parts
        return parts[0] if len(parts) > 1 else ""

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


@dataclass(frozen=True)
class Import:
    """One imported module and where it is written."""

    target: str
    line: int

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]


def imports_below(node: ast.AST) -> Iterator[Import]:
    """Yield every import statement under a node, ``from voltstream import x`` as its target."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            for alias in found.names:
                yield Import(alias.name, found.lineno)
        elif isinstance(found, ast.ImportFrom):
            target = "." * found.level + (found.module or "")
            if target == PACKAGE:
                for alias in found.names:
                    yield Import(f"{target}.{alias.name}", found.lineno)
            else:
                yield Import(target, found.lineno)


@cache
def modules(folder: Path = SOURCE / PACKAGE) -> tuple[Module, ...]:
    """Read every Python file below a folder of the checkout."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path, text, ast.parse(text, str(path))))
    return tuple(found)


def tables_of(document: Path) -> set[str]:
    """Return every `code span` of a document."""
    return set(document.read_text(encoding="utf-8").split("`")[1::2])
