"""GRANT, REVOKE, default privileges and owners, inside an epoch of the database they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voltstream.core.errors import (
    DependentObjects,
    FeatureNotSupported,
    InsufficientPrivilege,
    InvalidGrant,
    UndefinedDatabase,
    UndefinedObject,
    UndefinedSchema,
    UndefinedTable,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import drop
from voltstream.runtime.catalog import Catalog, Entry, spelled
from voltstream.runtime.column_rights import (
    COLUMN,
    column_target,
    letters_of,
    of_relation,
    require_columns,
    settled,
    with_acl,
)
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.permits import Permits, denied, plain_name, schema_target, target_of
from voltstream.runtime.rights import (
    DATABASE,
    GRANTABLE,
    LETTERS,
    PUBLIC,
    STANDARDS,
    Acl,
    AclItem,
    Held,
    Rights,
    Standard,
    Target,
    first_acl,
    granted,
    ordered,
    revoked,
    without_grantor,
)
from voltstream.runtime.role_store import save_rights
from voltstream.sql.overloads import function_label
from voltstream.sql.role_statements import AlterDefaults, Grant, OwnedBy
from voltstream.sql.statements import AlterObject, Drop, ObjectName

# PostgreSQL calls all of them tables, and so do scripts.
_TABLE_LIKE = frozenset({"table", "view", "materialized view", "source"})
_ALL_KINDS = {"TABLE": ("table", "view", "materialized view", "source")}


@dataclass(frozen=True, slots=True)
class Thing:
    """One object that rights are on, with the name errors call it by."""

    target: Target
    name: str


def change_rights(
    epoch: Epoch, parsed: Grant | AlterDefaults | OwnedBy, permits: Permits
) -> Outcome:
    match parsed:
        case Grant():
            return _grant(epoch, parsed, permits)
        case AlterDefaults():
            return _alter_defaults(epoch, parsed, permits)
        case OwnedBy(to=None):
            return _drop_owned(epoch, parsed, permits)
        case OwnedBy():
            return _reassign(epoch, parsed, permits)


def role_oid(permits: Permits, name: str | None) -> int:
    """Return the role of a name. Raises: UndefinedObject (42704)."""
    if name is None:
        return PUBLIC
    if name in ("current_user", "current_role", "session_user"):
        known = permits.roles.named(name)
        return known.oid if known is not None else permits.role
    return permits.roles.require(name).oid


def _letters(privileges: tuple[str, ...], kind: str) -> str:
    fit = GRANTABLE[kind]
    if not privileges:
        return fit
    for word in privileges:
        if LETTERS[word] not in fit:
            shown = "relation" if kind in _TABLE_LIKE else kind
            raise InvalidGrant(f"invalid privilege type {word} for {shown}")
    return ordered((LETTERS[word] for word in privileges), fit)


# --- GRANT and REVOKE ---------------------------------------------------------------------------


def _grant(epoch: Epoch, parsed: Grant, permits: Permits) -> Outcome:
    tag = "REVOKE" if parsed.revoke else "GRANT"
    if parsed.granted_by is not None and role_oid(permits, parsed.granted_by) != permits.role:
        raise FeatureNotSupported("grantor must be current user")
    grantees = [role_oid(permits, name) for name in parsed.grantees]
    if parsed.option and not parsed.revoke and PUBLIC in grantees:
        raise InvalidGrant("grant options can only be granted to roles")
    notices: list[Notice] = []
    for thing in _things(epoch.catalog, parsed, permits.database):
        if parsed.privileges or not parsed.columns:
            notices += _grant_object(epoch, parsed, permits, thing, grantees)
        for word, columns in parsed.columns:
            notices += _grant_columns(epoch, parsed, permits, thing, grantees, word, columns)
    return Outcome(tag, notices=tuple(notices))


def _grant_object(
    epoch: Epoch, parsed: Grant, permits: Permits, thing: Thing, grantees: Sequence[int]
) -> Iterator[Notice]:
    rights = epoch.catalog.rights
    wanted = _letters(parsed.privileges, thing.target.kind)
    mine = "".join(one for one in wanted if permits.may_grant(thing.target, one))
    if not mine:
        if not any(permits.has(thing.target, one) for one in GRANTABLE[thing.target.kind]):
            raise denied(thing.target.kind, thing.name)
        yield _warning(parsed, thing, "no")
        return
    if mine != wanted and parsed.privileges:
        yield _warning(parsed, thing, "not all")
    grantor = _grantor(permits, thing.target)
    acl = rights.acl(thing.target)
    for grantee in grantees:
        acl = _changed(acl, parsed, grantee, grantor, mine)
    rights = rights.with_held(thing.target, Held(rights.owner(thing.target), acl))
    if parsed.revoke:  # What is taken of a relation is taken of its columns.
        for target, held in list(of_relation(rights, thing.target.oid)):
            own = held.acl or ()
            for grantee in grantees:
                own = _changed(own, parsed, grantee, grantor, mine)
            rights = with_acl(rights, target, held.owner, own)
    save_rights(epoch, rights)


def _grant_columns(
    epoch: Epoch,
    parsed: Grant,
    permits: Permits,
    thing: Thing,
    grantees: Sequence[int],
    word: str,
    columns: Sequence[str],
) -> Iterator[Notice]:
    entry = epoch.catalog.by_oid(thing.target.oid) if thing.target.oid else None
    if entry is None or entry.relation is None:
        raise InvalidGrant("column privileges are only valid for relations")
    require_columns(entry, columns)
    wanted = letters_of(word)
    grantor = _grantor(permits, thing.target)
    for column in columns:
        mine = "".join(one for one in wanted if permits.may_grant_column(entry, column, one))
        if not mine:
            if not any(permits.has(thing.target, one) for one in GRANTABLE[thing.target.kind]):
                raise denied(thing.target.kind, thing.name)
            yield _warning(parsed, thing, "no")
            continue
        rights, target = epoch.catalog.rights, column_target(entry.oid, column)
        acl = rights.acl(target)
        for grantee in grantees:
            acl = _changed(acl, parsed, grantee, grantor, mine)
        save_rights(epoch, with_acl(rights, target, rights.owner(thing.target), acl))


def _warning(parsed: Grant, thing: Thing, amount: str) -> Notice:
    verb = "revoked" if parsed.revoke else "granted"
    text = f'{amount} privileges were {verb} for "{thing.name}"'
    return Notice(text, "WARNING", "01007" if not parsed.revoke else "01006")


def _changed(acl: Acl, parsed: Grant, grantee: int, grantor: int, letters: str) -> Acl:
    if not parsed.revoke:
        options = letters if parsed.option else ""
        return granted(acl, AclItem(grantee, grantor, letters, options))
    for item in acl:
        passed_on = item.grantor == grantee and item.grantee != grantee
        if grantee != PUBLIC and passed_on and set(item.letters) & set(letters):
            if not parsed.cascade:
                raise DependentObjects(
                    "dependent privileges exist", hint="Use CASCADE to revoke them too."
                )
            acl = without_grantor(acl, grantee, letters)
            break
    return revoked(acl, grantee, grantor, letters, options_only=parsed.option)


def _grantor(permits: Permits, target: Target) -> int:
    """Return in whose name a right is given: the owner's, by all who act as the owner."""
    owner = permits.catalog.rights.owner(target)
    return owner if permits.owns(target) or permits.everything else permits.role


def _things(catalog: Catalog, parsed: Grant, database: str) -> list[Thing]:
    if parsed.schemas:
        kinds = _ALL_KINDS.get(parsed.kind, (parsed.kind.lower(),))
        for schema in parsed.schemas:
            _require_schema(catalog, schema)
        return [
            Thing(target_of(entry), plain_name(entry))
            for entry in sorted(catalog, key=lambda entry: entry.oid)
            if entry.stored.schema in parsed.schemas and entry.kind in kinds
        ]
    if parsed.kind == "SCHEMA":
        for name in parsed.names:
            _require_schema(catalog, name.name)
        return [Thing(schema_target(name.name), name.name) for name in parsed.names]
    if parsed.kind == "DATABASE":
        return [_database(name.name, database) for name in parsed.names]
    return [_object(catalog, parsed.kind, name) for name in parsed.names]


def _require_schema(catalog: Catalog, name: str) -> None:
    if name not in catalog.schemas:
        raise UndefinedSchema(f'schema "{name}" does not exist')


def _database(name: str, database: str) -> Thing:
    if name != database:
        raise UndefinedDatabase(f'database "{name}" does not exist')
    return Thing(DATABASE, name)


def _object(catalog: Catalog, kind: str, name: ObjectName) -> Thing:
    entry = catalog.named(name)
    if entry is None:
        if kind == "FUNCTION":
            shown = function_label(spelled(name))
            raise UndefinedObject(f'could not find a function named "{shown}"')
        if kind in ("SECRET", "CONNECTION", "SUBSCRIPTION"):
            raise UndefinedObject(f'{kind.lower()} "{spelled(name)}" does not exist')
        raise UndefinedTable(f'relation "{spelled(name)}" does not exist')
    fits = entry.kind == kind.lower() or (kind == "TABLE" and entry.kind in _TABLE_LIKE)
    if not fits or entry.kind == "index":
        raise WrongObjectType(f'"{plain_name(entry)}" is not a {kind.lower()}')
    return Thing(target_of(entry), plain_name(entry))


# --- default privileges -------------------------------------------------------------------------


def _alter_defaults(epoch: Epoch, parsed: AlterDefaults, permits: Permits) -> Outcome:
    grant = parsed.grant
    names = parsed.roles or ("current_user",)
    if grant.kind == "SCHEMA" and parsed.schemas:
        raise InvalidGrant("cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")
    for schema in parsed.schemas:
        _require_schema(epoch.catalog, schema)
    grantees = [role_oid(permits, name) for name in grant.grantees]
    kind = grant.kind.lower()
    letters = _letters(grant.privileges, kind)
    for name in names:
        owner = role_oid(permits, name)
        permits.need_member(owner)
        for schema in parsed.schemas or ("",):
            rights = epoch.catalog.rights
            # What is said of one schema is added to what holds everywhere.
            base = () if schema else first_acl(Target(kind), owner)
            acl = rights.standard(owner, schema, STANDARDS[grant.kind]) or base
            for grantee in grantees:
                acl = _changed(acl, grant, grantee, owner, letters)
            if not schema and set(acl) == set(first_acl(Target(kind), owner)):
                acl = ()
            standard = Standard(owner, schema, STANDARDS[grant.kind], acl)
            save_rights(epoch, rights.with_standard(standard))
    return Outcome("ALTER DEFAULT PRIVILEGES")


# --- owners -------------------------------------------------------------------------------------


def change_owner(epoch: Epoch, parsed: AlterObject, permits: Permits) -> Outcome:
    """ALTER … OWNER TO. Raises: InsufficientPrivilege (42501), UndefinedObject (42704)."""
    tag = f"ALTER {parsed.kind}"
    owner = role_oid(permits, parsed.value)
    catalog = epoch.catalog
    if parsed.kind == "SCHEMA":
        _require_schema(catalog, parsed.name.name)
        target = schema_target(parsed.name.name)
    elif parsed.kind == "DATABASE":
        if parsed.name.name != permits.database:
            raise UndefinedDatabase(f'database "{parsed.name.name}" is not the one connected to')
        target = DATABASE
    else:
        entry = catalog.named(parsed.name)
        if entry is None and parsed.if_exists:
            message = f'relation "{parsed.name.name}" does not exist, skipping'
            return Outcome(tag, notices=(Notice(message),))
        entry = catalog.require(parsed.name)
        target = target_of(entry)
        if not permits.everything and entry is not None:
            permits.of(owner).need_schema(entry.stored.schema, "C")
    permits.need_member(owner)
    rights = owned(catalog.rights, target, owner)
    for column, _ in list(of_relation(rights, target.oid) if target.oid else ()):
        rights = owned(rights, column, owner)
    for index in catalog if target.oid else ():  # An index is its table's owner's.
        if index.kind == "index" and target.oid in index.stored.depends_on:
            rights = owned(rights, target_of(index), owner)
    save_rights(epoch, rights)
    return Outcome(tag)


def owned(rights: Rights, target: Target, owner: int) -> Rights:
    """Return rights in which another role owns an object; the old owner's own go with it."""
    held = rights.on(target)
    acl = held.acl
    if acl is not None:
        moved: Acl = ()
        for item in acl:
            grantee = owner if item.grantee == held.owner else item.grantee
            grantor = owner if item.grantor == held.owner else item.grantor
            moved = granted(moved, replace(item, grantee=grantee, grantor=grantor))
        acl = moved
    return rights.with_held(target, Held(owner, acl))


def _reassign(epoch: Epoch, parsed: OwnedBy, permits: Permits) -> Outcome:
    to = role_oid(permits, parsed.to)
    permits.need_member(to)
    for name in parsed.roles:
        old = role_oid(permits, name)
        permits.need_member(old)
        rights = epoch.catalog.rights
        for target, held in list(rights.held.items()):
            if held.owner == old:
                rights = owned(rights, target, to)
        save_rights(epoch, rights)
    return Outcome("REASSIGN OWNED")


def _drop_owned(epoch: Epoch, parsed: OwnedBy, permits: Permits) -> Outcome:
    """Drop what roles own, and take from them what they were granted."""
    notices: list[Notice] = []
    for name in parsed.roles:
        oid = role_oid(permits, name)
        permits.need_member(oid)
        if permits.roles.is_super(oid):
            raise InsufficientPrivilege(f'cannot drop objects owned by role "{name}"')
        for entry in _owned_by(epoch.catalog, oid):
            if epoch.catalog.by_oid(entry.oid) is not None:
                gone = Drop(
                    text=parsed.text, offset=parsed.offset, kind=entry.kind.upper(),
                    names=(ObjectName(entry.stored.name, entry.stored.schema),),
                    cascade=parsed.cascade,
                )  # fmt: skip
                notices.extend(drop.drop(epoch, gone).notices)
        rights = epoch.catalog.rights
        for target, held in list(rights.held.items()):
            acl = tuple(i for i in held.acl or () if oid not in (i.grantee, i.grantor))
            if target.kind == COLUMN:
                rights = with_acl(rights, target, held.owner, acl)
            elif held.acl is not None and held.owner != oid:
                rights = rights.with_held(target, replace(held, acl=acl))
        for standard in rights.standards:
            kept = tuple(i for i in standard.acl if i.grantee != oid)
            kept = () if standard.owner == oid else kept
            rights = rights.with_standard(replace(standard, acl=kept))
        save_rights(epoch, rights)
    return Outcome("DROP OWNED", notices=tuple(notices))


def _owned_by(catalog: Catalog, oid: int) -> list[Entry]:
    """Return what a role owns, the youngest first: it may depend on the others."""
    owns = catalog.rights.owner
    return sorted((e for e in catalog if owns(target_of(e)) == oid), key=lambda e: -e.oid)


# --- what comes and goes ------------------------------------------------------------------------


def settle(epoch: Epoch, before: Catalog, role: int) -> None:
    """Give what is new an owner, and forget the rights on what is gone."""
    after = epoch.catalog
    if after.entries is before.entries and after.schemas is before.schemas:
        return
    rights = after.rights
    old_oids = {entry.oid for entry in before}
    took_places: list[tuple[int, int]] = []
    for entry in after:
        if entry.oid in old_oids:
            continue
        replaced = before.get(*entry.key)
        if replaced is not None and replaced.kind == entry.kind:
            took_places.append((replaced.oid, entry.oid))
        held = (
            rights.on(target_of(replaced))
            if replaced is not None and replaced.kind == entry.kind
            else rights.beginning(target_of(entry), role, entry.stored.schema)
        )
        if entry.kind == "index":
            of = after.by_oid(entry.stored.depends_on[0])
            held = Held(rights.owner(target_of(of))) if of is not None else held
        if held != Held():
            rights = rights.with_held(target_of(entry), held)
    for schema in after.schemas - before.schemas:
        if schema_target(schema) in rights.held:
            continue  # It was renamed.
        held = rights.beginning(schema_target(schema), role, "")
        if held != Held():
            rights = rights.with_held(schema_target(schema), held)
    rights = settled(rights, after, took_places)
    for target in list(rights.held):
        gone = target.oid and after.by_oid(target.oid) is None
        if gone or (target.kind == "schema" and target.schema not in after.schemas):
            rights = rights.without(target)
    if rights is not after.rights:
        save_rights(epoch, rights)


def rename_schema(epoch: Epoch, old: str, new: str) -> None:
    """Let the rights on a schema follow its name."""
    rights = epoch.catalog.rights
    moved = rights.with_held(schema_target(new), rights.on(schema_target(old)))
    save_rights(epoch, moved.without(schema_target(old)))
