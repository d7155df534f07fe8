"""Cut bytes into records without copying them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from voltstream.core.limits import LINE_BYTES_MAX
from voltstream.core.packed import packed
from voltstream.formats.result import Integers

NEWLINE = 10
# RFC 8259, 8.1 lets a reader pass over it; what Windows programs save begins with it.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_INT32_MAX = 2**31 - 1
_BLOCK = 2**18


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records as one Arrow text column.

    Shape: ``numbers`` gives each record's place in the batch, from 1; ``rejected`` holds
    (number, raw, reason) of those that are no text or too long.
    """

    texts: pa.Array[Any]
    numbers: Integers
    rejected: Sequence[tuple[int, bytes, str]] = ()

    def raw(self, index: int) -> bytes:
        """Return a record's bytes without its line end."""
        return bytes(self.texts[index].as_buffer()).rstrip(b"\r\n")


def from_lines(payload: bytes | bytearray | memoryview) -> Records:
    """Cut at newlines; the last line counts with or without its own. Blank lines are no records."""
    if payload[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
        payload = memoryview(payload)[len(BYTE_ORDER_MARK) :]
    content = np.frombuffer(payload, np.uint8)
    ends = _line_ends(content)
    size = len(content)
    if size and (len(ends) == 0 or ends[-1] != size):
        ends = np.append(ends, size)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
    # The newline stays inside its record: JSON reads it as white space, and nothing is copied.
    return _checked(_text_array(ends, payload), ends - starts)


def _line_ends(content: np.ndarray[Any, np.dtype[np.uint8]]) -> Integers:
    """Find newlines block by block: a comparison as large as the batch would only be paged in."""
    hits = np.empty(min(_BLOCK, len(content)), bool)
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        hit = np.equal(block, NEWLINE, out=hits[: len(block)])
        found.append(np.flatnonzero(hit) + (start + 1))
    return np.concatenate(found)


def from_documents(documents: Sequence[bytes]) -> Records:
    """Take each item as one record."""
    held = packed(documents)
    binary = held.array
    if pc.any(pc.starts_with(binary, BYTE_ORDER_MARK.decode())).as_py():
        return from_documents([document.removeprefix(BYTE_ORDER_MARK) for document in documents])
    return _checked(_as_text(binary), np.diff(held.offsets))


def _text_array(ends: Integers, payload: bytes | bytearray | memoryview) -> pa.Array[Any]:
    wide = len(payload) > _INT32_MAX
    offsets = np.zeros(len(ends) + 1, np.int64 if wide else np.int32)
    offsets[1:] = ends
    kind = pa.large_string() if wide else pa.string()
    buffers = [None, pa.py_buffer(offsets.data), pa.py_buffer(payload)]
    return pa.Array.from_buffers(kind, len(ends), buffers)


def _as_text(binary: pa.Array[Any]) -> pa.Array[Any]:
    return pa.Array.from_buffers(pa.large_string(), len(binary), binary.buffers())


def _checked(texts: pa.Array[Any], lengths: Integers) -> Records:
    numbers = np.arange(1, len(texts) + 1, dtype=np.int64)
    suspicious = (lengths <= 2) | (lengths > LINE_BYTES_MAX)
    valid = _is_text(texts)
    if valid and not suspicious.any():
        return Records(texts, numbers)
    kept: list[int] = []
    rejected: list[tuple[int, bytes, str]] = []
    for index in range(len(texts)) if not valid else np.flatnonzero(suspicious).tolist():
        raw = bytes(texts[index].as_buffer())
        reason = _objection(raw)
        if reason is not None:
            rejected.append((index + 1, raw.rstrip(b"\r\n"), reason))
        elif raw.strip():
            kept.append(index)
    if valid:
        keep = ~suspicious
        keep[kept] = True
    else:
        keep = np.zeros(len(texts), bool)
        keep[kept] = True
    # Invalid text must not pass through string kernels: take it as bytes.
    chosen = _binary(texts).filter(pa.array(keep))
    return Records(_as_text(chosen), numbers[keep], rejected)


def _binary(texts: pa.Array[Any]) -> pa.Array[Any]:
    wide = pa.types.is_large_string(texts.type)
    kind = pa.large_binary() if wide else pa.binary()
    same = pa.Array.from_buffers(kind, len(texts), texts.buffers(), offset=texts.offset)
    return same if wide else same.cast(pa.large_binary())


def _is_text(texts: pa.Array[Any]) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _objection(raw: bytes) -> str | None:
    if len(raw) > LINE_BYTES_MAX:
        return f"record of {len(raw)} bytes is longer than {LINE_BYTES_MAX}"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start + 1}"
    return None
