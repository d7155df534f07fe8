"""Python functions of users: what the store calls, and the processes that answer."""

from __future__ import annotations

import ast
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from voltstream.core.errors import (
    ExternalRoutineFault,
    InvalidFunctionDefinition,
    SyntaxFault,
)
from voltstream.core.limits import PYTHON_PROCESSES_MAX
from voltstream.core.native import BatchFunction
from voltstream.runtime.python_child import MODULES
from voltstream.runtime.python_process import Definition, PythonProcess
from voltstream.sql.python_calls import CALL, KEPT, TRANSPORTS, VOLATILE
from voltstream.sql.statements import CreateFunction
from voltstream.store.shapes import shape_of

Columns = Sequence["pa.Array[Any]"]


# What an aggregate adds to its own source: its rows, one after the other.
_FOLD = """

def {}(rows):
    state = create_state()
    for row in rows or ():
        state = accumulate(state, *row.values())
    return finish(state)
"""


class PythonFunctions:
    """Any thread. A call takes a free process, or waits until one is."""

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}
        self._idle: queue.LifoQueue[PythonProcess] = queue.LifoQueue()
        self._made: list[PythonProcess] = []
        self._lock = threading.Lock()
        for _ in range(PYTHON_PROCESSES_MAX):
            process = PythonProcess()
            self._made.append(process)
            self._idle.put(process)

    def define(self, parsed: CreateFunction) -> str:
        """Make a function known, and return its identity: equal functions have the same."""
        wanted = described(parsed)
        identity = f"{parsed.name.name}:{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
        body = json.dumps({"id": identity, **json.loads(wanted)})
        with self._lock:
            self._definitions[identity] = Definition(identity, parsed.name.name, body)
        return identity

    def natives(self) -> tuple[BatchFunction, ...]:
        """Return what the store calls: for each type that travels, one that raises, one that keeps.

        The second gives a row's value and, when it raised, the reason.
        """
        made: list[BatchFunction] = []
        for transport, spelled in TRANSPORTS.items():
            made.append(BatchFunction(CALL + transport, spelled, self._strict))
            kept = f"STRUCT(v {spelled}, e VARCHAR)"
            made.append(BatchFunction(KEPT + transport, kept, self._kept))
        return tuple(made)

    def close(self) -> None:
        for process in self._made:
            process.stop()

    def _strict(self, columns: Columns) -> pa.Array[Any]:
        definition, answer = self._answer(columns)
        reasons = answer.column("e")
        if reasons.null_count < len(reasons):
            reason = next(text for text in reasons.to_pylist() if text is not None)
            raise ExternalRoutineFault(f"function {definition.name}() raised {reason}")
        return answer.column("v")

    def _kept(self, columns: Columns) -> pa.Array[Any]:
        _, answer = self._answer(columns)
        return pa.StructArray.from_arrays([answer.column("v"), answer.column("e")], ["v", "e"])

    def _answer(self, columns: Columns) -> tuple[Definition, pa.RecordBatch]:
        identity = columns[0][0].as_py().removesuffix(VOLATILE)
        definition = self._definitions.get(identity)
        if definition is None:
            raise ExternalRoutineFault(f'function "{identity}" is not defined')
        process = self._idle.get()
        try:
            return definition, process.call(definition, columns)
        finally:
            self._idle.put(process)


def described(parsed: CreateFunction) -> str:
    """Return a definition as its process reads it, the same for the same function."""
    parameters = [kind for _, kind in parsed.parameters]
    if parsed.aggregate:
        fields = ", ".join(f'"_{n + 1}" {kind}' for n, kind in enumerate(parameters))
        parameters = [f"STRUCT({fields})[]"]
    wanted = {
        "name": parsed.name.name,
        "source": parsed.source + (_FOLD.format(parsed.name.name) if parsed.aggregate else ""),
        "strict": parsed.strict,
        "many": parsed.many,
        "arguments": [shape_of(kind) for kind in parameters],
        "result": shape_of(parsed.returns or "VARCHAR"),
    }
    return json.dumps(wanted, sort_keys=True)


def check_source(name: str, source: str, needed: Sequence[str]) -> None:
    """Raises: SyntaxFault (42601), InvalidFunctionDefinition (42P13) without a needed def."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise SyntaxFault(f"the body of function {name}() is not Python: {error}") from error
    for wanted in needed:
        if not any(_defines(node, wanted) for node in tree.body):
            raise InvalidFunctionDefinition(
                f"the body of function {name}() does not define {wanted}",
                hint=f"It must contain: def {wanted}(…):",
            )
    for node in ast.walk(tree):
        _check_import(node, name)
        if isinstance(node, ast.Attribute) and _is_inner(node.attr):
            raise InvalidFunctionDefinition(
                f"function {name}() uses {node.attr}, which is not allowed"
            )


def _check_import(node: ast.AST, name: str) -> None:
    wanted: list[str] = []
    if isinstance(node, ast.Import):
        wanted = [one.name for one in node.names]
    elif isinstance(node, ast.ImportFrom):
        wanted = [node.module if node.module and not node.level else "."]
    for module in wanted:
        if module not in MODULES:
            raise InvalidFunctionDefinition(
                f"function {name}() imports {module}, which is not allowed",
                hint=f"It may import {', '.join(sorted(MODULES))}.",
            )


def _defines(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name == name
    targets = node.targets if isinstance(node, ast.Assign) else []
    imported = node.names if isinstance(node, ast.ImportFrom) else []
    return any(isinstance(one, ast.Name) and one.id == name for one in targets) or any(
        (one.asname or one.name) == name for one in imported
    )


_HARMLESS = frozenset({"__init__", "__name__", "__doc__", "__post_init__"})


def _is_inner(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _HARMLESS


Define = Callable[[CreateFunction], str]
