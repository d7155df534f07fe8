"""Whose rights a session has: who logged in, and the role it has taken on since."""

from __future__ import annotations

from collections.abc import Callable

from voltstream.core.errors import InsufficientPrivilege, InvalidParameter, UndefinedObject
from voltstream.runtime.roles import OWNER_OID, Role, Roles
from voltstream.runtime.settings import Settings


class Identity:
    """The role of one session. A name that is no role is the owner's, under another name."""

    def __init__(self, name: str, roles: Callable[[], Roles], settings: Settings) -> None:
        self._roles = roles
        self._settings = settings
        role = roles().named(name)
        self._login_name = name
        self._login = role.oid if role is not None else OWNER_OID
        self._session = self._login
        self._taken: int | None = None  # What SET ROLE took on.
        self._tell()

    @property
    def role(self) -> int:
        """Return the role whose rights count. Raises: UndefinedObject when it was dropped."""
        oid = self._session if self._taken is None else self._taken
        if oid not in self._roles().by_oid:
            raise UndefinedObject(f"role with OID {oid} does not exist")
        return oid

    @property
    def session(self) -> int:
        return self._session

    @property
    def name(self) -> str:
        """Return current_user."""
        if self._taken is not None:
            return self._roles().name_of(self._taken)
        return self.session_name

    @property
    def session_name(self) -> str:
        """Return session_user."""
        if self._session == self._login and self._login_name not in self._names():
            return self._login_name
        return self._roles().name_of(self._session)

    def _names(self) -> set[str]:
        return {role.name for role in self._roles()}

    def set_role(self, name: str | None) -> None:
        """SET ROLE; None and "none" end it. Raises: 22023, 42501."""
        if name is None or name.lower() == "none":
            self._taken = None
        else:
            role = self._named(name)
            roles = self._roles()
            free = roles.is_super(self._session)
            if not free and role.oid not in roles.may_become(self._session):
                raise InsufficientPrivilege(f'permission denied to set role "{name}"')
            self._taken = role.oid
        self._tell()

    def set_authorization(self, name: str | None) -> None:
        """SET SESSION AUTHORIZATION: for those who logged in as a superuser. Raises: 42501."""
        if name is None or name == self._login_name:
            self._session = self._login
        else:
            role = self._named(name)
            if not self._roles().is_super(self._login):
                raise InsufficientPrivilege("permission denied to set session authorization")
            self._session = role.oid
        self._taken = None
        self._tell()

    def _named(self, name: str) -> Role:
        role = self._roles().named(name)
        if role is None:
            raise InvalidParameter(f'role "{name}" does not exist')
        return role

    # --- block.Party ----------------------------------------------------------------------------

    @property
    def state(self) -> object:
        return self._session, self._taken

    def restore(self, state: object) -> None:
        if isinstance(state, tuple):
            self._session, self._taken = state

    def committed(self) -> None:
        """It stands already."""

    def _tell(self) -> None:
        roles = self._roles()
        self._settings.set("role", "none" if self._taken is None else roles.name_of(self._taken))
        self._settings.set("session_authorization", self.session_name)
        effective = self._session if self._taken is None else self._taken
        self._settings.set("is_superuser", "on" if roles.is_super(effective) else "off")
