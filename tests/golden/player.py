"""Plays a golden script against an engine in this process and writes down what is seen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.driver import Row, bag, begun
from tests.golden.printing import error_lines, outcome_lines
from tests.golden.script import Directive, Message, Remark, is_ordered, pieces
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Outcome, RawBatch, Session, Statement
from voltstream.runtime.catalog import Entry
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions
from voltstream.sql.statements import CreateView

START = datetime(2026, 1, 1, tzinfo=UTC)
_UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_DELIVERY_S = 10.0
_END = "the script's end"
_ALERTS = {"alerts", "alert_events"}  # They follow views.
_WORD = re.compile(r"\w+")
# What changes rows of relations that it names, and nothing else. A WITH may hold anything.
_CHANGES = re.compile(r"\s*(insert\s+into|update|delete\s+from)\b[^;]*;\s*", re.IGNORECASE)
_READS = re.compile(r"\s*(select|with|values|table|show|describe|desc|explain)\b", re.IGNORECASE)


class Player:
    """One instance, its hand-driven clock, and the sessions of one script."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = ManualClock()
        self._clock.set(START)
        self._sessions: dict[str, Session] = {}
        self._checks: dict[str, Statement] = {}
        self._seen: set[int] = set()
        self._passed: set[int] = set()  # Views that some statement cannot have reached.
        self._active = "one"
        self._forgets = False
        self._instance = self._started()

    def _started(self) -> Instance:
        data = begun(self._folder / "data")
        made = Instance(data, EngineOptions(), self._clock, ConnectorRegistry(None))
        try:
            made.start()
        except BaseException:
            made.stop()
            raise
        return made

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._instance.stop()

    def play(self, script: str) -> str:
        """Return the print of a whole script. Raises: AssertionError when a view is wrong."""
        lines: list[str] = []
        for piece in pieces(script):
            lines += piece.text.splitlines() or [""]
            match piece:
                case Remark():
                    continue
                case Directive():
                    found = self._obey(piece)
                case Message():
                    found = list(self._send(piece))
            lines += [line.replace(str(self._folder), "$DIR") for line in found]
            if not _READS.match(piece.text):
                self._check(piece.text)
        self._check(_END)
        return "".join(f"{line.rstrip()}\n" for line in lines)

    # --- statements -----------------------------------------------------------------------------

    @property
    def _session(self) -> Session:
        if self._active not in self._sessions:
            self._sessions[self._active] = self._opened(self._active.partition(" as ")[2])
        return self._sessions[self._active]

    def _opened(self, user: str = "") -> Session:
        return self._instance.open(database=DEFAULT_DATABASE, user=user or "volt", options={})

    def _send(self, message: Message) -> Iterator[str]:
        text = message.text.replace("$DIR", str(self._folder))
        session = self._session
        try:
            for statement in session.parse(text):
                outcome = self._copied(session.execute(statement), message.data)
                yield from outcome_lines(outcome, ordered=is_ordered(statement.text))
        except VoltstreamError as error:
            yield from error_lines(error, text)

    @staticmethod
    def _copied(outcome: Outcome, data: str | None) -> Outcome:
        if outcome.copy_out is not None:
            return Outcome("SELECT", rows=outcome.copy_out.rows)
        if outcome.copy_in is None:
            return outcome
        outcome.copy_in.write((data or "").encode())
        return outcome.copy_in.finish()

    # --- directives -----------------------------------------------------------------------------

    def _obey(self, directive: Directive) -> list[str]:
        match directive.verb:
            case "clock":
                self._move_clock(directive.argument)
            case "push":
                return [self._push(directive.argument, directive.data)]
            case "show file":
                return self._delivered(directive.argument)
            case "session":
                self._active = directive.argument
            case "forgets":  # Rows went without a delta: views keep more than their query finds.
                self._forgets = True
            case "restart":
                self.close()
                self._instance = self._started()
        return []

    def _move_clock(self, to: str) -> None:
        """Move by ``+5 minutes`` or to an instant, and seal an epoch there."""
        step = re.fullmatch(r"\+([0-9.]+) ([a-z]+?)s?", to)
        if step:
            self._clock.advance(float(step[1]) * _UNITS_S[step[2]])
        else:
            self._clock.set(datetime.fromisoformat(to))
        loop = self._instance.engine(DEFAULT_DATABASE).loop
        loop.run_statement(lambda epoch: epoch.number).result()

    def _push(self, source: str, data: str) -> str:
        return self.taken(source, RawBatch("ndjson", data.encode(), position="golden"))

    def taken(self, source: str, batch: RawBatch) -> str:
        """Push a batch and tell what became of it."""
        receipt = self._instance.submit(DEFAULT_DATABASE, source, batch).result()
        return f"PUSH {receipt.rows}, dead letters {receipt.dead_letters}"

    def _delivered(self, name: str) -> list[str]:
        """Return a sink file's lines once every outbox is empty."""
        ends = time.monotonic() + _DELIVERY_S
        (waiting,) = self._session.parse("SELECT 1 FROM rw_sinks WHERE pending > 0")
        while _rows(self._session.execute(waiting)):
            assert time.monotonic() < ends, "a sink does not deliver"
            time.sleep(0.005)
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else ["(no file)"]

    # --- the law --------------------------------------------------------------------------------

    def _check(self, after: str) -> None:
        """Assert that every materialized view equals its query asked ad hoc."""
        views = self._instance.engine(DEFAULT_DATABASE).catalog.of_kind("materialized view")
        if after.lstrip().upper().startswith("CREATE MATERIALIZED VIEW"):
            views = [entry for entry in views if entry.oid not in self._seen]  # No row changed.
        elif after == _END:
            views = [entry for entry in views if entry.oid in self._passed]
        elif _CHANGES.fullmatch(after):
            reached = self._above(after, views)
            self._passed |= {entry.oid for entry in views}
            views = reached
        self._passed -= {entry.oid for entry in views}
        self._seen |= {entry.oid for entry in views}
        session = self._opened() if views and not self._forgets else None
        if session is None:
            return
        try:
            for entry in views:
                name = f'"{entry.stored.schema}"."{entry.stored.name}"'
                parsed = entry.parsed
                assert isinstance(parsed, CreateView)
                if parsed.on_close:  # Shows less than its query until its windows are over.
                    continue
                if entry.program is not None and entry.program.departs:  # Says why itself.
                    continue
                asked = parsed.query_text.rstrip().rstrip(";")
                both = f"SELECT true, * FROM {name} UNION ALL SELECT false, * FROM ({asked}) q"
                if both not in self._checks:
                    self._checks[both] = session.parse(both)[0]
                try:
                    rows = _rows(session.execute(self._checks[both]))
                except VoltstreamError as error:
                    if not error.sqlstate.startswith(("22", "38", "54")):
                        raise
                    continue  # A row that cannot be computed: here a dead letter, ad hoc an error.
                kept = bag([row[1:] for row in rows if row[0]])
                right = bag([row[1:] for row in rows if not row[0]])
                assert kept == right, (
                    f"{name} differs after {after}\n"
                    f"  only kept: {kept - right}\n  only right: {right - kept}"
                )
        finally:
            session.close()

    def _above(self, change: str, views: Sequence[Entry]) -> list[Entry]:
        """Return the views that a change may reach, told by the words of their definitions.

        The others read no relation that it names, at any depth. What reaches them all the same is
        found by the check that ends a script, and by those of other statements.
        """
        entries = list(self._instance.engine(DEFAULT_DATABASE).catalog)
        reached = _words(change) | _ALERTS
        oids = {entry.oid for entry in entries if entry.stored.name.lower() in reached}
        while True:
            found = [
                entry
                for entry in entries
                if entry.oid not in oids
                and (
                    oids & set(entry.stored.depends_on) or reached & _words(entry.stored.definition)
                )
            ]
            if not found:
                return [entry for entry in views if entry.oid in oids]
            for entry in found:
                oids.add(entry.oid)
                into = entry.stored.definition if entry.kind == "sink" else entry.stored.name
                reached |= _words(into)
                oids |= {one.oid for one in entries if one.stored.name.lower() in reached}


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _rows(outcome: Outcome) -> list[Row]:
    assert outcome.rows is not None
    rows: list[Row] = []
    try:
        for batch in outcome.rows.batches():
            rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    finally:
        outcome.rows.close()
    return rows
