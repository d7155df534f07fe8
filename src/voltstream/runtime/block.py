"""A session's transaction block: BEGIN, COMMIT, ROLLBACK, savepoints, and a message's own."""

from __future__ import annotations

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
_ON = frozenset({"on", "true", "1", "yes"})


class Block:
    """The open transaction of a session, if there is one."""

    def __init__(self, engine: Engine, settings: Settings, interruption: Interruption) -> None:
        self._engine = engine
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

    def begin_implicit(self) -> None:
        self._implicit = True

    def enter(self) -> None:
        """Begin the message's transaction with the first statement that has none."""
        if self._implicit and self.transaction is None:
            self.transaction = self._new(explicit=False)

    def end_implicit(self, *, commit: bool) -> None:
        self._implicit = False
        transaction = self.transaction
        if transaction is None or transaction.explicit:
            return
        self.transaction = None
        transaction.end(commit=commit and not transaction.failed, watch=self._interruption.waiting)

    def close(self) -> None:
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            transaction.end(commit=False, watch=self._interruption.waiting)

    def fail(self) -> None:
        if self.transaction is not None and not self.transaction.failed:
            self.transaction.fail()

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
                    if self.transaction is not None and parsed.name:
                        self.transaction.validated = parsed.name in _VALIDATED
                    if self.transaction is not None and parsed.read_only is not None:
                        self.transaction.read_only = parsed.read_only
                    return Outcome("SET")
                case "COMMIT" | "ROLLBACK":
                    return self._end(parsed.verb)
                case _:
                    return self._move(parsed)
        finally:
            self._interruption.waited()

    def _new(self, *, explicit: bool) -> Transaction:
        options = self._engine.options
        name = "idle_in_transaction_session_timeout"
        idle_s = duration_s(name, self._settings.get(name)) or options.transaction_idle_s
        return Transaction(self._engine.loop, options.writer_wait_s, idle_s, explicit=explicit)

    def _begin(self, parsed: sql.Transaction) -> Outcome:
        transaction = self.transaction
        if transaction is not None and transaction.explicit:
            warning = Notice("there is already a transaction in progress", "WARNING", "25001")
            return Outcome(parsed.tag, notices=(warning,))
        if transaction is None:
            transaction = self.transaction = self._new(explicit=True)
        transaction.explicit = True
        level = parsed.name or self._settings.get("default_transaction_isolation").lower()
        transaction.validated = level in _VALIDATED
        by_default = self._settings.get("default_transaction_read_only").lower() in _ON
        transaction.read_only = by_default if parsed.read_only is None else parsed.read_only
        return Outcome(parsed.tag)

    def _end(self, verb: str) -> Outcome:
        watch = self._interruption.waiting
        transaction, self.transaction = self.transaction, None
        if transaction is None or not transaction.explicit:
            warning = Notice("there is no transaction in progress", "WARNING", "25P01")
            if transaction is not None:
                transaction.end(commit=verb == "COMMIT", watch=watch)
            return Outcome(verb, notices=(warning,))
        if verb == "COMMIT" and not transaction.failed:
            transaction.end(commit=True, watch=watch)
            return Outcome("COMMIT")
        transaction.end(commit=False, watch=watch)
        return Outcome("ROLLBACK")

    def _move(self, parsed: sql.Transaction) -> Outcome:
        transaction = self.transaction
        if transaction is None or not transaction.explicit:
            words = {"RELEASE": "RELEASE SAVEPOINT", "ROLLBACK TO": "ROLLBACK TO SAVEPOINT"}
            verb = words.get(parsed.verb, parsed.verb)
            raise NoActiveTransaction(f"{verb} can only be used in transaction blocks")
        match parsed.verb:
            case "SAVEPOINT":
                transaction.savepoint(parsed.name)
            case "RELEASE":
                transaction.release(parsed.name)
            case _:
                transaction.rollback_to(parsed.name, self._interruption.waiting)
        return Outcome("ROLLBACK" if parsed.verb == "ROLLBACK TO" else parsed.verb)


def ends_block(parsed: sql.Parsed) -> bool:
    """Tell whether a failed block accepts a statement."""
    words = ("COMMIT", "ROLLBACK", "ROLLBACK TO")
    return isinstance(parsed, sql.Transaction) and parsed.verb in words
