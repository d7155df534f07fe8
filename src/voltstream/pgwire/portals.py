"""Prepared statements and portals: what stays open between messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voltstream.core.errors import (
    DuplicateStatement,
    LimitExceeded,
    ProtocolViolation,
    UndefinedStatement,
)
from voltstream.core.limits import RESULT_BATCH_ROWS, STATEMENTS_MAX
from voltstream.core.ports import Description, FewRows, Outcome, RowStream, Session, Statement
from voltstream.pgwire.faults import DuplicatePortal, PortalFinished, UndefinedPortal
from voltstream.pgwire.messages import Bind
from voltstream.pgwire.parameters import decode_parameter
from voltstream.pgwire.registered import Numbers, numbered
from voltstream.pgwire.rows import Batch, data_rows, result_formats
from voltstream.sql.styles.style import Style, style_of


@dataclass(slots=True)
class Prepared:
    """A prepared statement; ``statement`` is None for the empty text."""

    name: str
    statement: Statement | None
    parameter_oids: tuple[int, ...]
    description: Description | None = None

    def describe(self, session: Session) -> Description:
        """Return its types, asked of the session once."""
        if self.description is None:
            if self.statement is None:
                self.description = Description(self.parameter_oids, None)
            else:
                self.description = session.describe(self.statement, self.parameter_oids)
        return self.description

    def is_described(self, session: Session) -> bool:
        """Tell whether ``describe`` takes no work."""
        if self.description is None and self.statement is not None:
            self.description = session.at_hand.describe(self.statement, self.parameter_oids)
        return self.description is not None or self.statement is None

    def decode(self, session: Session, bind: Bind) -> tuple[object | None, ...]:
        """Return the bound Python values. Raises: ProtocolViolation when their count is wrong."""
        if not bind.parameters and not self.parameter_oids and self.description is None:
            return ()
        oids = self.describe(session).parameter_oids
        if len(oids) != len(bind.parameters):
            raise ProtocolViolation(
                f"bind message supplies {len(bind.parameters)} parameters, but prepared statement "
                f'"{self.name}" requires {len(oids)}'
            )
        formats = result_formats(bind.parameter_formats, len(oids))
        codec = style_of(session.spelling()).codec
        return tuple(
            decode_parameter(raw, oid, code, codec)
            for raw, oid, code in zip(bind.parameters, oids, formats, strict=True)
        )


class RowCursor:
    """A result stream that is read a limited number of rows at a time."""

    def __init__(self, rows: RowStream) -> None:
        self.columns = rows.columns
        self.taken = 0
        self._rows = rows
        self._batches: Iterator[Batch] = (
            iter((rows,)) if isinstance(rows, FewRows) else rows.batches()
        )
        self._pending: Batch | None = None

    def take(self, rows_max: int) -> Iterator[Batch]:
        """Yield at most ``rows_max`` rows (0: all) in slices; ``taken`` counts them."""
        self.taken = 0
        while not rows_max or self.taken < rows_max:
            if self._pending is None or not self._pending.num_rows:
                self._pending = next(self._batches, None)
                if self._pending is None:
                    self.close()
                    return
            room = min(rows_max - self.taken, RESULT_BATCH_ROWS) if rows_max else RESULT_BATCH_ROWS
            batch = self._pending.slice(0, room)
            self._pending = self._pending.slice(batch.num_rows)
            self.taken += batch.num_rows
            yield batch

    def close(self) -> None:
        """Let go of the result; nothing more comes."""
        self._pending, self._batches = None, iter(())
        self._rows.close()


@dataclass(slots=True)
class Portal:
    """A bound statement on its way through its rows."""

    prepared: Prepared
    parameters: tuple[object | None, ...]
    formats: tuple[int, ...]
    cursor: RowCursor | None = None
    verb: str = ""
    started: bool = False
    at_hand: Outcome | None = None

    def starts_at_once(self, session: Session, statement: Statement) -> bool:
        """Tell whether ``start``, and then reading, takes no work and waits for nothing."""
        if not self.started:
            self.at_hand = session.at_hand.execute(statement, self.parameters)
        return self.at_hand is not None

    def start(self, session: Session, statement: Statement) -> Outcome | None:
        """Run the statement once; None when its rows are already being read."""
        if self.started:
            if self.cursor is None:
                raise PortalFinished("portal cannot be run")
            return None
        self.started = True
        outcome = self.at_hand or session.execute(statement, self.parameters)
        if outcome.rows is not None:
            self.cursor, self.verb = RowCursor(outcome.rows), outcome.tag
        return outcome

    def read(self, rows_max: int, style: Style, numbers: Numbers) -> Iterator[bytes]:
        """Yield DataRows; a wrong number of formats is the client's fault (08P01)."""
        if self.cursor is None:
            return
        columns = self.cursor.columns
        formats = result_formats(self.formats, len(columns))
        if len(formats) != len(columns):
            raise ProtocolViolation(
                f"bind message has {len(formats)} result formats but query has "
                f"{len(columns)} columns"
            )
        for batch in self.cursor.take(rows_max):
            sent = numbered(batch, columns, formats, numbers) if any(formats) else batch
            yield data_rows(sent, columns, formats, style)

    def close(self) -> None:
        if self.cursor is not None:
            self.cursor.close()


class Prepareds:
    """The prepared statements and portals of one session, by name; "" is the unnamed one."""

    def __init__(self) -> None:
        self._statements: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}

    def add(self, prepared: Prepared) -> None:
        """Raises: DuplicateStatement (42P05), LimitExceeded (54000)."""
        if prepared.name and prepared.name in self._statements:
            raise DuplicateStatement(f'prepared statement "{prepared.name}" already exists')
        if len(self._statements) >= STATEMENTS_MAX:
            raise LimitExceeded("too many prepared statements", hint="Close some of them.")
        self._statements[prepared.name] = prepared

    def statement(self, name: str) -> Prepared:
        """Raises: UndefinedStatement (26000)."""
        try:
            return self._statements[name]
        except KeyError:
            said = f'prepared statement "{name}" does not exist'
            said = said if name else "unnamed prepared statement does not exist"
            raise UndefinedStatement(said) from None

    def forget(self, name: str) -> bool:
        """Drop a statement; tell whether it was there."""
        return self._statements.pop(name, None) is not None

    def forget_all(self) -> None:
        self._statements.clear()

    def open(self, name: str, portal: Portal) -> None:
        """Raises: DuplicatePortal (42P03), LimitExceeded (54000)."""
        if name and name in self._portals:
            raise DuplicatePortal(f'cursor "{name}" already exists')
        if len(self._portals) >= STATEMENTS_MAX:
            raise LimitExceeded("too many open portals", hint="Close some of them.")
        self.close(name)
        self._portals[name] = portal

    def has_portal(self, name: str) -> bool:
        return name in self._portals

    def portal(self, name: str) -> Portal:
        """Raises: UndefinedPortal (34000)."""
        try:
            return self._portals[name]
        except KeyError:
            raise UndefinedPortal(f'portal "{name}" does not exist') from None

    def close(self, name: str) -> None:
        portal = self._portals.pop(name, None)
        if portal is not None:
            portal.close()

    def close_all(self) -> None:
        """Close every portal, as the end of a transaction does."""
        for name in list(self._portals):
            self.close(name)
