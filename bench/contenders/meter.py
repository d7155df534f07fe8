"""What a contender says of itself: seconds, CPU seconds and memory of the measured span."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


class Span:
    """From the first byte read to the last result written."""

    def __init__(self) -> None:
        self._cpu_s = _cpu_s()
        self._began_s = time.perf_counter()

    def end(self, rows: int, **more: object) -> dict[str, object]:
        seconds = time.perf_counter() - self._began_s
        return {
            "rows": rows,
            "seconds": seconds,
            "cpu_s": _cpu_s() - self._cpu_s,
            "rss_mb": peak_rss_mb(),
            **more,
        }


def _cpu_s() -> float:
    """Return user and system seconds of this process and of children it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def arguments() -> tuple[Path, Path, dict[str, str]]:
    """Return the feed's folder, an empty folder to write to, and options given as key=value."""
    data, out, *rest = sys.argv[1:]
    return Path(data), Path(out), dict(each.split("=", 1) for each in rest)


def tell(result: dict[str, object]) -> None:
    print("RESULT " + json.dumps(result), flush=True)
