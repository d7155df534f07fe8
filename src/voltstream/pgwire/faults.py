"""Errors that only a wire conversation can have."""

from __future__ import annotations

from voltstream.core.errors import VoltstreamError


class UndefinedPortal(VoltstreamError):
    """No portal of that name."""

    sqlstate = "34000"


class DuplicatePortal(VoltstreamError):
    """A portal of that name exists."""

    sqlstate = "42P03"


class PortalFinished(VoltstreamError):
    """The portal ran to its end and cannot run again."""

    sqlstate = "55000"


class BadBinaryValue(VoltstreamError):
    """Binary bytes that are no value of their type."""

    sqlstate = "22P03"


class UntranslatableCharacter(VoltstreamError):
    """A character that the client's encoding has not."""

    sqlstate = "22P05"


class BadEncoding(VoltstreamError):
    """Bytes that are no text of the client's encoding."""

    sqlstate = "22021"


class UndefinedBinaryOutput(VoltstreamError):
    """A type has no binary form here."""

    sqlstate = "42883"
