"""What statements change of the session itself: settings, role, channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from voltstream.core.errors import CannotChange, InvalidParameter
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime.access import Access
from voltstream.runtime.alert_answers import FUNCTIONS, Answers
from voltstream.runtime.effects import Effect, run_effects
from voltstream.runtime.settings import Settings
from voltstream.runtime.signals import Signals
from voltstream.sql import statements as sql
from voltstream.sql.channels import Notify
from voltstream.sql.effects import EffectQuery
from voltstream.sql.role_statements import AlterRole

_TRANSACTION = {"transaction_isolation", "transaction_read_only"}


class OwnState:
    """Settings, role and channels of one session, as its statements change them."""

    def __init__(self, settings: Settings, access: Access, signals: Signals) -> None:
        self._settings = settings
        self._access = access
        self._signals = signals

    def set(self, parsed: sql.SetSetting) -> Outcome:
        """SET, SET LOCAL and RESET. Raises: 22023, 42501, 55P02."""
        tag = "RESET" if parsed.text[:5].upper() == "RESET" else "SET"
        if parsed.local and self._access.block.transaction is None:
            said = "SET LOCAL can only be used in transaction blocks"
            return Outcome(tag, notices=(Notice(said, "WARNING", "25P01"),))
        self.change(parsed.name, parsed.value, local=parsed.local)
        return Outcome(tag)

    def change(self, name: str, value: str | None, *, local: bool) -> None:
        """Give a setting a value; those that say who the session is are asked of its identity."""
        match name.lower():
            case "role":
                self._access.identity.set_role(value)
            case "session_authorization":
                self._access.identity.set_authorization(value)
            case "is_superuser":
                raise CannotChange('parameter "is_superuser" cannot be changed')
            case key if key in _TRANSACTION and value is not None:
                self._settings.set(key, value, local=True)
                self._access.block.follow_settings()
            case _:
                self._settings.set(name, value, local=local)

    def with_current(self, parsed: sql.Parsed) -> sql.Parsed:
        """Return ALTER ROLE … SET name FROM CURRENT with the value of this session."""
        if isinstance(parsed, AlterRole) and parsed.from_current and parsed.setting is not None:
            name = parsed.setting[0]
            return replace(parsed, setting=(name, self._settings.get(name)))
        return parsed

    def discard(self, what: str) -> None:
        """DISCARD ALL: begin anew, but for the connection. Raises: ActiveTransaction (25001)."""
        if what != "ALL":
            return  # Plans are the database's; sequences and temporary tables there are none.
        self._access.block.refuse("DISCARD ALL")
        self._access.identity.set_authorization(None)
        self._settings.set("all", None)
        self._signals.forget_all()

    # --- functions of a select list -------------------------------------------------------------

    def query(self, parsed: EffectQuery, parameters: Sequence[object | None]) -> Outcome:
        """Run a query that calls functions that act."""
        answers = Answers(self._access)
        effects: dict[str, Effect] = {
            "pg_notify": self._notify,
            "set_config": self._set_config,
            "current_setting": lambda arguments: self._settings.get(arguments[0] or ""),
        }
        effects |= {name: partial(answers.note, name) for name in FUNCTIONS}
        outcome = run_effects(parsed, self._access.query(parsed.tree, parameters), effects)
        answers.apply()
        return outcome

    def _notify(self, arguments: Sequence[str | None]) -> str:
        channel, payload = arguments
        said = Notify(text="", offset=0, channel=channel or "", payload=payload or "")
        self._signals.run(said, self._access)
        return ""

    def _set_config(self, arguments: Sequence[str | None]) -> str:
        name, value, is_local = arguments
        if name is None:
            raise InvalidParameter("SET requires parameter name")
        local = (is_local or "false").lower() in ("t", "true")
        if not local or self._access.block.transaction is not None:
            self.change(name, value, local=local)
        return self._settings.get(name)
