"""Statements that an epoch may shorten: unions without empty branches, values that are not tried.

A union says in comments which deltas each branch reads, so that its text is a statement as it is.
Law: a branch whose deltas are all empty has no rows. The types of a union are those of all its
branches together: without some of them one must stay that has these types by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|/\*vs:(any|or|end)([^*]*)\*/|\b(TRY)\(""",
)
# Whether a branch alone has the union's types: it does, it does not, or nobody knows yet.
_TYPED = {"+": True, "-": False, "?": None}
_SIGNS = {typed: sign for sign, typed in _TYPED.items()}
Types = Callable[[str], tuple[str, ...]]  # The types of a query's columns.


@dataclass(frozen=True)
class Branch:
    """One branch of a union as it is being written, and the deltas without which it is empty."""

    sql: str
    reads: tuple[str, ...]
    typed: bool | None = None


def union_all(branches: Sequence[Branch]) -> str:
    """Print a union of which empty branches may be left out."""
    if len(branches) == 1:
        return branches[0].sql
    first, *others = branches
    return (
        _mark("any", first)
        + first.sql
        + "".join(f"{_mark('or', one)} UNION ALL {one.sql}" for one in others)
        + "/*vs:end*/"
    )


def _mark(word: str, branch: Branch) -> str:
    return f"/*vs:{word} {' '.join((_SIGNS[branch.typed], *branch.reads))}*/"


def unmarked(sql: str) -> str:
    """Return a statement without what it says of its branches."""
    return _TOKEN.sub(lambda found: "" if found[1] else found[0], sql)


@dataclass
class _Arm:
    """A branch: its text and unions in turn."""

    reads: tuple[str, ...]
    typed: bool | None
    parts: list[str | _Fork] = field(default_factory=list)


@dataclass
class _Fork:
    arms: list[_Arm] = field(default_factory=list)


class Wording:
    """A statement in the words that fit an epoch. Used on the writer thread only."""

    def __init__(self, sql: str) -> None:
        self._whole = sql
        self._untried: str | None = None
        self._parts: list[str | _Fork] | None = None
        self._names: frozenset[str] = frozenset()
        self._known: dict[tuple[frozenset[str], bool], str] = {}

    def whole(self, *, tried: bool) -> str:
        """Return the statement with all branches."""
        if tried:
            return self._whole
        if self._untried is None:
            self._untried = _TOKEN.sub(lambda found: "(" if found[3] else found[0], self._whole)
        return self._untried

    def short(self, filled: Callable[[str], bool], types: Types, *, tried: bool) -> str:
        """Return the statement without the branches that are empty."""
        if self._parts is None:
            self._parts = _parsed(self._whole)
            self._names = frozenset(_names(self._parts))
        if not self._names:
            return self.whole(tried=tried)
        live = frozenset(name for name in self._names if filled(name))
        if len(live) == len(self._names):
            return self.whole(tried=tried)
        known = self._known.get((live, tried))
        if known is None:
            known = _shown(self._parts, live, types)
            if not tried:
                known = _TOKEN.sub(lambda found: "(" if found[3] else found[0], known)
            self._known[live, tried] = known
        return known


def _parsed(sql: str) -> list[str | _Fork]:
    root: list[str | _Fork] = []
    lists, forks, at = [root], [], 0
    for found in _TOKEN.finditer(sql):
        if not found[1]:
            continue
        lists[-1].append(sql[at : found.start()])
        at = found.end()
        if found[1] == "any":
            forks.append(_Fork())
            lists[-1].append(forks[-1])
        else:
            lists.pop()
        if found[1] == "end":
            forks.pop()
            continue
        sign, *reads = found[2].split()
        forks[-1].arms.append(_Arm(tuple(reads), _TYPED[sign]))
        lists.append(forks[-1].arms[-1].parts)
    root.append(sql[at:])
    return root


def _names(parts: Sequence[str | _Fork]) -> list[str]:
    return [
        name
        for part in parts
        if isinstance(part, _Fork)
        for arm in part.arms
        for name in (*arm.reads, *_names(arm.parts))
    ]


def _shown(parts: Sequence[str | _Fork], live: frozenset[str], types: Types) -> str:
    return "".join(one if isinstance(one, str) else _fork(one, live, types) for one in parts)


def _fork(fork: _Fork, live: frozenset[str], types: Types) -> str:
    """Print the branches that may have rows, and one with the union's types if need be."""
    arms = [arm for arm in fork.arms if not live.isdisjoint(arm.reads)]
    if len(arms) < len(fork.arms):
        _learn_types(fork, types)
        if not any(arm.typed for arm in arms):
            typed = next((arm for arm in fork.arms if arm.typed), None)
            arms = [arm for arm in fork.arms if arm is typed or arm in arms]
            arms = arms if typed is not None else fork.arms
    texts = (_shown(arm.parts, live, types).removeprefix(" UNION ALL ") for arm in arms)
    return " UNION ALL ".join(texts)


def _learn_types(fork: _Fork, types: Types) -> None:
    if all(arm.typed is not None for arm in fork.arms):
        return
    each = [_all(arm.parts).removeprefix(" UNION ALL ") for arm in fork.arms]
    whole = types(" UNION ALL ".join(each))
    for arm, text in zip(fork.arms, each, strict=True):
        arm.typed = types(text) == whole


def _all(parts: Sequence[str | _Fork]) -> str:
    return "".join(
        one if isinstance(one, str) else "".join(_all(arm.parts) for arm in one.arms)
        for one in parts
    )
