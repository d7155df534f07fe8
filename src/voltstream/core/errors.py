"""Errors a user can see: a class, its SQLSTATE, a position in the statement and a way out.

Source: PostgreSQL, appendix A "PostgreSQL Error Codes".
"""

from __future__ import annotations


class VoltstreamError(Exception):
    """An error with everything a PostgreSQL client shows.

    Shape: ``position`` counts characters of the statement text from 1; ``None`` when unknown.
    """

    sqlstate = "XX000"

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position


class InternalError(VoltstreamError):
    """A promise of ours was broken; the user cannot mend it."""


class SyntaxFault(VoltstreamError):
    """The text is not a statement."""

    sqlstate = "42601"


class FeatureNotSupported(VoltstreamError):
    """Valid SQL that is not offered."""

    sqlstate = "0A000"


class NotIncremental(FeatureNotSupported):
    """The query is valid SQL, but its result cannot be maintained from deltas."""


class UndefinedTable(VoltstreamError):
    """No relation of that name."""

    sqlstate = "42P01"


class UndefinedColumn(VoltstreamError):
    """No column of that name in scope."""

    sqlstate = "42703"


class AmbiguousColumn(VoltstreamError):
    """Several columns in scope share the name."""

    sqlstate = "42702"


class AmbiguousFunction(VoltstreamError):
    """Several functions of the name fit equally well."""

    sqlstate = "42725"


class UndefinedFunction(VoltstreamError):
    """No function of that name and argument types."""

    sqlstate = "42883"


class UndefinedObject(VoltstreamError):
    """No object of that name (setting, role, prepared type)."""

    sqlstate = "42704"


class UndefinedDatabase(VoltstreamError):
    """No database of that name."""

    sqlstate = "3D000"


class UndefinedSchema(VoltstreamError):
    """No schema of that name."""

    sqlstate = "3F000"


class DuplicateTable(VoltstreamError):
    """A relation of that name exists."""

    sqlstate = "42P07"


class DuplicateDatabase(VoltstreamError):
    """A database of that name exists."""

    sqlstate = "42P04"


class DuplicateSchema(VoltstreamError):
    """A schema of that name exists."""

    sqlstate = "42P06"


class WrongObjectType(VoltstreamError):
    """The object exists but is of another kind."""

    sqlstate = "42809"


class IndeterminateDatatype(VoltstreamError):
    """Nothing says what type a value has."""

    sqlstate = "42P18"


class DatatypeMismatch(VoltstreamError):
    """The types do not fit."""

    sqlstate = "42804"


class CannotCoerce(VoltstreamError):
    """No cast leads from the one type to the other."""

    sqlstate = "42846"


class InvalidDatetime(VoltstreamError):
    """Text that does not spell a date, a time or an interval."""

    sqlstate = "22007"


class GroupingError(VoltstreamError):
    """A column is neither grouped nor aggregated."""

    sqlstate = "42803"


class DuplicateColumn(VoltstreamError):
    """A column is named twice."""

    sqlstate = "42701"


class DuplicateObject(VoltstreamError):
    """An object of that name exists (index, function, role, secret …)."""

    sqlstate = "42710"


class DuplicateFunction(VoltstreamError):
    """A function of that name exists."""

    sqlstate = "42723"


class DuplicateCursor(VoltstreamError):
    """A cursor of that name is open."""

    sqlstate = "42P03"


class UndefinedCursor(VoltstreamError):
    """No cursor of that name is open."""

    sqlstate = "34000"


class GeneratedAlways(VoltstreamError):
    """The column gets its value from an expression only."""

    sqlstate = "428C9"


class InvalidColumnReference(VoltstreamError):
    """The columns are not those of a unique constraint."""

    sqlstate = "42P10"


class InvalidTableDefinition(VoltstreamError):
    """The columns and constraints do not make a table."""

    sqlstate = "42P16"


class CardinalityViolation(VoltstreamError):
    """More rows than the place can hold."""

    sqlstate = "21000"


class InvalidCursorState(VoltstreamError):
    """The cursor cannot do that now."""

    sqlstate = "24000"


class DependentObjects(VoltstreamError):
    """Other objects depend on the one to be dropped."""

    sqlstate = "2BP01"


class InvalidParameter(VoltstreamError):
    """An option has a value it cannot have."""

    sqlstate = "22023"


class NullNotAllowed(VoltstreamError):
    """A parameter that must have a value has none."""

    sqlstate = "22004"


class UndefinedStatement(VoltstreamError):
    """No prepared statement of that name."""

    sqlstate = "26000"


class DuplicateStatement(VoltstreamError):
    """A prepared statement of that name exists."""

    sqlstate = "42P05"


class InvalidText(VoltstreamError):
    """Text that does not spell a value of its type."""

    sqlstate = "22P02"


class InvalidNthValue(VoltstreamError):
    """A place that no row of a window frame has."""

    sqlstate = "22016"


class ValueTooLong(VoltstreamError):
    """A text or bits longer than their column's type."""

    sqlstate = "22001"


class LengthMismatch(VoltstreamError):
    """Bits of another count than their column's type."""

    sqlstate = "22026"


class InvalidPower(VoltstreamError):
    """A root or a power that no number has."""

    sqlstate = "2201F"


class InvalidBuckets(VoltstreamError):
    """Bounds or a count that width_bucket() has no buckets for."""

    sqlstate = "2201G"


class InvalidLogarithm(VoltstreamError):
    """A logarithm that no number has."""

    sqlstate = "2201E"


class InvalidEscape(VoltstreamError):
    """A pattern ends in the middle of an escape."""

    sqlstate = "22025"


class SubstringError(VoltstreamError):
    """A part of a text has a length below zero."""

    sqlstate = "22011"


class InvalidRowCount(VoltstreamError):
    """LIMIT or OFFSET is below zero."""

    sqlstate = "2201W"


class WindowingError(VoltstreamError):
    """A window function stands where there are no windows."""

    sqlstate = "42P20"


class InvalidRegex(VoltstreamError):
    """A regular expression that cannot be read."""

    sqlstate = "2201B"


class DivisionByZero(VoltstreamError):
    """Division by zero."""

    sqlstate = "22012"


class NumericOutOfRange(VoltstreamError):
    """A number does not fit its type."""

    sqlstate = "22003"


class DatetimeOverflow(VoltstreamError):
    """A date or time does not fit its type."""

    sqlstate = "22008"


class BadCopyFormat(VoltstreamError):
    """COPY data that is not in the declared format."""

    sqlstate = "22P04"


class UniqueViolation(VoltstreamError):
    """A key exists already."""

    sqlstate = "23505"


class NotNullViolation(VoltstreamError):
    """A NULL where none may be."""

    sqlstate = "23502"


class CheckViolation(VoltstreamError):
    """A CHECK constraint says no."""

    sqlstate = "23514"


class ActiveTransaction(VoltstreamError):
    """The statement cannot run inside a transaction block."""

    sqlstate = "25001"


class ReadOnlyTransaction(VoltstreamError):
    """The transaction was declared to change nothing."""

    sqlstate = "25006"


class FailedTransaction(VoltstreamError):
    """The transaction failed earlier; only its end is accepted."""

    sqlstate = "25P02"


class IdleInTransactionTimeout(VoltstreamError):
    """An open transaction held the writer too long without a statement."""

    sqlstate = "25P03"


class InvalidSavepoint(VoltstreamError):
    """No savepoint of that name in this transaction."""

    sqlstate = "3B001"


class NoActiveTransaction(VoltstreamError):
    """The statement is for transaction blocks only."""

    sqlstate = "25P01"


class SerializationFailure(VoltstreamError):
    """The transaction's answers are no longer true; run it again."""

    sqlstate = "40001"


class ViewSuspended(VoltstreamError):
    """A view whose program failed; it stands still until it is rebuilt."""

    sqlstate = "55000"


class CannotChange(VoltstreamError):
    """A setting that is told and not set."""

    sqlstate = "55P02"


class OutOfMemory(VoltstreamError):
    """The statement needs more memory than there is."""

    sqlstate = "53200"


class ObjectInUse(VoltstreamError):
    """The object is in use by another session."""

    sqlstate = "55006"


class LockNotAvailable(VoltstreamError):
    """The writer was not to be had within lock_timeout."""

    sqlstate = "55P03"


class QueryCanceled(VoltstreamError):
    """The user asked for the statement to stop."""

    sqlstate = "57014"


class AdminShutdown(VoltstreamError):
    """The server stops."""

    sqlstate = "57P01"


class ProtocolViolation(VoltstreamError):
    """Bytes that the wire protocol does not allow here."""

    sqlstate = "08P01"


class InvalidAuthorization(VoltstreamError):
    """Who you say you are was not believed."""

    sqlstate = "28000"


class InvalidPassword(VoltstreamError):
    """The password is wrong."""

    sqlstate = "28P01"


class InsufficientPrivilege(VoltstreamError):
    """The role may not do that."""

    sqlstate = "42501"


class InvalidGrant(VoltstreamError):
    """A privilege or a membership that cannot be given so."""

    sqlstate = "0LP01"


class ReservedName(VoltstreamError):
    """The name is kept for what the server makes itself."""

    sqlstate = "42939"


class IdleSessionTimeout(VoltstreamError):
    """A session said nothing for longer than it may."""

    sqlstate = "57P05"


class TooManyConnections(VoltstreamError):
    """Every connection slot is taken."""

    sqlstate = "53300"


class LimitExceeded(VoltstreamError):
    """A named limit of core/limits was reached."""

    sqlstate = "54000"


class StatementTooComplex(VoltstreamError):
    """A statement is nested more deeply than it can be read."""

    sqlstate = "54001"


class StorageFault(VoltstreamError):
    """The disk or the file below failed."""

    sqlstate = "58030"


class RegistryUnavailable(VoltstreamError):
    """A schema is needed, and nobody tells it now."""

    sqlstate = "08006"


class OriginUnavailable(VoltstreamError):
    """A server that tables follow cannot be asked now."""

    sqlstate = "08006"


class TargetUnavailable(VoltstreamError):
    """A cluster that definitions are put on does not answer, or not in time."""

    sqlstate = "08006"


class TargetRefused(VoltstreamError):
    """A cluster that definitions are put on does not take them, and says why."""

    sqlstate = "HV000"


class HistoryDiffers(VoltstreamError):
    """Rows that were moved are not at their target as they were read."""

    sqlstate = "XX001"


class ExternalRoutineFault(VoltstreamError):
    """A function in another language raised."""

    sqlstate = "38000"


class InvalidFunctionDefinition(VoltstreamError):
    """A function cannot be as it is written."""

    sqlstate = "42P13"
