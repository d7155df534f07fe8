"""What the guides show runs and prints what they say; every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.player import Player
from tests.golden.script import DIRECTIVE
from tests.tidy.sources import ROOT
from voltstream.cli.pack_install import installation
from voltstream.cli.packs import load_pack
from voltstream.core.ports import RawBatch

GUIDES = ROOT / "docs" / "guide"
SEEDS = ROOT.parent / "shared" / "seeds"
_STEP = re.compile(r"^```(sql|text|xml|csv)\n(.*?)^```$|^<!-- (.+?) -->$", re.DOTALL | re.MULTILINE)
_SESSION = re.compile(r"^```psql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROMPT = re.compile(r"^volt[=\-(]> ?", re.MULTILINE)
_EXPECTED = re.compile(r"-- (ERROR: .*)")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


class Reader(Player):
    """Somebody who types in what a guide shows. What views hold is checked by golden scripts."""

    def _check(self, after: str) -> None:
        del after


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)  # Guides name files without a folder.
    made = Reader(tmp_path)
    yield made
    made.close()


def typed(command: str) -> str:
    """Return what a comment of the page does: run a pack, a published file, a directive, SQL."""
    verb, _, name = command.partition(" ")
    if verb == "published":
        if not SEEDS.is_dir():
            pytest.skip("the published pipelines are not beside the project")
        return (SEEDS / name).read_text(encoding="utf-8")
    if verb == "pack":
        made = "".join(f"{one.text};\n" for one in installation(load_pack(name)))
        return f"BEGIN;\n{made}COMMIT;\n"  # Its search path is that of one transaction.
    return f"-- {command}" if DIRECTIVE.fullmatch(f"-- {command}") else command


@pytest.mark.parametrize("name", sorted(path.name for path in GUIDES.glob("*.md")))
def test_guide_runs(name: str, reader: Reader) -> None:
    """Law: ```sql is run in order; ```text right behind it is the print of its last statement.

    ```xml and ```csv behind ``<!-- push SOURCE -->`` are a body that is sent to it.
    A statement that shall fail says so: ``SELECT 1 / 0;  -- ERROR:  division by zero``.
    """
    printed = pushed = ""
    for language, block, command in _STEP.findall((GUIDES / name).read_text(encoding="utf-8")):
        if command.startswith("push "):
            pushed = command.removeprefix("push ")
            continue
        if language in ("xml", "csv"):
            batch = RawBatch("declared", block.encode(), position="http")
            printed = f"{reader.taken(pushed, batch)}\n" if pushed else printed
            pushed = ""
            continue
        if language == "text":
            assert printed.endswith(block), printed
            continue
        script = typed(command) if command else block
        printed = reader.play(script)
        failed = re.findall(r"^ERROR:  \w{5}: (.*)", printed, re.MULTILINE)
        wanted = [one.removeprefix("ERROR:").strip() for one in _EXPECTED.findall(script)]
        assert failed == wanted, printed


def test_session_of_the_readme_is_real(reader: Reader) -> None:
    (shown,) = _SESSION.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    script = "".join(
        f"{_PROMPT.sub('', line)}\n" for line in shown.splitlines() if _PROMPT.match(line)
    )
    said = [_PROMPT.sub("", line) for line in shown.splitlines() if line]
    assert [line for line in reader.play(script).splitlines() if line] == said


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_pages_are_merged() -> None:
    marks = re.compile(r"^(<{7}|>{7})", re.MULTILINE)
    assert [str(page) for page in pages() if marks.search(page.read_text(encoding="utf-8"))] == []


def test_links_lead_somewhere() -> None:
    assert [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ] == []


def test_architecture_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "src").rglob("*.py")}
    assert [name for name in re.findall(r"`(?:\w+/)*(\w+\.py)`", text) if name not in modules] == []


def test_chunk_files_are_read_as_the_guide_reads_them(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("pandas", "polars"):
        pytest.importorskip(library, reason=f"{library} reads the files here")
    text = (GUIDES / "chunk-files.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```sql\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        reader.play(block)
    script = re.search(r"^```python\n(.*?)^```$\n\n^```output\n(.*?)^```$", text, re.DOTALL | re.M)
    assert script is not None
    exec(compile(script[1], "chunk-files.md", "exec"), {})
    assert capsys.readouterr().out == script[2]
