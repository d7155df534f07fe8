"""The reference names everything there is: limits, errors, verbs, flags and settings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import click
import pytest
import typer

import voltstream
from tests.tidy.sources import ROOT, tables_of
from voltstream.cli.app import app
from voltstream.cli.config import setting_names
from voltstream.core import limits
from voltstream.core.errors import VoltstreamError

REFERENCE = ROOT / "docs" / "reference"


def all_errors(base: type[VoltstreamError] = VoltstreamError) -> Iterator[type[VoltstreamError]]:
    for error in base.__subclasses__():
        yield error
        yield from all_errors(error)


def verbs() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    assert hasattr(group, "commands")
    return dict(group.commands)


def test_every_limit_is_documented_with_its_value() -> None:
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8")
    named = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert named
    missing = [
        f"{name} = {value:,}"
        for name, value in named.items()
        if f"| `{name}` | {value:,} |" not in text
    ]
    assert missing == []


def test_every_error_is_documented_with_its_sqlstate() -> None:
    for module in pkgutil.walk_packages(voltstream.__path__, "voltstream."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    text = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    missing = [
        f"{error.__name__} {error.sqlstate}"
        for error in all_errors()
        if error.__module__.startswith("voltstream.")
        and f"| `{error.sqlstate}` | `{error.__name__}` |" not in text
    ]
    assert missing == []


def test_every_verb_and_flag_is_documented() -> None:
    spans = tables_of(REFERENCE / "cli.md")
    missing = [
        f"{name} {option}"
        for name, verb in verbs().items()
        for parameter in verb.params
        for option in parameter.opts
        if option.startswith("--") and f"{name} {option}" not in spans
    ]
    assert missing == []
    assert [name for name in verbs() if f"voltstream {name}" not in spans] == []


@pytest.mark.parametrize("name", sorted(verbs()))
def test_every_verb_helps_with_an_example(name: str) -> None:
    assert "Example" in (verbs()[name].epilog or "")


def test_every_setting_is_documented() -> None:
    spans = tables_of(REFERENCE / "configuration.md")
    assert [name for name in setting_names() if name not in spans] == []
