"""One client's conversation: bytes in, bytes out. No sockets, no threads, no clock.

Source: PostgreSQL manual, chapter "Frontend/Backend Protocol", section "Message Flow".
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress

from voltstream.core.errors import (
    AdminShutdown,
    FeatureNotSupported,
    InternalError,
    InvalidPassword,
    ProtocolViolation,
    SyntaxFault,
    VoltstreamError,
)
from voltstream.core.limits import MESSAGE_BYTES_MAX
from voltstream.core.ports import (
    CopyIn,
    CopyOut,
    Notification,
    Outcome,
    RowStream,
    Session,
    Statement,
)
from voltstream.core.schema import Schema
from voltstream.pgwire import messages as m
from voltstream.pgwire.copying import CopyReceiver, copy_out
from voltstream.pgwire.entrance import Desk, Entrance
from voltstream.pgwire.faults import UndefinedPortal
from voltstream.pgwire.parser import FrontendParser
from voltstream.pgwire.portals import Portal, Prepared, Prepareds, RowCursor
from voltstream.pgwire.registered import numbers_of
from voltstream.pgwire.rows import data_rows, result_formats
from voltstream.pgwire.startup import settings_of
from voltstream.sql.styles.style import Style, style_of

_LOG = logging.getLogger(__name__)

# An empty piece of an answer says that the next may take work or have to wait: the loop of a
# server makes pieces itself up to there, and goes on in a thread.
PAUSE = b""
_LIGHT = (m.Query, m.Parse, m.Bind, m.Describe, m.Execute, m.Close, m.Sync, m.Flush)

# Prepared statements live here and not in the session, so SQL's way to drop them ends here too.
_DEALLOCATE = re.compile(
    r'\s*deallocate\s+(?:prepare\s+)?(?:(all)|([a-z_]\w*)|"((?:[^"]|"")+)")\s*;?\s*', re.IGNORECASE
)
_DISCARD_ALL = re.compile(r"\s*discard\s+all\s*;?\s*", re.IGNORECASE)


class Conversation:
    """The protocol's state machine, from the startup packet to the end.

    Law: bytes split in any way give the same answers. An error in the extended protocol skips to
    the next Sync; an error in a simple query skips the rest of that query.
    """

    def __init__(self, desk: Desk) -> None:
        self.finished = False
        self.wants_tls = False  # The client was told yes: its next byte is TLS.
        self.farewell: VoltstreamError | None = None  # What a server that ends it has to say.
        self.denied = False  # It has proved the wrong thing.
        self._entrance = Entrance(desk)
        self._parser = FrontendParser()
        self._waiting: deque[m.FrontendMessage] = deque()
        self._session: Session | None = None
        self._prepareds = Prepareds()
        self._reported: dict[str, str] = {}
        self._codec = "utf-8"  # Of the client's texts.
        self._skipping = False
        self._implicit = False
        self._extending = False  # Extended messages came whose Sync has not.
        self._copy: CopyReceiver | None = None
        self._copy_is_simple = False
        self._rest: deque[Statement] = deque()

    def receive(self, data: bytes) -> Generator[bytes, None, None]:
        """Yield the answer to `data` piece by piece; the next piece is made when asked for.

        Shape: before a piece that may take work or wait comes PAUSE, once at least.
        """
        violation: VoltstreamError | None = None
        try:
            self._waiting.extend(self._parser.feed(data))
        except VoltstreamError as error:
            violation = error
        try:
            while self._waiting and not self.finished:
                message = self._waiting.popleft()
                if self._is_heavy(message):
                    yield PAUSE
                yield from self._answer(message)
            if violation is not None and not self.finished:
                raise violation
        except VoltstreamError as error:
            self.finished = True
            self.denied = isinstance(error, InvalidPassword)
            yield m.error_response(error, "FATAL")
        except Exception:
            _LOG.exception("a conversation failed")
            self.finished = True
            yield m.error_response(InternalError("internal error"), "FATAL")

    def close(self, farewell: VoltstreamError | None = None) -> bytes:
        """End the conversation; return the last words for the client."""
        self.finished = True
        if self._copy is not None:
            self._copy.abandon("the connection ended")
            self._copy = None
        with suppress(VoltstreamError):
            self._prepareds.close_all()
        if self._session is not None:
            self._session.close()
            self._session = None
        return b"" if farewell is None else m.error_response(farewell, "FATAL")

    # --- dispatch -------------------------------------------------------------------------------

    def _is_heavy(self, message: m.FrontendMessage) -> bool:
        """Tell whether a message may take work from the start; the light ones pause themselves."""
        if self._session is None or self._copy is not None or self._implicit:
            return True
        return not isinstance(message, _LIGHT)

    def _answer(self, message: m.FrontendMessage) -> Iterator[bytes]:
        session = self._session
        if session is None:
            if isinstance(message, m.Malformed):
                raise message.error
            return self._start(message)
        if isinstance(message, m.Terminate):
            self.finished = True
            return iter(())
        if self._copy is not None:
            return self._copy_step(session, self._copy, message)
        if self._skipping and not isinstance(message, m.Sync):
            return iter(())
        match message:
            case m.Query(text=text):
                return self._guarded_simple(session, self._simple(session, text))
            case m.Sync():
                return self._sync(session)
            case m.Flush() | m.CopyData() | m.CopyDone() | m.CopyFail():
                # Data of a COPY that failed may still be under way; PostgreSQL ignores it too.
                return iter(())
            case m.Malformed(tag=tag, error=error) if tag in "PBDEC":
                self._extending = True
                return self._guarded_extended(session, _failing(error))
            case m.Malformed(error=error):
                return self._guarded_simple(session, _failing(error))
            case m.FunctionCall():
                refusal = FeatureNotSupported("the function call protocol is not supported")
                return iter((m.error_response(refusal), m.ready(session.status)))
            case m.Parse() | m.Bind() | m.Describe() | m.Execute() | m.Close():
                self._extending = True
                return self._guarded_extended(session, self._extended(session, message))
            case _:
                raise ProtocolViolation("unexpected message after startup")

    def _start(self, message: m.FrontendMessage) -> Iterator[bytes]:
        alone = not self._waiting and self._parser.is_empty
        yield from self._entrance.answer(message, alone=alone)
        self.wants_tls, self.finished = self._entrance.wants_tls, self._entrance.finished
        admitted = self._entrance.admitted
        if admitted is None:
            return
        self._session = admitted.session
        self._parser.bytes_max = MESSAGE_BYTES_MAX
        yield m.AUTHENTICATION_OK
        yield from self._changed_settings(admitted.session)
        yield m.backend_key(admitted.process_id, admitted.secret)
        yield m.ready(admitted.session.status)

    @property
    def logging_in(self) -> bool:
        """Tell whether the next message is part of a proof."""
        return self._entrance.logging_in

    def _changed_settings(self, session: Session) -> Iterator[bytes]:
        self._parser.codec = self._codec = style_of(session.spelling()).codec
        for name, value in settings_of(session.reported_settings()).items():
            if self._reported.get(name) != value:
                self._reported[name] = value
                yield m.parameter_status(name, value)

    def _ready(self, session: Session) -> Iterator[bytes]:
        if session.status == "I":
            self._prepareds.close_all()
            if told := self._told(session):
                yield told
        yield from self._changed_settings(session)
        yield m.ready(session.status)

    def meanwhile(self) -> bytes:
        """Return what a client that says nothing is told: only between its transactions."""
        session = self._session
        if session is None or self.finished or not self._is_idle(session):
            return b""
        return self._told(session)

    def _told(self, session: Session) -> bytes:
        """Return what waits on the session's channels."""
        return b"".join(
            m.notification_response(item, self._codec)
            if isinstance(item, Notification)
            else m.notice_response(item, self._codec)
            for item in session.notifications()
        )

    def _noticed(self, outcome: Outcome) -> Iterator[bytes]:
        return (m.notice_response(notice, self._codec) for notice in outcome.notices)

    def _is_idle(self, session: Session) -> bool:
        busy = self._implicit or self._skipping or self._extending or self._copy is not None
        return session.status == "I" and not busy and not self._waiting

    def _failed(self, session: Session, error: VoltstreamError) -> Iterator[bytes]:
        """Tell an error and undo the implicit transaction it happened in."""
        if isinstance(error, AdminShutdown):
            raise error
        yield m.error_response(error, codec=self._codec)
        session.fail()
        if self._implicit:
            self._implicit = False
            session.end_implicit(commit=False)

    def _commit_implicit(self, session: Session) -> None:
        if self._implicit:
            self._implicit = False
            session.end_implicit(commit=True)

    # --- simple query ---------------------------------------------------------------------------

    def _guarded_simple(self, session: Session, steps: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from steps
        except VoltstreamError as error:
            self._rest.clear()
            yield from self._failed(session, error)
            yield from self._ready(session)

    def _simple(self, session: Session, text: str) -> Iterator[bytes]:
        self._prepareds.forget("")
        self._prepareds.close("")
        tag = self._deallocated(text)
        if tag:
            yield m.command_complete(tag)
            yield from self._ready(session)
            return
        statements = session.at_hand.parse(text)
        if statements is None:
            yield PAUSE
            statements = session.parse(text)
        self._rest.extend(statements)
        if not self._rest:
            yield m.EMPTY_QUERY
        if len(self._rest) > 1:
            session.begin_implicit()
            self._implicit = True
        yield from self._run_rest(session)

    def _run_rest(self, session: Session) -> Iterator[bytes]:
        """Run what is left of a simple query; a COPY interrupts it until its data has come."""
        while self._rest:
            statement = self._rest.popleft()
            outcome = session.at_hand.execute(statement)
            if outcome is None:
                yield PAUSE
                outcome = session.execute(statement)
            yield from self._noticed(outcome)
            if outcome.copy_in is not None:
                yield self._begin_copy(outcome.copy_in, simple=True)
                return
            tag = yield from self._results(session, outcome)
            yield from self._completed(session, tag)
        yield from self._ready(session)

    def _completed(self, session: Session, tag: str) -> Iterator[bytes]:
        # The last statement is complete only when the implicit transaction is durable.
        if not self._rest:
            self._commit_implicit(session)
        yield m.command_complete(tag)

    def _results(self, session: Session, outcome: Outcome) -> Generator[bytes, None, str]:
        """Yield the rows of a statement in text; return its command tag."""
        style = style_of(session.spelling())
        if outcome.copy_out is not None:
            return (yield from copy_out(outcome.copy_out, style))
        if outcome.rows is None:
            return outcome.tag
        if outcome.tag == "COPY":
            return (yield from copy_out(CopyOut(outcome.rows), style))
        return (yield from self._text_rows(outcome.rows, outcome.tag, style))

    def _text_rows(self, rows: RowStream, verb: str, style: Style) -> Generator[bytes, None, str]:
        cursor = RowCursor(rows)
        try:
            formats = result_formats((), len(cursor.columns))
            yield m.row_description(cursor.columns, formats, style.codec)
            for batch in cursor.take(0):
                yield data_rows(batch, cursor.columns, formats, style)
        finally:
            cursor.close()
        return m.counted(verb, cursor.taken)

    def _deallocated(self, text: str) -> str | None:
        """Drop prepared statements when the text says so; return the command tag."""
        if _DISCARD_ALL.fullmatch(text):
            self._prepareds.forget_all()
            return None  # The session has its own part in DISCARD ALL.
        match = _DEALLOCATE.fullmatch(text)
        if match is None:
            return None
        everything, bare, quoted = match.groups()
        if everything:
            self._prepareds.forget_all()
            return None  # The session drops those that PREPARE made.
        name = bare.lower() if bare else quoted.replace('""', '"')
        return "DEALLOCATE" if self._prepareds.forget(name) else None

    # --- COPY -----------------------------------------------------------------------------------

    def _begin_copy(self, copy: CopyIn, *, simple: bool) -> bytes:
        self._copy, self._copy_is_simple = CopyReceiver(copy, self._codec), simple
        return self._copy.opening

    def _copy_step(
        self, session: Session, copy: CopyReceiver, message: m.FrontendMessage
    ) -> Iterator[bytes]:
        steps = self._copied(session, copy, message)
        guard = self._guarded_simple if self._copy_is_simple else self._guarded_extended
        return guard(session, steps)

    def _copied(
        self, session: Session, copy: CopyReceiver, message: m.FrontendMessage
    ) -> Iterator[bytes]:
        try:
            outcome = copy.take(message)
        except VoltstreamError:
            self._copy = None
            raise
        if outcome is None:
            return
        self._copy = None
        yield from self._noticed(outcome)
        if not self._copy_is_simple:
            yield m.command_complete(outcome.tag)
            return
        yield from self._completed(session, outcome.tag)
        yield from self._run_rest(session)

    # --- extended query -------------------------------------------------------------------------

    def _guarded_extended(self, session: Session, steps: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from steps
        except VoltstreamError as error:
            self._skipping = True
            yield from self._failed(session, error)

    def _sync(self, session: Session) -> Iterator[bytes]:
        self._skipping = self._extending = False
        try:
            self._commit_implicit(session)
        except VoltstreamError as error:
            yield m.error_response(error)
        yield from self._ready(session)

    def _extended(
        self,
        session: Session,
        message: m.Parse | m.Bind | m.Describe | m.Execute | m.Close,
    ) -> Iterator[bytes]:
        match message:
            case m.Parse():
                return self._parse(session, message)
            case m.Bind():
                return self._bind(session, message)
            case m.Describe(kind="S", name=name):
                return self._describe_statement(session, name)
            case m.Describe(name=name):
                return self._describe_portal(session, name)
            case m.Execute():
                return self._execute(session, message)
            case m.Close():
                return self._close(message)

    def _parse(self, session: Session, message: m.Parse) -> Iterator[bytes]:
        statements = session.at_hand.parse(message.text)
        if statements is None:
            yield PAUSE
            statements = session.parse(message.text)
        if len(statements) > 1:
            raise SyntaxFault("cannot insert multiple commands into a prepared statement")
        statement = statements[0] if statements else None
        self._prepareds.add(Prepared(message.name, statement, message.parameter_oids))
        yield m.PARSE_COMPLETE

    def _bind(self, session: Session, message: m.Bind) -> Iterator[bytes]:
        prepared = self._prepareds.statement(message.statement)
        if not prepared.is_described(session):
            yield PAUSE
        parameters = prepared.decode(session, message)
        self._prepareds.open(message.portal, Portal(prepared, parameters, message.result_formats))
        yield m.BIND_COMPLETE

    def _describe_statement(self, session: Session, name: str) -> Iterator[bytes]:
        prepared = self._prepareds.statement(name)
        if not prepared.is_described(session):
            yield PAUSE
        description = prepared.describe(session)
        yield m.parameter_description(description.parameter_oids)
        if description.columns is None:
            yield m.NO_DATA
        else:
            # Formats are not known before Bind and stand as text.
            yield m.row_description(
                description.columns, (0,) * len(description.columns), self._codec
            )

    def _describe_portal(self, session: Session, name: str) -> Iterator[bytes]:
        if name and not self._prepareds.has_portal(name):
            yield PAUSE
            held = _cursor_columns(session, name)
            yield m.row_description(held, (0,) * len(held))
            return
        portal = self._prepareds.portal(name)
        if not portal.prepared.is_described(session):
            yield PAUSE
        columns = portal.prepared.describe(session).columns
        if columns is None:
            yield m.NO_DATA
        else:
            formats = result_formats(portal.formats, len(columns))
            yield m.row_description(columns, formats, self._codec)

    def _execute(self, session: Session, message: m.Execute) -> Iterator[bytes]:
        portal = self._prepareds.portal(message.portal)
        statement = portal.prepared.statement
        if statement is None:
            yield m.EMPTY_QUERY
            return
        tag = self._deallocated(statement.text)
        if tag:
            yield m.command_complete(tag)
            return
        if session.status == "I" and not self._implicit and not self._stands_alone():
            yield PAUSE
            session.begin_implicit()
            self._implicit = True
        if not portal.starts_at_once(session, statement):
            yield PAUSE
        outcome = portal.start(session, statement)
        if outcome is not None:
            yield from self._noticed(outcome)
            if outcome.copy_in is not None:
                yield self._begin_copy(outcome.copy_in, simple=False)
                return
            if portal.cursor is None or outcome.tag == "COPY":
                tag = yield from self._results(session, outcome)
                yield m.command_complete(tag)
                return
        yield from self._portal_rows(session, portal, message.rows_max)

    def _portal_rows(self, session: Session, portal: Portal, rows_max: int) -> Iterator[bytes]:
        style = style_of(session.spelling())
        yield from portal.read(rows_max, style, numbers_of(session))
        taken = portal.cursor.taken if portal.cursor else 0
        if rows_max and taken == rows_max:
            yield m.PORTAL_SUSPENDED
        else:
            yield m.command_complete(m.counted(portal.verb, taken))

    def _stands_alone(self) -> bool:
        """Tell whether the statement is the only one up to its Sync, so needs no transaction.

        A Sync that has not come yet means a pipeline: its statements succeed or fail together.
        """
        for message in self._waiting:
            if isinstance(message, m.Execute):
                return False
            if isinstance(message, m.Sync):
                return True
        return False

    def _close(self, message: m.Close) -> Iterator[bytes]:
        if message.kind == "S":
            self._prepareds.forget(message.name)
        else:
            self._prepareds.close(message.name)
        yield m.CLOSE_COMPLETE


def _failing(error: VoltstreamError) -> Iterator[bytes]:
    yield from ()
    raise error


def _cursor_columns(session: Session, name: str) -> Schema:
    """Describe what DECLARE made: to clients, a cursor is a portal of its name."""
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        fetch = session.parse(f"FETCH NEXT FROM {quoted}")[0]
        columns = session.describe(fetch, ()).columns
    except VoltstreamError as error:
        raise UndefinedPortal(f'portal "{name}" does not exist') from error
    return columns or ()
