"""Where the ``voltstream`` command begins."""

from __future__ import annotations

import gc

gc.disable()  # Imports leave nothing to collect, and looking for it is a tenth of the start.

from voltstream.cli.app import main as run  # noqa: E402


def main() -> None:
    """Run the command line."""
    gc.enable()
    run()
