"""How often the interpreter looks for objects that only refer to each other.

A full search visits every object there is, 0.8 µs each, and nobody else runs meanwhile: with 10,000
chargers connected more than a second. Objects of messages on their way die by themselves; but where
a few hundred of them are enough to begin a search, those that wait for their commit are counted as
old ones, and old ones by the hundred thousand begin a full search.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000  # A search among these alone takes 16 ms at most.
YOUNG_SEARCHES = 20
MIDDLE_SEARCHES = 20


def collect_seldom() -> None:
    """Leave what the start has made out of later searches, and let there be fewer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG_SEARCHES, MIDDLE_SEARCHES)


def collect_all() -> None:
    """Let the end find everything: the store's library tells of whatever is left."""
    gc.unfreeze()
