"""The house rules of ARCHITECTURE.md, proved over the sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tests.tidy.sources import FLOORS, PACKAGE, ROOT, Import, Module, imports_below, modules

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
BANNED_NAMES = frozenset({"common", "helper", "helpers", "manager", "misc", "util", "utils"})
LIBRARY_HOMES = {"duckdb": "store", "sqlglot": "sql"}
TEST_FOLDERS = tuple(ROOT / name for name in ("tests", "bench", "examples"))


def house() -> tuple[Module, ...]:
    return modules()


def everything() -> Iterator[Module]:
    return chain(house(), *(modules(folder) for folder in TEST_FOLDERS))


def climbs(module: Module, found: Import) -> bool:
    """Tell whether an import leaves its package for anything but a lower floor."""
    if found.target.startswith("."):
        return True
    if found.top != PACKAGE:
        return False
    target = found.target.split(".")[1] if "." in found.target else ""
    if target not in FLOORS or target == module.package:
        return target in FLOORS and target != module.package
    # The top of the package (__main__) is the way in and may name the front door only.
    floor = FLOORS["cli"] + 1 if not module.package else FLOORS[module.package]
    return FLOORS[target] >= floor


def test_every_package_has_a_floor() -> None:
    packages = {module.package for module in house()} - {"", "packs"}
    assert packages <= FLOORS.keys()


def test_imports_go_down() -> None:
    assert [
        f"{module.place}:{found.line} imports {found.target}"
        for module in house()
        for found in imports_below(module.tree)
        if climbs(module, found)
    ] == []


def test_no_import_hides_in_a_function() -> None:
    assert [
        f"{module.place}:{found.line} imports {found.target}"
        for module in house()
        for function in module.functions()
        for found in imports_below(function)
    ] == []


def test_libraries_stay_at_home() -> None:
    assert [
        f"{module.place}:{found.line} imports {found.target}"
        for module in house()
        for found in imports_below(module.tree)
        if LIBRARY_HOMES.get(found.top, module.package) != module.package
    ] == []


def test_packs_hold_no_python() -> None:
    assert [module.place for module in house() if module.package == "packs"] == []


def test_files_fit() -> None:
    assert [
        f"{module.place} has {lines} lines"
        for module in everything()
        if (lines := module.text.count("\n")) > FILE_LINES_MAX
    ] == []


def test_functions_fit() -> None:
    assert [
        f"{module.place}:{function.lineno} {function.name} has {lines} lines"
        for module in everything()
        for function in module.functions()
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ] == []


def test_names_say_what_is_inside() -> None:
    assert [
        module.place
        for module in everything()
        if BANNED_NAMES & {module.path.stem, *module.path.stem.split("_"), module.path.parent.name}
    ] == []


def test_annotations_are_not_evaluated() -> None:
    assert [
        module.place
        for module in house()
        if any(True for _ in module.functions())
        and "from __future__ import annotations" not in module.text
    ] == []


def test_locks_are_hashed_and_name_no_registry() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert {lock.name for lock in locks} == {"dev.txt", "docs.txt", "runtime.txt"}
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"://|^-|\bindex-url\b|\bfind-links\b", text, re.MULTILINE)
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*==", text, re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)


def test_no_unfinished_words() -> None:
    # Spelled apart, so that this file passes itself.
    pattern = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [module.place for module in everything() if pattern.search(module.text)] == []
