"""COPY in a conversation: the data that comes, and the data that goes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress

import pyarrow as pa

from voltstream.core.errors import ProtocolViolation, QueryCanceled, VoltstreamError
from voltstream.core.ports import CopyIn, CopyOut, Outcome
from voltstream.pgwire import messages as m
from voltstream.pgwire.copy_binary import BinaryReader, binary_messages
from voltstream.pgwire.portals import RowCursor
from voltstream.pgwire.rows import copy_header, copy_rows
from voltstream.sql.styles.style import Style


class CopyReceiver:
    """Takes the messages of a client that was told to send data."""

    def __init__(self, copy: CopyIn, codec: str) -> None:
        self._copy = copy
        self._codec = codec
        self._reader = BinaryReader(copy.columns) if copy.binary else None

    @property
    def opening(self) -> bytes:
        return m.copy_response(b"G", len(self._copy.columns), binary=self._copy.binary)

    def take(self, message: m.FrontendMessage) -> Outcome | None:
        """Take one message; return what became of the data when it was the last.

        Raises: QueryCanceled when the client gave up, ProtocolViolation (08P01), what the data is.
        """
        try:
            match message:
                case m.CopyData(data=data):
                    self._copy.write(self._text(data))
                    return None
                case m.Flush() | m.Sync():
                    return None  # A client in the extended protocol sent it before it saw the COPY.
                case m.CopyDone():
                    if self._reader is not None:
                        self._reader.finish()
                    return self._copy.finish()
                case m.CopyFail(reason=reason):
                    raise QueryCanceled(f"COPY from stdin failed: {reason}")
                case _:
                    kind = type(message).__name__
                    raise ProtocolViolation(f"unexpected message {kind} during COPY from stdin")
        except VoltstreamError as error:
            self.abandon(error.message)
            raise

    def abandon(self, reason: str) -> None:
        with suppress(VoltstreamError):
            self._copy.abandon(reason)

    def _text(self, data: bytes) -> bytes:
        """Return data as text of ours, whatever its format and encoding."""
        if self._reader is not None:
            return self._reader.feed(data)
        # Every encoding but our own has one byte a character, so data may be cut anywhere.
        return data if self._codec == "utf-8" else data.decode(self._codec, "replace").encode()


def copy_out(copy: CopyOut, style: Style) -> Generator[bytes, None, str]:
    """Yield a COPY to the client; return its command tag."""
    cursor = RowCursor(copy.rows)
    try:
        binary = copy.format == "binary"
        yield m.copy_response(b"H", len(cursor.columns), binary=binary)
        if binary:
            yield from binary_messages(cursor.take(0), cursor.columns)
            yield m.COPY_DONE
            return m.counted("COPY", cursor.taken)
        header = copy_header(cursor.columns, copy.format, copy.options)
        if header:
            yield m.message(b"d", header)
        for batch in cursor.take(0):
            if isinstance(batch, pa.RecordBatch) and batch.num_rows:
                yield copy_rows(batch, cursor.columns, copy.format, copy.options, style)
        yield m.COPY_DONE
    finally:
        cursor.close()
    return m.counted("COPY", cursor.taken)
