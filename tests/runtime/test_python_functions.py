"""The processes of Python functions: bounded, walled in, replaced when they die."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.errors import ExternalRoutineFault, LimitExceeded
from voltstream.runtime import python_process
from voltstream.runtime.python_functions import PythonFunctions
from voltstream.sql.parse import parse_statements
from voltstream.sql.python_calls import CALL, KEPT
from voltstream.sql.statements import CreateFunction


@pytest.fixture
def functions() -> Iterator[PythonFunctions]:
    made = PythonFunctions()
    yield made
    made.close()


Answer = tuple[str | None, str | None]


def called(functions: PythonFunctions, source: str, values: list[int]) -> list[Answer]:
    """Call ``f(a int)``; an answer is (result, reason)."""
    text = f"CREATE FUNCTION f(a int) RETURNS varchar LANGUAGE python AS $${source}$$"
    (parsed,) = parse_statements(text)
    assert isinstance(parsed, CreateFunction)
    identity = functions.define(parsed)
    kept = {native.name: native for native in functions.natives()}[f"{KEPT}varchar"]
    columns: list[pa.Array[Any]] = [
        pa.array([identity] * len(values)),
        pa.array(values, pa.int32()),
    ]
    values_and_reasons = kept.compute(columns)
    assert isinstance(values_and_reasons, pa.StructArray)
    return list(zip(*(part.to_pylist() for part in values_and_reasons.flatten()), strict=True))


def test_every_transport_has_both_kinds_of_call(functions: PythonFunctions) -> None:
    names = {native.name for native in functions.natives()}
    assert {f"{CALL}integer", f"{KEPT}integer", f"{CALL}varchar"} <= names
    assert len(names) == len(functions.natives())


def test_a_row_that_raises_leaves_the_others(functions: PythonFunctions) -> None:
    found = called(functions, "\ndef f(a):\n    return str(10 // a)\n", [1, 0, 5])
    assert found == [
        ("10", None),
        (None, "ZeroDivisionError: integer division or modulo by zero"),
        ("2", None),
    ]


ESCAPES = {
    "a file": "open_('/etc/passwd', 0)",
    "a new file": "open_('/tmp/voltstream-should-not-be', 0o101)",
    "a process": "fork()",
}


@pytest.mark.parametrize("way", sorted(ESCAPES))
def test_what_breaks_out_of_python_finds_no_door(functions: PythonFunctions, way: str) -> None:
    """Whoever gets hold of the system's calls in spite of all can open nothing with them."""
    source = f"""
def f(a):
    names = dir(())
    top = getattr(getattr((), '__cla' + 'ss__'), '__ba' + 'se__')
    kinds = getattr(top, '__sub' + 'classes__')()
    importer = next(k for k in kinds if k.__name__ == 'BuiltinImporter')
    posix = importer.load_module('posix')
    open_, fork = posix.open, posix.fork
    return str({ESCAPES[way]})
"""
    ((value, reason),) = called(functions, source, [1])
    assert value is None
    assert reason is not None and ("OSError" in reason or "BlockingIOError" in reason)


def test_a_call_that_takes_too_long_ends_and_the_next_one_works(
    functions: PythonFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_process, "PYTHON_BATCH_S_MAX", 2.0)
    with pytest.raises(LimitExceeded, match=r"f\(\) took longer than 2 seconds"):
        called(functions, "\ndef f(a):\n    while True: pass\n", [1])
    assert called(functions, "\ndef f(a):\n    return str(a)\n", [1]) == [("1", None)]


def test_memory_is_bounded(functions: PythonFunctions) -> None:
    with pytest.raises(LimitExceeded, match="needs more memory"):
        called(functions, "\ndef f(a):\n    return str(len(bytearray(10 ** 9)))\n", [1])
    assert called(functions, "\ndef f(a):\n    return str(a)\n", [1]) == [("1", None)]


def test_a_process_that_dies_is_replaced(functions: PythonFunctions) -> None:
    source = "\ndef f(a):\n    return str(a + 1)\n"
    assert called(functions, source, [1]) == [("2", None)]
    for process in functions._made:
        if process._process is not None:
            os.kill(process._process.pid, signal.SIGKILL)
            process._process.wait()
    assert called(functions, source, [2]) == [("3", None)]


def test_functions_see_nothing_of_the_server(functions: PythonFunctions) -> None:
    source = "\nimport json\ndef f(a):\n    return json.codecs.sys.argv[0].rpartition('/')[2]\n"
    assert called(functions, source, [1]) == [("python_child.py", None)]
    source = "\nimport json\ndef f(a):\n    return str('voltstream' in json.codecs.sys.modules)\n"
    assert called(functions, source, [1]) == [("False", None)]


def test_an_undefined_identity_is_an_error(functions: PythonFunctions) -> None:
    strict = functions.natives()[0]
    with pytest.raises(ExternalRoutineFault, match="is not defined"):
        strict.compute([pa.array(["f:0"])])


def test_a_rolled_back_function_is_gone_and_can_be_made_again(tmp_path: Path) -> None:
    engine = Engine(tmp_path, ManualClock())
    body = "CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$\ndef f(a): return a + {}\n$$"
    try:
        engine.run("BEGIN; " + body.format(1))
        assert engine.run("SELECT f(1)") == [(2,)]
        engine.run("ROLLBACK")
        engine.run(body.format(2))
        assert engine.run("SELECT f(1)") == [(3,)]
    finally:
        engine.close()
