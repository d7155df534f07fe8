"""Who owns what, and what was granted: the access control lists of one database.

Source: PostgreSQL manual, "Privileges"; letters as an aclitem prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from voltstream.runtime.roles import OWNER_OID

PUBLIC = 0
LETTERS: Mapping[str, str] = {
    "INSERT": "a", "SELECT": "r", "UPDATE": "w", "DELETE": "d", "TRUNCATE": "D", "REFERENCES": "x",
    "TRIGGER": "t", "EXECUTE": "X", "USAGE": "U", "CREATE": "C", "CONNECT": "c", "TEMPORARY": "T",
    "TEMP": "T",
}  # fmt: skip
_OF_RELATION = "arwdDxt"
# What can be granted, by kind of object, in the order in which PostgreSQL prints it.
GRANTABLE: Mapping[str, str] = {
    **dict.fromkeys(
        ("table", "view", "materialized view", "source", "sink", "subscription", "index"),
        _OF_RELATION,
    ),
    "function": "X", "secret": "U", "connection": "U", "schema": "UC", "database": "CTc",
    "column": "arwx",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What rights are on: an object by its oid, a schema by its name, or the database.

    Shape: a column has its relation's oid, and its name as ``schema``.
    """

    kind: str
    oid: int = 0
    schema: str = ""


DATABASE = Target("database")


@dataclass(frozen=True, slots=True)
class AclItem:
    """What one role was granted by another; ``options`` are the letters it may grant on."""

    grantee: int
    grantor: int
    letters: str
    options: str = ""

    def text(self, names: Mapping[int, str]) -> str:
        """Return it as PostgreSQL's aclitem: ``reader=r*/volt``."""
        shown = "".join(f"{one}*" if one in self.options else one for one in self.letters)
        grantee = "" if self.grantee == PUBLIC else _quoted(names.get(self.grantee, "?"))
        return f"{grantee}={shown}/{_quoted(names.get(self.grantor, '?'))}"


def _quoted(name: str) -> str:
    plain = name.replace("_", "a").isalnum()
    return name if plain else '"' + name.replace('"', '""') + '"'


Acl = tuple[AclItem, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """The rights on one object; ``acl`` None means those that its kind begins with."""

    owner: int = OWNER_OID
    acl: Acl | None = None


@dataclass(frozen=True, slots=True)
class Standard:
    """ALTER DEFAULT PRIVILEGES: what objects of a role begin with. ``schema`` "" means anywhere."""

    owner: int
    schema: str
    kind: str  # r relations, f functions, n schemas
    acl: Acl


def first_acl(target: Target, owner: int) -> Acl:
    """Return the rights an object begins with."""
    if target.kind == "column":
        return ()
    own = AclItem(owner, owner, GRANTABLE[target.kind])
    open_to_all = {"function": "X", "database": "Tc"}.get(target.kind, "")
    if target.kind == "schema" and target.schema == "public":
        open_to_all = "U"
    return (AclItem(PUBLIC, owner, open_to_all), own) if open_to_all else (own,)


# Letters of what default privileges are on; those of relations and of one kind of them add up.
STANDARDS: Mapping[str, str] = {
    "TABLE": "r", "FUNCTION": "f", "SCHEMA": "n", "MATERIALIZED VIEW": "m", "VIEW": "v",
    "SOURCE": "o", "SINK": "k", "SUBSCRIPTION": "u", "SECRET": "e", "CONNECTION": "c",
}  # fmt: skip
STANDARD_NAMES: Mapping[str, str] = {
    "r": "relations", "f": "functions", "n": "schemas", "m": "materialized views", "v": "views",
    "o": "sources", "k": "sinks", "u": "subscriptions", "e": "secrets", "c": "connections",
}  # fmt: skip


def standard_kinds(kind: str) -> str:
    """Return the letters of the default privileges that an object's kind begins with."""
    own = STANDARDS.get(kind.upper(), "r")
    return own if kind in ("function", "schema", "secret", "connection", "table") else f"r{own}"


@dataclass(frozen=True, slots=True)
class Rights:
    """Every owner and grant of a database, as an immutable snapshot."""

    held: Mapping[Target, Held] = field(default_factory=dict)
    standards: tuple[Standard, ...] = ()

    def on(self, target: Target) -> Held:
        held = self.held.get(target, _NONE)
        if held is _NONE and (target.kind, target.schema) == ("schema", "public"):
            return Held(self.held.get(DATABASE, _NONE).owner)  # It comes with the database.
        return held

    def owner(self, target: Target) -> int:
        return self.on(target).owner

    def acl(self, target: Target) -> Acl:
        held = self.on(target)
        return held.acl if held.acl is not None else first_acl(target, held.owner)

    def with_held(self, target: Target, held: Held) -> Rights:
        return replace(self, held={**self.held, target: held})

    def without(self, target: Target) -> Rights:
        return replace(self, held={t: h for t, h in self.held.items() if t != target})

    def with_standard(self, standard: Standard) -> Rights:
        key = (standard.owner, standard.schema, standard.kind)
        kept = tuple(s for s in self.standards if (s.owner, s.schema, s.kind) != key)
        return replace(self, standards=(*kept, standard) if standard.acl else kept)

    def standard(self, owner: int, schema: str, kind: str) -> Acl | None:
        key = (owner, schema, kind)
        found = (s.acl for s in self.standards if (s.owner, s.schema, s.kind) == key)
        return next(found, None)

    def beginning(self, target: Target, owner: int, schema: str) -> Held:
        """Return what a new object of a role has."""
        kinds = standard_kinds(target.kind)
        first = first_acl(target, owner)
        everywhere = [found for k in kinds if (found := self.standard(owner, "", k)) is not None]
        acl = everywhere[0] if everywhere else first
        here = [self.standard(owner, schema, k) or () for k in kinds] if schema else []
        for item in chain.from_iterable([*everywhere[1:], *here]):
            acl = granted(acl, item)
        fit = GRANTABLE[target.kind]
        acl = tuple(replace(i, letters=ordered(i.letters, fit)) for i in acl)
        acl = tuple(item for item in acl if item.letters)
        return Held(owner, None if set(acl) == set(first) else acl)


_NONE = Held()


def ordered(letters: Iterable[str], fit: str) -> str:
    chosen = set(letters)
    return "".join(letter for letter in fit if letter in chosen)


def granted(acl: Acl, item: AclItem) -> Acl:
    """Return a list with one item more: what the same role gave the same role becomes one."""
    fit = "".join(dict.fromkeys("arwdDxtXUCTc"))
    for old in acl:
        if (old.grantee, old.grantor) == (item.grantee, item.grantor):
            both = AclItem(
                old.grantee,
                old.grantor,
                ordered(old.letters + item.letters, fit),
                ordered(old.options + item.options, fit),
            )
            return tuple(both if one is old else one for one in acl)
    return (*acl, item)


def revoked(acl: Acl, grantee: int, grantor: int, letters: str, *, options_only: bool) -> Acl:
    """Return a list without what a role gave a role, or without the right to give it on."""
    kept: list[AclItem] = []
    for item in acl:
        if (item.grantee, item.grantor) != (grantee, grantor):
            kept.append(item)
            continue
        gone = "" if options_only else letters
        rest = "".join(one for one in item.letters if one not in gone)
        options = "".join(one for one in item.options if one not in letters)
        if rest:
            kept.append(replace(item, letters=rest, options=options))
    return tuple(kept)


def without_grantor(acl: Acl, grantor: int, letters: str) -> Acl:
    """Return a list without what a role has passed on: REVOKE … CASCADE."""
    for item in acl:
        if item.grantor == grantor and item.grantee != grantor and set(item.letters) & set(letters):
            cut = revoked(acl, item.grantee, grantor, letters, options_only=False)
            return without_grantor(without_grantor(cut, item.grantee, letters), grantor, letters)
    return acl
