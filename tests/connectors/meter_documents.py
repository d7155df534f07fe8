"""Documents of head-ends that come through a connector: one of each format, and its golden rows."""

from __future__ import annotations

from dataclasses import dataclass

from tests.connectors.memory_feed import eventually
from tests.driver import Engine
from tests.formats.metering.test_golden import CASES, DOCUMENTS, SHAPES

_PATIENCE_S = 60


@dataclass(frozen=True)
class Document:
    """A document, and the source that reads it."""

    name: str
    encode: str
    shape: str
    options: dict[str, str]

    @property
    def source(self) -> str:
        return f"of_{self.encode.lower()}_{self.shape}"

    def payload(self) -> bytes:
        return (DOCUMENTS / self.name).read_bytes()

    def definition(self, properties: dict[str, str]) -> str:
        """Return the statement that makes the source on a connector."""
        columns = ", ".join(f"{one.name} {one.store_type}" for one in SHAPES[self.shape])
        told = ", ".join(f"{key} = '{value}'" for key, value in properties.items())
        options = ", ".join(f"{key} = '{value}'" for key, value in self.options.items())
        encode = f"{self.encode} ({options})" if options else self.encode
        return f"CREATE SOURCE {self.source} ({columns}) WITH ({told}) FORMAT PLAIN ENCODE {encode}"

    def arrives(self, engine: Engine) -> None:
        """Wait for the document's rows. Raises: AssertionError when others come, or none."""
        golden = (DOCUMENTS / f"{self.name}.{self.shape}.out").read_text(encoding="utf-8")
        wanted = golden.splitlines()[1:]
        wanted = sorted(wanted[: next(at for at, line in enumerate(wanted) if line[:1] == "(")])
        names = ", ".join(one.name for one in SHAPES[self.shape])
        eventually(
            lambda: len(engine.run(f"SELECT {names} FROM {self.source}")) >= len(wanted),
            _PATIENCE_S,
        )
        assert wanted == sorted(
            " | ".join(
                (str(cell) if cell is not None else "").replace("+00:00", "Z") for cell in row
            ).rstrip()
            for row in engine.run(f"SELECT {names} FROM {self.source}")
        )


ONE_OF_EACH = list({case[1]: Document(*case) for case in reversed(CASES)}.values())
