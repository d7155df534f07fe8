"""Where the recorded data are that come with the product: in a checkout, or inside a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_HERE = _PACKAGE / "examples"  # Where a wheel has them.
EXAMPLES = _HERE if _HERE.exists() else _PACKAGE.parents[1] / "examples"
SESSIONS = EXAMPLES / "acn" / "sessions"
GRID = EXAMPLES / "simbench" / "simbench-extract.zip"
