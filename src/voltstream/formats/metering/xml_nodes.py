"""XML as small trees, one record at a time; what could make a parser work without end is refused.

A document type is refused where it begins: so no entity is ever defined, expanded or fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from xml.parsers import expat

from voltstream.core.limits import XML_DEPTH_MAX, XML_RECORD_ELEMENTS_MAX, XML_TEXT_BYTES_MAX
from voltstream.formats.metering.records import Unreadable

_PIECE = 256 * 1024  # Handed to the parser at a time.


@dataclass(slots=True)
class Node:
    """An element without its namespace. Shape: ``start`` is a byte of the document."""

    tag: str
    attributes: dict[str, str]
    line: int
    start: int
    text: str = ""
    end: int = 0
    children: list[Node] = field(default_factory=list)

    def first(self, *path: str) -> Node | None:
        """Return the first descendant along a path of tags."""
        found: Node | None = self
        for tag in path:
            found = next((c for c in found.children if c.tag == tag), None) if found else None
        return found

    def all(self, tag: str) -> list[Node]:
        return [child for child in self.children if child.tag == tag]

    def said(self, *path: str) -> str:
        """Return the text of the first descendant along a path; empty where there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()


class Broken(Unreadable):
    """The document itself cannot be read on. ``at`` is a byte of it, ``line`` counts from 1."""

    def __init__(self, message: str, line: int, at: int) -> None:
        super().__init__(message)
        self.line = line
        self.at = at


def read(
    payload: bytes, records: Collection[str], take: Callable[[Node, Node | None], None]
) -> str:
    """Hand each element whose tag is of ``records`` to ``take``, with the element around it.

    An element around has no children but the records' siblings seen so far. Returns the tag of
    the root. Raises: Broken.
    """
    return _Reader(records, take).run(payload)


class _Reader:
    def __init__(self, records: Collection[str], take: Callable[[Node, Node | None], None]) -> None:
        self._records = records
        self._take = take
        self._open: list[Node] = []
        self._root = ""
        self._elements = 0
        self._record_depth = 0
        self._text: list[str] = []
        self._text_bytes = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._finish
        self._parser.CharacterDataHandler = self._said
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.EntityDeclHandler = self._refuse_doctype
        self._parser.ExternalEntityRefHandler = self._refuse_entity
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def run(self, payload: bytes) -> str:
        try:
            for start in range(0, len(payload), _PIECE):
                self._parser.Parse(payload[start : start + _PIECE], False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            told = expat.errors.messages.get(error.code, str(error)) if error.code else str(error)
            line, at = error.lineno, max(self._parser.ErrorByteIndex, 0)
            raise Broken(f"not well-formed XML: {told}", line, at) from error
        return self._root

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= XML_DEPTH_MAX:
            raise self._broken(f"elements are nested deeper than {XML_DEPTH_MAX}")
        self._elements += 1
        if self._elements > XML_RECORD_ELEMENTS_MAX:
            raise self._broken(f"more than {XML_RECORD_ELEMENTS_MAX} elements in one record")
        tag = name.rpartition(" ")[2]
        bare = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        node = Node(tag, bare, self._parser.CurrentLineNumber, self._parser.CurrentByteIndex)
        if self._open:
            self._close_text()
        else:
            self._root = tag
        self._open.append(node)
        self._text, self._text_bytes = [], 0
        if not self._record_depth and tag in self._records:
            self._record_depth = len(self._open)

    def _said(self, text: str) -> None:
        self._text_bytes += len(text)
        if self._text_bytes > XML_TEXT_BYTES_MAX:
            raise self._broken(f"a text is longer than {XML_TEXT_BYTES_MAX} characters")
        self._text.append(text)

    def _close_text(self) -> None:
        if self._text:
            self._open[-1].text += "".join(self._text)
            self._text = []

    def _finish(self, name: str) -> None:
        self._close_text()
        node = self._open.pop()
        node.end = self._parser.CurrentByteIndex
        parent = self._open[-1] if self._open else None
        if self._record_depth == len(self._open) + 1:
            self._record_depth = 0
            self._elements = len(self._open)
            self._take(node, parent)
        elif parent is not None:
            parent.children.append(node)
        self._text, self._text_bytes = [], 0

    def _refuse_doctype(self, *_: object) -> None:
        raise self._broken("a document type (<!DOCTYPE …>) is refused: it may define entities")

    def _refuse_entity(self, *_: object) -> int:
        raise self._broken("an external entity is refused")

    def _broken(self, message: str) -> Broken:
        return Broken(
            message, self._parser.CurrentLineNumber, max(self._parser.CurrentByteIndex, 0)
        )
