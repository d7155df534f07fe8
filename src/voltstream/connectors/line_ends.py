"""Where the last whole line of CSV ends."""

from __future__ import annotations

import numpy as np

from voltstream.core.limits import LINE_BYTES_MAX

_NEWLINE, _QUOTE = 10, 34


def csv_end(chunk: bytes) -> int:
    """Return the place after the last newline that is outside quotes.

    A quote that is open for longer than a record may be was never meant as one.
    """
    content = np.frombuffer(chunk, np.uint8)
    newlines = np.flatnonzero(content == _NEWLINE)
    quotes = np.flatnonzero(content == _QUOTE)
    outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    end = int(outside[-1]) + 1 if len(outside) else 0
    if len(chunk) - end > LINE_BYTES_MAX and len(newlines):
        return int(newlines[-1]) + 1
    return end
