"""Where the ``voltstream`` command begins."""

from __future__ import annotations

import gc
import sys

gc.disable()  # Imports leave nothing to collect, and looking for it is a tenth of the start.

import pyarrow as pa  # noqa: E402

from voltstream.cli.app import main as run  # noqa: E402


class _WithoutPandas:
    """Finds every module but pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError(name)


def main() -> None:
    """Run the command line."""
    gc.enable()
    _look_for_pandas()
    run()


def _look_for_pandas() -> None:
    """Let pyarrow look for pandas now, and find none; others can import it as ever.

    It looks once, at its first array made from values, and would import it where it is installed:
    a quarter of a second of CPU for what is never asked of it.
    """
    absent = _WithoutPandas()
    sys.meta_path.insert(0, absent)
    pa.array([0])
    sys.meta_path.remove(absent)
