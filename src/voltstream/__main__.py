"""``python -m voltstream`` is the ``voltstream`` command."""

from __future__ import annotations

from voltstream.cli.app import main

main()
