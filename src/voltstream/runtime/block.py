"""A session's transaction block: BEGIN, COMMIT, ROLLBACK, savepoints, and a message's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voltstream.core.errors import ActiveTransaction, NoActiveTransaction
from voltstream.core.ports import Notice, Outcome, TransactionStatus
from voltstream.runtime.deadline import duration_s
from voltstream.runtime.engine import Engine
from voltstream.runtime.interruption import Interruption
from voltstream.runtime.settings import Settings
from voltstream.runtime.transaction import Transaction
from voltstream.sql import statements as sql

# Levels at which what a block has read must still be true when it commits.
_VALIDATED = frozenset({"serializable", "repeatable read"})


class Party(Protocol):
    """What a session holds beside rows and what its blocks undo too: settings, channels."""

    @property
    def state(self) -> object:
        """Return what it holds now, as a value that does not change."""

    def restore(self, state: object) -> None: ...

    def committed(self) -> None:
        """Let what the block has done stand."""


class Block:
    """The open transaction of a session, if there is one."""

    def __init__(self, engine: Engine, settings: Settings, interruption: Interruption) -> None:
        self._engine = engine
        self._parties: list[Party] = []
        self._states: list[object] = []  # As the block began.
        self._marks: list[tuple[str, list[object]]] = []  # At its savepoints.
        self._settings = settings
        self._interruption = interruption
        self._implicit = False  # Inside a message of several statements.
        self.transaction: Transaction | None = None

    @property
    def status(self) -> TransactionStatus:
        if self.transaction is None or not self.transaction.explicit:
            return "I"
        return "E" if self.transaction.failed else "T"

    @property
    def is_open(self) -> bool:
        """Tell whether statements belong together now: by a block, or in one message."""
        return self._implicit or self.transaction is not None

    @property
    def read_only(self) -> bool:
        """Tell whether nothing may change: in the open block, or in statements outside of one."""
        if self.transaction is not None and self.transaction.explicit:
            return self.transaction.read_only
        return self._settings.get("default_transaction_read_only") == "on"

    def join(self, party: Party) -> None:
        self._parties.append(party)

    def begin_implicit(self) -> None:
        self._implicit = True

    def enter(self) -> None:
        """Begin the message's transaction with the first statement that has none."""
        if self._implicit and self.transaction is None:
            self._open(explicit=False)

    def end_implicit(self, *, commit: bool) -> None:
        self._implicit = False
        transaction = self.transaction
        if transaction is None or transaction.explicit:
            return
        self._close(transaction, commit=commit and not transaction.failed)

    def close(self) -> None:
        if self.transaction is not None:
            self._close(self.transaction, commit=False)

    def fail(self) -> None:
        if self.transaction is not None and not self.transaction.failed:
            self.transaction.fail()
            self._restore(self._marks[-1][1] if self._marks else self._states)

    def _open(self, *, explicit: bool) -> Transaction:
        self._states, self._marks = self._held(), []
        self.transaction = self._new(explicit=explicit)
        return self.transaction

    def _close(self, transaction: Transaction, *, commit: bool) -> None:
        """End the transaction; what the session holds beside rows stands or falls with it."""
        self.transaction = None
        try:
            transaction.end(commit=commit, watch=self._interruption.waiting)
        except BaseException:
            self._restore(self._states)
            raise
        if not commit:
            self._restore(self._states)
        for party in self._parties:
            party.committed()

    def _held(self) -> list[object]:
        return [party.state for party in self._parties]

    def _restore(self, states: Sequence[object]) -> None:
        for party, state in zip(self._parties, states, strict=True):
            party.restore(state)

    def refuse(self, what: str) -> None:
        """Raises: ActiveTransaction (25001)."""
        if self.transaction is not None and self.transaction.explicit:
            raise ActiveTransaction(f"{what} cannot run inside a transaction block")

    def run(self, parsed: sql.Transaction) -> Outcome:
        try:
            match parsed.verb:
                case "BEGIN":
                    return self._begin(parsed)
                case "SET":
                    return self._set_mode(parsed)
                case "COMMIT" | "ROLLBACK":
                    return self._end(parsed)
                case _:
                    return self._move(parsed)
        finally:
            self._interruption.waited()

    def _new(self, *, explicit: bool) -> Transaction:
        options = self._engine.options
        name = "idle_in_transaction_session_timeout"
        idle_s = duration_s(name, self._settings.get(name)) or options.transaction_idle_s
        loop, wait_s = self._engine.loop, options.writer_wait_s
        return Transaction(loop, wait_s, idle_s, self._lock_s, explicit=explicit)

    def _lock_s(self) -> float:
        return duration_s("lock_timeout", self._settings.get("lock_timeout"))

    def _begin(self, parsed: sql.Transaction) -> Outcome:
        transaction = self.transaction
        if transaction is not None and transaction.explicit:
            warning = Notice("there is already a transaction in progress", "WARNING", "25001")
            return Outcome(parsed.tag, notices=(warning,))
        if transaction is None:
            transaction = self._open(explicit=True)
        transaction.explicit = True
        read_only = self._settings.get("default_transaction_read_only")
        if parsed.read_only is not None:
            read_only = "on" if parsed.read_only else "off"
        level = parsed.name or self._settings.get("default_transaction_isolation")
        self._settings.set("transaction_isolation", level, local=True)
        self._settings.set("transaction_read_only", read_only, local=True)
        self.follow_settings()
        return Outcome(parsed.tag)

    def _set_mode(self, parsed: sql.Transaction) -> Outcome:
        """SET TRANSACTION: of the block that is open."""
        if self.transaction is None:
            said = "SET TRANSACTION can only be used in transaction blocks"
            return Outcome("SET", notices=(Notice(said, "WARNING", "25P01"),))
        if parsed.name:
            self._settings.set("transaction_isolation", parsed.name, local=True)
        if parsed.read_only is not None:
            shown = "on" if parsed.read_only else "off"
            self._settings.set("transaction_read_only", shown, local=True)
        self.follow_settings()
        return Outcome("SET")

    def follow_settings(self) -> None:
        """Let the open block be what the settings of a transaction say."""
        if self.transaction is not None:
            level = self._settings.get("transaction_isolation")
            self.transaction.validated = level in _VALIDATED
            self.transaction.read_only = self._settings.get("transaction_read_only") == "on"

    def _end(self, parsed: sql.Transaction) -> Outcome:
        verb = parsed.verb
        if parsed.chain:
            return self._chain(verb)
        transaction = self.transaction
        if transaction is None or not transaction.explicit:
            warning = Notice("there is no transaction in progress", "WARNING", "25P01")
            if transaction is not None:
                self._close(transaction, commit=verb == "COMMIT")
            return Outcome(verb, notices=(warning,))
        commit = verb == "COMMIT" and not transaction.failed
        self._close(transaction, commit=commit)
        return Outcome("COMMIT" if commit else "ROLLBACK")

    def _chain(self, verb: str) -> Outcome:
        """End the block and begin another of the same kind. Raises: NoActiveTransaction (25P01)."""
        if self.transaction is None or not self.transaction.explicit:
            raise NoActiveTransaction(f"{verb} AND CHAIN can only be used in transaction blocks")
        level = self._settings.get("transaction_isolation")
        read_only = self._settings.get("transaction_read_only") == "on"
        outcome = self._end(sql.Transaction(text=verb, offset=0, verb=verb))
        self._begin(
            sql.Transaction(text=verb, offset=0, verb="BEGIN", name=level, read_only=read_only)
        )
        return outcome

    def _move(self, parsed: sql.Transaction) -> Outcome:
        transaction = self.transaction
        if transaction is None or not transaction.explicit:
            words = {"RELEASE": "RELEASE SAVEPOINT", "ROLLBACK TO": "ROLLBACK TO SAVEPOINT"}
            verb = words.get(parsed.verb, parsed.verb)
            raise NoActiveTransaction(f"{verb} can only be used in transaction blocks")
        match parsed.verb:
            case "SAVEPOINT":
                transaction.savepoint(parsed.name)
                self._marks.append((parsed.name, self._held()))
            case "RELEASE":
                transaction.release(parsed.name)
                del self._marks[self._mark(parsed.name) :]
            case _:
                transaction.rollback_to(parsed.name, self._interruption.waiting)
                del self._marks[self._mark(parsed.name) + 1 :]
                self._restore(self._marks[-1][1])
        return Outcome("ROLLBACK" if parsed.verb == "ROLLBACK TO" else parsed.verb)

    def _mark(self, name: str) -> int:
        return max(place for place, (known, _) in enumerate(self._marks) if known == name)


def ends_block(parsed: sql.Parsed) -> bool:
    """Tell whether a failed block accepts a statement."""
    words = ("COMMIT", "ROLLBACK", "ROLLBACK TO")
    return isinstance(parsed, sql.Transaction) and parsed.verb in words
