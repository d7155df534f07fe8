"""ALTER ROLE … SET and ALTER DATABASE … SET: what sessions begin with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from voltstream.core.errors import InsufficientPrivilege, UndefinedDatabase
from voltstream.core.ports import Outcome
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.role_store import save_roles
from voltstream.runtime.roles import Role
from voltstream.runtime.settings import checked
from voltstream.sql.role_statements import AlterRole

EVERY = 0  # The number of no role: a setting of all.


def set_for_all(
    epoch: Epoch, parsed: AlterRole, actor: Role | None, databases: Collection[str]
) -> Outcome:
    """Change what every role begins with, in one database or in all. Raises: 42501, 3D000."""
    if actor is None or not actor.superuser:
        raise InsufficientPrivilege("must be superuser to alter settings globally")
    _set_scoped(epoch, parsed, EVERY, databases)
    return Outcome(
        "ALTER DATABASE" if parsed.text[6:].lstrip()[:8].upper() == "DATABASE" else "ALTER ROLE"
    )


def set_for_role(epoch: Epoch, parsed: AlterRole, role: Role, databases: Collection[str]) -> None:
    """Change what one role begins with. Raises: 22023, 55P02, 3D000."""
    if parsed.database:
        _set_scoped(epoch, parsed, role.oid, databases)
        return
    changed = replace(role, settings=_changed(role.settings, parsed))
    save_roles(epoch, epoch.catalog.roles.with_role(changed))


def _set_scoped(epoch: Epoch, parsed: AlterRole, role: int, databases: Collection[str]) -> None:
    if parsed.database and parsed.database not in databases:
        raise UndefinedDatabase(f'database "{parsed.database}" does not exist')
    roles = epoch.catalog.roles
    scope = (parsed.database, role)
    kept = dict(roles.scoped)
    kept[scope] = _changed(kept.get(scope, {}), parsed)
    save_roles(epoch, replace(roles, scoped={key: value for key, value in kept.items() if value}))


def _changed(settings: Mapping[str, str], parsed: AlterRole) -> Mapping[str, str]:
    name, value = parsed.setting or ("all", None)
    if name == "all" and value is None:
        return {}
    kept = {key: old for key, old in settings.items() if key != name}
    return kept if value is None else {**kept, name: checked(name, value, kept.get(name, ""))}
