"""``python -m voltstream`` is the ``voltstream`` command."""

from __future__ import annotations

from voltstream.cli.start import main

main()
